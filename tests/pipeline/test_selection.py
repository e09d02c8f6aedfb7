from dataclasses import replace

import numpy as np

from paper_utils.pipeline import probes
from paper_utils.pipeline.selection import choose, every, select
from paper_utils.training.evaluation import Evaluation

UNIT = np.ones(3, np.float32)


def evaluation(errors):
    labels = np.zeros((len(errors), 3), np.float32)
    return Evaluation(labels + np.asarray(errors, np.float32)[:, None], labels, 0.0)


def test_images_that_are_read_badly_are_taken_and_count_for_less():
    work = probes.golden()
    indices, weights = choose(work, evaluation([0.1] * 30 + [5.0] * 2), unit=UNIT)
    assert len(indices) == work.profile.ablation_images
    assert {30, 31} <= set(indices)
    assert weights[np.isin(indices, [30, 31])].max() < weights[~np.isin(indices, [30, 31])].min()


def test_every_image_is_taken_where_all_are_wanted(monkeypatch):
    work = probes.golden()
    monkeypatch.setattr(work, "profile", replace(work.profile, ablation_images=5))
    indices, weights = choose(work, evaluation([1, 2, 3, 4, 5]), unit=UNIT)
    assert indices.tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(weights, 1)


def test_a_part_is_spread_over_the_chosen():
    assert np.arange(12)[every(12, 4)].tolist() == [0, 4, 8]
    assert len(np.arange(7)[every(7, 4)]) == 7  # fewer than two would be left


def test_what_is_selected_are_the_chosen_images(monkeypatch):
    work = probes.golden()
    found = evaluation(np.linspace(0.1, 3, 12))
    indices, weights = choose(work, found, unit=work.model().label_std.numpy())
    selected = select(work, found, step=2)
    images, labels = work.images(indices[::2])
    assert (selected["images"] == images).all()
    assert np.array_equal(selected["labels"], labels)
    assert np.array_equal(selected["weights"], weights[::2])
