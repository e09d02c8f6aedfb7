import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from paper_utils.attention import scores as region_scores
from paper_utils.attention.controls import DRIVES
from paper_utils.plots import attention as attention_figures
from paper_utils.plots import heads as head_figures
from paper_utils.plots.attention import FRAMES


@pytest.fixture
def heads():
    kinds = np.array([["monosemantic"] * 4, ["polysemantic", "unselective"] * 2])
    features = np.array([["chirp", "title", "colour bar", "left edge"], [""] * 4])
    return kinds, features


def test_frames_say_what_a_head_is(heads):
    maps = np.random.default_rng(0).random((2, 4, 14, 14))
    axes = attention_figures.atlas(maps, *heads).axes
    assert len(axes) == 8
    colours = [
        "#{:02x}{:02x}{:02x}".format(*(round(255 * c) for c in axis.spines["left"].get_edgecolor()[:3]))
        for axis in axes
    ]
    names = ["the chirp", "text", "the colour bar", "an edge or corner", "polysemantic"]
    assert colours[:5] == [mpl.colors.to_hex(FRAMES[name]) for name in names]
    assert [axis.get_title() for axis in axes[:4]] == ["H1", "H2", "H3", "H4"]
    assert axes[4].get_ylabel() == "L2"


def test_every_feature_belongs_to_a_group(heads):
    groups = {attention_figures.group_of("monosemantic", feature) for feature in region_scores.FEATURES}
    assert groups == {"the chirp", "text", "the colour bar", "an edge or corner"}


def test_bars_count_every_head_once(heads):
    kinds, features = heads
    axis = attention_figures.kinds_by_layer(kinds, features == "chirp").axes[0]
    heights = np.array([[bar.get_height() for bar in container] for container in axis.containers])
    assert (heights.sum(0) == 4).all()
    assert list(heights[:, 0]) == [1, 3, 0, 0]


def test_regions_are_rows_and_heads_columns():
    enrichment = np.exp(np.random.default_rng(0).normal(size=(3, 2, 4)))
    enrichment[2, 1, 3] = 85
    figure = attention_figures.region_matrix(enrichment, ["a", "b", "c"], title="t")
    image = figure.axes[0].images[0]
    assert image.get_array().shape == (3, 8)
    assert 2 ** image.get_array()[1, 6] == pytest.approx(max(enrichment[1, 1, 2], 1 / 8))
    assert image.get_clim() == (-3, 7)  # up to 128, so that nothing is clipped there
    assert [tick.get_text() for tick in figure.axes[1].get_yticklabels()][-1] == "128"
    assert figure.axes[0].get_title() == "t"


def test_drives_have_their_colour_and_row():
    stays = np.array([0.1, 0.9, 0.5])
    axis = attention_figures.driven_heads(stays, stays - 0.1, stays + 0.1, ["x", "y", "z"], list(DRIVES[:3])).axes[0]
    assert [container.get_label() for container in axis.containers] == list(DRIVES[:3])
    assert [container.lines[0].get_xdata()[0] for container in axis.containers] == [0.1, 0.9, 0.5]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["x", "y", "z"]


def test_scores_shifts_and_recoveries_show_their_numbers(heads):
    kinds, features = heads
    score = np.array([[20, 1, 1, 0.001], [1, 1, 1, 1.0]])
    axis = attention_figures.score_and_effect(score, score - 1, features == "chirp", "title").axes[0]
    assert axis.collections[0].get_offsets()[0].tolist() == [20, 19]
    assert axis.collections[1].get_offsets()[:, 0].min() == 0.05
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    expected = np.array([[0, 0], [np.nan, 5]])
    axes = attention_figures.shifts(values, values / 2, values * 2, expected, ["no title", "bare"], ["s", "Hz"]).axes
    assert [bar.get_width() for bar in axes[1].patches] == [2, 4]
    assert axes[1].get_xlim()[0] == 0
    assert axes[1].lines[-1].get_xdata().tolist() == [0, 5]
    axes = attention_figures.recovered({"one": values, "two": -values}, {"one": values[0], "two": values[1]}).axes
    assert axes[0].images[0].get_clim() == (-4, 4)
    assert [bar.get_width() for bar in axes[3].patches] == [3, 4]


def drawn_patches(figure, axis):
    """Return the colour drawn at the centre of each of 14 x 14 patches of an axis, top row first, 0..1."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    box, centres = axis.get_window_extent(), (np.arange(14) + 0.5) / 14
    rows = (len(pixels) - box.y1 + centres * box.height).astype(int)
    columns = (box.x0 + centres * box.width).astype(int)
    return pixels[np.ix_(rows, columns)]


def one_patch(row, column):
    maps = np.full((14, 14), 0.1)
    maps[row, column] = 1
    return maps


@pytest.mark.parametrize("patch", [(1, 2), (12, 9)])
def test_overlays_draw_the_most_attended_patch_where_it_lies_in_the_image(patch):
    images = np.full((2, 224, 224, 3), 255, np.uint8)
    images[:, :32, -32:] = 0  # the image's own top right corner
    maps = np.stack([one_patch(*patch), one_patch(*patch).T])
    figure = head_figures.overlays(images, maps, ["a", "b"])
    for axis, expected in zip(figure.axes, maps, strict=False):
        drawn = drawn_patches(figure, axis)
        brightest = np.array(mpl.colormaps["inferno"](255)[:3])
        painted = 0.25 + 0.75 * brightest
        assert np.abs(drawn[expected == 1] - painted).max() < 0.02
        assert (drawn[0, 12:] < 0.3).all()
        elsewhere = drawn[expected < 1]
        assert (np.abs(elsewhere - painted).max(-1) > 0.1).all()


def test_galleries_draw_the_most_attended_patch_where_it_lies():
    images, maps = np.full((1, 224, 224, 3), 255, np.uint8), one_patch(2, 10)[None, None, None]
    figure = head_figures.gallery(images, maps, [(0, 0)], ["a"])
    blue = drawn_patches(figure, figure.axes[0])[..., 2]
    red = drawn_patches(figure, figure.axes[0])[..., 0]
    assert np.argwhere(red - blue > 0.15).tolist() == [[2, 10]]  # the rest is black over white: grey


def test_the_atlas_draws_the_most_attended_patch_where_it_lies(heads):
    maps = np.tile(one_patch(1, 2), (2, 4, 1, 1))
    maps[1] = one_patch(12, 9)
    figure = attention_figures.atlas(maps, *heads)
    for index, patch in ((0, [1, 2]), (5, [12, 9])):
        assert np.argwhere(drawn_patches(figure, figure.axes[index])[..., 0] > 0.5).tolist() == [patch]
