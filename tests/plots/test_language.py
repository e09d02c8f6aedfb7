import numpy as np
import pytest

from paper_utils.language.results import PairMap
from paper_utils.plots import language

LAYERS = 6
KEYS = [(kind, state) for kind in ("definitional", "associative") for state in ("before", "after")]


def curve(value, shape=(LAYERS,)):
    middle = np.full(shape, float(value))
    return middle, middle - 5, middle + 5


def test_the_protocol_marks_what_differs_and_reaches_later_layers_and_tokens():
    axes = language.patching_protocol(["A", " fit", " is"], ["A", " nose", " is"], [" long", " short"], layers=4).axes
    colours = [label.get_color() for label in axes[1].get_xticklabels()]
    assert colours == ["0.2", "C3", "0.2"]
    reached = axes[1].lines[1]
    assert set(zip(reached.get_xdata(), reached.get_ydata(), strict=True)) == {(1, 3), (2, 3), (1, 4), (2, 4)}
    assert axes[1].texts[0].get_text() == "logit of 'long' less that of 'short'"


def test_each_protocol_has_a_line_and_a_band():
    by_metric = {kind: {"released": curve(10), "corrected": curve(300)} for kind in ("definitional", "associative")}
    figure = language.released_and_corrected(by_metric)
    for axis in figure.axes:
        assert [line.get_ydata()[0] for line in axis.lines] == [10, 300]
        assert len(axis.collections) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["released", "corrected"]


def test_differences_stand_beside_their_means():
    differences = {key: np.arange(5.0) + number for number, key in enumerate(KEYS)}
    ends = {key: (2.0 + number, 1.0, 4.0 + number) for number, key in enumerate(KEYS)}
    axis = language.clean_differences(differences, ends).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == [f"{kind}, {state}" for kind, state in KEYS]
    assert axis.containers[0].lines[0].get_xdata().tolist() == [2, 3, 4, 5]


def test_recovery_has_a_panel_for_each_site_and_token():
    recovered = {key: curve(number, (3, 2, LAYERS)) for number, key in enumerate(KEYS)}
    recovered[KEYS[0]][0][2, 1] = 77
    axes = np.array(language.recovered_by_layer(recovered).axes).reshape(2, 3)
    assert [line.get_ydata()[0] for line in axes[0, 0].lines[:4]] == [0, 1, 2, 3]
    assert axes[1, 2].lines[0].get_ydata()[0] == 77
    assert [line.get_linestyle() for line in axes[0, 0].lines[:4]] == ["-", "--", "-", "--"]


def test_edits_have_a_row_for_each_layer_and_a_mark_for_each_kind():
    kinds = {"definitional": curve(50, (2,)), "associative": curve(90, (2,))}
    figure = language.edits({"takes": kinds, "leaves": kinds}, [1, 11])
    for axis, title in zip(figure.axes, ("takes", "leaves"), strict=True):
        assert axis.get_xlabel() == f"{title} (%)"
        marks = [container.lines[0].get_xdata().tolist() for container in axis.containers]
        assert marks == [[50, 50], [90, 90]]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["MLP of layer 1", "MLP of layer 11"]


@pytest.mark.parametrize("pairs", [1, 2])
def test_a_map_has_layers_upwards_and_tokens_across(pairs):
    one = PairMap("a title", [" fit", " is"], np.stack([np.arange(LAYERS * 2.0).reshape(LAYERS, 2)] * 3))
    axes = language.pair_maps([one] * pairs).axes[: 3 * pairs]
    assert all(axis.images[0].get_array().shape == (LAYERS, 2) for axis in axes)
    assert [label.get_text() for label in axes[0].get_xticklabels()] == ["fit", "is"]
    assert axes[0].images[0].origin == "lower"
