import numpy as np
import pytest
from scipy import stats

from paper_utils.errors import CompanionError
from paper_utils.interventions import pruning
from paper_utils.interventions.engine import Engine, Replacement

from . import reference

LABELS = np.array([[10.0, 20.0, 30.0]] * 5)


def test_orders_name_each_head_once_and_the_first_begins_with_the_least():
    effects = np.array([[3.0, -1.0, 2.0], [0.0, 9.0, 1.0]])
    found = pruning.orders(effects)
    assert list(found["least important first"].heads) == [1, 3, 5, 2, 0, 4]
    assert list(found["from layer 1 on"].heads) == list(range(6))
    whole = [f"random {number}" for number in (1, 2, 3)] + ["least important first", "from layer 1 on"]
    assert len(whole) == 5
    assert all(sorted(found[name].heads) == list(range(6)) for name in whole)
    assert all(list(found[name].counts) == list(range(7)) for name in whole)
    for number in (1, 2, 3):
        mean = found[f"random {number}, mean"]
        assert (list(mean.heads), list(mean.counts)) == (list(found[f"random {number}"].heads), [6])


def test_early_heads_and_blocks_of_twelve_layers_go_by_both_replacements():
    effects = np.random.default_rng(0).normal(size=(12, 12))
    found = pruning.orders(effects, mean_effects=-effects)
    early = found["early heads, least important first"]
    assert list(early.heads) == sorted(range(36), key=lambda head: effects[head // 12, head % 12])
    assert list(early.counts) == [0, 6, 12, 18, 24, 30, 35, 36]
    by_mean = found["early heads, least important first, mean"]
    assert list(by_mean.heads) == list(early.heads[::-1])
    blocks = [name for name in found if name.startswith("layers") and not name.endswith("mean")]
    assert blocks == ["layers 1 to 3", "layers 4 to 6", "layers 7 to 9", "layers 10 to 12"]
    assert list(found["layers 4 to 6"].heads) == list(range(36, 72))
    assert list(found["layers 4 to 6, mean"].counts) == [36]
    assert {order.kind for name, order in found.items() if name.endswith(", mean")} == {"mean"}
    assert {order.kind for name, order in found.items() if not name.endswith(", mean")} == {"zero_qkv"}
    assert list(found["random 1"].counts) == list(range(0, 145, 12))


def test_blocks_cover_any_depth():
    found = pruning.orders(np.zeros((5, 2)))
    blocks = [order.heads for name, order in found.items() if name.startswith("layers") and name[-1].isdigit()]
    assert np.concatenate(blocks).tolist() == list(range(10))
    assert 6 in found["random 2"].counts  # as many as layers 1 to 3 have


def test_removed_heads_are_those_of_the_order(regressor, images):
    found = pruning.removal(regressor, images, np.array([4, 0, 1]), [0, 1, 3])
    engine = Engine(regressor)
    for predictions, heads in zip(found, ([], [(1, 1)], [(1, 1), (0, 0), (0, 1)]), strict=True):
        assert np.allclose(predictions, engine.predict(images, heads), atol=1e-4)
    assert np.abs(found[2] - found[1]).max() > 1e-3


def test_a_mean_is_made_once_for_an_engine(regressor, images):
    engine, other = Engine(regressor), 255 - images[:3]
    by_kind = pruning.removal(regressor, images, np.array([4, 0]), [0, 2], kind="mean", source=other)
    made = Replacement(engine, "mean", source=other)
    assert np.allclose(pruning.removal(engine, images, np.array([4, 0]), [0, 2], kind=made), by_kind, atol=1e-4)
    assert np.allclose(by_kind[1], engine.predict(images, [(1, 1), (0, 0)], kind="mean", source=other), atol=1e-4)


def test_errors_are_measured_once_for_each_set_of_heads(regressor, images, monkeypatch):
    weights, other = np.array([0.5, 1, 1, 1, 1.5]), 255 - images[:3]
    by_name = pruning.orders(np.array([[3.0, -1.0, 2.0], [0.0, 9.0, 1.0]]))
    asked, predict = [], Engine.predict
    monkeypatch.setattr(
        Engine, "predict", lambda *given, **how: asked.append((how["kind"], given[2])) or predict(*given, **how)
    )
    found = pruning.removed_errors(regressor, images, LABELS, by_name, source=other, weights=weights)
    assert len({(kind.kind, heads) for kind, heads in asked}) == len(asked)
    engine = Engine(regressor)
    for name, order in by_name.items():
        assert np.array_equal(found[f"counts of {name}"], order.counts)
        assert np.array_equal(found[f"heads of {name}"], order.heads)
        source = other if order.kind == "mean" else None
        predictions = pruning.removal(engine, images, order.heads, order.counts, kind=order.kind, source=source)
        expected = (((predictions - LABELS) / regressor.label_std.numpy()) ** 2).mean(-1) * weights
        assert np.allclose(found[name], expected, rtol=1e-4)
    assert np.array_equal(found["intact"], found["random 1"][0])
    assert np.array_equal(found["early heads, least important first, mean"][0], found["intact"])


@pytest.mark.parametrize(
    ("order", "counts", "message"),
    [
        ([0, 0], [1], "at most once"),
        ([6], [1], "each of the 6 heads"),
        ([-1], [1], "each"),
        ([0, 1], [3], "cannot remove 3 of 2"),
    ],
)
def test_what_cannot_be_removed_is_named(regressor, images, order, counts, message):
    with pytest.raises(CompanionError, match=message):
        pruning.removal(regressor, images, np.array(order), counts)


@pytest.fixture(scope="module")
def made_up():
    """Errors of 60 images that grow with the number of removed heads, less so by mean replacement."""
    rng = np.random.default_rng(1)
    intact = rng.exponential(size=60)
    arrays = {"intact": intact}
    for name, order in pruning.orders(rng.normal(size=(12, 12))).items():
        slope = 0.02 if order.kind == "mean" else 0.05
        noise = rng.exponential(size=(len(order.counts), 60))
        arrays[name] = intact + slope * order.counts[:, None] * noise
        arrays[f"counts of {name}"], arrays[f"heads of {name}"] = order.counts, order.heads
    return arrays


def ratio_of_means(errors, intact, axis=-1):
    return errors.mean(axis) / intact.mean(axis)


def test_ratios_and_intervals_are_those_of_scipy(made_up):
    removals = pruning.Removals.of(made_up)
    for name in ("layers 4 to 6, mean", "early heads, least important first"):
        found = removals.ratios[name]
        assert np.allclose(found.ratio, made_up[name].mean(1) / made_up["intact"].mean())
        data = made_up[name][-1], made_up["intact"]
        oracle = stats.bootstrap(data, ratio_of_means, paired=True, vectorized=True, method="BCa", rng=0)
        low, high = oracle.confidence_interval
        assert (found.low[-1], found.high[-1]) == pytest.approx((low, high), rel=0.03)
    none = removals.ratios["from layer 1 on"]
    assert (none.ratio[0], none.low[0], none.high[0]) == (1, 1, 1)


def test_metrics_have_an_interval_for_every_ratio(made_up):
    found = pruning.Removals.of(made_up).metrics(early=36)
    assert found.pop("ablation.removal.images") == 60
    ratios = {name for name in found if name.endswith("loss_ratio")}
    assert set(found) == {f"{name}{end}" for name in ratios for end in ("", "_low", "_high")}
    blocks = [f"layers_{start}_to_{start + 2}" for start in (1, 4, 7, 10)]
    expected = {
        f"{mean}{name}" for mean in ("", "mean.") for name in [*blocks, *(f"early_{k}" for k in (*range(6, 37, 6), 35))]
    }
    assert ratios == {
        f"ablation.removal.{name}.loss_ratio" for name in (*expected, "as_many_at_random", "mean.as_many_at_random")
    }
    assert all(found[f"{name}_low"] < found[name] < found[f"{name}_high"] for name in ratios)
    key = "early heads, least important first, mean"
    assert found["ablation.removal.mean.early_12.loss_ratio"] == pytest.approx(
        made_up[key][2].mean() / made_up["intact"].mean()
    )
    random = [made_up[f"random {number}"][3].mean() / made_up["intact"].mean() for number in (1, 2, 3)]
    assert found["ablation.removal.as_many_at_random.loss_ratio"] == pytest.approx(np.median(random))


def test_the_table_shows_both_replacements(made_up):
    table = pruning.Removals.of(made_up).table()
    assert list(table.columns) == ["Loss over intact, value bias", "Loss over intact, mean output", "Images"]
    assert len(table) == 7 + 4 + 5 + 1
    assert table.loc["all of layers 4 to 6"].iloc[0].count(" to ") == 1
    assert table.loc["the 24 least important of all"].iloc[1] == "-"
    assert table.loc["36 at random"].iloc[1].count(" to ") == 1
    assert set(table["Images"]) == {60}


def test_what_was_not_measured_is_named(made_up):
    with pytest.raises(CompanionError, match="no loss without 34 heads, only without 0, 6"):
        pruning.Removals.of(made_up).metrics(early=34)
    few = {name: values if name.startswith("counts") else values[..., :7] for name, values in made_up.items()}
    with pytest.raises(CompanionError, match="7 images are too few"):
        pruning.Removals.of(few)


def test_the_shipped_removals_give_the_shipped_numbers():
    assert reference.differing(pruning.Removals.of(reference.arrays("removals")).metrics(early=36)) == []
