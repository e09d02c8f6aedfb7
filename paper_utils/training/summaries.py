"""Accuracy on test images, as tables: of the model, by group of images, on known edges, and of an oracle.

Each result says on how many images it was measured, and `metrics()` gives its flat keys of results.json.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.chirps import TARGETS, UNITS, Chirp, labels, noise_free, signal_to_noise
from ..data.oracle import as_drawn, groups, ideal_threshold, on_edge, read_back
from ..models.regressor import ChirpRegressor
from .evaluation import Evaluation, accuracy, evaluate_held_out
from .recipe import Recipe

__all__ = [
    "Accuracy",
    "AccuracyByGroup",
    "ErrorOnEdges",
    "OracleLimits",
    "Scores",
    "StoredCheck",
    "TARGET_NAMES",
    "r_text",
]

TARGET_NAMES = {target: target.replace("_", " ") for target in TARGETS}
Scores = dict[str, dict[str, float]]  # by target, then as `evaluation.accuracy` names them
FEWEST = 4  # images of a group from which an r is given
TOLERANCE = 2.0  # seconds or hertz; machines with and without bfloat16 units differ in the second digit


def r_text(r: float, *, digits: int = 3) -> str:
    """Write a correlation; of constant predictions there is none (NaN)."""
    return f"{r:.{digits}f}" if np.isfinite(r) else "undefined"


def rates(scores: Scores, *, digits: int = 3) -> dict[str, str]:
    """Return a table's columns with Pearson r of each target."""
    return {f"r of {name}": r_text(scores[target]["pearson_r"], digits=digits) for target, name in TARGET_NAMES.items()}


def _interval_text(score: dict[str, float]) -> str:
    return f"{r_text(score['pearson_r_low'])} to {r_text(score['pearson_r_high'])}"


@dataclass(frozen=True)
class Accuracy:
    """How well the model predicts the three targets of the test images."""

    scores: Scores
    images: int
    seconds: float  # of predicting them

    @classmethod
    def of(cls, evaluation: Evaluation) -> "Accuracy":
        """Score all images of an evaluation."""
        return cls(accuracy(evaluation), len(evaluation.labels), evaluation.seconds)

    def table(self) -> pd.DataFrame:
        """Return by target: Pearson r with its 95 % interval (bootstrap over images), error and bias."""
        rows = {
            name: {
                "Pearson r": r_text(self.scores[target]["pearson_r"]),
                "95 % interval": _interval_text(self.scores[target]),
                "Mean absolute error": f"{self.scores[target]['mean_absolute_error']:.2f} {UNITS[target]}",
                "Bias": f"{self.scores[target]['bias']:+.2f} {UNITS[target]}",
                "Images": self.images,
            }
            for target, name in TARGET_NAMES.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self, *, of: str = "accuracy") -> dict[str, float]:
        """Return the flat keys of results.json, which begin with `of`."""
        flat = {f"{of}.{target}.{name}": v for target, score in self.scores.items() for name, v in score.items()}
        return flat | {
            f"{of}.images": self.images,
            f"{of}.images_per_second": self.images / self.seconds if self.seconds else float("nan"),
        }


