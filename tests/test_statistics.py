import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from paper_utils import statistics
from paper_utils.errors import CompanionError


@pytest.fixture(scope="module")
def errors():
    """Squared errors of 3 x 4 heads: layer 1 does nothing at all, layer 2 a little, one head of layer 3 much."""
    rng = np.random.default_rng(0)
    intact = rng.exponential(size=60)
    ablated = np.tile(intact, (3, 4, 1))
    ablated[1] += rng.normal(0, 0.05, (4, 60))
    ablated[2] += rng.normal(0, 0.05, (4, 60))
    ablated[2, 1] += 0.5
    return ablated, intact


@pytest.fixture(scope="module")
def effects(errors):
    return statistics.head_effects(*errors)


def test_a_head_that_does_nothing_has_no_effect_and_no_evidence(effects):
    assert (effects.increase[0] == 0).all()
    assert (effects.low[0] == 0).all()
    assert (effects.p_value[0] == 1).all()


def test_the_head_that_matters_is_found_and_the_others_are_not(effects, errors):
    found = np.zeros((3, 4), bool)
    found[2, 1] = True
    assert np.array_equal(effects.significant_bh, found)
    assert np.array_equal(effects.significant_by, found)
    assert effects.increase[2, 1] == pytest.approx(100 * 0.5 / errors[1].mean(), rel=0.05)
    assert effects.low[2, 1] > 0


def test_intervals_are_those_of_the_normal_approximation_where_that_holds(effects, errors):
    ablated, intact = errors
    difference = ablated[1, 0] - intact
    half = 1.96 * 100 * difference.std(ddof=1) / np.sqrt(len(intact)) / intact.mean()
    assert effects.high[1, 0] - effects.low[1, 0] == pytest.approx(2 * half, rel=0.25)
    assert effects.low[1, 0] < effects.increase[1, 0] < effects.high[1, 0]


def test_bounds_of_all_heads_are_those_of_scipys_bca_bootstrap_of_each(errors):
    ablated, intact = errors
    low, high = statistics.effect_bounds(ablated, intact, seed=3)
    for head in ((1, 0), (1, 2), (2, 1)):
        expected = stats.bootstrap(
            (ablated[head], intact),
            statistics.percent_increase,
            paired=True,
            n_resamples=2000,
            method="BCa",
            rng=np.random.default_rng(3),
        ).confidence_interval
        assert (low[head], high[head]) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_p_values_are_those_of_a_t_test_where_that_holds(effects, errors):
    ablated, intact = errors
    for head in range(4):
        assert effects.p_value[1, head] == pytest.approx(stats.ttest_rel(ablated[1, head], intact).pvalue, abs=0.02)


def test_p_values_are_those_of_scipys_permutation_test(effects, errors):
    ablated, intact = errors
    for place in ((1, 0), (1, 3), (2, 1)):
        expected = stats.permutation_test(
            (ablated[place] - intact,),
            np.mean,
            permutation_type="samples",
            n_resamples=4000,
            rng=np.random.default_rng(1),
        ).pvalue
        assert effects.p_value[place] == pytest.approx(expected, abs=0.03)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(1), 0
    for _ in range(60):
        intact = rng.exponential(size=80)
        low, high = statistics.effect_bounds(intact * rng.normal(1.1, 0.3, 80), intact)
        held += low <= 10 <= high
    assert held >= 51  # of 57 expected; fewer come once in a hundred


def test_layers_have_an_interval_of_their_mean(errors):
    intervals = statistics.layer_intervals(*errors)
    assert intervals.shape == (3, 2)
    assert intervals[2, 0] > 0


def test_too_few_images_are_named():
    with pytest.raises(CompanionError, match="4 images are too few"):
        statistics.head_effects(np.ones((1, 1, 4)), np.ones(4))


@given(
    importance=arrays(float, st.integers(1, 40), elements=st.floats(0, 1e3)),
    share=st.floats(0.01, 1),
    seed=st.integers(0, 9),
)
def test_chosen_images_are_distinct_and_no_weight_is_large(importance, share, seed):
    count = max(1, int(share * len(importance)))
    chosen, weights = statistics.weighted_choice(importance, count, seed=seed)
    assert len(set(chosen)) == count
    assert (np.diff(chosen) > 0).all()
    assert ((weights > 0) & (weights <= 5 + 1e-9)).all()


def test_weights_leave_means_as_they_are_and_make_them_surer():
    rng = np.random.default_rng(0)
    importance = rng.pareto(2.5, 400)
    effect = importance * rng.normal(0.3, 1, 400)  # as a head's: large where the model errs
    weighted, plain = [], []
    for seed in range(300):
        chosen, weights = statistics.weighted_choice(importance, 50, seed=seed)
        weighted.append((weights * effect[chosen]).mean())
        plain.append(effect[np.random.default_rng(seed).choice(400, 50, replace=False)].mean())
    assert np.mean(weighted) == pytest.approx(effect.mean(), abs=3 * np.std(weighted) / np.sqrt(300))
    assert np.std(weighted) < 0.7 * np.std(plain)


def test_equally_important_images_weigh_the_same():
    for value in (0.0, 2.0):
        _, weights = statistics.weighted_choice(np.full(30, value), 10)
        assert np.allclose(weights, 1)


