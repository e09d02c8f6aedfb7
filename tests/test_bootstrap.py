import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paper_utils import bootstrap


def ratio_of_means(first, second, axis=-1):
    return first.mean(axis) / second.mean(axis)


@pytest.mark.parametrize("draw", ["multinomial", "indices"])
def test_every_resample_draws_as_many_images_as_there_are(draw):
    counts = bootstrap.resample_counts(7, seed=3, resamples=5000, draw=draw)
    assert counts.shape == (5000, 7)
    assert (counts.sum(1) == 7).all()
    assert np.allclose(counts.mean(0), 1, atol=0.06)
    assert np.allclose(counts.var(0), 6 / 7, atol=0.08)  # binomial
    assert np.array_equal(counts, bootstrap.resample_counts(7, seed=3, resamples=5000, draw=draw))


def test_counts_are_those_of_the_indices():
    indices = bootstrap.resample_indices(5, seed=1, resamples=20)
    counts = bootstrap.resample_counts(5, seed=1, resamples=20, draw="indices")
    assert [list(np.bincount(row, minlength=5)) for row in indices] == counts.tolist()


@given(st.integers(20, 60), st.integers(0, 99))
def test_bca_ends_are_those_of_scipy(count, seed):
    """With fewer images some resamples are all images in another order, and rounding decides on which side they lie."""
    rng = np.random.default_rng(seed)
    second = rng.exponential(size=count)
    first = second * rng.normal(1.2, 0.4, (3, count)) + 0.1 * rng.pareto(3, (3, count))
    counts = bootstrap.resample_counts(count, seed=seed, resamples=200, draw="indices")
    sample = (counts @ first.T) / (counts @ second)[:, None]
    jackknife = (first.sum(1) - first.T) / (second.sum() - second)[:, None]
    low, high = bootstrap.bca_interval(sample, ratio_of_means(first, second), jackknife)
    for row, ends in zip(first, zip(low, high, strict=True), strict=True):
        expected = stats.bootstrap(
            (row, second),
            ratio_of_means,
            paired=True,
            n_resamples=200,
            method="BCa",
            rng=np.random.default_rng(seed),
        ).confidence_interval
        assert ends == pytest.approx(expected, rel=1e-9)


def test_percentile_ends_are_those_of_scipy():
    values = np.random.default_rng(0).normal(size=(2, 50))
    indices = bootstrap.resample_indices(50, seed=4)
    low, high = bootstrap.percentile_interval(values[:, indices].mean(-1).T)
    expected = stats.bootstrap(
        (values,), np.mean, axis=-1, n_resamples=2000, method="percentile", rng=np.random.default_rng(4)
    ).confidence_interval
    assert np.allclose([low, high], expected, rtol=1e-12)


def test_a_statistic_that_never_varies_has_its_estimate_for_both_ends():
    with warnings.catch_warnings(action="error"):
        low, high = bootstrap.bca_interval(np.full((100, 2), 3.0), np.full(2, 3.0), np.full((9, 2), 3.0))
    assert low.tolist() == high.tolist() == [3, 3]


def test_resamples_on_one_side_of_the_estimate_leave_finite_ends():
    sample = np.linspace(0, 1, 100)
    with warnings.catch_warnings(action="error"):
        low, high = bootstrap.bca_interval(sample, np.array(2.0), np.random.default_rng(0).normal(2, 0.1, 30))
    assert 0.9 < low <= high <= 1


def test_undefined_resamples_do_not_count_and_undefined_statistics_have_no_ends():
    sample = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    with warnings.catch_warnings(action="error"):
        low, high = bootstrap.percentile_interval(sample)
        none = bootstrap.percentile_interval(np.full(4, np.nan))
    assert (low[0], high[0]) == pytest.approx((1.05, 2.95))
    assert np.isnan([low[1], high[1], *none]).all()


def test_infinite_resamples_leave_an_open_end():
    low, high = bootstrap.percentile_interval(np.array([1.0] * 90 + [np.inf] * 10), method="nearest")
    assert (low, high) == (1, np.inf)
