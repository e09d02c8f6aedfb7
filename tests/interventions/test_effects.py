import numpy as np
import pytest

from paper_utils.interventions import (
    Ablation,
    AblationEffects,
    TargetEffects,
    effect_intervals_of,
    effect_metrics,
    target_errors,
)

from . import reference


@pytest.fixture(scope="module")
def effects():
    return AblationEffects.of(reference.ablation())


def test_metrics_by_hand():
    increase = np.repeat(np.arange(1.0, 13)[:, None], 12, axis=1)
    increase[:3] += np.tile([-0.5, 0.5], 6)
    found = effect_metrics(increase)
    assert found["layers_1_to_3.mean_percent"] == pytest.approx(2)
    assert found["layers_1_to_3.std_percent"] == pytest.approx(increase[:3].std(ddof=1))
    assert found["layer_6.mean_percent"] == 6
    assert found["layer_6.std_percent"] == 0
    assert found["layer_6_over_layers_1_to_3"] == pytest.approx(3)
    assert found["late_over_early"] == pytest.approx(4)
    assert found["layers_1_to_4.mean_percent"] == pytest.approx(2.5)
    assert found["layers_1_to_4.std_percent"] == pytest.approx(increase[:4].std(ddof=1))
    assert found["layer_7_over_layers_1_to_4"] == pytest.approx(7 / 2.5)


def test_a_ratio_without_the_largest_head_by_hand():
    increase = np.ones((12, 12))
    increase[5], increase[2, 2] = 3, 100
    found = effect_metrics(increase)
    assert found["layer_6_over_layers_1_to_3_without_largest"] == pytest.approx(3)
    increase[2, 2], increase[5, 7] = 1, 100
    assert effect_metrics(increase)["layer_6_over_layers_1_to_3_without_largest"] == pytest.approx(3)


def test_heads_that_lower_the_loss_are_counted(effects):
    metrics = effects.metrics()
    assert metrics["ablation.heads_that_lower_the_loss"] == (effects.increase < 0).sum() == 38
    assert metrics["ablation.heads_that_significantly_lower_the_loss"] == 1
    assert metrics["ablation.largest_head.name"] == "L1H1"
    assert metrics["ablation.largest_head.effect_percent"] == effects.increase.max()


def test_intervals_hold_the_values_and_a_doubtful_early_mean_leaves_the_ratio_open():
    rng = np.random.default_rng(0)
    intact = rng.exponential(size=200)
    ablated = np.tile(intact, (12, 12, 1)) * (1 + 0.02 * np.arange(1, 13)[:, None, None])
    ablated += rng.normal(0, 0.01, (12, 12, 200))
    value = effect_metrics(100 * (ablated.mean(-1) / intact.mean() - 1))
    found = effect_intervals_of(ablated, intact)
    for name in ("layers_1_to_3.mean", "layers_4_to_12.mean", "layers_1_to_4.mean"):
        assert found[f"{name}_low_percent"] < value[f"{name}_percent"] < found[f"{name}_high_percent"]
    for ratio in ("layer_6_over_layers_1_to_3", "layer_7_over_layers_1_to_4"):
        assert found[f"{ratio}_low"] < value[ratio] < found[f"{ratio}_high"]
    ablated[:3] = intact + rng.normal(0, 0.5, (3, 12, 200))
    assert effect_intervals_of(ablated, intact)["late_over_early_high"] == 1e6


def test_the_metrics_are_the_shipped_ones(effects):
    metrics = effects.metrics()
    assert {f"ablation.{key}" for key in ("images", "layer_7_over_layers_1_to_4_low", "largest_head.name")} <= set(
        metrics
    )
    assert reference.differing(metrics) == []


