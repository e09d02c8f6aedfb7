import numpy as np
import pytest
from PIL import Image

from paper_utils.errors import CompanionError
from tools import check_figures


@pytest.fixture
def folders(tmp_path):
    """Folders of the same figure, drawn and shipped, and a function that changes the drawn one's pixels."""
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    for name in ("drawn", "shipped"):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "figure_1.png")

    def check(change=lambda pixels: pixels):
        Image.fromarray(change(pixels.copy())).save(tmp_path / "drawn" / "figure_1.png")
        check_figures.check(tmp_path / "drawn", tmp_path / "shipped", ["figure_1"])

    return check


def faint(pixels):
    pixels[:20] ^= 7  # by 7 of 255 at most
    return pixels


def one_pixel(pixels):
    pixels[3, 4] ^= 128
    return pixels


def another_digit(pixels):
    pixels[50:57, 60:64] = 0
    return pixels


@pytest.mark.parametrize("change", [lambda pixels: pixels, faint, one_pixel])
def test_what_looks_the_same_passes(folders, change):
    folders(change)


@pytest.mark.parametrize(
    "change",
    [
        another_digit,
        lambda pixels: pixels[::-1],
        lambda pixels: pixels[..., ::-1],
        lambda pixels: np.roll(pixels, 1, axis=1),
    ],
    ids=["another digit", "turned over", "other colours", "moved by a pixel"],
)
def test_what_looks_otherwise_is_named(folders, change):
    with pytest.raises(CompanionError, match=r"figure_1.png differs in [\d,]+ pixels; look at .*drawn"):
        folders(change)


def test_another_size_and_a_missing_figure_are_named(folders, tmp_path):
    with pytest.raises(CompanionError, match=r"figure_1.png has 300 x 100 pixels, not 300 x 200"):
        folders(lambda pixels: pixels[:100])
    with pytest.raises(CompanionError, match=r"figure_2.png was not drawn; figure_3"):
        check_figures.check(tmp_path / "drawn", tmp_path / "shipped", ["figure_2", "figure_3"])
