import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from paper_utils.plots import heads


def test_overlays_have_one_panel_a_caption():
    images, maps = np.zeros((7, 224, 224, 3), np.uint8), np.random.default_rng(0).random((7, 14, 14))
    figure = heads.overlays(images, maps, [f"head {number}" for number in range(7)])
    assert [axis.get_title() for axis in figure.axes[:7]] == [f"head {number}" for number in range(7)]
    assert len(figure.axes[0].images) == 1


def test_captions_do_not_run_into_each_other():
    captions = [f"L4H{head}: lower part of the colour bar and some more" for head in range(1, 9)]
    figure = heads.overlays(np.zeros((8, 28, 28, 3), np.uint8), np.ones((8, 2, 2)), captions, columns=4)
    FigureCanvasAgg(figure).draw()
    boxes = [axis.title.get_window_extent() for axis in figure.axes[:8]]
    assert not any(left.overlaps(right) for left, right in zip(boxes, boxes[1:], strict=False))


def test_gallery_shows_each_head_over_the_next_image():
    rng = np.random.default_rng(0)
    images, maps = rng.integers(0, 256, (3, 224, 224, 3), np.uint8), rng.random((3, 12, 12, 14, 14))
    chosen = [(0, 0), (3, 5), (11, 11), (2, 1)]
    shown = heads.gallery(images, maps, chosen, list("abcd"))
    expected = heads.overlays(images[[0, 1, 2, 0]], np.stack([maps[i % 3, *h] for i, h in enumerate(chosen)]), "abcd")
    for ours, plain in zip(shown.axes[:4], expected.axes[:4], strict=True):
        assert np.array_equal(ours.images[0].get_array(), plain.images[0].get_array())
