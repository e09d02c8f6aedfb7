"""How numbers are written in tables: three significant digits, intervals as "low to high"."""

import numpy as np

__all__ = ["interval", "rounded"]


def rounded(value: float, *, digits: int = 3) -> str:
    """Write a number with so many significant digits and without an exponent, such as 21.9, 0.0072 or 1020."""
    if not np.isfinite(value):
        return "-"
    shown = np.format_float_positional(value, precision=digits, fractional=False, unique=False, trim="-")
    return "0" if float(shown) == 0 else shown


def interval(low: float, high: float) -> str:
    """Write an interval, such as "16.8 to 28.2"."""
    return f"{rounded(low)} to {rounded(high)}"
