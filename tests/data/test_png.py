import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from paper_utils.data.dataset import sample
from paper_utils.data.png import write_png
from paper_utils.data.render import PUBLISHED_SIZE


@settings(max_examples=40, deadline=None)
@given(pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_pillow_reads_back_what_was_written(tmp_path_factory, pixels):
    path = tmp_path_factory.getbasetemp() / "any.png"
    write_png(path, pixels)
    with Image.open(path) as image:
        image.load()
        assert (image.mode, image.format) == ("RGB", "PNG")
        assert np.array_equal(np.asarray(image), pixels)


def test_a_spectrogram_takes_no_more_room_than_pillows(tmp_path):
    pixels = sample(7, 0, size=PUBLISHED_SIZE, with_regions=False)[1].pixels
    write_png(tmp_path / "ours.png", pixels)
    Image.fromarray(pixels).save(tmp_path / "pillow.png", compress_level=1)
    ours, pillow = ((tmp_path / f"{name}.png").stat().st_size for name in ("ours", "pillow"))
    assert ours < 1.1 * pillow
    with Image.open(tmp_path / "ours.png") as image:
        assert np.array_equal(np.asarray(image), pixels)
