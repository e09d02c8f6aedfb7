import base64
import zlib

import numpy as np
import pytest

from paper_utils.plots.packing import LEVELS, as_base64, packed_maps, packed_queries


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_maps_come_back_within_a_step_of_their_range_heads_first():
    maps = np.random.default_rng(0).random((2, 3, 4, 5, 5)).astype(np.float32)
    packed = packed_maps(maps)
    values = np.frombuffer(base64.b64decode(packed["values"]), np.uint8).reshape(3, 4, 2, 5, 5)
    least, most = floats(packed["ends"]).reshape(3, 4, 2, 2, 1, 1).transpose(3, 0, 1, 2, 4, 5)
    back = least + values / 255 * (most - least)
    assert np.abs(back - np.moveaxis(maps, 0, 2)).max() <= 0.5 / 255 + 1e-6


def test_queries_come_back_within_a_step_of_the_root_and_a_query_that_sees_nothing_stays_so():
    weights = np.random.default_rng(0).random((2, 3, 9, 9)) ** 3
    weights[0, 0, 4] = 0
    packed = packed_queries(weights)
    values = np.frombuffer(zlib.decompress(base64.b64decode(packed["values"])), np.uint8).reshape(weights.shape)
    largest = floats(packed["largest"]).reshape(2, 3, 9, 1)
    assert packed["levels"] == LEVELS == values.max()
    back = largest * (values / LEVELS) ** 2
    assert np.abs(np.sqrt(back) - np.sqrt(weights)).max() <= 0.5 / LEVELS + 1e-6
    assert (back[0, 0, 4] == 0).all()
    assert back.max(-1) == pytest.approx(weights.max(-1), rel=1e-6)  # the largest weight is exact


def test_an_array_is_packed_in_its_order_not_in_that_of_its_memory():
    assert (
        as_base64(np.arange(6, dtype=np.uint8).reshape(2, 3).T) == base64.b64encode(bytes([0, 3, 1, 4, 2, 5])).decode()
    )
