import numpy as np
import pytest

from paper_utils.interventions.pruning import Removals, orders
from paper_utils.plots import effects


def test_heatmap_shows_layer_1_on_top_and_the_numbers():
    increase = np.arange(144.0).reshape(12, 12) / 100
    axis = effects.ablation_heatmap(increase).axes[0]
    assert [text.get_text() for text in axis.texts[:3]] == ["0.00", "0.01", "0.02"]
    assert axis.get_yticklabels()[0].get_text() == "1"
    assert axis.yaxis_inverted()


def test_histograms_hold_every_image_of_every_head():
    baseline = np.linspace(0, 45, 50)
    weights = np.linspace(0.5, 1.5, 50)
    figure = effects.prediction_histograms(baseline, np.tile(baseline, (12, 12, 1)), weights)
    assert len(figure.axes) == 12
    bars = figure.axes[0].containers[0]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(weights.sum())


def test_histograms_end_above_their_highest_bar_and_cut_off_what_outgrows_the_intact_model():
    baseline, weights = np.linspace(0, 45, 50), np.ones(50)
    ablated = np.tile(baseline, (12, 12, 1))
    axis = effects.prediction_histograms(baseline, ablated, weights).axes[0]
    highest = max(bar.get_height() for bar in axis.containers[0])
    assert highest < axis.get_ylim()[1] < 1.2 * highest
    assert not axis.texts
    ablated[2, 3] = 20  # all images in one bar
    figure = effects.prediction_histograms(baseline, ablated, weights)
    assert figure.axes[0].get_ylim()[1] == pytest.approx(2.5 * highest)
    assert [text.get_text() for text in figure.axes[2].texts] == [" head 4: to 50"]


def test_removals_show_orders_early_heads_and_blocks_with_their_intervals():
    rng = np.random.default_rng(0)
    arrays = {"intact": rng.exponential(0.02, size=40)}
    for name, order in orders(rng.normal(size=(12, 12))).items():
        slope = 0.001 if order.kind == "mean" else 0.004
        arrays[name] = arrays["intact"] + slope * order.counts[:, None] * rng.exponential(size=(len(order.counts), 40))
        arrays[f"counts of {name}"] = order.counts
    removals = Removals.of(arrays)
    whole, early, blocks = effects.removal_curves(removals).axes
    labels = [text.get_text() for text in whole.get_legend().texts]
    assert labels == ["least important first", "from layer 1 on", "at random (median of orders)", "predicting the mean"]
    for axis, curve in (
        (whole, removals.ratios["least important first"]),
        (early, removals.of_early_heads()["value bias"]),
    ):
        assert np.array_equal(axis.lines[0].get_xydata(), np.stack([curve.counts, curve.ratio], 1))
        band = axis.collections[0].get_paths()[0].vertices
        assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((curve.low.min(), curve.high.max()))
    assert [text.get_text() for text in early.get_legend().texts] == ["value bias", "mean output"]
    assert [text.get_text() for text in blocks.get_xticklabels()] == ["1 to 3", "4 to 6", "7 to 9", "10 to 12"]
    assert len(blocks.containers) == 8
