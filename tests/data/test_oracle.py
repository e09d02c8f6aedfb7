import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_utils.data.chirps import BINS, Chirp, draw_chirp, labels, noise_free
from paper_utils.data.oracle import EDGES, as_drawn, groups, ideal_threshold, on_edge, read_back
from paper_utils.errors import CompanionError

BIN = np.array([60 / BINS, 100 / BINS, 100 / BINS])


@settings(max_examples=60, deadline=None)
@given(index=st.integers(0, 10**6))
def test_the_oracle_reads_the_bins_of_every_chirp_but_the_shortest(index):
    chirp, _ = draw_chirp(5, index)
    found, true = read_back(noise_free(chirp)), labels(chirp)
    if chirp.duration * BINS / 60 < 3 or chirp.start_frequency < BIN[1]:  # kind or first bin is ambiguous
        return
    assert (np.abs(found - true) <= BIN).all()


def test_a_chirp_of_two_bins_leaves_the_kind_open():
    chirp = Chirp(20.0, 10.0, 40.0, 1.0, "linear", 0.1)
    linear, other = read_back(noise_free(chirp)), as_drawn(chirp)
    assert other[2] == pytest.approx(25.0, abs=1)  # half of the sweep
    assert linear[2] > 39


def test_a_spectrogram_without_a_line_is_refused():
    with pytest.raises(CompanionError, match="holds no line"):
        read_back(np.zeros((BINS, BINS)))


def chirp_of(**values):
    return Chirp(**{"start_time": 5.0, "start_frequency": 50.0, "end_frequency": 60.0, "duration": 10.0} | values)


@pytest.mark.parametrize(
    ("number", "inside", "outside"),
    [
        (0, {"kind": "exponential", "end_frequency": 0.5}, {"kind": "linear", "end_frequency": 0.5}),
        (1, {"end_frequency": 0.0}, {"end_frequency": 0.1}),
        (2, {"end_frequency": 100.0}, {"end_frequency": 99.9}),
        (3, {"duration": 1.0}, {"duration": 10.0}),
    ],
)
def test_edge_cases_are_told_apart(number, inside, outside):
    holds = list(EDGES.values())[number]
    defaults = {"kind": "linear", "noise_level": 0.1}
    assert holds(chirp_of(**defaults | inside))
    assert not holds(chirp_of(**defaults | outside))


def test_bands_partition_the_images_and_edges_come_as_often_as_published():
    chirps = [draw_chirp(1, index)[0] for index in range(3000)]
    masks = groups(chirps)
    for word in ("noise level", "duration", "steepness", "signal to noise"):
        assert np.array_equal(
            sum(mask.astype(int) for name, mask in masks.items() if name.startswith(word)), [1] * 3000
        )
    share = {name: mask.mean() for name, mask in on_edge(chirps).items()}
    falls, low, high, _ = list(EDGES)
    assert share[falls] == pytest.approx(0.04, abs=0.012)
    assert share[low] == pytest.approx(0.075, abs=0.015)
    assert share[high] == pytest.approx(0.075, abs=0.015)


def test_the_ideal_threshold_is_the_largest_of_n_noise_values():
    rng = np.random.default_rng(1)
    tops = [rng.standard_normal(10**6).max() for _ in range(20)]
    assert np.mean(tops) == pytest.approx(np.sqrt(2 * np.log(10**6)), rel=0.1)  # the formula, for as many as fit here
    assert 5.5 < ideal_threshold() < 6.5
