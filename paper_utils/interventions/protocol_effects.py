"""Figure 4 by protocol: as described, as released, as published, and with one switch changed at a time.

Intervals are over images and over the order in which they make up batches, since batches decide which images the
released package sees ablated: each resample draws images in a random order, and batches are cut from it anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..bootstrap import RESAMPLES, percentile_interval, resample_indices
from ..errors import CompanionError
from .effects import effect_intervals, effect_metrics
from .groups import EARLY, largest_head
from .protocol_states import protocol_losses, resampled_losses
from .protocols import PROTOCOLS, PUBLISHED_BATCH, SWEEPS, Protocol, continuity, lag_1_autocorrelation
from .tables import interval, rounded
from .walk import MARKS, caption, rank_autocorrelation, walk_metrics

__all__ = ["ProtocolEffects", "SampledProtocol"]

LATE = slice(EARLY.stop, None)
PREFIXES = {"as described": "", "as released": "released.", "as published": "published."}
RELEASES = {"as released": "released.", "as released, rows to scale": "to_scale."}


@dataclass(frozen=True)
class SampledProtocol:
    """What one protocol gives on all images and in resamples of them; effects are percents of the same intact loss."""

    intact: float  # in the protocol's units
    increase: np.ndarray  # (layers, heads) percent
    intact_sample: np.ndarray  # (resamples,)
    increase_sample: np.ndarray  # (resamples, layers, heads) percent

    @classmethod
    def of(
        cls, states: np.ndarray, protocol: Protocol, *, layers: int, batch: int, resamples: int = RESAMPLES
    ) -> "SampledProtocol":
        """Take the losses of each state, (1 + layers * heads, images), in batches of so many images."""
        intact, losses = protocol_losses(states, protocol, batch=batch)
        draws = resample_indices(states.shape[1], resamples=resamples)
        intact_sample, sample = resampled_losses(states, protocol, draws, batch=batch)
        return cls(
            intact,
            100 * (losses / intact - 1).reshape(layers, -1),
            intact_sample,
            100 * (sample / intact_sample[:, None] - 1).reshape(resamples, layers, -1),
        )

    def with_interval(self, statistic: Callable[[np.ndarray], float]) -> tuple[float, float, float]:
        """Return a statistic of (layers, heads), and the ends of its 95 % interval."""
        return float(statistic(self.increase)), *_ends(np.array([statistic(each) for each in self.increase_sample]))

    def intact_with_interval(self) -> tuple[float, float, float]:
        """Return the intact loss, and the ends of its 95 % interval."""
        return self.intact, *_ends(self.intact_sample)

    def metrics(self) -> dict[str, float]:
        """Return effects by layers with intervals, the intact loss, and the marks of a walk, by key."""
        largest = largest_head(self.increase)
        statistics: dict[str, Callable[[np.ndarray], float]] = {
            "largest_head.effect_percent": lambda effects: effects[largest],
        }
        layers = range(len(self.increase))
        statistics |= {f"layer_{layer + 1}.mean_percent": _mean_of(slice(layer, layer + 1)) for layer in layers}
        found = effect_metrics(self.increase) | effect_intervals(self.increase_sample, self.increase)
        for key, statistic in statistics.items():
            stem = key.removesuffix("_percent")
            found[key], found[f"{stem}_low_percent"], found[f"{stem}_high_percent"] = self.with_interval(statistic)
        found |= walk_metrics(self.increase)
        for name, mark in MARKS.items():
            found[name], found[f"{name}_low"], found[f"{name}_high"] = self.with_interval(mark)
        keys = ("intact_loss", "intact_loss_low", "intact_loss_high")
        return found | dict(zip(keys, self.intact_with_interval(), strict=True))


@dataclass(frozen=True)
class ProtocolEffects:
    """What each protocol gives on the same model and images, and what was published."""

    sampled: dict[str, SampledProtocol]  # by protocol, of `PROTOCOLS`
    described: np.ndarray  # (layers, heads) percent, on all images of the ablation
    published: np.ndarray  # (layers, heads) percent; NaN where a value is not legible
    images: int  # of each sweep

    @classmethod
    def of(
        cls,
        states: Mapping[str, np.ndarray],
        described: np.ndarray,
        published: np.ndarray,
        *,
        batch: int = PUBLISHED_BATCH,
        resamples: int = RESAMPLES,
    ) -> "ProtocolEffects":
        """Take the states of every sweep, and what the effects are compared with.

        Args:
            states: of `state_losses`, (1 + layers * heads, images) each, by the names in `SWEEPS`.
            described: effects on all images of the ablation, (layers, heads) percent.
            published: those of Figure 4, (layers, heads) percent; NaN where a value is not legible.
            batch: images of one batch.
            resamples: of the bootstrap.

        Raises:
            CompanionError: a sweep is missing, has other heads than `described` or other images than the others.
        """
        if missing := sorted(set(SWEEPS.values()) - set(states)):
            raise CompanionError(f"no sweep {missing[0]!r} among the protocols' results; remove them and run again")
        images = states[SWEEPS["as described"]].shape[1]
        for name in set(SWEEPS.values()):
            if states[name].shape != (1 + described.size, images):
                raise CompanionError(
                    f"the sweep {name!r} is {states[name].shape}, not {(1 + described.size, images)} states and images; "
                    "remove the protocols' results and run again"
                )
        sampled = {
            name: SampledProtocol.of(
                states[SWEEPS[name]], protocol, layers=len(described), batch=batch, resamples=resamples
            )
            for name, protocol in PROTOCOLS.items()
        }
        return cls(sampled, described, published, images)

    def figure_4(self) -> dict[str, np.ndarray]:
        """Return Figure 4 as described, as released and as published, (layers, heads) percent each."""
        effects = self.described, self.sampled["as released"].increase, self.published
        return dict(zip(PREFIXES, effects, strict=True))

    def by_protocol(self) -> dict[str, np.ndarray]:
        """Return the effects of every protocol of `PROTOCOLS` on the images of the sweeps, (layers, heads) percent."""
        return {name: sampled.increase for name, sampled in self.sampled.items()}

    def captions(self) -> list[str]:
        """Return the two marks that the order within rows decides, for each panel of `figure_4`."""
        return [caption(values) for values in self.figure_4().values()]

    def table(self) -> pd.DataFrame:
        """Return intact loss, size of the effects and the marks of a sweep that restores nothing, by protocol."""
        rows = {}
        for name, sampled in self.sampled.items():
            rows[name] = {
                "Intact loss": _cell(*sampled.intact_with_interval()),
                "Mean increase (%)": _cell(*sampled.with_interval(np.mean)),
                "Standard deviation (%)": _cell(*sampled.with_interval(np.std)),
                "Layers 1 to 3 (%)": _cell(*sampled.with_interval(_mean_of(EARLY))),
                "Layers 4 to 12 (%)": _cell(*sampled.with_interval(_mean_of(LATE))),
                "Autocorrelation": "{:.2f} ({:.2f} to {:.2f})".format(*sampled.with_interval(lag_1_autocorrelation)),
                "Rank autocorrelation": f"{rank_autocorrelation(sampled.increase):.2f}",
                "Continuity": f"{continuity(sampled.increase):.2f}",
            }
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("Protocol (95 % intervals)")
        return table.assign(Images=self.images)

    def released_loss(self) -> pd.DataFrame:
        """Return the intact model's loss in the units of the released example, with its interval."""
        value, low, high = self.sampled["as released"].intact_with_interval()
        row = {
            "Intact loss as released": rounded(value),
            "95 % interval": interval(low, high),
            "Images": self.images,
        }
        return pd.DataFrame([row]).set_index("Intact loss as released")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        found: dict[str, float] = {}
        for name, prefix in RELEASES.items():
            found |= {f"{prefix}ablation.{key}": value for key, value in self.sampled[name].metrics().items()}
            found |= dict.fromkeys((f"{prefix}ablation.images", f"{prefix}ablation.intact_loss.images"), self.images)
        for name, values in (("as described", self.described), ("as published", self.published)):
            found |= {f"{PREFIXES[name]}ablation.{key}": value for key, value in walk_metrics(values).items()}
        return found


def _mean_of(layers: slice) -> Callable[[np.ndarray], float]:
    return lambda effects: effects[layers].mean()


def _ends(sample: np.ndarray) -> tuple[float, float]:
    low, high = percentile_interval(sample)
    return float(low), float(high)


def _cell(value: float, low: float, high: float) -> str:
    return f"{rounded(value)} ({interval(low, high)})"
