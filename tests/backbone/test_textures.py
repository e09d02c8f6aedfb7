import numpy as np
import pytest

from backbone.textures import cluttered, ridges_in_noise, smoothed_with_noise


def test_a_lower_ridge_stands_out_less():
    alpha = np.zeros((112, 112), np.float32)
    alpha[50:54, 50:54] = 1.0

    def height(lowest):
        ridges = [ridges_in_noise(np.random.default_rng(seed), [alpha], lowest, (0.1, 0.1)) for seed in range(60)]
        tops = [abs(ridge[50:54, 50:54].mean() - np.median(ridge)) / ridge.std() for ridge in ridges]
        return np.percentile(tops, 10)

    assert height(2.0) < 0.7 * height(4.0)


def lift(field, alpha):
    """Return the signal-to-noise ratio of the stroke under its matched filter."""
    answers = np.real(np.fft.ifft2(np.fft.fft2(field) * np.conj(np.fft.fft2(alpha))))
    here, elsewhere = answers[0, 0], answers[20:-20, 20:-20]
    return abs(here - elsewhere.mean()) / elsewhere.std()


@pytest.mark.parametrize("wanted", [6.0, 12.0])
def test_a_ridge_has_the_signal_to_noise_ratio_that_is_given(wanted):
    alpha = np.zeros((128, 128), np.float32)
    alpha[60:68, 30:33] = 1.0
    lifts = [
        lift(ridges_in_noise(np.random.default_rng(seed), [alpha], 0.1, (wanted, wanted)), alpha) for seed in range(40)
    ]
    assert np.mean(lifts) == pytest.approx(wanted, rel=0.12)


@pytest.mark.parametrize(("spread", "seen"), [(5.0, 1.0), (0.5, 0.6)])  # of a dot; smoothing weakens small ones
def test_smoothing_with_the_noise_keeps_the_signal_to_noise_ratio(spread, seen):
    y, x = np.mgrid[:128, :128]
    alpha = np.exp(-((y - 64) ** 2 + (x - 40) ** 2) / (2 * spread**2)).astype(np.float32)
    fields = [smoothed_with_noise(np.random.default_rng(seed), [alpha], (9.0, 9.0)) for seed in range(60)]
    assert np.mean([lift(field, alpha) for field in fields]) == pytest.approx(9 * seen, rel=0.12)


@pytest.mark.parametrize("size", [112, 224])
def test_close_marks_lie_within_a_few_pixels_of_the_panel(size):
    panel = np.array([0.25, 0.25, 0.75, 0.75])
    above = slice(0, round(0.25 * size)), slice(round(0.25 * size), round(0.75 * size))  # no bars, no columns of marks
    farthest = {False: [], True: []}
    for close, distances in farthest.items():
        for seed in range(30):
            pixels = cluttered(np.random.default_rng(seed), np.ones((size, size, 3)), panel, close=close)
            inked = np.flatnonzero((pixels[above] < 1).any(axis=(1, 2)))
            distances.extend((0.25 - inked[:1] / size).tolist())
    assert max(farthest[True]) < 0.025 + 0.045 + 2 / size
    assert np.mean(np.array(farthest[False]) > 0.08) > 0.5
    assert len(farthest[True]) > 15


@pytest.mark.parametrize("size", [112, 224])
def test_titles_run_along_the_upper_and_the_lower_edge(size):
    panel = np.array([0.25, 0.25, 0.75, 0.75])
    top, bottom, columns = round(0.25 * size), round(0.75 * size), slice(round(0.375 * size), round(0.625 * size))
    written = []
    for seed in range(20):
        plain, titled = (
            cluttered(np.random.default_rng(seed), np.ones((size, size, 3)), panel, titled=flag)
            for flag in (False, True)
        )
        new = (titled != plain).any(axis=2)
        assert not new[top + 1 : bottom].any()
        assert not new[: top - 15].any()  # no farther than a gap of 5.5 and a height of 8 pixels, however large
        rows = np.r_[top - 15 : top + 1], np.r_[bottom : bottom + 15]
        written += [new[each][:, columns].any(axis=0).mean() for each in rows]
        assert not new.any() or len(np.unique(titled[new])) > 5  # soft, not of one colour
    assert np.median(written) > 0.4  # some are in the white of the paper
