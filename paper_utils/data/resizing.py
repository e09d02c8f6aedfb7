"""Resizing as linear maps: what Pillow and matplotlib do to an image, as matrices applied to parts of it."""

from typing import Literal

import numpy as np
from PIL import Image
from scipy import sparse

__all__ = ["FILTERS", "LinearMap", "Resizing", "hann_upsampling", "pillow_matrix"]

Resizing = Literal["bicubic", "bilinear"]
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def pillow_matrix(before: int, after: int, resizing: Resizing) -> np.ndarray:
    """Return the (after, before) matrix of Pillow's resizing along one axis, from `before` to `after` pixels."""
    identity = Image.fromarray(np.eye(before, dtype=np.float32))
    return np.asarray(identity.resize((before, after), FILTERS[resizing]), np.float64)


def hann_upsampling(pixels: np.ndarray, low: float, high: float, bins: int) -> np.ndarray:
    """Return the (pixels, bins) matrix of `imshow`'s default upsampling: neighbours blended by a Hann window.

    `pixels` are pixel centres; the bins span `low` to `high` on the same axis.
    """
    position = (pixels - low) / (high - low) * bins - 0.5
    left = np.floor(position).astype(int)
    right_share = 0.5 - 0.5 * np.cos(np.pi * (position - left))
    matrix = np.zeros((len(pixels), bins))
    row = np.arange(len(pixels))
    np.add.at(matrix, (row, np.clip(left, 0, bins - 1)), 1 - right_share)
    np.add.at(matrix, (row, np.clip(left + 1, 0, bins - 1)), right_share)
    return matrix


class LinearMap:
    """Two sparse matrices that map a part of the 640 x 480 image to `target`, its slices in the resized image."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray):
        self.target = slice(*_span(rows)), slice(*_span(columns))
        self.rows = sparse.csr_array(rows[self.target[0]].astype(np.float32))
        self.columns = sparse.csr_array(columns[self.target[1]].astype(np.float32))

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Map (height, width) or (height, width, channels), float32."""
        height, width, *channels = part.shape
        tall = (self.rows @ part.reshape(height, -1)).reshape(-1, width, *channels)
        turned = np.ascontiguousarray(np.swapaxes(tall, 0, 1))
        wide = (self.columns @ turned.reshape(width, -1)).reshape(-1, len(tall), *channels)
        return np.swapaxes(wide, 0, 1)

    def ink(self, part: np.ndarray) -> np.ndarray:
        """Map darkness (0..255) of a part that lies on white as Pillow does: clipped after the columns, and again at the end.

        Around a letter the bicubic filter is brighter than white, which no pixel can be.
        """
        height, width, *channels = part.shape
        turned = np.ascontiguousarray(np.swapaxes(part, 0, 1)).reshape(width, -1)
        wide = np.clip(self.columns @ turned, 0, 255).reshape(-1, height, *channels)
        wide = np.ascontiguousarray(np.swapaxes(wide, 0, 1))
        tall = np.clip(self.rows @ wide.reshape(height, -1), 0, 255)
        return tall.reshape(-1, *wide.shape[1:])


def _span(matrix: np.ndarray) -> tuple[int, int]:
    """Return the first and one past the last row that holds anything but zeros."""
    (found,) = np.nonzero(matrix.any(axis=1))
    return int(found[0]), int(found[-1]) + 1
