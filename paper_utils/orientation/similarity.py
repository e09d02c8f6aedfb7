"""How alike the attention maps of two models are on the same images, head by head."""

import numpy as np

__all__ = ["CONTROLS", "map_similarity"]

CONTROLS = {
    "": "the same head",
    "other_image": "the same head, another image",
    "other_head": "another head of its layer, the same image",
}


def map_similarity(first: np.ndarray, second: np.ndarray, *, control: str = "") -> np.ndarray:
    """Return the correlation over patches of the maps of each head in two models, (layers, heads, images).

    Maps are not negative, so that without taking their means off any two would be alike. A flat map has none: NaN.

    Args:
        first: attention maps of one model, (images, layers, heads, rows, columns).
        second: of the other, on the same images.
        control: of CONTROLS; "other_image" and "other_head" compare with the next image's, or the next head's, map.
    """
    if control == "other_image":
        second = np.roll(second, 1, axis=0)
    elif control == "other_head":
        second = np.roll(second, 1, axis=2)
    flat = (maps.reshape(*maps.shape[:3], -1).astype(np.float64) for maps in (first, second))
    x, y = (maps - maps.mean(-1, keepdims=True) for maps in flat)
    norm = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    found = np.divide((x * y).sum(-1), norm, out=np.full(norm.shape, np.nan), where=norm > 0)
    return np.moveaxis(found, 0, -1)
