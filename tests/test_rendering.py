import numpy as np
import pytest
from PIL import Image

from paper_utils import chirps, rendering
from paper_utils import regions as areas


def drawn(index):
    chirp, rng = chirps.draw_chirp(7, index)
    return chirp, chirps.spectrogram(chirp, rng), rendering.title_of(37**index % 99_991, chirp)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("size", [(480, 640), (224, 224)])
def test_picture_is_matplotlibs(index, size):
    chirp, spectrogram, title = drawn(index)
    plain = Image.fromarray(rendering.draw_with_matplotlib(spectrogram, title))
    plain = np.asarray(plain.resize(size[::-1], Image.Resampling.BILINEAR), int)
    ours = rendering.draw_picture(chirp, spectrogram, title, size=size).pixels
    difference = np.abs(ours - plain)
    assert difference.mean() < 1
    assert (difference <= 8).mean() > 0.999


def test_patch_coverage_is_a_partition():
    regions = rendering.draw_picture(*drawn(3), with_regions=True).regions
    coverage = areas.patch_coverage(regions)
    assert coverage.shape == (len(areas.REGIONS), 14, 14)
    assert np.allclose(coverage.sum(0), 1)


def test_title_region_is_what_changes_with_the_title():
    chirp, spectrogram, title = drawn(0)
    with_title = rendering.draw_picture(chirp, spectrogram, title, with_regions=True)
    without = rendering.draw_picture(chirp, spectrogram, " ", with_regions=True)
    changed = (with_title.pixels != without.pixels).any(-1)
    marked = with_title.regions == areas.REGIONS.index("title")
    assert not (marked & ~changed).any()
    assert (changed & ~marked).sum() < 0.3 * changed.sum()  # faint rims of letters stay margin


def test_every_region_is_somewhere():
    regions = rendering.draw_picture(*drawn(2), with_regions=True).regions
    assert set(np.unique(regions)) == set(range(len(areas.REGIONS)))


def test_chirp_region_lies_where_the_chirp_is():
    chirp = chirps.Chirp(30.0, 20.0, 20.0, 10.0, "linear", 0.09)
    spectrogram = chirps.spectrogram(chirp, np.random.default_rng(0))
    regions = rendering.draw_picture(chirp, spectrogram, "t", with_regions=True).regions
    rows, columns = np.nonzero(regions == areas.REGIONS.index("chirp"))
    # plot: columns 28 to 167 for 0 to 60 s, rows 27 (100 Hz) to 199.4 (0 Hz)
    assert columns.min() == pytest.approx(28 + 139 * 30 / 60, abs=3)
    assert columns.max() == pytest.approx(28 + 139 * 40 / 60, abs=3)
    assert rows.mean() == pytest.approx(199.4 - 172.5 * 0.2, abs=3)
