import numpy as np
import pytest
from scipy import stats

from paper_utils.bootstrap import resample_counts
from paper_utils.interventions import compare_heads, group_metrics, largest_head
from paper_utils.interventions.groups import STATISTICS, effects_without_each, group_intervals, resampled_effects


@pytest.fixture(scope="module")
def errors():
    rng = np.random.default_rng(0)
    intact = rng.exponential(size=60)
    ablated = intact * (1 + 0.01 * rng.normal(1, 1, (12, 12, 1))) + rng.normal(0, 0.02, (12, 12, 60))
    ablated[0, 3] = 9 * intact
    return ablated, intact


def increase_of(ablated, intact):
    return 100 * (ablated.mean(-1) / intact.mean() - 1)


def test_one_head_decides_the_mean_of_its_group_and_nothing_else():
    values = np.repeat(np.arange(1.0, 13)[:, None], 12, axis=1)
    values[1, 4] = 722
    found = group_metrics(values)
    assert largest_head(values) == (1, 4)
    assert found["layers_1_to_3.mean_percent"] == pytest.approx(2 + 720 / 36)
    assert found["layers_1_to_3.mean_without_largest_percent"] == pytest.approx((12 + 22 + 36) / 35)
    assert found["layers_1_to_3.median_percent"] == 2
    assert found["layers_4_to_12.mean_without_largest_percent"] == found["layers_4_to_12.mean_percent"] == 8
    assert found["late_minus_early.mean_percent"] == pytest.approx(8 - 22)
    assert found["late_minus_early.median_percent"] == 6


def test_the_head_left_out_may_lie_in_a_later_layer():
    values = np.ones((12, 12))
    values[8, 0] = 109
    found = group_metrics(values)
    assert found["layers_4_to_12.mean_percent"] == 2
    assert found["late_minus_early.mean_without_largest_percent"] == 0


def test_resampled_effects_are_those_of_repeated_images(errors):
    ablated, intact = errors
    sample = resampled_effects(ablated, intact, seed=3)
    for number in (0, 17, 1999):
        drawn = np.repeat(np.arange(60), resample_counts(60, seed=3)[number])
        assert np.allclose(sample[number], increase_of(ablated[..., drawn], intact[drawn]))


def test_differences_are_paired_and_the_head_left_out_stays_the_same(errors):
    ablated, intact = errors
    values, sample = increase_of(ablated, intact), resampled_effects(ablated, intact)
    found = group_intervals(sample, values)
    kept = np.ones(36, bool)
    kept[3] = False
    early, late = sample[:, :3].reshape(-1, 36)[:, kept].mean(1), sample[:, 3:].mean((1, 2))
    name = "late_minus_early.mean_without_largest"
    expected = np.percentile(late - early, (2.5, 97.5))
    assert [found[f"{name}_low_percent"], found[f"{name}_high_percent"]] == pytest.approx(expected)
    assert not any("median" in key for key in found)


def test_intervals_of_medians_are_those_of_scipys_bootstrap(errors):
    ablated, intact = errors
    sample = resampled_effects(ablated, intact)
    found = group_intervals(sample, increase_of(ablated, intact), effects_without_each(ablated, intact))
    expected = stats.bootstrap(
        (np.arange(60),),
        lambda drawn: np.median(increase_of(ablated[3:][..., drawn], intact[drawn])),
        vectorized=False,
        n_resamples=2000,
        method="BCa",
        random_state=0,
    ).confidence_interval
    width = expected.high - expected.low
    assert found["layers_4_to_12.median_low_percent"] == pytest.approx(expected.low, abs=width / 10)
    assert found["layers_4_to_12.median_high_percent"] == pytest.approx(expected.high, abs=width / 10)


def test_an_image_left_out_is_one_that_was_not_there(errors):
    ablated, intact = errors
    found = effects_without_each(ablated, intact)
    for image in (0, 31, 59):
        kept = np.arange(60) != image
        assert np.allclose(found[image], increase_of(ablated[..., kept], intact[kept]))


@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_values_and_heads_that_do_nothing_have_none(seed):
    rng = np.random.default_rng(seed)
    intact = rng.exponential(size=rng.integers(30, 200))
    ablated = intact * rng.uniform(0.5, 2, (12, 12, 1)) * rng.uniform(0.9, 1.1, (12, 12, len(intact)))
    values = increase_of(ablated, intact)
    left_out = effects_without_each(ablated, intact)
    ends, found = group_intervals(resampled_effects(ablated, intact), values, left_out), group_metrics(values)
    for group in ("layers_1_to_3", "layers_4_to_12", "late_minus_early"):
        for name in (f"{group}.{statistic}" for statistic in STATISTICS if statistic != "median"):
            assert ends[f"{name}_low_percent"] < found[f"{name}_percent"] < ends[f"{name}_high_percent"]
    nothing = np.tile(intact, (12, 12, 1))
    zero = group_intervals(resampled_effects(nothing, intact), increase_of(nothing, intact))
    assert np.allclose(list(zero.values()), 0, atol=1e-9)


def test_chosen_heads_against_others_by_hand(errors):
    ablated, intact = errors
    values = increase_of(ablated, intact)
    chosen = np.zeros((12, 12), bool)
    chosen[4:6, :5] = True
    found = compare_heads(ablated, intact, chosen, ~chosen)
    assert found["chosen_percent"] == pytest.approx(values[chosen].mean())
    assert found["others_percent"] == pytest.approx(values[~chosen].mean())
    sample = resampled_effects(ablated, intact)
    expected = np.percentile(sample[:, chosen].mean(1) - sample[:, ~chosen].mean(1), (2.5, 97.5))
    assert [found["difference_low_percent"], found["difference_high_percent"]] == pytest.approx(expected)
    weights = np.where(np.arange(12)[:, None] < 6, 1.0, 3.0) * np.ones(12)
    found = compare_heads(ablated, intact, chosen, weights)
    assert found["others_percent"] == pytest.approx(np.average(values, weights=weights))


def test_no_head_has_no_mean(errors):
    none = np.zeros((12, 12), bool)
    found = compare_heads(*errors, none, ~none)
    assert np.isnan(found["chosen_percent"])
    assert np.isnan(found["difference_low_percent"])
    assert np.isfinite(found["others_high_percent"])
