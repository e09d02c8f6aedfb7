import numpy as np
import pytest

from paper_utils.textures import ridges_in_noise, smoothed_with_noise


def test_a_lower_ridge_stands_out_less():
    alpha = np.zeros((112, 112), np.float32)
    alpha[50:54, 50:54] = 1.0

    def height(lowest):
        ridges = [ridges_in_noise(np.random.default_rng(seed), [alpha], lowest) for seed in range(60)]
        tops = [abs(ridge[50:54, 50:54].mean() - np.median(ridge)) / ridge.std() for ridge in ridges]
        return np.percentile(tops, 10)

    assert height(2.0) < 0.7 * height(4.0)


def lift(field, alpha):
    """Return how far a filter that knows the stroke lifts it, at its place against everywhere else."""
    answers = np.real(np.fft.ifft2(np.fft.fft2(field) * np.conj(np.fft.fft2(alpha))))
    here, elsewhere = answers[0, 0], answers[20:-20, 20:-20]
    return abs(here - elsewhere.mean()) / elsewhere.std()


@pytest.mark.parametrize("wanted", [6.0, 12.0])
def test_a_ridge_is_lifted_as_far_as_was_asked_for(wanted):
    alpha = np.zeros((128, 128), np.float32)
    alpha[60:68, 30:33] = 1.0
    lifts = [
        lift(ridges_in_noise(np.random.default_rng(seed), [alpha], 0.1, (wanted, wanted)), alpha) for seed in range(40)
    ]
    assert np.mean(lifts) == pytest.approx(wanted, rel=0.12)


@pytest.mark.parametrize(("spread", "seen"), [(5.0, 1.0), (0.5, 0.6)])  # of a dot; smoothing hides small ones
def test_what_is_smoothed_with_the_noise_is_lifted_as_far_as_before(spread, seen):
    y, x = np.mgrid[:128, :128]
    alpha = np.exp(-((y - 64) ** 2 + (x - 40) ** 2) / (2 * spread**2)).astype(np.float32)
    fields = [smoothed_with_noise(np.random.default_rng(seed), [alpha], (9.0, 9.0)) for seed in range(60)]
    assert np.mean([lift(field, alpha) for field in fields]) == pytest.approx(9 * seen, rel=0.12)