@dataclass(frozen=True)
class ErrorOnEdges:
    """Mean absolute error of the model on the images of each known edge of the generator."""

    error: dict[str, np.ndarray]  # by the names in oracle.EDGES, (3,); not there where no image is on the edge
    error_of_all: np.ndarray  # (3,)
    images: dict[str, int]
    all_images: int

    @classmethod
    def of(cls, evaluation: Evaluation, chirps: Sequence[Chirp]) -> "ErrorOnEdges":
        """Measure an evaluation of the images of `chirps`, in the same order."""
        error = np.abs(evaluation.predictions - evaluation.labels)
        edges = on_edge(chirps)
        return cls(
            {name: error[mask].mean(0) for name, mask in edges.items() if mask.any()},
            error.mean(0),
            {name: int(mask.sum()) for name, mask in edges.items()},
            len(chirps),
        )

    def table(self) -> pd.DataFrame:
        """Return images and mean absolute error per target, all images first."""
        errors, images = {"all test images": self.error_of_all} | self.error, {"all test images": self.all_images}
        columns = [f"Error of {name} ({UNITS[target]})" for target, name in TARGET_NAMES.items()]
        rows = {
            name.removeprefix("drawn "): {"Images": count}
            | dict(zip(columns, [f"{value:.1f}" for value in errors[name]] if name in errors else "---", strict=True))
            for name, count in (images | self.images).items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        return {f"ceiling.images.{name}": count for name, count in self.images.items()}


@dataclass(frozen=True)
class OracleLimits:
    """Upper bounds: how well labels can be read off noise-free spectrograms, by two ways of reading."""

    scores: dict[str, Scores]
    images: int

    @classmethod
    def of(cls, chirps: Sequence[Chirp]) -> "OracleLimits":
        """Read every chirp by the oracle, and as drawn: first and last drawn bin, nothing extrapolated."""
        true = np.stack([labels(chirp) for chirp in chirps])
        found = {
            "oracle": np.stack([read_back(noise_free(chirp)) for chirp in chirps]),
            "as drawn": np.stack([as_drawn(chirp) for chirp in chirps]),
        }
        return cls({name: accuracy(Evaluation(read, true, 0.0)) for name, read in found.items()}, len(chirps))

    def table(self) -> pd.DataFrame:
        """Return Pearson r per target, a row for each way of reading."""
        explained = {
            "oracle": "oracle (fits the generator's trajectory)",
            "as drawn": "last drawn bin taken for the end",
        }
        rows = {
            explained[name]: rates(scores, digits=4) | {"Images": self.images} for name, scores in self.scores.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        return {
            f"ceiling.{name.replace(' ', '_')}.{target}.pearson_r": score["pearson_r"]
            for name, scores in self.scores.items()
            for target, score in scores.items()
        }


@dataclass(frozen=True)
class AccuracyByGroup:
    """Accuracy by noise level, duration, steepness, signal to noise and kind of the chirp."""

    scores: dict[str, Scores]  # of the groups that hold enough images
    images: dict[str, int]  # of every group
    share_of_loss: dict[str, float]  # 0..1, of every group
    all_images: int
    threshold: float  # signal to noise that an ideal reader needs, `oracle.ideal_threshold`
    above_threshold: int  # images

    @classmethod
    def of(cls, evaluation: Evaluation, chirps: Sequence[Chirp]) -> "AccuracyByGroup":
        """Group an evaluation of the images of `chirps`, in the same order."""
        masks, threshold = groups(chirps), ideal_threshold()
        square = ((evaluation.predictions - evaluation.labels) ** 2 / evaluation.labels.var(0)).mean(1)
        return cls(
            {name: accuracy(evaluation, chosen=mask) for name, mask in masks.items() if mask.sum() >= FEWEST},
            {name: int(mask.sum()) for name, mask in masks.items()},
            {name: float(square[mask].sum() / square.sum()) for name, mask in masks.items()},
            len(chirps),
            threshold,
            sum(signal_to_noise(chirp) >= threshold for chirp in chirps),
        )

    def intervals(self) -> dict[str, dict[str, tuple[float, float, float]]]:
        """Return r, low and high by group (its number of images in the name) and target, for the figure."""
        return {
            f"{name} ({self.images[name]})": {
                target: (score["pearson_r"], score["pearson_r_low"], score["pearson_r_high"])
                for target, score in scores.items()
            }
            for name, scores in self.scores.items()
        }

    def table(self) -> pd.DataFrame:
        """Return images, their share, the share of the squared error and r per target of every group."""
        rows = {
            name: {
                "Images": count,
                "Share of the images (%)": f"{100 * count / self.all_images:.0f}",
                "Share of the loss (%)": f"{100 * self.share_of_loss[name]:.0f}",
            }
            | (rates(self.scores[name]) if name in self.scores else {})
            for name, count in self.images.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").fillna("too few images")

    def detectability(self) -> pd.DataFrame:
        """Return how many images have the signal to noise that an ideal reader needs."""
        rows = {
            "signal to noise that an ideal reader needs": f"{self.threshold:.1f}",
            "test images that have it": f"{self.above_threshold:,}",
            "test images": f"{self.all_images:,}",
        }
        return pd.DataFrame({"Value": rows})

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        by_group = {
            f"accuracy_by.{name}.{target}.pearson_r": score["pearson_r"]
            for name, scores in self.scores.items()
            for target, score in scores.items()
        }
        return by_group | {f"share_of_loss.{name}": share for name, share in self.share_of_loss.items()}


@dataclass(frozen=True)
class StoredCheck:
    """Whether a model predicts what is stored of it, on the first `images` test images."""

    largest_difference: float  # seconds or hertz
    images: int

    @classmethod
    def of(cls, model: ChirpRegressor, recipe: Recipe, evaluation: Evaluation, *, count: int = 8) -> "StoredCheck":
        """Predict the first test images again, and compare with a stored evaluation of all."""
        again = evaluate_held_out(model, recipe, range(count))
        return cls(float(np.abs(again.predictions - evaluation.predictions[:count]).max()), count)

    def table(self) -> pd.DataFrame:
        """Return whether the largest difference is within the tolerance."""
        rows = {
            "test images predicted again": str(self.images),
            f"all as stored, within {TOLERANCE:g} s or Hz": "yes" if self.largest_difference < TOLERANCE else "no",
        }
        return pd.DataFrame({"Value": rows})
