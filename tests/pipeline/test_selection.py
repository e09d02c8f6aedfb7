import dataclasses

import numpy as np

from paper_utils.pipeline.selection import choose, chosen, drawn, pool
from paper_utils.training.evaluation import Evaluation


def test_badly_read_images_are_chosen_more_often_and_count_less(run, model):
    indices, weights = chosen(run, model, pool(run, model))
    assert len(indices) == 8
    assert 15 in indices
    assert weights[list(indices).index(15)] == weights.min()


def test_a_part_of_the_chosen_is_spread_over_them(run, model):
    whole, part = (choose(run, model, part=part) for part in (1, 4))
    assert np.array_equal(part["weights"], whole["weights"][::4])
    assert (part["images"] == whole["images"][::4]).all()
    assert len(choose(run, model, part=64)["labels"]) == 8  # too few to thin out


def test_another_models_errors_choose_other_images(run, model):
    own = pool(run, model)
    errors = np.zeros_like(own.labels)
    errors[3] = 100
    other = Evaluation(own.labels + errors, own.labels, 0.0)
    labels = choose(run, model, evaluation=other)["labels"]
    assert (labels == drawn(run, np.array([3]))[1]).all(1).any()
    indices, weights = chosen(run, model, other)
    assert weights[list(indices).index(3)] == weights.min()


def test_the_pool_goes_on_where_the_test_images_end(run, model):
    evaluation = run.evaluation(model)
    run.profile = dataclasses.replace(run.profile, ablation_pool=20)
    found = pool(run, model)
    assert np.array_equal(found.labels[:16], evaluation.labels)
    assert np.array_equal(found.predictions[:16], evaluation.predictions)
    assert np.array_equal(found.labels[16:], drawn(run, np.arange(16, 20))[1])
