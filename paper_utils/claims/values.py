"""The numbers that rules read from a run's metrics, with their intervals, and how they are worded."""

from collections.abc import Mapping
from typing import Any

from ..errors import CompanionError

__all__ = [
    "Metrics",
    "digits",
    "exactly",
    "interval",
    "interval_keys",
    "number",
    "with_exact_unit",
    "with_interval",
    "with_unit",
]

Metrics = Mapping[str, Any]  # flat keys of results.json


def exactly(values: Mapping[str, float]) -> dict[str, float]:
    """Return metrics that are known without error: each value with an interval of no width."""
    found: dict[str, float] = {}
    for key, value in values.items():
        found |= dict.fromkeys((key, *interval_keys(key)[0]), float(value))
    return found


def interval_keys(key: str) -> list[tuple[str, str]]:
    """Return the keys under which an interval's ends may stand: ..._low, or, before a unit, ..._low_percent."""
    stems = [(key, "")]
    if key.endswith("_percent"):
        stems.append((key.removesuffix("_percent"), "_percent"))
    return [(f"{stem}_low{unit}", f"{stem}_high{unit}") for stem, unit in stems]


def number(metrics: Metrics, key: str) -> float:
    if key not in metrics:
        raise CompanionError(f"the results lack {key!r}; mend that key in data/claims.json, or take the metrics again")
    return float(metrics[key])


def interval(metrics: Metrics, key: str) -> tuple[float | None, float | None]:
    for ends in interval_keys(key):
        low, high = map(metrics.get, ends)
        if low is not None and high is not None:
            return float(low), float(high)
    return None, None


def with_interval(metrics: Metrics, key: str, unit: str) -> str:
    low, high = interval(metrics, key)
    value = with_unit(number(metrics, key), unit)
    if low is None or high is None or low == high:
        return value
    # a ratio to what may be zero has no bound
    return f"{value} ({' to '.join(digits(end) if abs(end) < 1e6 else 'no bound' for end in (low, high))})"


def digits(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def with_unit(value: float, unit: str) -> str:
    return f"{digits(value)} {unit}".strip()


def with_exact_unit(value: float, unit: str) -> str:
    return f"{value:g} {unit}".strip()
