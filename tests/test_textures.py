import numpy as np

from paper_utils.textures import ridge_in_noise


def test_a_lower_ridge_stands_out_less():
    alpha = np.zeros((112, 112), np.float32)
    alpha[50:54, 50:54] = 1.0

    def height(lowest):
        ridges = [ridge_in_noise(np.random.default_rng(seed), alpha, lowest) for seed in range(60)]
        tops = [abs(ridge[50:54, 50:54].mean() - np.median(ridge)) / ridge.std() for ridge in ridges]
        return np.percentile(tops, 10)

    assert height(2.0) < 0.7 * height(4.0)
