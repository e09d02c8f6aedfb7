"""How sure an ablation effect is: intervals and tests over pictures, false discoveries over heads, with scipy's methods.

Every comparison is paired: the same pictures, with the head and without it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .errors import CompanionError

__all__ = ["HeadEffects", "head_effects", "layer_intervals", "percent_increase"]

RESAMPLES = 2000  # of pictures, for an interval
FLIPS = 9999  # of signs, for a p-value: the least is one in ten thousand


@dataclass(frozen=True)
class HeadEffects:
    """The increase of the loss in percent of every head, (layers, heads) each."""

    increase: np.ndarray
    low: np.ndarray  # 95 % interval, BCa bootstrap over pictures
    high: np.ndarray
    p_value: np.ndarray  # two-sided, sign flips of the paired differences
    found_bh: np.ndarray  # bool: false discovery rate 5 % (Benjamini-Hochberg)
    found_by: np.ndarray  # bool: the same whatever the dependence between heads (Benjamini-Yekutieli)


def percent_increase(ablated: np.ndarray, intact: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the increase in percent of the mean of squared errors along an axis, the pictures' axis."""
    return 100 * (ablated.mean(axis) / intact.mean(axis) - 1)


def head_effects(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> HeadEffects:
    """Return effect, interval and p-value of every head.

    Args:
        ablated: squared errors without each head, (layers, heads, pictures).
        intact: squared errors of the intact model on the same pictures, (pictures,).
        seed: of the resampling.

    Raises:
        CompanionError: fewer than eight pictures, of which no interval can be made.
    """
    if len(intact) < 8:
        raise CompanionError(f"{len(intact)} pictures are too few for intervals; give 8 or more")
    shape = ablated.shape[:2]
    rows = ablated.reshape(-1, ablated.shape[-1])
    intervals = np.array([_interval(row, intact, seed) for row in rows])
    differences = rows - intact
    moves = np.ptp(differences, axis=1) > 0  # a head that changes nothing has no sign to flip
    p_value = np.ones(len(rows))
    p_value[moves] = _sign_flips(differences[moves], seed)
    return HeadEffects(
        increase=percent_increase(ablated, intact),
        low=intervals[:, 0].reshape(shape),
        high=intervals[:, 1].reshape(shape),
        p_value=p_value.reshape(shape),
        found_bh=(stats.false_discovery_control(p_value, method="bh") < 0.05).reshape(shape),
        found_by=(stats.false_discovery_control(p_value, method="by") < 0.05).reshape(shape),
    )


def layer_intervals(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the 95 % interval of each layer's mean increase over its heads, (layers, 2) percent."""
    return np.array([_interval(layer.mean(0), intact, seed) for layer in ablated])


def _interval(ablated: np.ndarray, intact: np.ndarray, seed: int) -> tuple[float, float]:
    if np.array_equal(ablated, intact):
        return 0.0, 0.0
    result = stats.bootstrap(
        (ablated, intact),
        percent_increase,
        paired=True,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    return tuple(result.confidence_interval)


def _sign_flips(differences: np.ndarray, seed: int) -> np.ndarray:
    """Return p-values of paired differences (heads, pictures) with mean zero under the null."""

    def mean(sample: np.ndarray, axis: int) -> np.ndarray:
        return sample.mean(axis)

    return np.array(
        [
            stats.permutation_test(
                (row,),
                mean,
                permutation_type="samples",
                vectorized=True,
                n_resamples=FLIPS,
                rng=np.random.default_rng(seed),
            ).pvalue
            for row in differences
        ]
    )
