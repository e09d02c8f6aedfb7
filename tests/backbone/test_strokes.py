from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from backbone import strokes as strokes_module
from backbone.strokes import StrokeRange, _climb, _coverage, _dots, _panel, _stroke, draw_stroke_image
from backbone.textures import texture


@settings(max_examples=40, deadline=None)
@given(index=st.integers(0, 10**6), size=st.sampled_from([112, 224]))
def test_ends_lie_near_cells_that_hold_the_stroke(index, size):
    image = draw_stroke_image(1, index, size=size)
    assert image.pixels.shape == (size, size, 3)
    x0, y0, x1, y1 = image.ends
    assert 0 <= x0 <= x1 <= 1
    grid = size // 2
    fine = image.cells.swapaxes(1, 2).reshape(grid, grid)
    for x, y in ((x0, y0), (x1, y1)):
        row, column = (np.clip(int(place * grid), 1, grid - 2) for place in (y, x))
        assert fine[row - 1 : row + 2, column - 1 : column + 2].max() > 0.02


@settings(max_examples=20, deadline=None)
@given(index=st.integers(0, 10**6), size=st.sampled_from([112, 224]))
def test_the_cells_of_the_ends_hold_the_ends(index, size):
    image = draw_stroke_image(1, index, size=size)
    for cell, (x, y) in zip(image.end_cells(), image.ends.reshape(2, 2), strict=True):
        patch, within = divmod(int(cell), 64)
        top, left = (16 * place for place in divmod(patch, size // 16))
        down, right = (2 * place for place in divmod(within, 8))
        assert top + down <= min(y * size, size - 1) <= top + down + 2
        assert left + right <= min(x * size, size - 1) <= left + right + 2


def test_index_and_seed_fix_the_image():
    first, again = (draw_stroke_image(1, 7, size=112) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, draw_stroke_image(2, 7, size=112).pixels)


@settings(max_examples=60, deadline=None)
@given(index=st.integers(0, 10**6))
def test_an_image_has_the_same_stroke_at_both_sizes(index):
    """With a flat texture, for others take a number of random draws that depends on the size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strokes_module, "texture", lambda rng, size: np.full((size, size), 0.5, np.float32))
        small, large = (draw_stroke_image(1, index, size=size) for size in (112, 224))
    assert np.allclose(small.ends, large.ends)
    covered = small.cells.swapaxes(1, 2).reshape(56, 56)
    halved = large.cells.swapaxes(1, 2).reshape(56, 2, 56, 2).mean((1, 3))
    assert np.corrcoef(covered.ravel(), halved.ravel())[0, 1] > 0.8


def test_dots_lie_along_the_stroke_and_at_its_ends():
    strokes = StrokeRange(
        shortest=0.2, longest=0.35, thinnest=0.01, thickest=0.012, faintest=1.0, in_noise=0, climbing=0
    )
    points = np.linspace([0.1, 0.2], [0.6, 0.9], 24)
    dotted = _coverage(points, 0.02, 224, blur=0.0, dots=4)
    labels, count = ndimage.label(dotted > 0.3)
    assert count == 4
    centres = np.array(ndimage.center_of_mass(dotted, labels, range(1, 5)))[:, ::-1]
    expected = np.linspace(points[0], points[-1], 4) * 224
    assert np.allclose(centres[np.argsort(centres[:, 0])], expected, atol=1)
    assert _coverage(points, 0.02, 224, blur=0.0, dots=0).sum() > 2 * dotted.sum()
    same = [draw_stroke_image(1, 5, size=112, strokes=replace(strokes, dotted=share)) for share in (0.0, 1.0)]
    assert np.array_equal(same[0].ends, same[1].ends)  # how a stroke is drawn does not move it
    assert not np.array_equal(same[0].pixels, same[1].pixels)


@given(seed=st.integers(0, 1000), length=st.floats(0.01, 0.6), width=st.floats(0.008, 0.03))
def test_dots_are_one_to_eight_widths_apart_or_as_many_as_there_may_be(seed, length, width):
    points = np.linspace([0.1, 0.2], [0.1 + length, 0.2], 24)
    dots = _dots(np.random.default_rng(seed), points, width)
    gap = length / (dots - 1) / width
    assert dots in (2, 12) or 0.6 <= gap <= 16


def test_steep_strokes_are_steep_and_the_others_of_any_direction():
    strokes = StrokeRange(shortest=0.1, longest=0.3, climbing=0)
    angles = {}
    for share in (0.0, 1.0):
        images = [draw_stroke_image(1, i, size=112, strokes=replace(strokes, steep=share)) for i in range(40)]
        x0, y0, x1, y1 = np.stack([image.ends for image in images]).T
        angles[share] = np.degrees(np.arctan2(np.abs(y1 - y0), x1 - x0))
    assert angles[1.0].min() > 69
    assert np.mean(angles[0.0] < 45) > 0.3


def test_level_strokes_are_level():
    strokes = StrokeRange(shortest=0.1, longest=0.3, steep=0.0, climbing=0.0)
    level = [draw_stroke_image(1, i, size=112, strokes=replace(strokes, level=1.0)) for i in range(40)]
    x0, y0, x1, y1 = np.stack([image.ends for image in level]).T
    assert np.degrees(np.arctan2(np.abs(y1 - y0), x1 - x0)).max() < 21


def test_touching_strokes_lie_along_the_edge_and_are_cut_by_it():
    strokes = StrokeRange(
        shortest=0.05, longest=0.2, thinnest=0.02, thickest=0.02, dotted=0.0, climbing=0.0, touching=1.0
    )
    images = [draw_stroke_image(1, 10**6 + i, size=224, strokes=strokes) for i in range(60)]
    edges = []
    for index, image in enumerate(images):
        rng = np.random.default_rng([1, 10**6 + index])
        texture(rng, 224)
        top, bottom = np.round(_panel(rng, 0.65)[[1, 3]] * 224).astype(int)
        (rows,) = np.nonzero(image.cells.swapaxes(1, 2).reshape(112, 112).max(1))
        above, below = 2 * rows.min() - top, bottom - 2 * rows.max()
        assert min(above, below) >= -1  # a cell is two pixels high, so an edge may lie within one
        assert min(above, below) <= 6
        edges.append(above < below)
    assert set(edges) == {True, False}


def test_flat_lines_keep_to_the_edge_they_touch():
    strokes = StrokeRange(steep=0.0, level=0.5, climbing=0.0, touching=1.0, flat=1.0)
    panel, rng = np.array([0.2, 0.2, 0.8, 0.8]), np.random.default_rng(1)
    lines = [_stroke(rng, panel, strokes) for _ in range(100)]
    rises = np.array([np.ptp(line[:, 1]) for line in lines])
    runs = np.array([np.ptp(line[:, 0]) for line in lines])
    keep, upright = rises <= strokes.thickest, rises >= runs
    assert (keep | upright).all()
    assert keep.mean() > 0.5


def test_around_a_panel_on_white_all_but_bars_and_marks_is_white():
    strokes = StrokeRange(grain=0.0, on_white=1.0)
    for index in range(20):
        pixels = draw_stroke_image(1, 10**6 + index, size=224, strokes=strokes).pixels
        margin = np.concatenate([pixels[:, :4].reshape(-1, 3), pixels[:4].reshape(-1, 3)])  # panels begin beyond it
        assert (margin == 255).all(axis=1).mean() > 0.9
        assert (pixels[90:130, 90:130] == 255).all(axis=2).mean() < 0.5


@pytest.mark.parametrize("size", [112, 224])
def test_a_panel_with_partial_patches_covers_a_few_pixels_of_its_outermost_patches(size):
    strokes, middle = StrokeRange(grain=0.0, on_white=1.0, partial_patches=1.0), slice(2 * size // 5, 3 * size // 5)
    for index in range(20):
        inked = (draw_stroke_image(1, 10**6 + index, size=size, strokes=strokes).pixels < 255).any(axis=2)
        first_row = (inked[:, middle].mean(axis=1) > 0.7).argmax()  # bars lie to the right and below
        first_column = (inked[middle].mean(axis=0) > 0.7).argmax()
        for first in (first_row, first_column):
            assert 1 <= 16 - first % 16 <= 6


@given(
    seed=st.integers(0, 10**6),
    part=st.booleans(),
    dots=st.sampled_from([(3, 14), (2, 10)]),
    slopes=st.sampled_from([(2.0, 12.0), (2.5, 25.0)]),
)
def test_climbing_dots_go_one_way_by_steps_that_change_steadily(seed, part, dots, slopes):
    strokes = StrokeRange(shortest=0.025, longest=0.25, thinnest=0.008, thickest=0.02, dots=dots, slopes=slopes)
    strokes = strokes.closer(2) if part else strokes
    rng = np.random.default_rng(seed)
    points = _climb(rng, np.array([0.3, 0.3, 0.65, 0.65]), strokes.thinnest, strokes)
    assert dots[0] <= len(points) <= dots[1]
    assert (points >= 0.3).all()
    assert (points <= 0.65).all()
    across, up = np.diff(points, axis=0).T
    assert np.allclose(across, across[0])
    assert 0.4 * strokes.thinnest <= across[0] <= strokes.thinnest
    assert slopes[0] * 0.99 <= abs(up.sum()) / across.sum() <= slopes[1] * 1.01
    assert abs(up.sum()) <= strokes.longest
    assert (up * up[0] > 0).all()
    assert np.allclose(np.diff(up[1:] / up[:-1]), 0)


def test_the_ends_of_climbing_dots_are_the_first_and_the_last():
    strokes = StrokeRange(shortest=0.1, longest=0.25, thinnest=0.01, thickest=0.02, climbing=1.0)
    for index in range(20):
        image = draw_stroke_image(1, index, size=224, strokes=strokes)
        fine = image.cells.swapaxes(1, 2).reshape(112, 112)
        for x, y in image.ends.reshape(2, 2):
            column, row = (np.clip(int(place * 112), 1, 110) for place in (x, y))
            assert fine[row - 1 : row + 2, column - 1 : column + 2].max() > 0.1
        rows = np.flatnonzero(fine.max(1) > 0.05) / 112
        assert np.ptp(rows) == pytest.approx(abs(image.ends[3] - image.ends[1]), abs=0.06)


def test_strokes_of_parts_are_longer_and_wider_and_otherwise_the_same():
    strokes = StrokeRange()
    closer = strokes.closer(2)
    assert (closer.shortest, closer.longest) == (2 * strokes.shortest, 2 * strokes.longest)
    assert (closer.thinnest, closer.thickest) == (2 * strokes.thinnest, 2 * strokes.thickest)
    assert closer.closer(0.5) == strokes
