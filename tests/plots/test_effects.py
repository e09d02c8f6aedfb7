import numpy as np
import pytest
from scipy import stats

from paper_utils.interventions.pruning import Removals, orders
from paper_utils.plots import effects


def test_heatmap_shows_layer_1_on_top_and_the_numbers():
    increase = np.arange(144.0).reshape(12, 12) / 100
    axis = effects.ablation_heatmap(increase).axes[0]
    assert [text.get_text() for text in axis.texts[:3]] == ["0.00", "0.01", "0.02"]
    assert axis.get_yticklabels()[0].get_text() == "1"
    assert axis.yaxis_inverted()


def test_quantiles_of_start_times_move_as_every_image_does():
    """Oracle: a head that moves all images by one number moves every quantile by it."""
    rng = np.random.default_rng(0)
    baseline, weights = rng.uniform(0, 45, 50), rng.uniform(0.5, 1.5, 50)
    by = rng.normal(size=(12, 12))
    figure = effects.prediction_distributions(baseline, baseline + by[..., None], weights)
    for layer, axis in enumerate(figure.axes[:12]):
        curves = axis.lines[1:]
        assert np.allclose([line.get_ydata() for line in curves], by[layer][:, None])
        assert f"head {np.abs(by[layer]).argmax() + 1}" in axis.get_title()
    assert len({line.get_color().tobytes() for line in figure.axes[0].lines[1:]}) == 12
    mean_moved = np.abs(figure.axes[0].lines[1].get_ydata()).mean()
    assert mean_moved == pytest.approx(stats.wasserstein_distance(baseline, baseline + by[0, 0], weights, weights))


def test_start_times_of_a_model_of_other_size_have_a_panel_a_layer():
    baseline = np.linspace(0, 45, 50)
    ablated = np.tile(baseline, (6, 2, 1))
    ablated[0, 0] += 0.4
    ablated[1, 1] += 0.1
    figure = effects.prediction_distributions(baseline, ablated, np.ones(50))
    assert [axis.get_visible() for axis in figure.axes[:8]] == [True] * 6 + [False] * 2
    assert figure.axes[0].get_title() == "Layer 1 (most: head 1, 0.4 s)"


def test_the_head_that_differs_most_is_cut_off_and_its_reach_written():
    baseline, weights = np.linspace(0, 45, 50), np.ones(50)
    ablated = np.tile(baseline, (12, 12, 1))
    still = effects.prediction_distributions(baseline, ablated, weights).axes[0]
    assert still.get_ylim() == (-1, 1)
    ablated[1, 1] += 2
    ablated[2, 3] += 20
    figure = effects.prediction_distributions(baseline, ablated, weights)
    assert figure.axes[0].get_ylim() == pytest.approx((-2.2, 2.2))
    assert figure.axes[1].get_title() == "Layer 2 (most: head 2)"
    assert figure.axes[2].get_title() == "Layer 3 (most: head 4, 20 s)"


def test_removals_show_orders_early_heads_and_blocks_with_their_intervals():
    rng = np.random.default_rng(0)
    arrays = {"intact": rng.exponential(0.02, size=40)}
    for name, order in orders(rng.normal(size=(12, 12))).items():
        slope = 0.001 if order.kind == "mean" else 0.004
        arrays[name] = arrays["intact"] + slope * order.counts[:, None] * rng.exponential(size=(len(order.counts), 40))
        arrays[f"counts of {name}"] = order.counts
    removals = Removals.of(arrays)
    figure = effects.removal_curves(removals)
    whole, early, blocks = figure.axes
    labels, kinds = ([text.get_text() for text in legend.texts] for legend in figure.legends)
    assert labels == ["least important first", "from layer 1 on", "at random (median of orders)", "predicting the mean"]
    for axis, curve in (
        (whole, removals.ratios["least important first"]),
        (early, removals.of_early_heads()["value bias"]),
    ):
        assert np.array_equal(axis.lines[0].get_xydata(), np.stack([curve.counts, curve.ratio], 1))
        band = axis.collections[0].get_paths()[0].vertices
        assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((curve.low.min(), curve.high.max()))
    assert kinds == ["value bias", "mean output"]
    assert [text.get_text() for text in blocks.get_xticklabels()] == ["1 to 3", "4 to 6", "7 to 9", "10 to 12"]
    assert len(blocks.containers) == 8
