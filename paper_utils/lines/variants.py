"""The published images, and others of the same lines that take away one thing that the published ones mix in."""

import numpy as np

from ..errors import CompanionError
from .colours import equal_contrast
from .images import COLOURS, Lines, line_image

__all__ = ["VARIANTS", "check_variant", "drawn_colours", "variant_images"]

VARIANTS = {
    "published": "as published",
    "dot": "with a disc where the line starts, so that the image tells its direction",
    "equal": "in colours that stand out alike from black",
}


def check_variant(variant: str) -> None:
    """Raise CompanionError if no variant has that name."""
    if variant not in VARIANTS:
        raise CompanionError(f"no variant of line images is called {variant!r}; choose one of {', '.join(VARIANTS)}")


def drawn_colours(variant: str) -> dict[str, tuple[int, int, int]]:
    """Return red, green, blue in 0..255 of each colour as a variant draws it.

    Raises:
        CompanionError: no variant has that name.
    """
    check_variant(variant)
    return equal_contrast() if variant == "equal" else COLOURS


def variant_images(lines: Lines, which: range, *, variant: str = "published") -> np.ndarray:
    """Return images of some of the lines, (images, 224, 224, 3) uint8.

    Raises:
        CompanionError: no variant has that name.
    """
    colours = drawn_colours(variant)
    return np.stack([line_image(lines, index, colours=colours, dot=variant == "dot") for index in which])
