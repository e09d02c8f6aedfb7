import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_utils.strokes import draw_stroke_picture


@settings(max_examples=40, deadline=None)
@given(index=st.integers(0, 10**6), size=st.sampled_from([112, 224]))
def test_ends_lie_on_patches_that_hold_the_stroke(index, size):
    picture = draw_stroke_picture(1, index, size=size)
    assert picture.pixels.shape == (size, size, 3)
    x0, y0, x1, y1 = picture.ends
    assert 0 <= x0 <= x1 <= 1
    grid = size // 16
    for x, y in ((x0, y0), (x1, y1)):
        row, column = min(int(y * grid), grid - 1), min(int(x * grid), grid - 1)
        near = picture.patches[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        assert near.any()


def test_index_and_seed_fix_the_picture():
    first, again = (draw_stroke_picture(1, 7, size=112) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, draw_stroke_picture(2, 7, size=112).pixels)


def test_a_picture_means_the_same_at_both_sizes():
    # the stroke's shape is drawn after the field, whose draws depend on the size; a flat field takes none
    pairs = [(draw_stroke_picture(1, i, size=112).ends, draw_stroke_picture(1, i, size=224).ends) for i in range(60)]
    assert any(np.allclose(small, large) for small, large in pairs)


@pytest.mark.parametrize("size", [112, 224])
def test_clutter_grows_with_the_index(size):
    early = np.mean([np.ptp(draw_stroke_picture(3, i, size=size).ends[::2]) for i in range(60)])
    late = np.mean([np.ptp(draw_stroke_picture(3, 10**6 + i, size=size).ends[::2]) for i in range(60)])
    assert early > late  # strokes get shorter
