"""The regions of an image: their names, their pixels, and how much of each patch they cover."""

import numpy as np

from .canvas import HEIGHT, WIDTH, Canvas, Slices

__all__ = ["CORNERS", "REGIONS", "patch_coverage", "region_of_each_pixel"]

CORNERS = tuple(f"{vertical}_{side}" for vertical in ("top", "bottom") for side in ("left", "right"))
REGIONS = (
    "margin",
    "background",
    "chirp",
    "edge_left",
    "edge_right",
    "edge_top",
    "edge_bottom",
    *(f"inner_corner_{corner}" for corner in CORNERS),
    *(f"outer_corner_{corner}" for corner in CORNERS),
    "title",
    "x_label",
    "y_label",
    "x_ticks",
    "y_ticks",
    "colour_bar_lower",
    "colour_bar_upper",
    "colour_bar_ticks",
    "colour_bar_label",
)
CORNER_SIDE = 34  # pixels of the 640 x 480 image: twelve pixels at 224
VISIBLE = 0.06  # share of full darkness from which a pixel belongs to a letter, tick or edge
CHIRP_SHARE = 0.3  # share of the line's peak from which a pixel belongs to the chirp


def region_of_each_pixel(
    canvas: Canvas, line: np.ndarray, lettering: dict[str, tuple[Slices, np.ndarray]]
) -> np.ndarray:
    """Return the region of each pixel, (rows, columns) uint8: an index into REGIONS.

    Args:
        canvas: of the image's size.
        line: the noise-free chirp, (128, 128).
        lettering: what `canvas.draw_lettering` returned.
    """
    result = _fixed_regions(canvas)
    chirp = np.zeros(canvas.size, np.float32)
    chirp[canvas.onto_plot.target] = canvas.onto_plot(line.astype(np.float32))
    result[(chirp > CHIRP_SHARE * chirp.max()) & (chirp > 0)] = REGIONS.index("chirp")
    darkest = np.full(canvas.size, VISIBLE * 255, np.float32)
    full = slice(None), slice(None)
    inks = {name: (full, ink) for name, ink in canvas.inks.items()} | lettering
    for name, (target, ink) in inks.items():
        darker = ink > darkest[target]
        darkest[target][darker] = ink[darker]
        result[target][darker] = REGIONS.index(name)
    return result


def patch_coverage(regions: np.ndarray, *, patch: int = 16) -> np.ndarray:
    """Return the share of each patch that each region covers, (regions, rows, columns); shares of a patch sum to one.

    Args:
        regions: the region of each pixel, (rows, columns): an index into REGIONS.
        patch: side of a patch in pixels.
    """
    rows, columns = (side // patch for side in regions.shape)
    blocks = regions.reshape(rows, patch, columns, patch)
    return np.stack([(blocks == region).mean((1, 3)) for region in range(len(REGIONS))])


def _fixed_regions(canvas: Canvas) -> np.ndarray:
    """Return the regions that are the same in every image: plot, colour bar, corners, margin; (rows, columns) uint8."""
    scale = np.array([canvas.size[0] / HEIGHT, canvas.size[1] / WIDTH])
    result = np.full(canvas.size, REGIONS.index("margin"), np.uint8)

    def fill(name: str, top: float, bottom: float, left: float, right: float) -> None:
        rows, columns = np.round([[top, bottom], [left, right]] * scale[:, None]).astype(int)
        result[slice(*rows), slice(*columns)] = REGIONS.index(name)

    top, bottom, left, right = canvas.box
    fill("background", top, bottom, left, right)
    for corner in CORNERS:
        y, up = (top, -1) if corner.startswith("top") else (bottom, 1)
        x, out = (left, -1) if corner.endswith("left") else (right, 1)
        for name, step in (("outer", CORNER_SIDE), ("inner", -CORNER_SIDE)):
            fill(f"{name}_corner_{corner}", *sorted((y, y + step * up)), *sorted((x, x + step * out)))
    top, bottom, left, right = canvas.bar_box
    fill("colour_bar_upper", top, (top + bottom) / 2, left, right)
    fill("colour_bar_lower", (top + bottom) / 2, bottom, left, right)
    return result
