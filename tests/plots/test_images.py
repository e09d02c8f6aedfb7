import inspect

import numpy as np
import pytest
from matplotlib.figure import Figure

from paper_utils import plots
from paper_utils.plots import ablation, attention, effects, explorer, heads, images, learning, method


@pytest.mark.parametrize("module", [ablation, attention, effects, explorer, heads, images, learning, method])
def test_the_sub_package_exports_every_function_that_makes_a_figure(module):
    makers = {
        name
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
        and inspect.signature(getattr(module, name)).return_annotation is Figure
    }
    assert makers <= set(plots.__all__)
    assert all(getattr(plots, name) is getattr(module, name) for name in makers)


def test_the_flowchart_names_both_halves_of_the_method():
    assert [axis.get_title() for axis in plots.flowchart().axes] == ["Attention maps", "Head ablation"]


def test_fifteen_samples_each_with_its_caption():
    figure = plots.spectrogram_samples(np.zeros((15, 8, 8, 3), np.uint8), [f"{number} Hz" for number in range(15)])
    assert [axis.get_title() for axis in figure.axes] == [f"{number} Hz" for number in range(15)]


def test_the_region_map_names_every_region():
    regions = np.arange(16).reshape(4, 4) % 5
    figure = plots.region_map(np.zeros((4, 4, 3), np.uint8), regions, ["background", "axes", "chirp", "title", "a_b"])
    assert [label.get_text() for label in figure.axes[-1].get_yticklabels()] == [
        "background",
        "axes",
        "chirp",
        "title",
        "a b",
    ]


def test_every_variant_has_its_name():
    figure = images.variant_panel(np.zeros((7, 8, 8, 3), np.uint8), [f"v{number}" for number in range(7)])
    assert [axis.get_title() for axis in figure.axes[:7]] == [f"v{number}" for number in range(7)]
    assert not figure.axes[8].images
