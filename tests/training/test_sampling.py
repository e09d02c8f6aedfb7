from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_utils.data.chirps import BINS, Chirp, draw_chirp, labels, sharp_line
from paper_utils.training.sampling import (
    EMPHASIS,
    importance_sample,
    is_along_upper_edge,
    sampling_probability,
    signal_to_noise,
    title_numbers,
)


def test_signal_to_noise_is_the_output_of_a_matched_filter():
    """Oracle: the filter's output over many draws of the noise, with the chirp and without it."""
    chirp = Chirp(20.0, 30.0, 60.0, 3.0, "linear", 0.25)
    line, rng = sharp_line(chirp), np.random.default_rng(0)
    noise = chirp.noise_level * rng.standard_normal((2000, BINS, BINS))
    without = np.einsum("nrc,rc->n", noise, line)
    lift = (line**2).sum() / without.std()
    assert signal_to_noise(chirp) == pytest.approx(lift, rel=0.05)


@settings(max_examples=40, deadline=None)
@given(index=st.integers(0, 10**6))
def test_a_fainter_chirp_is_at_least_as_probable(index):
    chirp, _ = draw_chirp(3, index)
    fainter = replace(chirp, noise_level=1.1 * chirp.noise_level)
    assert 0.0599 <= sampling_probability(chirp) <= sampling_probability(fainter) <= 1


@pytest.mark.parametrize(("low", "high", "probability"), [(97, 100, 1), (96, 100, 0.06), (0, 3, 0.06), (1, 99, 0.06)])
def test_clear_chirps_are_all_sampled_only_along_the_upper_edge(low, high, probability):
    for ends in ((low, high), (high, low)):
        clear = Chirp(10.0, *ends, 30.0, "linear", 0.01)
        assert sampling_probability(clear) == pytest.approx(probability)


def _traits(seed, indices):
    chirps = [draw_chirp(seed, int(index))[0] for index in indices]
    rows = [(*labels(each), each.noise_level, each.duration, signal_to_noise(each) < 12) for each in chirps]
    return np.array(rows), np.array([is_along_upper_edge(each) for each in chirps])


@pytest.mark.slow
def test_weighted_means_are_those_of_the_published_distribution_without_the_upper_edge():
    """Oracle: the same means over as many images of the published distribution."""
    indices, weights = importance_sample(7, 0, 4000)
    assert weights.mean() == pytest.approx(1)
    (even, even_edge), (sampled, sampled_edge) = _traits(7, range(10**6, 10**6 + 4000)), _traits(7, indices)
    even, sampled, weights = even[~even_edge], sampled[~sampled_edge], weights[~sampled_edge]
    error = even.std(0) * (len(even) ** -0.5 + np.sqrt((weights**2).sum()) / weights.sum())
    assert (np.abs(np.average(sampled, axis=0, weights=weights) - even.mean(0)) < 3 * error).all()
    assert sampled[:, -1].mean() > 2.5 * even[:, -1].mean()


@pytest.mark.slow
def test_chirps_along_the_upper_edge_are_more_frequent_and_have_the_stated_weight():
    indices, weights = importance_sample(7, 0, 4000)
    even, sampled = (_traits(7, some)[1] for some in (range(10**6, 10**6 + 20_000), indices))
    odds = weights[sampled].sum() / weights[~sampled].sum()
    assert odds == pytest.approx(EMPHASIS * even.mean() / (1 - even.mean()), rel=0.15)
    assert sampled.mean() > 5 * even.mean()


def test_no_image_is_in_two_epochs_and_binning_matters():
    first, second = (set(importance_sample(7, epoch, 300)[0]) for epoch in (0, 1))
    assert len(first | second) == 600
    assert set(importance_sample(7, 0, 300, binning="sound")[0]) != first


def test_titles_of_training_images_have_one_to_five_digits_equally_often():
    numbers = title_numbers(3, range(10**6, 10**6 + 2000))
    digits = np.bincount([len(str(number)) for number in numbers])
    assert digits[0] == 0
    assert len(digits) == 6
    assert (abs(digits[1:] - 400) < 5 * 18).all()  # five standard deviations of a count
