from dataclasses import replace

import numpy as np
import pytest

from paper_utils.pipeline.probes import PROFILE
from paper_utils.pipeline.selection import after_pool, choose, other_images
from paper_utils.training.evaluation import Evaluation

UNIT = np.ones(3, np.float32)
WIDE = replace(PROFILE, ablation_pool=400, linearised_images=100, ablation_images=20)


def evaluation(errors):
    labels = np.zeros((len(errors), 3), np.float32)
    return Evaluation(labels + np.asarray(errors, np.float32)[:, None], labels, 0.0)


def test_images_that_are_read_badly_are_taken_and_count_for_less():
    chosen = choose(WIDE, evaluation([0.1] * 398 + [5.0] * 2), unit=UNIT)
    assert len(chosen.indices) == 100
    assert len(chosen.few_indices) == 20
    assert {398, 399} <= set(chosen.few_indices)
    hard = np.isin(chosen.few_indices, [398, 399])
    assert chosen.few_weights[hard].max() < chosen.few_weights[~hard].min()


def test_both_sets_stand_for_the_pool():
    errors = np.random.default_rng(0).exponential(1, 400)
    means = {"many": [], "few": []}
    for seed in range(200):
        chosen = choose(replace(WIDE, seed=seed), evaluation(errors), unit=UNIT)
        means["many"].append((chosen.weights * errors[chosen.indices]).mean())
        means["few"].append((chosen.few_weights * errors[chosen.few_indices]).mean())
    for values in means.values():
        assert np.mean(values) == pytest.approx(errors.mean(), abs=3 * np.std(values) / len(values) ** 0.5)


def test_every_image_is_taken_where_all_are_wanted():
    profile = replace(WIDE, ablation_pool=9, linearised_images=9, ablation_images=9)
    chosen = choose(profile, evaluation(range(9)), unit=UNIT)
    assert chosen.few_indices.tolist() == list(range(9))
    assert np.allclose(chosen.few_weights, 1)


def test_images_for_means_and_for_other_outputs_are_never_scored():
    apart = after_pool(WIDE), other_images(WIDE)
    assert min(map(min, apart)) == WIDE.ablation_pool
    assert not np.intersect1d(*apart).size
    assert len(apart[1]) == WIDE.linearised_images
