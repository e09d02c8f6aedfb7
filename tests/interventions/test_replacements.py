import numpy as np
import pytest
from scipy import stats

from paper_utils.errors import CompanionError
from paper_utils.interventions import ReplacementEffects
from paper_utils.interventions.estimation import choose_few, controlled_changes

from . import reference


@pytest.fixture(scope="module")
def made_up():
    """Changes of 80 images by four kinds: mean replacement does nothing in layers 1 to 3."""
    rng = np.random.default_rng(0)
    intact = rng.exponential(size=80)
    size = rng.exponential(size=(12, 12, 1))
    zeroed = size * (0.1 * intact + 0.02 * rng.normal(size=(12, 12, 80)))
    mean = 0.5 * zeroed
    mean[:3] = 0.01 * rng.normal(size=(3, 12, 80))
    return {"zero_qkv": zeroed, "mean": mean, "zero": 1.1 * zeroed}, intact


def test_means_and_intervals_of_groups_are_those_of_scipy(made_up):
    changes, intact = made_up
    found = ReplacementEffects.of(changes, intact).metrics()
    parts = {"layers_1_to_3": changes["mean"][:3].mean((0, 1)), "layers_4_to_12": changes["mean"][3:].mean((0, 1))}
    parts["late_minus_early"] = parts["layers_4_to_12"] - parts["layers_1_to_3"]
    for name, values in parts.items():
        key = f"ablation.replacement.mean.{name}.mean"
        assert found[f"{key}_percent"] == pytest.approx(100 * values.mean() / intact.mean())
        oracle = stats.bootstrap(
            (values, intact),
            lambda change, whole, axis=-1: 100 * change.mean(axis) / whole.mean(axis),
            paired=True,
            vectorized=True,
            method="percentile",
            rng=1,
        ).confidence_interval
        width = oracle.high - oracle.low
        ends = found[f"{key}_low_percent"], found[f"{key}_high_percent"]
        assert ends == pytest.approx((oracle.low, oracle.high), abs=0.1 * width)


def test_metrics_hold_every_kind(made_up):
    found = ReplacementEffects.of(*made_up).metrics()
    assert found["ablation.replacement.images"] == 80
    assert found["ablation.replacement.zero.rank_correlation"] == pytest.approx(1)
    assert "ablation.replacement.zero_qkv.rank_correlation" not in found
    groups = ("layers_1_to_3", "layers_4_to_12", "late_minus_early")
    expected = {
        f"ablation.replacement.{kind}.{group}.mean{end}_percent"
        for kind in ("zero_qkv", "zero", "mean")
        for group in groups
        for end in ("", "_low", "_high")
    }
    assert expected < set(found)
    assert len(found) == len(expected) + 2 + 3 + 1
    assert found["ablation.replacement.zero_qkv.significant_early_heads"] == 36
    assert found["ablation.replacement.mean.significant_early_heads"] <= 3


def test_effects_of_the_same_order_have_a_rank_correlation_of_one():
    increase = np.arange(24.0).reshape(12, 2, 1) * np.ones(8)
    effects = ReplacementEffects.of({"zero_qkv": increase, "zero": increase**2, "mean": -increase}, np.ones(8))
    assert effects.rank_correlations() == pytest.approx({"zero": 1, "mean": -1})
    assert np.allclose(effects.zero_qkv, 100 * increase[..., 0])
    assert list(effects.by_title()) == ["zero", "mean over other images, by token"]
    assert list(effects.table().index[1:]) == list(effects.by_title())
    assert effects.table().iloc[2, 0] == "-250 (-250 to -250)"
    assert effects.table()["Images"].to_list() == [8] * 3


def test_estimates_by_control_variates_are_taken_as_measured_changes(made_up):
    changes, intact = made_up
    few = choose_few(intact, 20)
    rough = changes["zero_qkv"] + 0.05
    estimated = controlled_changes(changes["zero_qkv"][..., few.positions], rough, few)
    effects = ReplacementEffects.of({"zero_qkv": estimated}, intact)
    assert np.allclose(effects.zero_qkv, 100 * changes["zero_qkv"].mean(-1) / intact.mean(), atol=1e-6)


def test_what_does_not_belong_together_is_named(made_up):
    changes, intact = made_up
    with pytest.raises(CompanionError, match="which is missing"):
        ReplacementEffects.of({"zero": changes["zero"]}, intact)
    with pytest.raises(CompanionError, match="of 80 images, the intact errors of 79"):
        ReplacementEffects.of(changes, intact[1:])


def test_the_shipped_replacements_give_the_shipped_numbers():
    ablation = reference.ablation()
    changes = ablation.replaced(reference.arrays("replacements"), reference.arrays("attribution"))
    assert reference.differing(ReplacementEffects.of(changes, ablation.intact).metrics()) == []
