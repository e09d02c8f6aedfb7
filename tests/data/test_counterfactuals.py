import numpy as np
import pytest
from PIL import Image

from paper_utils.data import chirps
from paper_utils.data import regions as areas
from paper_utils.data import render as rendering
from paper_utils.data.counterfactuals import VARIANTS, draw_variant, shift_by_position
from paper_utils.errors import CompanionError

FULL = rendering.PUBLISHED_SIZE


@pytest.fixture(scope="module")
def drawn():
    chirp, rng = chirps.draw_chirp(7, 2)
    return chirp, chirps.spectrogram(chirp, rng), rendering.title_of(41, chirp)


def agrees(ours, plain):
    difference = np.abs(ours.astype(int) - plain)
    return difference.mean() < 1 and (difference <= 8).mean() > 0.999


@pytest.mark.parametrize("size", [FULL, rendering.MODEL_SIZE])
def test_nothing_changed_is_the_published_image(drawn, size):
    plain = rendering.draw_image(*drawn, size=size, with_regions=True)
    ours = draw_variant("published", *drawn, size=size, with_regions=True)
    assert np.abs(ours.pixels.astype(int) - plain.pixels).max() <= 1
    assert np.array_equal(ours.regions, plain.regions)


@pytest.mark.parametrize(
    "name", ["no_title", "other_title", "no_axis_labels", "swapped_axis_labels", "larger_fonts", "other_colour_map"]
)
def test_what_is_written_otherwise_is_as_matplotlib_writes_it(drawn, name):
    _, intensity, title = drawn
    variant = VARIANTS[name]
    plain = rendering.draw_with_matplotlib(intensity, variant.title(title), variant.layout)
    assert agrees(draw_variant(name, *drawn, size=FULL).pixels, plain)
    small = np.asarray(Image.fromarray(plain).resize(rendering.MODEL_SIZE, Image.Resampling.BICUBIC), int)
    assert agrees(draw_variant(name, *drawn).pixels, small)


def test_the_other_title_is_as_long(drawn):
    other = VARIANTS["other_title"].title(drawn[2])
    assert len(other) == len(drawn[2])
    assert other != drawn[2]


def test_without_the_bar_all_else_stays(drawn):
    published = draw_variant("published", *drawn, with_regions=True)
    without = draw_variant("no_colour_bar", *drawn, with_regions=True)
    plot = slice(0, 172)  # columns left of the bar
    assert np.array_equal(without.pixels[:, plot], published.pixels[:, plot])
    assert (without.pixels[:, plot.stop :] == 255).all()
    names = {areas.REGIONS[number] for number in np.unique(without.regions)}
    assert names == set(areas.REGIONS) - {
        "colour_bar_lower",
        "colour_bar_upper",
        "colour_bar_ticks",
        "colour_bar_label",
    }


@pytest.mark.parametrize("patch", [14, 16, 32])
@pytest.mark.parametrize(("name", "rows", "columns"), [("moved_up", -1, 0), ("moved_right", 0, 1)])
def test_all_moves_by_whole_patches_and_nothing_is_lost(drawn, name, rows, columns, patch):
    rows, columns = (min(patch, 16) * count for count in (rows, columns))  # half a patch of 32
    published = draw_variant("published", *drawn, with_regions=True)
    moved = draw_variant(name, *drawn, with_regions=True, patch=patch)
    back = np.roll(moved.pixels, (-rows, -columns), (0, 1))
    assert np.abs(back.astype(int) - published.pixels).max() <= 1
    inside = np.s_[max(-rows, 0) :, : 224 - columns]  # empty margin may go over the border
    assert np.array_equal(np.roll(moved.regions, (-rows, -columns), (0, 1))[inside], published.regions[inside])


@pytest.mark.parametrize(("patch", "bar", "plot"), [(14, -168, 42), (16, -160, 48)])
def test_the_bar_on_the_left_is_the_same_bar(drawn, patch, bar, plot):
    published = draw_variant("published", *drawn, with_regions=True)
    left = draw_variant("colour_bar_left", *drawn, with_regions=True, patch=patch)
    for name, move in (("colour_bar_upper", bar), ("title", plot), ("background", plot)):
        number = areas.REGIONS.index(name)
        assert np.array_equal(np.roll(left.regions == number, -move, 1), published.regions == number)
        mask = published.regions == number
        assert np.array_equal(np.roll(left.pixels, -move, 1)[mask], published.pixels[mask])


def test_the_bare_spectrogram_stands_alone(drawn):
    bare = draw_variant("bare", *drawn, with_regions=True)
    assert {areas.REGIONS[number] for number in np.unique(bare.regions)} == {"margin", "background", "chirp"}
    outside = bare.pixels[bare.regions == 0]
    assert (outside == 255).mean() > 0.97  # but for the plot's rim, which shares its pixels with the margin
    published = draw_variant("published", *drawn)
    inner = np.s_[40:190, 40:160]
    assert np.array_equal(bare.pixels[inner], published.pixels[inner])


def test_without_the_chirp_noise_and_surroundings_stay(drawn):
    published = draw_variant("published", *drawn, with_regions=True)
    without = draw_variant("no_chirp", *drawn, with_regions=True)
    assert not (without.regions == areas.REGIONS.index("chirp")).any()
    changed = (without.pixels != published.pixels).any(-1)
    chirp = published.regions == areas.REGIONS.index("chirp")
    assert changed[chirp].mean() > 0.95
    near = np.argwhere(chirp)
    far = [np.abs(near - place).max(1).min() > 8 for place in np.argwhere(changed)]
    assert not any(far)


def test_an_unknown_variant_is_named(drawn):
    with pytest.raises(CompanionError, match="unknown variant 'upside_down'; choose one of published, no_title"):
        draw_variant("upside_down", *drawn)


@pytest.mark.parametrize("name", ["moved_up", "moved_right", "colour_bar_left", "no_title"])
@pytest.mark.parametrize("patch", [14, 16])
def test_the_shift_by_position_is_that_of_the_plot_in_the_image(drawn, name, patch):
    def corner(variant):  # and size of the plot's inner part, in pixels at 224
        regions = draw_variant(variant, *drawn, with_regions=True, patch=patch).regions
        inside = np.isin(regions, [areas.REGIONS.index(region) for region in ("background", "chirp")])
        rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
        return np.array([rows[0], columns[0]]), np.array([np.ptp(rows), np.ptp(columns)]) + 1

    (before, size), (after, _) = corner("published"), corner(name)
    down, right = (after - before) / size
    time, *frequencies = shift_by_position(name, patch=patch)
    assert time == pytest.approx(60 * right, rel=0.03)  # the frame lies on the outermost pixels
    assert frequencies == pytest.approx([-100 * down] * 2, rel=0.03)


def test_the_shift_of_an_unknown_variant_is_named():
    with pytest.raises(CompanionError, match="unknown variant 'upside_down'"):
        shift_by_position("upside_down")


def test_without_a_chirp_there_is_no_shift():
    assert np.isnan(shift_by_position("no_chirp")).all()
