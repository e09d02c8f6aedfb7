import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from paper_utils.interventions.pruning import Removals, orders
from paper_utils.plots import effects


def test_heatmap_shows_layer_1_on_top_and_the_numbers():
    increase = np.arange(144.0).reshape(12, 12) / 100
    axis = effects.ablation_heatmap(increase).axes[0]
    assert [text.get_text() for text in axis.texts[:3]] == ["0.00", "0.01", "0.02"]
    assert axis.get_yticklabels()[0].get_text() == "1"
    assert axis.yaxis_inverted()


def test_more_loss_is_red_and_less_blue_in_the_finished_figure():
    increase = np.zeros((12, 12))
    increase[2, 3], increase[8, 9] = 1, -1
    figure = effects.ablation_heatmap(increase)
    FigureCanvasAgg(figure).draw()
    pixels = np.asarray(figure.canvas.buffer_rgba()).astype(int)

    def colour(layer, head):
        corners = figure.axes[0].transData.transform([(head + 0.1, layer + 0.1), (head + 0.9, layer + 0.9)])
        columns, rows = sorted(corners[:, 0].astype(int)), sorted((len(pixels) - corners[:, 1]).astype(int))
        return np.median(pixels[slice(*rows), slice(*columns), :3], axis=(0, 1))

    assert np.allclose(colour(2, 3), [179, 3, 38], atol=12)
    assert np.allclose(colour(8, 9), [58, 76, 192], atol=12)
    assert np.allclose(colour(5, 5), [221, 220, 220], atol=12)


TIMES = np.arange(1.0, 45, 2)


def rows_of(axis):
    return axis.collections[0].get_array().reshape(-1, len(TIMES))


def test_each_head_of_a_layer_has_a_row_of_its_own_in_order():
    """Every cell is found where its head and its start time are."""
    moved = np.random.default_rng(0).normal(size=(12, 12, len(TIMES)))
    figure = effects.prediction_distributions(TIMES, moved)
    for layer, axis in enumerate(figure.axes[:12]):
        assert np.allclose(rows_of(axis), moved[layer])
        assert axis.get_title().startswith(f"Layer {layer + 1}")
        edges = axis.collections[0].get_coordinates()
        assert np.allclose(edges[0, :, 0], np.arange(0, 45, 2))
        assert np.allclose(edges[:, 0, 1], np.arange(13) + 0.5)
    assert figure.axes[0].yaxis_inverted()
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [str(head + 1) for head in range(12)]


def test_start_times_of_a_model_of_other_size_have_a_panel_a_layer():
    figure = effects.prediction_distributions(TIMES, np.zeros((6, 2, len(TIMES))))
    assert [axis.get_visible() for axis in figure.axes[:8]] == [True] * 6 + [False] * 2
    assert rows_of(figure.axes[0]).shape == (2, len(TIMES))


def test_the_head_that_differs_most_is_beyond_the_scale_and_its_reach_written():
    moved = np.zeros((12, 12, len(TIMES)))
    still = effects.prediction_distributions(TIMES, moved).axes[0]
    assert still.collections[0].get_clim() == (-1, 1)
    moved[1, 1], moved[2, 3] = 2, -20
    figure = effects.prediction_distributions(TIMES, moved)
    assert figure.axes[0].collections[0].get_clim() == (-2, 2)
    assert figure.axes[1].get_title() == "Layer 2"
    assert figure.axes[2].get_title() == "Layer 3, head 4 up to 20 s"


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
