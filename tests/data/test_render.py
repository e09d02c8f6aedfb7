import numpy as np
import pytest
from PIL import Image

from paper_utils.data import chirps
from paper_utils.data import render as rendering
from paper_utils.data.resizing import FILTERS


def drawn(index):
    chirp, rng = chirps.draw_chirp(7, index)
    return chirp, chirps.spectrogram(chirp, rng), rendering.title_of(37**index % 99_991, chirp)


@pytest.mark.parametrize("index", range(6))  # both kinds, titles of one to five digits
@pytest.mark.parametrize("resizing", FILTERS)
@pytest.mark.parametrize("size", [(480, 640), (224, 224)])
def test_image_is_matplotlibs_resized_by_pillow(index, size, resizing):
    chirp, spectrogram, title = drawn(index)
    plain = Image.fromarray(rendering.draw_with_matplotlib(spectrogram, title))
    plain = np.asarray(plain.resize(size[::-1], FILTERS[resizing]), int)
    ours = rendering.draw_image(chirp, spectrogram, title, size=size, resizing=resizing).pixels
    difference = np.abs(ours - plain)
    assert difference.mean() < 1
    assert (difference <= 8).mean() > 0.999
