import numpy as np

from paper_utils.lines import COLOURS, contrasts
from paper_utils.orientation import ColourErrors, ErrorCurve, LossCurve
from paper_utils.plots import orientation


def curve(bins=12):
    rng = np.random.default_rng(0)
    error = rng.uniform(5, 20, bins)
    return ErrorCurve(30.0 * np.arange(bins), error, error - 1, error + 1, rng.uniform(5, 20, (3, bins)), 99)


def colours():
    rng = np.random.default_rng(0)
    return ColourErrors(rng.uniform(0, 30, (2, 220)), np.tile(list(COLOURS), 20), np.linspace(3, 12, 11))


def test_each_kind_of_error_has_a_panel_with_its_starts():
    one = curve()
    axes = orientation.error_curves({"plain": {"a": one, "b": one}, "modulo": {"a": curve(6)}}).axes
    assert [axis.get_title() for axis in axes] == ["plain", "modulo"]
    assert len(axes[0].lines) == 2 * (1 + 3)
    assert np.array_equal(axes[0].lines[0].get_ydata(), one.error)
    assert np.array_equal(axes[0].lines[1].get_ydata(), one.by_start[0])


def test_colours_stand_at_their_contrast():
    one = colours()
    axis = orientation.error_by_colour({"published": one}, contrasts(), COLOURS).axes[0]
    points = next(part for part in axis.collections if len(part.get_offsets()) == 11)
    shown = [label.get_text().split() for label in axis.get_xticklabels()]
    assert {name for name, _ in shown} == set(COLOURS)
    assert [float(contrast) for _, contrast in shown] == sorted(round(one, 1) for one in contrasts().values())
    errors = dict(zip(one.names, one.mean, strict=True))
    assert np.allclose(points.get_offsets()[:, 1], [errors[name] for name, _ in shown])
    fills = points.get_facecolors()[:, :3] * 255
    assert np.allclose(fills, [COLOURS[name] for name, _ in shown])


def test_the_tree_stands_beside_its_heights():
    one = colours()
    axes = orientation.colour_tree(one, one.heights_by_chance()[:50]).axes
    assert sorted(label.get_text() for label in axes[0].get_xticklabels()) == sorted(COLOURS)
    assert np.allclose(axes[1].lines[0].get_ydata(), one.tree()[:, 2])


def test_transitions_are_thick():
    one = LossCurve(np.arange(1, 6) / 4, np.array([1.0, 0.9, 0.3, 0.2, 0.2]), [(1, 3)])
    figure = orientation.loss_curves({"I": {"angle": one}, "IV": {"angle": one, "colour": one}})
    lines = figure.axes[0].lines
    assert len(lines) == 2
    assert lines[1].get_linewidth() > lines[0].get_linewidth()
    assert np.array_equal(lines[1].get_ydata(), [0.9, 0.3, 0.2])
    assert [text.get_text() for text in figure.legends[0].texts] == ["angle", "colour"]


def test_heads_and_layers_count_from_one():
    values = np.random.default_rng(0).uniform(-1, 1, (4, 6))
    axes = orientation.head_similarity({"first": values, "second": values / 2}).axes
    assert axes[0].get_title() == "first"
    assert np.array_equal(axes[0].images[0].get_array(), values)
    assert axes[1].lines[0].get_xdata().tolist() == [1, 2, 3, 4]
    assert np.allclose(axes[1].lines[1].get_ydata(), values.mean(1) / 2)
    ticks = np.concatenate([axes[0].get_xticks(), axes[0].get_yticks(), axes[1].get_xticks()])
    assert np.array_equal(ticks, np.round(ticks))


def test_a_sentence_stands_where_no_lora_was_trained():
    assert "No LoRA" in orientation.head_similarity({}).axes[0].texts[0].get_text()


def test_the_two_models_differ_in_what_is_trained():
    described, released = orientation.line_architecture().axes
    texts = [[text.get_text() for text in axis.texts] for axis in (described, released)]
    assert any("LoRA in every layer" in text for text in texts[0])
    assert any("no LoRA layer" in text for text in texts[1])
