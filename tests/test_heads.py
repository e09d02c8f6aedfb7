import numpy as np

from paper_utils.heads import head_name, min_max


def test_names_count_layers_and_heads_from_one():
    assert head_name(5, 3) == "L6H4"
    assert head_name(0, 11) == "L1H12"


def test_each_map_is_scaled_to_its_own_range_and_a_constant_map_to_zeros():
    maps = np.stack([np.arange(4.0).reshape(2, 2), 10 - np.arange(4.0).reshape(2, 2), np.full((2, 2), 0.3)])
    scaled = [[[0, 1 / 3], [2 / 3, 1]], [[1, 2 / 3], [1 / 3, 0]], [[0, 0], [0, 0]]]
    assert np.allclose(min_max(maps), scaled)
    assert np.allclose(min_max(maps[:, None, None]), np.array(scaled)[:, None, None])
