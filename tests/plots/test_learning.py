import numpy as np
import pytest

from paper_utils.data.chirps import UNITS
from paper_utils.plots import learning as learning_figures
from paper_utils.training.history import Epoch


def test_learning_curves_mark_where_the_rate_fell():
    losses = np.linspace(1, 0.1, 12).reshape(3, 4)
    measured = zip([32, 64, 96], losses, [0.9, 0.5, 0.4], [0.5, 0.8, 0.9], [1e-3, 1e-4, 1e-5], strict=True)
    history = [
        Epoch(seen, batches.mean(), loss, dict.fromkeys(UNITS, r), rate, 1.0, batches.tolist())
        for seen, batches, loss, r, rate in measured
    ]
    figure = learning_figures.learning_curves(history, batch=8)
    left = figure.axes[0]
    marks = [line for line in left.lines if line.get_linestyle() == ":"]
    assert [line.get_xdata()[0] for line in marks] == [32, 64]
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names.count("learning rate falls") == 1
    each_batch = left.lines[0]
    assert each_batch.get_xdata()[-1] == 96
    right = figure.axes[1]
    assert [text.get_text() for text in right.get_legend().get_texts()][-1] == "start time, published"
    assert right.lines[0].get_ydata() == pytest.approx([0.5, 0.2, 0.1])
    assert right.lines[3].get_ydata()[0] == pytest.approx(1 - 0.9841)


def test_residuals_name_their_bias():
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 45, (200, 3))
    figure = learning_figures.predicted_against_true(true + [1.0, -2.0, 0.0], true)
    titles = [axis.get_title().split(",")[0] for axis in figure.axes if axis.get_title()]
    assert titles == ["bias +1.00 s", "bias -2.00 Hz", "bias +0.00 Hz"]


def test_groups_stand_top_to_bottom_with_their_intervals():
    scores = {name: dict.fromkeys(UNITS, (0.9, 0.8, 0.95)) for name in ("quiet", "loud")}
    axis = learning_figures.accuracy_by_group(scores).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["quiet", "loud"]
    assert axis.yaxis_inverted()
    low, high = axis.containers[0].lines[2][0].get_segments()[0][:, 0]
    assert (low, high) == pytest.approx((0.05, 0.2))  # what r lacks to one


def test_every_way_of_training_has_a_curve():
    curves = {name: ([1, 2], [0.9, 0.5], [0.1, 0.8]) for name in ("LoRA", "LoRA, second", "LoRA, third", "head alone")}
    figure = learning_figures.study_curves(curves)
    lines = figure.axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(curves)
    assert len({line.get_color() for line in lines}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(curves)


@pytest.mark.parametrize("rate", [1.0, np.nan, -0.5])
def test_groups_that_are_read_perfectly_or_not_at_all_can_be_drawn(rate):
    scores = {name: dict.fromkeys(UNITS, (rate, rate, rate)) for name in ("quiet", "loud")}
    figure = learning_figures.accuracy_by_group(scores)
    figure.draw_without_rendering()
    assert (figure.axes[0].get_xscale() == "log") == (rate < 1)
