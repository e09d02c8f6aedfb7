import matplotlib as mpl
import numpy as np
import pytest

from paper_utils.plots import style
from tests.matplotlibrc import USER_SETTINGS, printed_under

PROGRAM = """
import hashlib, pathlib, tempfile
import numpy as np
from paper_utils.pipeline.figures import save_figure
from paper_utils.plots import ablation_heatmap
with tempfile.TemporaryDirectory() as folder:
    stem = pathlib.Path(folder) / 'figure_4'
    save_figure(ablation_heatmap(np.linspace(-1, 1, 144).reshape(12, 12)), stem, pdf=False)
    print(hashlib.sha256(stem.with_suffix('.png').read_bytes()).hexdigest())
"""


def test_figures_have_the_text_width_and_leave_no_state_behind():
    figure, axes = style.grid(2, 3, 4.0, sharex=True)
    assert figure.get_size_inches().tolist() == [style.WIDTH, 4.0]
    assert axes.shape == (2, 3)
    assert figure.canvas.manager is None  # not one of pyplot's


@pytest.mark.parametrize(
    ("largest", "most", "expected"),
    [
        (50.0, 4, ["-10", "-1", "0", "1", "10"]),
        (5e4, 2, ["-10000", "-10", "0", "10", "10000"]),
        (0.8, 4, ["-0.4", "0", "0.4"]),  # no power of ten outside the linear part
    ],
)
def test_colour_bars_have_zero_and_powers_of_ten_that_do_not_overlap(largest, most, expected):
    figure, axis = style.grid(1, 1, 2.0)
    norm = mpl.colors.SymLogNorm(linthresh=0.5, vmin=-largest, vmax=largest)
    bar = figure.colorbar(axis.imshow(np.zeros((2, 2)), norm=norm), ax=axis)
    style.plain_numbers(bar, most=most)
    assert sorted((label.get_text() for label in bar.ax.get_yticklabels()), key=float) == expected


@pytest.mark.slow
def test_a_figure_has_the_house_style_whatever_the_user_has_set(tmp_path):
    assert printed_under(USER_SETTINGS, PROGRAM, tmp_path / "user") == printed_under({}, PROGRAM, tmp_path / "none")
