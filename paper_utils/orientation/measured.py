"""All that is measured of arXiv 2504.09393: fits on a frozen backbone, on a random one, with LoRA, and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..lines.images import SETS
from ..lines.readers import read
from ..statistics import mean_intervals, mean_where_known
from .angles import Ends, ErrorCurve, cardinal_and_oblique, error_near, minimum_from
from .colour import ColourErrors
from .conditions import ENCODINGS, TARGETS, condition
from .fits import Fits, Fitted
from .phases import LossCurve, half_way, loss_curves, total_loss, transitions
from .similarity import CONTROLS

__all__ = ["Orientation"]

HORIZONTAL = 180.0  # degrees, as the abstract has it
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Orientation:
    """What a ViT makes of line images."""

    frozen: Fits
    random: Fits  # on a ViT of random weights
    tuned: Fits  # with LoRA
    similarity: Mapping[str, np.ndarray]  # of maps, (starts, layers, heads, images), by pair and control

    @classmethod
    def of(cls, stages: Mapping[str, Arrays]) -> "Orientation":
        """Read the arrays of the stages "frozen", "random" and, where it was made, "lora"."""
        parts: dict[str, list[np.ndarray]] = {}
        for name, values in stages.get("lora", {}).items():
            if name.startswith("similarity."):
                parts.setdefault(name.removeprefix("similarity.").rpartition(".")[0], []).append(values)
        similarity = {name: np.stack(values) for name, values in parts.items()}
        frozen, random, tuned = (Fits.of(stages.get(name, {})) for name in ("frozen", "random", "lora"))
        return cls(frozen, random, tuned, similarity)

    def by_set(self) -> dict[str, dict[str, ErrorCurve]]:
        """Return the plain error by angle, by reader and set: a perfect one, heads on the frozen ViT, LoRA if there is."""
        panels = {
            "sees all, answers 180": {name: ErrorCurve.of(self._perfect(name), "plain") for name in SETS},
            "as released (frozen)": {name: ErrorCurve.of(self.frozen[name], "plain") for name in SETS},
            "as described (LoRA)": {name: ErrorCurve.of(one, "plain") for name, one in self.tuned.fitted.items()},
        }
        return {title: curves for title, curves in panels.items() if curves}

    def by_encoding(self) -> dict[str, dict[str, ErrorCurve]]:
        """Return the error by angle by encoding: plain on set I, and modulo 180 degrees by set and backbone."""
        plain = {
            "0 to 360": "I",
            "45 to 405": "I-turned_45",
            "90 to 450": "I-turned_90",
            "start marked": "I-dot",
        }
        axial = {"frozen": self.frozen, "random weights": self.random}
        return {
            "set I, angles counted from 0, 45 and 90": {
                title: ErrorCurve.of(self.frozen[name], "plain") for title, name in plain.items()
            },
            "modulo 180": {
                f"set {name}, {title}": ErrorCurve.of(fits[f"{name}-axial"], "axial")
                for name in ("I", "IV")
                for title, fits in axial.items()
            },
        }

    def colours(self) -> dict[str, ColourErrors]:
        """Return the errors by colour on set IV: plain as published, modulo 180, and modulo 180 at equal contrast."""
        return {
            "as published, plain": ColourErrors.of(self.frozen["IV"], "plain"),
            "as published, modulo 180": ColourErrors.of(self.frozen["IV-axial"], "axial"),
            "equal contrast, modulo 180": ColourErrors.of(self.frozen["IV-axial-equal"], "axial"),
        }

    def losses(self) -> dict[str, dict[str, LossCurve]]:
        """Return the losses of the first start by target, on sets I and IV from both initial weights."""
        titles = {name: f"set {name}, initial weights as published" for name in ("I", "IV")}
        titles |= {f"{name}-default": f"set {name}, torch's own initial weights" for name in ("I", "IV")}
        return {title: loss_curves(self.frozen[name]) for name, title in titles.items()}

    def similarities(self) -> dict[str, np.ndarray]:
        """Return the mean correlation of the maps of each head, (layers, heads), by which models are compared how."""
        return {_pair(name): mean_where_known(values, (0, 3)) for name, values in self.similarity.items()}

    def errors(self) -> pd.DataFrame:
        """Return a row for each condition: plain and circular error and that modulo 180 degrees, with intervals."""
        rows = {}
        for title, fits in {"frozen": self.frozen, "random weights": self.random, "LoRA": self.tuned}.items():
            for name, one in fits.fitted.items():
                rows[f"{name}, {title}"] = {
                    f"{kind.capitalize()} error (degrees)": _error_text(one, kind)
                    for kind in ("plain", "circular", "axial")
                } | {"Starts": len(one.answers), "Images": one.answers.shape[1]}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Condition")

    def transitions(self) -> pd.DataFrame:
        """Return how many transitions each start's losses have, by condition: the total, and each target's."""
        rows = {}
        for name in ("I", "II", "III", "IV", "I-default", "IV-default"):
            one = self.frozen[name]
            targets = TARGETS[one.one.set]
            row = {"total": _counts(total_loss(one))}
            row |= {
                target: _counts(one.losses[:, :, targets.index(target)]) if target in targets else "-"
                for target in TARGETS["IV"]
            }
            rows[name] = row | {"Starts": len(one.losses)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Condition")

    def metrics(self) -> dict[str, float]:
        """Return flat keys, as the claims name them."""
        found = _with_ends(self._of_angles() | self._of_axial() | self._of_colours() | self._of_trainings())
        found |= {"images": self.frozen.images, "starts": self.frozen.starts}
        if self.similarity:
            found |= _with_ends(
                {
                    f"similarity.{name.replace(' ', '_')}": _mean_over_images(one)
                    for name, one in self.similarity.items()
                }
            )
            found["mapped_images"] = next(iter(self.similarity.values())).shape[-1]
        found |= _with_ends({"similarity.released": (1.0, 1.0, 1.0)})
        return {f"orientation.{name}": float(value) for name, value in found.items()}

    def _perfect(self, name: str) -> Fitted:
        lines = self.frozen[name].lines
        return Fitted(condition(name), read(lines, "180")[None], np.empty((1, 0)), np.empty((1, 0, 0)))

    def _of_angles(self) -> dict[str, Ends]:
        lowest = {
            name: minimum_from(self.frozen[name], HORIZONTAL) for name in (*SETS, "I-turned_45", "I-turned_90", "I-dot")
        }
        perfect = {name: minimum_from(self._perfect(name), HORIZONTAL) for name in SETS}
        tuned = {name: minimum_from(one, HORIZONTAL) for name, one in self.tuned.fitted.items()}
        found = {f"{name}.minimum_from_180": ends for name, ends in lowest.items()}
        found |= {f"perfect.{name}.minimum_from_180": ends for name, ends in perfect.items()}
        found |= {f"tuned.{name}.minimum_from_180": ends for name, ends in tuned.items()}
        found["minimum_from_180"] = _largest([lowest[name] for name in SETS])
        found["perfect.minimum_from_180"] = _largest(list(perfect.values()))
        if tuned:
            found["tuned.minimum_from_180"] = _largest(list(tuned.values()))
        at_zero = error_near(self.frozen["I"], 0.0)
        found |= {"I.error_at_0": at_zero["near"], "I.error_elsewhere": at_zero["elsewhere"]}
        return found | {"I.error_at_0_difference": at_zero["difference"]}

    def _of_axial(self) -> dict[str, Ends]:
        found: dict[str, Ends] = {}
        for prefix, fits in (("", self.frozen), ("random.", self.random)):
            for name in ("I-axial", "IV-axial"):
                ends = cardinal_and_oblique(fits[name])
                found |= {f"{prefix}{name}.{group}": ends[group] for group in ("cardinal", "oblique")}
                found[f"{prefix}{name}.oblique_difference"] = ends["difference"]
        return found

    def _of_colours(self) -> dict[str, Ends]:
        found: dict[str, Ends] = {}
        for prefix, fits in (("", self.frozen), ("random.", self.random)):
            for name in (
                name for name, one in fits.fitted.items() if one.one.set == "IV" and one.one.initial == "published"
            ):
                one = fits[name]
                errors = ColourErrors.of(one, "axial" if ENCODINGS[one.one.encoding].axial else "plain")
                ends = errors.bluish_and_yellowish()
                found |= {f"{prefix}{name}.{group}": ends[group] for group in ("bluish", "yellowish")}
                found[f"{prefix}{name}.bluish_difference"] = ends["difference"]
                found[f"{prefix}{name}.error_and_contrast"] = errors.with_contrast()
        published = ColourErrors.of(self.frozen["IV"], "plain")
        by_contrast = published.agreement_of_contrast()
        return found | {
            "IV.colour_agreement": published.agreement(),
            "colour_agreement_of_contrast": (by_contrast,) * 3,
        }

    def _of_trainings(self) -> dict[str, Ends]:
        groups = {
            "": [self.frozen[name] for name in SETS],
            "default_": [self.frozen[name] for name in ("I-default", "IV-default")],
            "random.": [self.random[name] for name in ("I", "IV")],
        }
        found: dict[str, Ends] = {}
        for prefix, fits in groups.items():
            start, inner = ("random.", "") if prefix == "random." else ("", prefix)
            for what, curves in (
                ("", [total_loss(one) for one in fits]),
                ("angle_", [one.losses[:, :, 0] for one in fits]),
            ):
                counts = [len(transitions(curve)) == 2 for curves_of in curves for curve in curves_of]
                found[f"{start}transitions.{inner}{what}two"] = _mean(np.array(counts, float))
        third, fourth = (
            np.array([half_way(curve) for curve in self.frozen[name].losses[:, :, 0]]) for name in ("III", "IV")
        )
        return found | {
            "III.half_way": _mean(third),
            "IV.half_way": _mean(fourth),
            "half_way_difference": _mean(fourth - third),
        }


def _pair(name: str) -> str:
    pair, _, control = name.partition(".")
    return f"{pair}: {CONTROLS[control]}"


def _mean(values: np.ndarray) -> Ends:
    """Return the mean of values, (starts,), and its 95 % interval over them."""
    low, high = mean_intervals(values)
    return float(mean_where_known(values)), float(low), float(high)


def _mean_over_images(similarity: np.ndarray) -> Ends:
    """Return the mean of (starts, layers, heads, images), and its 95 % interval over images."""
    return _mean(mean_where_known(similarity, (0, 1, 2)))


def _largest(ends: list[Ends]) -> Ends:
    value, low, high = (max(parts) for parts in zip(*ends, strict=True))
    return value, low, high


def _with_ends(values: Mapping[str, Ends]) -> dict[str, float]:
    return {
        f"{name}{end}": value
        for name, ends in values.items()
        for end, value in zip(("", "_low", "_high"), ends, strict=True)
    }


def _error_text(one: Fitted, kind: str) -> str:
    if ENCODINGS[one.one.encoding].axial and kind != "axial":
        return "-"
    errors = one.errors(kind)
    low, high = mean_intervals(errors.mean(0))
    return f"{errors.mean():.1f} ({low:.1f} to {high:.1f})"


def _counts(losses: np.ndarray) -> str:
    return ", ".join(str(len(transitions(one))) for one in losses)
