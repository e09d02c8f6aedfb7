import itertools

import numpy as np
import pytest
from scipy import stats

from paper_utils.claims import figure_4
from paper_utils.interventions import rank_autocorrelation, shuffled_rows, walk_metrics


def test_ranks_that_rise_along_a_row_follow_each_other_whatever_the_values():
    rising = np.arange(12.0)[None] ** np.arange(1, 5)[:, None]
    assert rank_autocorrelation(rising) == pytest.approx(1)
    assert rank_autocorrelation(np.tile([1.0, 2.0], (4, 6))) == pytest.approx(-1)
    assert rank_autocorrelation(np.ones((4, 12))) == 0


def test_it_is_the_correlation_of_pairs_of_ranks_without_what_is_not_legible():
    figure = figure_4()
    pairs = []
    for row in figure:
        known = np.isfinite(row)
        ranks = np.full(len(row), np.nan)
        ranks[known] = stats.rankdata(row[known]) - stats.rankdata(row[known]).mean()
        pairs += [pair for pair in itertools.pairwise(ranks) if np.isfinite(pair).all()]
    assert len(pairs) == 12 * 11 - 2
    assert rank_autocorrelation(figure) == pytest.approx(stats.pearsonr(*np.transpose(pairs)).statistic)


@pytest.mark.parametrize("heads", [4, 12])
def test_a_random_order_has_the_small_negative_value_of_drawing_without_replacement(heads):
    values = np.random.default_rng(0).normal(size=(12, heads))
    mean = np.mean([rank_autocorrelation(order) for order in shuffled_rows(values, orders=400)])
    assert mean == pytest.approx(-1 / (heads - 1), abs=0.03)


def test_what_rows_differ_by_is_autocorrelation_but_no_order_within_rows():
    rng = np.random.default_rng(0)
    found = walk_metrics(np.arange(12.0)[:, None] + rng.normal(0, 0.1, (12, 12)), orders=99)
    assert found["lag_1_autocorrelation"] > 0.9
    assert found["lag_1_autocorrelation_shuffled"] > 0.9
    low, high = (found[f"rank_autocorrelation_shuffled_{end}"] for end in ("low", "high"))
    assert low < found["rank_autocorrelation"] < high


def test_a_walk_lies_beyond_its_shuffled_rows():
    walk = np.sin(np.arange(144) / 9).reshape(12, 12)
    found = walk_metrics(walk, orders=99)
    assert found["rank_autocorrelation"] > found["rank_autocorrelation_shuffled_high"]
    assert found["continuity"] < found["continuity_shuffled_low"]


def test_shuffling_keeps_rows_and_is_the_same_for_a_seed():
    values = np.random.default_rng(2).normal(size=(3, 7))
    shuffled = shuffled_rows(values, orders=20, seed=5)
    assert np.array_equal(np.sort(shuffled, axis=-1), np.broadcast_to(np.sort(values, axis=-1), shuffled.shape))
    assert np.array_equal(shuffled, shuffled_rows(values, orders=20, seed=5))