@pytest.mark.parametrize(("importance", "count"), [([1.0, 2.0], 3), ([1.0], 0), ([-1.0, 2.0], 1), ([np.nan, 2.0], 1)])
def test_an_impossible_choice_is_named(importance, count):
    with pytest.raises(CompanionError, match=r"cannot choose \d of \d images|negative or not a number"):
        statistics.weighted_choice(np.array(importance), count)


@given(
    first=arrays(float, st.integers(2, 20), elements=st.integers(0, 5)),
    second=arrays(float, st.integers(2, 20), elements=st.integers(0, 5)),
    data=st.data(),
)
def test_weighted_gap_is_that_of_repeated_members(first, second, data):
    times = [
        data.draw(arrays(int, len(sample), elements=st.integers(1, 3)), label="times") for sample in (first, second)
    ]
    repeated = [np.repeat(sample, often) for sample, often in zip((first, second), times, strict=True)]
    expected = stats.ks_2samp(*repeated, method="asymp").statistic
    assert statistics.largest_gap(first, second, tuple(times)) == pytest.approx(expected, abs=1e-9)


def test_rank_correlations_come_pair_by_pair():
    rising = np.arange(6.0).reshape(2, 3)
    assert np.allclose(statistics.rank_correlations([rising, rising**3, -rising]), [1, -1, -1])


def test_intervals_of_means_are_those_of_the_normal_approximation():
    values = np.random.default_rng(0).normal(3, 1, (400, 2))
    low, high = statistics.mean_intervals(values)
    half = 1.96 * values.std(0, ddof=1) / 20
    assert np.allclose(low, values.mean(0) - half, atol=0.03)
    assert np.allclose(high, values.mean(0) + half, atol=0.03)


def test_what_does_not_apply_does_not_count():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]] * 20)
    low, high = statistics.mean_intervals(values)
    assert 1 < low[0] < 2 < high[0] < 3
    assert (low[1], high[1]) == (5, 5)
    assert np.isnan([low[2], high[2]]).all()
    with warnings.catch_warnings(action="error"):
        assert np.array_equal(statistics.mean_where_known(values), [2, 5, np.nan], equal_nan=True)


def test_rank_correlation_is_scipys_and_its_interval_holds_it():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(12, 12))
    second = first + rng.normal(size=(12, 12))
    value, low, high = statistics.rank_correlation_interval(first, second)
    assert value == pytest.approx(stats.spearmanr(first, second, axis=None).statistic)
    assert low < value < high
    assert high - low == pytest.approx(2 * 1.96 * (1 - value**2) / 12, rel=0.4)  # Fisher's, near enough


def test_heads_that_are_alike_leave_an_interval():
    flat = np.array([1.0] * 7 + [3.0])  # one resample in three holds nothing but the seven
    with warnings.catch_warnings(action="error"):
        value, low, high = statistics.rank_correlation_interval(flat, np.arange(8.0))
        nothing = statistics.rank_correlation_interval(np.ones(8), np.arange(8.0))
    assert value == pytest.approx(stats.spearmanr(flat, np.arange(8.0)).statistic)
    assert low <= value <= high
    assert nothing == (0, 0, 0)


def test_the_interval_of_r_is_scipys_bootstrap():
    """Oracle: scipy's percentile bootstrap. A few bad images make it wider than that of normal errors."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    y = x + rng.normal(size=300) * np.where(rng.random(300) < 0.03, 3, 0.1)
    r, low, high = statistics.correlation_interval(x, y)
    oracle = stats.pearsonr(x, y)
    method = stats.BootstrapMethod(n_resamples=4000, method="percentile", rng=rng)
    ends = oracle.confidence_interval(method=method)
    assert r == pytest.approx(oracle.statistic)
    assert (low, high) == pytest.approx((ends.low, ends.high), abs=0.1 * (ends.high - ends.low))
    normal = oracle.confidence_interval()
    assert high - low > 1.5 * (normal.high - normal.low)


@pytest.mark.filterwarnings("error")
@given(st.integers(2, 6), st.integers(0, 99))
def test_r_of_few_images_has_an_interval_within_its_bounds(count, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, count))
    r, low, high = statistics.correlation_interval(x, y)
    assert -1 - 1e-9 <= low <= high <= 1 + 1e-9
    assert r == pytest.approx(np.corrcoef(x, y)[0, 1])


@given(arrays(float, st.integers(1, 50), elements=st.floats(0, 1e3)), st.floats(1e-3, 1e3))
def test_the_effective_sample_size_lies_between_one_and_all_and_ignores_the_unit(weights, unit):
    weights[0] = 1.0
    size = statistics.effective_sample_size(weights)
    assert 1 - 1e-9 <= size <= len(weights) * (1 + 1e-9)
    assert statistics.effective_sample_size(weights * unit) == pytest.approx(size)
    # a mean of independent values of variance one has the variance one over it
    share = weights / weights.sum()
    assert 1 / size == pytest.approx(float((share**2).sum()))


def test_equal_weights_count_fully_and_an_image_without_weight_does_not():
    assert statistics.effective_sample_size(np.full(7, 0.3)) == pytest.approx(7)
    assert statistics.effective_sample_size(np.array([2.0, 2, 0])) == pytest.approx(2)
    for wrong in ([0.0, 0.0], [1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(CompanionError, match="weights of images"):
            statistics.effective_sample_size(np.array(wrong))
