"""What control variates gain: intervals for the same time, and time for the same intervals, on the shipped ablation.

Both estimates are really made, several times, from images that the shipped run has: the plain one of exact images alone,
and one for the same time of a quarter as many exact images and, for the rest of it, linearised ones. The more time, the
less is gained: the pool holds only so many images that matter, and linearised ones soon include them all. Seconds per
image are those that the sweep's benchmark measured in the same run.
"""

from collections.abc import Mapping

import numpy as np

from paper_utils.interventions.ablation import Ablation, squared_errors
from paper_utils.interventions.estimated import EstimatedAblation
from paper_utils.interventions.estimation import FewOfMany
from paper_utils.pipeline.run import Run
from paper_utils.statistics import effect_bounds, weighted_choice

__all__ = ["BUDGETS", "estimates_benchmark", "gains", "show"]

BUDGETS = (64, 128)  # exact images in whose time both estimates are made
EXACT_SHARE = 4  # one part in so many of the time is spent on exact images
DRAWS = 8  # choices of images, over which half-widths are averaged


def gains(ablation: EstimatedAblation, *, budget: int, images_in_one: float) -> dict[str, float]:
    """Return medians over heads of the ratio of half-widths for the same time, and of times for the same half-width.

    Args:
        ablation: exact on few images and linearised on many.
        budget: exact images that the time suffices for.
        images_in_one: linearised images that take the time of an exact one.
    """
    exact = budget // EXACT_SHARE
    linearised = min(round((budget - exact) * images_in_one), len(ablation.linearised.labels))
    generator = np.random.default_rng(0)
    plain, controlled = [], []
    for seed in range(DRAWS):
        chosen = np.sort(generator.choice(len(ablation.exact.labels), budget, replace=False))
        part = _some(ablation.exact, chosen, ablation.exact.weights[chosen])
        plain.append(_half_widths(squared_errors(part.ablated, part), squared_errors(part.baseline, part)))
        fewer = _fewer(ablation, exact=exact, linearised=linearised, seed=seed)
        controlled.append(_half_widths(fewer.ablated(), fewer.intact))
    widths = np.mean(controlled, axis=0) / np.mean(plain, axis=0)
    return {
        "exact_images": exact,
        "linearised_images": linearised,
        "half_width_percent": float(np.median(np.mean(controlled, axis=0))),
        "plain_half_width_percent": float(np.median(np.mean(plain, axis=0))),
        "width_for_the_same_time": float(np.median(widths)),
        "width_for_the_same_time_p90": float(np.quantile(widths, 0.9)),
        # the plain estimate narrows with the square root of its time
        "time_for_the_same_width": float(np.median(widths**2)),
    }


def _fewer(ablation: EstimatedAblation, *, exact: int, linearised: int, seed: int) -> EstimatedAblation:
    """Return the estimate of fewer images: linearised ones chosen by the same rule, exact ones among these."""
    many = ablation.linearised
    chosen, weights = weighted_choice(ablation.intact, linearised, seed=seed)
    part = _some(many, chosen, many.weights[chosen] * weights)
    known = np.flatnonzero(np.isin(ablation.few.positions, chosen))
    known = np.sort(np.random.default_rng(seed).choice(known, exact, replace=False))
    choice = ablation.few.weights[known] / ablation.few.weights[known].mean()
    positions = np.searchsorted(chosen, ablation.few.positions[known])
    few = _some(ablation.exact, known, part.weights[positions] * choice)
    return EstimatedAblation(few, part, FewOfMany(positions, choice))


def _some(whole: Ablation, chosen: np.ndarray, weights: np.ndarray) -> Ablation:
    return Ablation(whole.baseline[chosen], whole.ablated[:, :, chosen], whole.labels[chosen], whole.label_std, weights)


def _half_widths(ablated: np.ndarray, intact: np.ndarray) -> np.ndarray:
    low, high = effect_bounds(ablated, intact)
    return (high - low) / 2


def estimates_benchmark(sweep: Mapping[str, float | str]) -> dict[str, float | str]:
    """Measure the gain on the shipped ablation, and return flat keys.

    Args:
        sweep: what `ablation_benchmark` returned in the same run.
    """
    exact, linearised = (
        float(sweep[f"sweep.{name}.images_per_second"]) for name in (str(sweep["sweep.kernel"]), "attribution")
    )
    ablation = Run(notebook="benchmark").ablation()
    return {
        f"estimates.{budget}.{name}": value
        for budget in BUDGETS
        for name, value in gains(ablation, budget=budget, images_in_one=linearised / exact).items()
    }


def show(results: Mapping[str, float | str]) -> None:
    """Print the gain of every budget in two lines."""
    for budget in BUDGETS:
        start = f"estimates.{budget}."
        own = {key.removeprefix(start): value for key, value in results.items() if key.startswith(start)}
        print(
            f"control variates: {own['exact_images']} exact and {own['linearised_images']} linearised images", end=" "
        )
        print(f"in the time of {budget} exact ones")
        print(f"  half-widths of the heads' intervals: {own['width_for_the_same_time']:.2f} of the plain ones", end=" ")
        print(f"(median; nine in ten below {own['width_for_the_same_time_p90']:.2f})")
        print(f"  time for the same half-width: {own['time_for_the_same_width']:.2f} of the plain one")
