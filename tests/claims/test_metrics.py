import numpy as np
import pytest
from scipy import stats

from paper_utils.attention import scores as region_scores
from paper_utils.claims import metrics as findings
from paper_utils.statistics import HeadEffects


def test_effects_by_hand():
    increase = np.repeat(np.arange(1.0, 13)[:, None], 12, axis=1)
    increase[:3] += np.tile([-0.5, 0.5], 6)
    found = findings.effect_metrics(increase)
    assert found["layers_1_to_3.mean_percent"] == pytest.approx(2)
    assert found["layers_1_to_3.std_percent"] == pytest.approx(increase[:3].std(ddof=1))
    assert found["layer_6.mean_percent"] == 6
    assert found["layer_6.std_percent"] == 0
    assert found["layer_6_over_layers_1_to_3"] == pytest.approx(3)
    assert found["late_over_early"] == pytest.approx(4)


def test_intervals_hold_the_values_and_a_doubtful_early_mean_leaves_the_ratio_open():
    rng = np.random.default_rng(0)
    intact = rng.exponential(size=200)
    ablated = np.tile(intact, (12, 12, 1)) * (1 + 0.02 * np.arange(1, 13)[:, None, None]) + rng.normal(
        0, 0.01, (12, 12, 200)
    )
    value = findings.effect_metrics(100 * (ablated.mean(-1) / intact.mean() - 1))
    found = findings.effect_intervals_of(ablated, intact)
    for name in ("layers_1_to_3.mean", "layers_4_to_12.mean"):
        assert found[f"{name}_low_percent"] < value[f"{name}_percent"] < found[f"{name}_high_percent"]
    assert (
        found["layer_6_over_layers_1_to_3_low"]
        < value["layer_6_over_layers_1_to_3"]
        < found["layer_6_over_layers_1_to_3_high"]
    )
    ablated[:3] = intact + rng.normal(0, 0.5, (3, 12, 200))
    assert findings.effect_intervals_of(ablated, intact)["late_over_early_high"] == 1e6


def test_heads_are_named_and_counted():
    kinds = np.full((12, 12), "unselective").astype("<U12")
    features = np.full((12, 12), "").astype("<U20")
    kinds[0, 4], features[0, 4] = "monosemantic", "colour bar"
    kinds[8, 0], features[8, 0] = "monosemantic", "chirp"
    enrichment = np.ones((len(region_scores.FEATURES), 12, 12))
    enrichment[list(region_scores.FEATURES).index("title"), 11, 11] = 3
    found = findings.attention_metrics({"enrichment": enrichment}, kinds, features)
    assert found["heads.L1H5"] == "monosemantic; colour bar; chirp"
    assert found["heads.L12H12"] == "unselective; ; title"
    assert found["semantics.early_distractor_heads"] == found["semantics.chirp_heads"] == 1
    assert [found[f"semantics.layer_{layer}.chirp_heads"] for layer in (1, 9)] == [0, 1]


def test_shifts_of_a_moved_head():
    baseline = np.linspace(0, 45, 60)
    ablated = np.tile(baseline, (12, 12, 1))
    ablated[5, 5] += 3
    shifts = findings.head_shifts(baseline, ablated, np.ones(60))
    assert shifts["mean_seconds"][5, 5] == pytest.approx(3)
    assert shifts["wasserstein_seconds"][5, 5] == pytest.approx(3)
    assert np.count_nonzero(shifts["kolmogorov_smirnov"]) == 1
    found = findings.shift_metrics(baseline, ablated, np.ones(60))
    assert found["shift.layers_1_to_3.mean_seconds"] == 0
    assert found["shift.layers_1_to_3.largest_kolmogorov_smirnov"] == 0
    assert found["shift.layers_4_to_12.mean_seconds"] == pytest.approx(3 / 108)
    assert found["shift.layers_4_to_12.wasserstein_seconds"] == pytest.approx(3 / 108)
    assert 0 < found["shift.two_halves.wasserstein_seconds"] < 5


def test_halves_of_the_same_predictions_are_as_far_apart_as_chance_puts_them():
    _, gap = findings.two_halves(np.linspace(0, 45, 400), np.ones(400))
    assert gap == pytest.approx(stats.kstwobign.median() * np.sqrt(2 / 200), rel=0.1)


def test_the_table_has_a_row_for_every_head():
    values = np.arange(6.0).reshape(2, 3)
    effects = HeadEffects(values, values - 1, values + 1, values / 10, values > 4, values > 5)
    rows = findings.effect_table(effects, {"start_time": 2 * values})
    assert [row["head"] for row in rows] == ["L1H1", "L1H2", "L1H3", "L2H1", "L2H2", "L2H3"]
    assert rows[-1] == {
        "head": "L2H3",
        "increase_percent": "5",
        "increase_percent_low": "4",
        "increase_percent_high": "6",
        "p_value": "0.5",
        "significant_bh": True,
        "significant_by": False,
        "start_time_increase_percent": "10",
    }
