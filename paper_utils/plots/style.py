"""What all figures share: the style, the text width, and axes in a grid."""

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import style as mpl_style
from matplotlib.figure import Figure

__all__ = ["STYLE", "WIDTH", "grid", "plain_numbers"]

# matplotlib's defaults below, so that no matplotlibrc shows
STYLE = ("default", str(Path(__file__).with_name("house.mplstyle")))
WIDTH = 7.2  # inches: a page's text width
mpl_style.use(STYLE)


def grid(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    """Return a figure of text width, `height` inches high, and its axes; options go to `Figure.subplots`."""
    # made without pyplot, so that a notebook shows a figure once and no state is left behind
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def plain_numbers(bar: mpl.colorbar.Colorbar, *, most: int = 4) -> None:
    """Label a symmetric logarithmic colour bar with zero and the powers of ten outside its linear part.

    Powers within the linear part would lie on top of each other. Where there are more than `most`, some are left out.
    """
    norm: Any = bar.norm  # a SymLogNorm
    first, last = np.log10([norm.linthresh, norm.vmax])
    powers = 10.0 ** np.arange(np.ceil(first), np.floor(last) + 1)
    if not len(powers):
        powers = np.array([float(f"{norm.vmax / 2:.0e}")])
    powers = powers[:: -math.ceil(len(powers) / most)]
    ticks = [*-powers, 0, *powers]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
