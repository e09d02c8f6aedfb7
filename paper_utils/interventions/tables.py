"""How numbers are written in tables: three significant digits, intervals as "low to high"."""

import numpy as np

__all__ = ["interval", "rounded"]


def rounded(value: float, *, digits: int = 3) -> str:
    """Write a number with so many significant digits and without an exponent, such as 21.9, 0.00720 or 1020."""
    if not np.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    scientific = f"{value:.{digits - 1}e}"
    exponent = int(scientific.partition("e")[2])
    return f"{float(scientific):.{max(0, digits - 1 - exponent)}f}"


def interval(low: float, high: float) -> str:
    """Write an interval, such as "16.8 to 28.2"."""
    return f"{rounded(low)} to {rounded(high)}"
