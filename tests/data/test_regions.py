import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paper_utils.data import chirps
from paper_utils.data import render as rendering
from paper_utils.data.canvas import published_figure
from paper_utils.data.regions import REGIONS, VISIBLE, patch_coverage

ELEMENTS = {
    "title": lambda axes, bar: [axes.title],
    "x_label": lambda axes, bar: [axes.xaxis.label],
    "y_label": lambda axes, bar: [axes.yaxis.label],
    "x_ticks": lambda axes, bar: parts_of_ticks(axes.xaxis),
    "y_ticks": lambda axes, bar: parts_of_ticks(axes.yaxis),
    "edge_left": lambda axes, bar: [axes.spines["left"]],
    "edge_right": lambda axes, bar: [axes.spines["right"]],
    "edge_top": lambda axes, bar: [axes.spines["top"]],
    "edge_bottom": lambda axes, bar: [axes.spines["bottom"]],
    "colour_bar_ticks": lambda axes, bar: parts_of_ticks(bar.ax.yaxis),
    "colour_bar_label": lambda axes, bar: [bar.ax.yaxis.label],
}


def parts_of_ticks(axis):
    return [
        part for tick in axis.get_major_ticks() for part in (tick.label1, tick.label2, tick.tick1line, tick.tick2line)
    ]


def drawn(index):
    chirp, rng = chirps.draw_chirp(7, index)
    return chirp, chirps.spectrogram(chirp, rng), rendering.title_of(37**index % 99_991, chirp)


def pixels_of(figure, size):
    figure.canvas.draw()
    image = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3])
    return np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC), float)


@pytest.fixture(scope="module", params=[rendering.PUBLISHED_SIZE, rendering.MODEL_SIZE], ids=str)
def with_and_without(request):
    """Regions of one image, matplotlib's own drawing of it, and a function that draws it without an element."""
    size = request.param
    chirp, intensity, title = drawn(1)
    regions = rendering.draw_image(chirp, intensity, title, size=size, with_regions=True).regions

    def without(name):
        figure, axes, bar = published_figure(intensity, title)
        figure.canvas.draw()
        for part in ELEMENTS[name](axes, bar):
            part.set_alpha(0)  # still laid out: nothing else moves
        return pixels_of(figure, size)

    return regions, pixels_of(published_figure(intensity, title)[0], size), without


@pytest.mark.parametrize("name", ELEMENTS)
def test_an_elements_region_is_what_changes_when_it_goes(with_and_without, name):
    regions, whole, without = with_and_without
    change = np.abs(whole - without(name)).max(-1)
    ours = regions == REGIONS.index(name)
    assert (change[ours] > 0).mean() > 0.97  # where two edges cross, one going shows nothing
    strong = change > 3 * VISIBLE * 255
    owned = ours | np.isin(regions, [number for number, other in enumerate(REGIONS) if other in ELEMENTS])
    assert owned[strong].all()  # a darker element may own it, nothing else
    assert ours[strong].mean() > 0.85
    assert (change[~ours] > VISIBLE * 255).sum() < 0.25 * ours.sum()


@settings(max_examples=12, deadline=None)
@given(index=st.integers(0, 10**6))
def test_regions_partition_every_image_and_the_chirp_lies_over_the_background(index):
    chirp, rng = chirps.draw_chirp(3, index)
    image = rendering.draw_image(
        chirp, chirps.spectrogram(chirp, rng), rendering.title_of(index, chirp), with_regions=True
    )
    coverage = patch_coverage(image.regions)
    assert coverage.shape == (len(REGIONS), 14, 14)
    assert np.allclose(coverage.sum(0), 1)
    rows, columns = np.nonzero(image.regions == REGIONS.index("chirp"))
    # plot: columns 28 to 167 for 0 to 60 s, rows 27 (100 Hz) to 199.4 (0 Hz)
    assert 26 <= rows.min() <= rows.max() <= 200
    assert columns.min() == pytest.approx(28 + 139 * chirp.start_time / 60, abs=4)
    assert columns.max() == pytest.approx(28 + 139 * (chirp.start_time + chirp.duration) / 60, abs=4)


def test_every_region_is_somewhere():
    regions = rendering.draw_image(*drawn(2), with_regions=True).regions
    assert set(np.unique(regions)) == set(range(len(REGIONS)))


def test_the_bars_halves_meet_in_its_middle():
    regions = rendering.draw_image(*drawn(2), with_regions=True).regions
    upper, lower = (np.argwhere(regions == REGIONS.index(f"colour_bar_{half}")) for half in ("upper", "lower"))
    assert upper[:, 0].max() + 1 == lower[:, 0].min()
    assert abs(len(upper) - len(lower)) < 0.05 * len(upper)
    assert set(upper[:, 1]) == set(lower[:, 1])
