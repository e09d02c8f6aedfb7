from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.data import chirps
from paper_utils.errors import CompanionError

indices = st.integers(0, 10**6)


@given(indices)
def test_draws_stay_in_the_published_ranges(index):
    chirp, _ = chirps.draw_chirp(5, index)
    chirps.check_chirp(chirp)
    assert 0 <= chirp.start_time <= 45
    assert 1 <= chirp.duration <= 15
    assert abs(chirp.end_frequency - chirp.start_frequency) <= 30
    assert 0.09 <= chirp.noise_level <= 0.3


def test_distributions_are_the_published_ones():
    drawn = [chirps.draw_chirp(5, index)[0] for index in range(4000)]
    table = np.stack([chirps.labels(chirp) for chirp in drawn])
    # uniform 0..45 and 0..100: means 22.5 and 50, spreads 45 / sqrt(12) and 100 / sqrt(12)
    assert np.allclose(table.mean(0), [22.5, 50, 50], atol=1.6)
    assert np.allclose(table.std(0)[:2], [45 / 12**0.5, 100 / 12**0.5], rtol=0.04)
    assert np.mean([chirp.kind == "linear" for chirp in drawn]) == pytest.approx(0.5, abs=0.03)
    # the mean over start of P(start + U(-30, 30) < 0) is 30 / 400 = 7.5 %
    assert np.mean(table[:, 2] == 0) == pytest.approx(0.075, abs=0.015)
    assert np.mean(table[:, 2] == 100) == pytest.approx(0.075, abs=0.015)


def line_bin_by_bin(chirp):
    """The published recipe as plain loops."""
    line = np.zeros((128, 128))
    first = int(chirp.start_time * 128 / 60)
    count = int(chirp.duration * 128 / 60)
    low, high = int(chirp.start_frequency * 128 / 100), int(chirp.end_frequency * 128 / 100)
    if chirp.kind == "exponential" and low == 0:
        low = 1
    for step in range(count):
        u = step / count
        f = low + (high - low) * u if chirp.kind == "linear" else low * (high / low) ** u
        f = min(max(f, 0), 127)
        for row in range(max(0, int(f) - 2), min(128, int(f) + 3)):
            line[row, first + step] += np.exp(-0.5 * (row - f) ** 2 / 0.5)
    return line


@given(indices)
def test_line_equals_the_recipe_written_as_loops(index):
    from scipy.ndimage import gaussian_filter

    chirp, rng = chirps.draw_chirp(9, index)
    assert np.allclose(chirps.noise_free(chirp), gaussian_filter(line_bin_by_bin(chirp), 1))


def test_noise_has_its_level_after_smoothing():
    chirp, rng = chirps.draw_chirp(1, 0)
    drawn = chirps.spectrogram(chirp, rng)
    noise = (drawn - chirps.noise_free(chirp))[8:-8, 8:-8]
    # a Gaussian filter of sigma 1 in two dimensions leaves 1 / (2 sqrt(pi)) of white noise's spread
    assert noise.std() == pytest.approx(chirp.noise_level / (2 * np.sqrt(np.pi)), rel=0.1)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"start_time": -1.0}, "start_time is -1.0"), ({"end_frequency": 101.0}, "end_frequency is 101.0")]
    + [({"start_frequency": float("nan")}, "start_frequency is nan"), ({"kind": "square"}, "'square'")],
)
def test_impossible_chirps_are_refused_by_name(change, named):
    chirp, rng = chirps.draw_chirp(1, 0)
    with pytest.raises(CompanionError, match=named):
        chirps.spectrogram(replace(chirp, **change), rng)


@given(indices)
def test_sound_binning_draws_what_it_labels(index):
    chirp, _ = chirps.draw_chirp(4, index, binning="sound")
    published, _ = chirps.draw_chirp(4, index)
    assert (chirp.kind, chirp.duration, chirp.noise_level) == (
        published.kind,
        published.duration,
        published.noise_level,
    )
    time, frequency = chirps.trajectory(chirp)
    drawn = [time[0] * 60 / 128, frequency[0] * 100 / 128, frequency[-1] * 100 / 128]
    assert np.allclose(drawn, chirps.labels(chirp), atol=1e-3)
    assert (np.abs(chirps.labels(chirp) - chirps.labels(published)) <= [60 / 128, 100 / 128, 100 / 128]).all()
    if chirp.kind == "exponential":  # and no jump to the bottom row
        steps = np.abs(np.diff(np.log(frequency)))
        assert np.allclose(steps, steps[:1], atol=1e-6)


def test_an_unknown_binning_is_named():
    chirp, rng = chirps.draw_chirp(1, 0)
    with pytest.raises(CompanionError, match="chirp binning is 'soft'; it must be 'published' or 'sound'"):
        chirps.spectrogram(replace(chirp, binning="soft"), rng)
