import json

import numpy as np
import pytest
from PIL import Image

from paper_utils.plots import images as figures

ORIGIN = {"profile": "smoke", "seed": 42, "commit": "abc", "notebook": "n"}


def test_saved_figure_carries_its_origin(tmp_path):
    figures.save_figure(figures.flowchart(), tmp_path / "figure_1", ORIGIN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure_1.json", "figure_1.pdf", "figure_1.png"]
    line = "profile smoke, seed 42, commit abc"
    assert Image.open(tmp_path / "figure_1.png").text["Description"] == line
    assert line.encode() in (tmp_path / "figure_1.pdf").read_bytes()
    assert json.loads((tmp_path / "figure_1.json").read_text()) == ORIGIN


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        figures.save_figure(figures.flowchart(), tmp_path / name, ORIGIN)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_heatmap_shows_layer_1_on_top_and_the_numbers():
    increase = np.arange(144.0).reshape(12, 12) / 100
    axis = figures.ablation_heatmap(increase).axes[0]
    assert [text.get_text() for text in axis.texts[:3]] == ["0.00", "0.01", "0.02"]
    assert axis.get_yticklabels()[0].get_text() == "1"
    assert axis.yaxis_inverted()


def test_histograms_hold_every_image_of_every_head():
    baseline = np.linspace(0, 45, 50)
    weights = np.linspace(0.5, 1.5, 50)
    figure = figures.prediction_histograms(baseline, np.tile(baseline, (12, 12, 1)), weights)
    assert len(figure.axes) == 12
    bars = figure.axes[0].containers[0]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(weights.sum())


def test_histograms_end_above_their_highest_bar_and_cut_off_what_outgrows_the_intact_model():
    baseline, weights = np.linspace(0, 45, 50), np.ones(50)
    ablated = np.tile(baseline, (12, 12, 1))
    axis = figures.prediction_histograms(baseline, ablated, weights).axes[0]
    highest = max(bar.get_height() for bar in axis.containers[0])
    assert highest < axis.get_ylim()[1] < 1.2 * highest
    assert not axis.texts
    ablated[2, 3] = 20  # all images in one bar
    figure = figures.prediction_histograms(baseline, ablated, weights)
    assert figure.axes[0].get_ylim()[1] == pytest.approx(2.5 * highest)
    assert [text.get_text() for text in figure.axes[2].texts] == [" head 4: to 50"]


def test_overlays_have_one_panel_a_caption():
    images, maps = np.zeros((7, 224, 224, 3), np.uint8), np.random.default_rng(0).random((7, 14, 14))
    figure = figures.overlays(images, maps, [f"head {number}" for number in range(7)])
    assert [axis.get_title() for axis in figure.axes[:7]] == [f"head {number}" for number in range(7)]
    assert len(figure.axes[0].images) == 1


def test_gallery_shows_each_head_over_the_next_image():
    rng = np.random.default_rng(0)
    images, maps = rng.integers(0, 256, (3, 224, 224, 3), np.uint8), rng.random((3, 12, 12, 14, 14))
    heads = [(0, 0), (3, 5), (11, 11), (2, 1)]
    shown = figures.gallery(images, maps, heads, list("abcd"))
    expected = figures.overlays(images[[0, 1, 2, 0]], np.stack([maps[i % 3, *h] for i, h in enumerate(heads)]), "abcd")
    for ours, plain in zip(shown.axes[:4], expected.axes[:4], strict=True):
        assert np.array_equal(ours.images[0].get_array(), plain.images[0].get_array())


def test_every_variant_has_its_name():
    figure = figures.variant_panel(np.zeros((7, 8, 8, 3), np.uint8), [f"v{number}" for number in range(7)])
    assert [axis.get_title() for axis in figure.axes[:7]] == [f"v{number}" for number in range(7)]
    assert not figure.axes[8].images
