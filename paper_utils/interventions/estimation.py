"""Effects by control variates: heads ablated exactly on few images, and linearised on many that hold the few.

What the linearised model says of an image's squared error predicts, for nearly every head, what the exact ablation says
(`attribution`). So the mean over many images of the linearised change, corrected by what exact and linearised differ by
on the few, is as good an estimate as the exact mean over the many, for the cost of the few: the regression estimator of
double sampling (Cochran 1977, section 12.7). A head that is far from linear, whose coefficient is then near zero, keeps
the plain mean over the few.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from ..statistics import weighted_choice

__all__ = ["FewOfMany", "choose_few", "controlled_changes", "controlled_curve", "correlations"]


@dataclass(frozen=True)
class FewOfMany:
    """The images that heads are ablated on exactly, among many on which the model is linearised."""

    positions: np.ndarray  # (few,) among the many, in order, none twice
    weights: np.ndarray  # (few,) of their choice among the many; one on average


def choose_few(importance: np.ndarray, count: int, *, seed: int = 0) -> FewOfMany:
    """Choose few of many images, important ones more often, with weights that make up for it.

    Args:
        importance: (many,), not negative: the weighted squared error of the intact model, which effects grow with.
        count: of the few.
        seed: of the choice.

    Raises:
        CompanionError: more are wanted than there are, or an importance is negative or not a number.
    """
    return FewOfMany(*weighted_choice(importance, count, seed=seed))


def controlled_changes(exact: np.ndarray, linearised: np.ndarray, few: FewOfMany) -> np.ndarray:
    """Return a change of the squared error for each of the many images, whose mean estimates the exact mean over them.

    Each is the regression of exact on linearised changes, and on the few images also their residual, as many times as
    they stand for. Their bootstrap over images is that of the estimate, over the few and the many: residuals are
    divided by one less their leverage, since an image that decides the slope by itself would show none (HC3,
    MacKinnon and White 1985), and add up to zero.

    Args:
        exact: change of each of the few images' squared error, (..., few), in the units of `linearised`.
        linearised: the linearised model's change for each of the many, (..., many).
        few: which of the many the few are.

    Returns:
        Changes (..., many).

    Raises:
        CompanionError: fewer than eight images are exact, or their number is not that of `few`.
    """
    count, total = len(few.positions), linearised.shape[-1]
    if exact.shape != (*linearised.shape[:-1], count):
        raise CompanionError(f"exact changes of {exact.shape[-1]} images do not belong to the {count} chosen ones")
    if count < 8:
        raise CompanionError(f"{count} exact images are too few to correct linearised ones; give 8 or more")
    share = few.weights / few.weights.sum()
    control = linearised[..., few.positions]
    middle, level = (_mean(values, share) for values in (control, exact))
    across, change = control - middle, exact - level
    spread = _mean(across**2, share)
    slope = np.divide(_mean(across * change, share), spread, out=np.zeros_like(spread), where=spread > 0)
    leverage = share * (1 + np.divide(across**2, spread, out=np.zeros_like(across), where=spread > 0))
    residual = (change - slope * across) / (1 - leverage.clip(max=0.9))
    residual -= _mean(residual, share)
    result = level + slope * (linearised - middle)
    result[..., few.positions] += total * share * residual
    return result


def controlled_curve(exact: np.ndarray, control: np.ndarray, mean: np.ndarray, few: FewOfMany) -> np.ndarray:
    """Return the means over the many of several numbers of each image at once, such as a cumulative distribution.

    The regression estimator of `controlled_changes` with one slope for the whole curve: at a single point of it most
    images have a zero.

    Args:
        exact: of each of the few images, (points, few).
        control: the linearised model's for the same images, (points, few).
        mean: of the control over the many, (points,).
        few: which of the many the few are.

    Returns:
        Means (points,).
    """
    share = few.weights / few.weights.sum()
    middle, level = (_mean(values, share) for values in (control, exact))
    across = control - middle
    spread = _mean(across**2, share).sum()
    slope = _mean(across * (exact - level), share).sum() / spread if spread else 0.0
    return level[:, 0] + slope * (mean - middle[:, 0])


def correlations(exact: np.ndarray, linearised: np.ndarray, few: FewOfMany) -> np.ndarray:
    """Return the correlation over the few images of exact and linearised changes, (...); zero where one is constant.

    One less its square is the share of the variance that the linearised changes leave.
    """
    share = few.weights / few.weights.sum()
    first, second = (values - _mean(values, share) for values in (exact, linearised[..., few.positions]))
    spread = np.sqrt(_mean(first**2, share) * _mean(second**2, share))
    return np.divide(_mean(first * second, share), spread, out=np.zeros_like(spread), where=spread > 0)[..., 0]


def _mean(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    return (values * share).sum(-1, keepdims=True)
