import numpy as np

from paper_utils.lines.readers import ErrorByAngle
from paper_utils.plots import lines


def test_every_image_has_its_caption_in_rows():
    images = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), dtype=np.uint8)
    axes = lines.line_panel(images, list("abcde"), columns=3).axes
    assert [axis.get_title() for axis in axes] == ["a", "b", "c", "d", "e", ""]
    assert np.array_equal(axes[4].images[0].get_array(), images[4])


def test_each_reader_has_a_panel_and_each_set_a_line():
    rng = np.random.default_rng(0)
    one = ErrorByAngle.of(rng.uniform(0, 360, 2000), rng.uniform(0, 360, 2000))
    axes = lines.error_by_angle({"first": {"I": one, "II": one}, "second": {"I": one, "II": one}}).axes
    assert [axis.get_title() for axis in axes] == ["first", "second"]
    assert [line.get_label() for line in axes[1].lines] == ["set I", "set II"]
    assert np.array_equal(axes[0].lines[0].get_ydata(), one.error)


def test_a_set_has_one_colour_in_every_panel():
    one = ErrorByAngle.of(np.arange(0.0, 360.0), np.arange(0.0, 360.0))
    axes = lines.error_by_angle({"all": dict.fromkeys(("I", "II", "IV"), one), "some": {"I": one, "IV": one}}).axes
    colours = [{line.get_label(): line.get_color() for line in axis.lines} for axis in axes]
    assert len(set(colours[0].values())) == 3
    assert colours[1] == {name: colours[0][name] for name in ("set I", "set IV")}


def test_bars_have_the_colour_they_stand_for():
    axis = lines.colour_contrasts({"red": 7.2, "teal": 3.7}, {"red": (255, 0, 0), "teal": (0, 128, 128)}).axes[0]
    assert [bar.get_height() for bar in axis.patches] == [7.2, 3.7]
    assert axis.patches[0].get_facecolor() == (1, 0, 0, 1)
