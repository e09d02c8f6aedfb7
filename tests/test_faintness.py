from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_utils.chirps import BINS, Chirp, draw_chirp, labels, sharp_line
from paper_utils.faintness import hard_oftener, keeping_chance, signal_to_noise


def test_signal_to_noise_is_what_a_matched_filter_finds():
    """Oracle: the filter's output over many draws of the noise, with the chirp and without it."""
    chirp = Chirp(20.0, 30.0, 60.0, 3.0, "linear", 0.25)
    line, rng = sharp_line(chirp), np.random.default_rng(0)
    noise = chirp.noise_level * rng.standard_normal((2000, BINS, BINS))
    without = np.einsum("nrc,rc->n", noise, line)
    lift = (line**2).sum() / without.std()
    assert signal_to_noise(chirp) == pytest.approx(lift, rel=0.05)


@settings(max_examples=40, deadline=None)
@given(index=st.integers(0, 10**6))
def test_a_fainter_chirp_is_kept_at_least_as_often(index):
    chirp, _ = draw_chirp(3, index)
    fainter = replace(chirp, noise_level=1.1 * chirp.noise_level)
    assert 0.2 <= keeping_chance(chirp) <= keeping_chance(fainter) <= 1


@pytest.mark.parametrize(("low", "high", "kept"), [(97, 100, 1), (0, 3, 1), (96, 100, 0.2), (0, 4, 0.2), (1, 99, 0.2)])
def test_clear_chirps_are_all_kept_only_if_they_stay_along_an_edge(low, high, kept):
    for ends in ((low, high), (high, low)):
        clear = Chirp(10.0, *ends, 30.0, "linear", 0.01)
        assert keeping_chance(clear) == kept


def test_weighted_means_are_those_of_evenly_drawn_chirps():
    """Oracle: the same means over as many pictures that nobody chose."""

    def traits(indices):
        chirps = [draw_chirp(7, int(index))[0] for index in indices]
        other = [(chirp.noise_level, chirp.duration, signal_to_noise(chirp) < 12) for chirp in chirps]
        return np.column_stack([np.stack([labels(chirp) for chirp in chirps]), other])

    even = traits(range(10**6, 10**6 + 4000))
    indices, weights = hard_oftener(7, 0, 4000)
    kept = traits(indices)
    error = even.std(0) * (len(even) ** -0.5 + np.sqrt((weights**2).sum()) / weights.sum())
    assert (np.abs(np.average(kept, axis=0, weights=weights) - even.mean(0)) < 3 * error).all()
    assert kept[:, -1].mean() > 2.5 * even[:, -1].mean()
    assert weights.mean() == pytest.approx(1)


def test_no_picture_is_in_two_epochs_and_edges_are_minded():
    first, second = (set(hard_oftener(7, epoch, 300)[0]) for epoch in (0, 1))
    assert len(first | second) == 600
    assert set(hard_oftener(7, 0, 300, edges="sound")[0]) != first
