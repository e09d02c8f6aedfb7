"""What control variates gain: intervals for the same time, and time for the same intervals, on the shipped ablation.

The plain estimate is that of the few exact images alone, drawn by the same importance sampling; an interval narrows with
the square root of their number. Seconds per image are those that the sweep's benchmark measured in the same run.
"""

from collections.abc import Mapping

import numpy as np

from paper_utils.interventions.ablation import squared_errors
from paper_utils.interventions.estimated import EstimatedAblation
from paper_utils.pipeline.run import Run
from paper_utils.statistics import effect_bounds

__all__ = ["estimates_benchmark", "gains", "show"]


def gains(ablation: EstimatedAblation, *, exact_seconds: float, linearised_seconds: float) -> dict[str, float]:
    """Return medians over heads of the ratio of half-widths for the same time, and of times for the same half-width.

    Args:
        ablation: exact on few images and linearised on many.
        exact_seconds: of an image with every head ablated exactly.
        linearised_seconds: of an image with every head ablated to first order.
    """
    few, many = len(ablation.exact.labels), len(ablation.linearised.labels)
    errors = [squared_errors(part, ablation.exact) for part in (ablation.exact.ablated, ablation.exact.baseline)]
    plain, controlled = (
        (high - low) / 2 for low, high in (effect_bounds(*errors), effect_bounds(ablation.ablated(), ablation.intact))
    )
    seconds = few * exact_seconds + many * linearised_seconds
    in_that_time = seconds / exact_seconds  # images, exact ones alone
    widths = controlled / (plain * np.sqrt(few / in_that_time))
    for_that_width = few * (plain / controlled) ** 2  # images, exact ones alone
    return {
        "exact_images": few,
        "linearised_images": many,
        "plain_images_in_the_same_time": in_that_time,
        "half_width_percent": float(np.median(controlled)),
        "plain_half_width_percent": float(np.median(plain * np.sqrt(few / in_that_time))),
        "width_for_the_same_time": float(np.median(widths)),
        "width_for_the_same_time_p90": float(np.quantile(widths, 0.9)),
        "time_for_the_same_width": float(np.median(seconds / (for_that_width * exact_seconds))),
    }


def estimates_benchmark(sweep: Mapping[str, float | str]) -> dict[str, float | str]:
    """Measure the gain on the shipped ablation, and return flat keys.

    Args:
        sweep: what `ablation_benchmark` returned in the same run.
    """
    rates = {
        name: float(sweep[f"sweep.{name}.images_per_second"]) for name in (str(sweep["sweep.kernel"]), "attribution")
    }
    exact, linearised = (1 / rate for rate in rates.values())
    found = gains(Run(notebook="benchmark").ablation(), exact_seconds=exact, linearised_seconds=linearised)
    return {f"estimates.{name}": value for name, value in found.items()}


def show(results: Mapping[str, float | str]) -> None:
    """Print the gain in two lines."""
    own = {key.removeprefix("estimates."): value for key, value in results.items() if key.startswith("estimates.")}
    print(f"control variates: {own['exact_images']} exact and {own['linearised_images']:,} linearised images", end=" ")
    print(f"take the time of {own['plain_images_in_the_same_time']:.0f} exact ones")
    print(f"  half-widths of the heads' intervals: {own['width_for_the_same_time']:.2f} of the plain ones", end=" ")
    print(f"for the same time (median; nine in ten below {own['width_for_the_same_time_p90']:.2f})")
    print(f"  time for the same half-width: {own['time_for_the_same_width']:.2f} of the plain one")
