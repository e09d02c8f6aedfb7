"""What the claims of the author's other papers rest on: measured here, or by a study that ships."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..claims.published import OTHERS
from ..errors import CompanionError
from ..training.bias import Bias

if TYPE_CHECKING:
    from .run import Run

__all__ = ["metrics_on"]

Metrics = Mapping[str, float | str]


def metrics_on(paper: str, run: "Run") -> Metrics:
    """Return the numbers that another paper of the author is judged by, as flat keys.

    Args:
        paper: its arXiv number.
        run: whose model and studies are taken, where the paper is on a model.

    Raises:
        CompanionError: nothing is measured of such a paper.
    """
    if paper not in MEASURED:
        raise CompanionError(f"nothing is measured of arXiv {paper}; choose one of {', '.join(OTHERS)}")
    return MEASURED[paper](run)


# rooms of other papers load when they are asked for: most notebooks are of none


def _stability(run: "Run") -> Metrics:
    from ..networks import Stability

    return Stability.measure().metrics()


def _orientation(run: "Run") -> Metrics:
    from ..orientation import Orientation

    return Orientation.of(run.line_fits()).metrics()


def _clap(run: "Run") -> Metrics:
    from ..language import Clap

    return Clap.load().metrics()


MEASURED: dict[str, Callable[["Run"], Metrics]] = {
    "2503.22713": lambda run: Bias.of(run.unselected()).metrics(),
    "2504.09393": _orientation,
    "2212.09641": _stability,
    "2504.02976": _clap,
}