def test_tables_show_the_shipped_effects(effects):
    groups = effects.groups()
    assert list(groups.index[:3]) == ["mean over heads", "mean without the largest", "median over heads"]
    assert groups.iloc[4].to_list()[1:] == ["6.18 (4.99 to 7.88)", "4.77 (3.76 to 6.14)", 1412]
    assert groups.iloc[0].to_list()[:2] == ["23.3 (14.7 to 34.3)", "1.14 (0.830 to 1.55)"]
    assert groups.iloc[1].to_list() == [
        "0.394 (0.0587 to 0.729)",
        "1.14 (0.830 to 1.55)",
        "0.747 (0.346 to 1.18)",
        2048,
    ]
    assert effects.strongest(2).index.to_list() == ["L1H1", "L8H4"]
    assert effects.strongest(2)["Increase of the loss (%)"].to_list() == ["823", "11.3"]
    assert effects.significance()["Value"].to_list()[:3] == ["44 of 144", "43", "36 of 144"]
    layers = effects.layer_table(np.full((12, 12), 0.25))
    assert layers.loc[12].to_list() == ["3.90", "3.08 to 4.67", "2.36", "0.25"]
    errors = effects.errors()
    assert errors.index.to_list() == ["intact", "without L1H1"]
    fewer = effects.layer_table(np.full((7, 2), 0.25))  # of a published model of other sizes
    assert fewer["Published mean (%)"].to_list() == ["0.25"] * 7 + ["-"] * 5
    assert effects.layer_table(np.full((14, 2), 0.25)).shape == layers.shape


def test_well_read_images_are_within_a_tenth_of_the_axes(effects):
    """Oracle: plain numpy on the shipped arrays."""
    many = reference.arrays("attribution")
    near = (np.abs(many["baseline"] - many["labels"]) < [6, 10, 10]).all(1)
    found = effects.well_read()
    assert found["well_read.images"] == near.sum() == 1412
    increase = 100 * (effects.ablated[..., near].sum(-1) / effects.intact[near].sum() - 1)
    assert found["well_read.layers_4_to_12.mean_percent"] == pytest.approx(increase[3:].mean())
    assert found["well_read.layers_1_to_3.median_percent"] == pytest.approx(np.median(increase[:3]))
    assert found["well_read.share_of_weight"] == pytest.approx(many["weights"][near].sum() / many["weights"].sum())


def test_the_saved_table_has_a_row_for_each_head(effects):
    table = effects.table()
    assert table.shape == (144, 10)
    assert table.iloc[0].to_list() == [
        "L1H1",
        "823.4",
        "571.5",
        "1332",
        "0.0001",
        True,
        True,
        "667",
        "847.4",
        "956.1",
    ]


def test_errors_and_effects_of_targets_by_hand():
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(40, 3))
    std = np.array([13.0, 29.0, 31.0])
    baseline = labels + std * rng.normal(size=(40, 3))
    ablated = np.tile(baseline, (2, 3, 1, 1))
    ablated[1, 2, :, 1] = labels[:, 1] + 2 * (baseline - labels)[:, 1]  # twice the error of the second target
    sweep = Ablation(baseline, ablated, labels, std, np.ones(40))
    errors = np.moveaxis(target_errors(ablated, sweep), -1, 0)
    targets = TargetEffects.of(errors, target_errors(baseline, sweep).T, std)
    expected = np.zeros((3, 2, 3))
    expected[1, 1, 2] = 300
    assert np.allclose(targets.increase, expected)
    assert np.allclose(targets.low, expected)  # each image's error grows alike
    table = targets.table()
    assert table.loc["start frequency"].to_list() == ["L2H3", "300", "300 to 300", "1 of 6", 40]
    rmse = np.sqrt(((baseline - labels) ** 2).mean(0))
    assert np.allclose(targets.intact_rmse, rmse)
    assert targets.ablated_rmse[1, 1, 2] == pytest.approx(2 * rmse[1])


def test_rank_correlations_of_targets_are_symmetric(effects):
    matrix = effects.by_target.rank_correlations().astype(float)
    assert np.allclose(matrix, matrix.T)
    assert np.allclose(np.diag(matrix), 1)
