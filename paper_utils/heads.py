"""Names of heads and scaling of maps, as figures and tables show them."""

import operator
import reprlib
from typing import Any

import numpy as np

from .errors import CompanionError

__all__ = ["check_head", "head_name", "is_whole", "min_max"]


def head_name(layer: int, head: int) -> str:
    """Return the name of a head, such as L6H4; `layer` and `head` count from 0, the name from 1."""
    return f"L{layer + 1}H{head + 1}"


def check_head(layer: int, head: int, shape: tuple[int, int]) -> None:
    """Raise CompanionError if a model of `shape` (layers, heads) has no such head; both count from 0."""
    for number in (layer, head):
        if not is_whole(number):
            raise CompanionError(f"{reprlib.repr(number)} is no number of a layer or head; give a whole number, from 0")
    if not (0 <= layer < shape[0] and 0 <= head < shape[1]):
        raise CompanionError(f"no head {head} in layer {layer}: {shape[0]} layers, {shape[1]} heads, from 0")


def is_whole(number: Any) -> bool:
    """Return whether a number may be an index; True and False, which Python takes as 1 and 0, are none."""
    if isinstance(number, bool):
        return False
    try:
        operator.index(number)
    except TypeError:
        return False
    return True


def min_max(maps: np.ndarray) -> np.ndarray:
    """Scale maps (..., rows, columns) to 0..1 each, as the paper's overlays are; a constant map becomes zeros."""
    low = maps.min((-2, -1), keepdims=True)
    spread = maps.max((-2, -1), keepdims=True) - low
    return np.divide(maps - low, spread, out=np.zeros_like(maps), where=spread > 0)
