"""What a user has set for matplotlib does not change an image's pixels."""

import numpy as np
import pytest

from paper_utils.data.canvas import Layout
from paper_utils.data.chirps import draw_chirp, spectrogram
from paper_utils.data.counterfactuals import VARIANTS, draw_variant
from paper_utils.data.dataset import sample
from paper_utils.data.render import draw_with_matplotlib, title_of
from tests.matplotlibrc import USER_SETTINGS, printed_under

PROGRAM = """
import hashlib
from tests.data.test_user_settings import drawn
print(hashlib.sha256(b"".join(image.tobytes() for image in drawn())).hexdigest())
"""


def drawn():
    """Return images of a chirp with a negative tick: of the training and test sets, by matplotlib alone, of variants."""
    chirp, rng = draw_chirp(9, 0)
    intensity, title = spectrogram(chirp, rng), title_of(0, chirp)
    assert intensity.min() < -0.2
    yield from (sample(9, index)[1].pixels for index in range(4))
    yield from (draw_with_matplotlib(intensity, title, layout) for layout in (Layout(), Layout(font_size=14)))
    yield from (draw_variant(name, chirp, intensity, title).pixels for name in VARIANTS)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return printed_under({}, PROGRAM, tmp_path_factory.mktemp("none") / "rc")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*list(USER_SETTINGS)[:4], "all"])
def test_no_setting_changes_a_pixel(name, expected, tmp_path):
    settings = USER_SETTINGS if name == "all" else {name: USER_SETTINGS[name]}
    assert printed_under(settings, PROGRAM, tmp_path / "rc") == expected


@pytest.mark.parametrize("name", ["axes.unicode_minus", "text.hinting", "font.size"])
def test_nor_does_one_set_later(name):
    import matplotlib as mpl

    from paper_utils.data.render import canvas_of

    expected = list(drawn())
    canvas_of.cache_clear()
    with mpl.rc_context({name: USER_SETTINGS[name]}):
        assert all(map(np.array_equal, drawn(), expected))
    canvas_of.cache_clear()
