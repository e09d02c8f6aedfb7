"""What is recovered, over how many outputs it is spread, and whether layers differ, on logits made for it."""

import numpy as np
import pytest
from scipy import stats

from paper_utils.language.recovered import PairLogits, difference_with_ends, mean_with_ends

PAIRS, LAYERS = 12, 5


def made(effects, clean=4.0):
    """Logits of pairs whose corrupted difference is -2 and whose patched one is more by `effects`."""
    plain = np.zeros((len(effects), 2, 2))
    plain[:, 0, 0], plain[:, 1, 0] = clean, -2
    patched = np.zeros((*effects.shape, 2))
    patched[..., 0] = effects - 2
    return PairLogits(plain, patched)


def test_one_output_that_does_all_has_a_spread_of_one_and_equal_ones_of_all():
    effects = np.zeros((PAIRS, LAYERS, 3, 2))
    effects[:, 2, 1, 0] = -3
    effects[:, :, 2] = 7  # the residual stream does not count
    assert made(effects).spread() == pytest.approx(np.ones(PAIRS))
    effects[:, :, :2] = 0.5
    assert made(effects).spread() == pytest.approx(np.full(PAIRS, LAYERS * 2 * 2))
    assert made(3 * effects).spread() == pytest.approx(made(effects).spread())


def test_recovered_is_the_share_of_the_way_from_corrupted_to_clean():
    effects = np.zeros((PAIRS, LAYERS, 3, 2))
    effects[:, 1, 0, 1] = 3  # of the 6 between -2 and 4
    value, low, high = made(effects).recovered()
    assert value.shape == (3, 2, LAYERS)
    assert value[0, 1].tolist() == pytest.approx([0, 50, 0, 0, 0])
    assert low[0, 1, 1] == pytest.approx(high[0, 1, 1]) == pytest.approx(50)


def test_layers_differ_where_one_does_more_and_not_where_effects_are_noise():
    noise = np.random.default_rng(0).normal(size=(PAIRS, LAYERS, 3, 2))
    assert made(noise).layers_differ() > 0.05
    noise[:, 3, 0] += 5
    logits = made(noise)
    by_layer = noise[:, :, :2].sum((2, 3)) / 6
    assert logits.layers_differ() == pytest.approx(stats.friedmanchisquare(*by_layer.T).pvalue)
    assert logits.layers_differ() < 0.01


def test_intervals_of_means_and_of_their_difference_hold_the_value():
    rng = np.random.default_rng(1)
    first, second = rng.normal(3, 1, 60), rng.normal(1, 1, 40)
    value, low, high = difference_with_ends(first, second)
    assert value == pytest.approx(first.mean() - second.mean())
    error = np.sqrt(first.var() / 60 + second.var() / 40)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)
    assert low < value < high
    assert mean_with_ends(np.full(9, 2.5)) == (2.5, 2.5, 2.5)
