import numpy as np
import pytest

from paper_utils.orientation.similarity import map_similarity


def test_the_similarity_is_pearsons_over_patches():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 5, 2, 3, 4, 4))
    found = map_similarity(first, second)
    assert found.shape == (2, 3, 5)
    assert found[1, 2, 4] == pytest.approx(np.corrcoef(first[4, 1, 2].ravel(), second[4, 1, 2].ravel())[0, 1])
    image = map_similarity(first, second, control="other_image")
    assert image[1, 2, 4] == pytest.approx(np.corrcoef(first[4, 1, 2].ravel(), second[3, 1, 2].ravel())[0, 1])
    head = map_similarity(first, second, control="other_head")
    assert head[1, 2, 4] == pytest.approx(np.corrcoef(first[4, 1, 2].ravel(), second[4, 1, 1].ravel())[0, 1])


def test_a_flat_map_has_none():
    maps = np.random.default_rng(0).random((2, 1, 2, 3, 3))
    maps[0, 0, 1] = 0.2
    assert np.isnan(map_similarity(maps, maps)[0, 1, 0])
    assert map_similarity(maps, maps)[0, 0] == pytest.approx(1)
