"""Maps and images as text that a page can hold and a browser can open, small enough for all heads of a model."""

import base64
import io
import zlib

import numpy as np
from PIL import Image

from ..heads import min_max

__all__ = ["LEVELS", "as_base64", "as_png", "packed_maps", "packed_queries"]

LEVELS = 31  # of an attention weight over the largest of its query; more would not be seen and take a page's space


def as_base64(array: np.ndarray) -> str:
    """Return the bytes of an array, in its order, as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def as_png(image: np.ndarray) -> str:
    """Return an image, (height, width, 3) uint8, as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def packed_maps(maps: np.ndarray) -> dict[str, object]:
    """Return maps (images, layers, heads, rows, columns) as base64, heads first.

    Returns:
        "values": of uint8, each map from its least to its largest value;
        "ends": of float32, those two values of each map.
    """
    ends = np.stack([maps.min((-2, -1)), maps.max((-2, -1))], axis=-1).astype("<f4")
    scaled = np.round(min_max(maps) * 255).astype(np.uint8)
    return {"values": as_base64(np.moveaxis(scaled, 0, 2)), "ends": as_base64(np.moveaxis(ends, 0, 2))}


def packed_queries(weights: np.ndarray) -> dict[str, object]:
    """Return how each query attends, (layers, heads, queries, patches), as base64.

    Returns:
        "values": of uint8 compressed by zlib, the square root of each weight over the largest of its query, in LEVELS;
        "largest": of float32, the largest weight of each query;
        "levels": LEVELS.
    """
    largest = weights.max(-1)
    part = np.sqrt(weights / np.maximum(largest, np.finfo(np.float32).tiny)[..., None])
    values = np.round(part * LEVELS).astype(np.uint8)
    compressed = base64.b64encode(zlib.compress(values.tobytes(), 9)).decode("ascii")
    return {"values": compressed, "largest": as_base64(largest.astype("<f4")), "levels": LEVELS}
