"""The effect of each head's ablation on the loss: intervals, tests, tables and the metrics of claims."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..bootstrap import percentile_interval
from ..data.chirps import DURATION, MAX_FREQUENCY
from ..heads import head_name
from ..statistics import HeadEffects, effective_sample_size, head_effects, layer_intervals, percent_increase
from .ablation import layer_summary
from .estimated import EstimatedAblation
from .groups import EARLY, effects_without_each, group_intervals, group_metrics, largest_head, resampled_effects
from .tables import interval, rounded
from .targets import TargetEffects

__all__ = ["AblationEffects", "effect_intervals", "effect_intervals_of", "effect_metrics"]

TENTH_OF_AXIS = np.array([DURATION, MAX_FREQUENCY, MAX_FREQUENCY]) / 10  # seconds, hertz, hertz
# the same layers where they are counted from zero: 0 to 3, and 6
EARLY_FROM_ZERO, LAYER_6, LAYER_6_FROM_ZERO = slice(0, 4), 5, 6
FEWEST_LAYERS, FEWEST_HEADS = LAYER_6_FROM_ZERO + 1, 2  # of which all metrics have a value


def effect_metrics(increase: np.ndarray) -> dict[str, float]:
    """Return means, standard deviations (n - 1), medians and ratios of effects in percent, (layers, heads)."""
    means, deviations = layer_summary(increase)
    found: dict[str, float] = {}
    for layer, (mean, deviation) in enumerate(zip(means, deviations, strict=True), start=1):
        found |= {f"layer_{layer}.mean_percent": float(mean), f"layer_{layer}.std_percent": float(deviation)}
    found |= group_metrics(increase)
    for name, part in (("layers_1_to_3", EARLY), ("layers_1_to_4", EARLY_FROM_ZERO)):
        found[f"{name}.mean_percent"] = float(increase[part].mean())
        found[f"{name}.std_percent"] = float(increase[part].std(ddof=1))
    return found | {name: float(top / early) for name, (top, early) in _ratios(increase, increase).items()}


def effect_intervals_of(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> dict[str, float]:
    """Return 95 % intervals of `effect_metrics` by groups of layers (bootstrap over images).

    Args:
        ablated: weighted squared errors without each head, (layers, heads, images).
        intact: those of the intact model, (images,).
        seed: of the bootstrap over images.
    """
    sample = resampled_effects(ablated, intact, seed=seed)
    return effect_intervals(sample, percent_increase(ablated, intact), effects_without_each(ablated, intact))


def effect_intervals(
    sample: np.ndarray, increase: np.ndarray, without_each: np.ndarray | None = None
) -> dict[str, float]:
    """Return what `effect_intervals_of` does, from resampled effects; arguments of `groups.group_intervals`."""
    found = group_intervals(sample, increase, without_each)
    low, high = percentile_interval(sample[:, EARLY_FROM_ZERO].mean((1, 2)))
    found |= {"layers_1_to_4.mean_low_percent": float(low), "layers_1_to_4.mean_high_percent": float(high)}
    for name, (top, early) in _ratios(sample, increase).items():
        # where the early mean may be zero or negative the ratio has no upper end
        ratio = np.where(early > 0, top / np.where(early > 0, early, 1), np.where(top > 0, np.inf, -np.inf))
        low, high = percentile_interval(ratio, method="nearest")
        found |= {f"{name}_low": float(np.clip(low, -1e6, 1e6)), f"{name}_high": float(np.clip(high, -1e6, 1e6))}
    return found


def _ratios(values: np.ndarray, increase: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the two means of each ratio, (...) each, from effects (..., layers, heads)."""
    without = values.astype(float)  # a copy
    without[..., *largest_head(increase)] = np.nan
    layers, kept = values.mean(-1), np.nanmean(without, axis=-1)
    early = layers[..., EARLY].mean(-1)
    return {
        "layer_6_over_layers_1_to_3": (layers[..., LAYER_6], early),
        "layer_6_over_layers_1_to_3_without_largest": (
            kept[..., LAYER_6],
            np.nanmean(without[..., EARLY, :], axis=(-2, -1)),
        ),
        "layer_7_over_layers_1_to_4": (layers[..., LAYER_6_FROM_ZERO], layers[..., EARLY_FROM_ZERO].mean(-1)),
        "late_over_early": (layers[..., EARLY.stop :].mean(-1), early),
    }


@dataclass(frozen=True)
class AblationEffects(HeadEffects):
    """The effects of an ablation sweep: those of the heads, of layers, of groups of layers, and by target."""

    layer_low_high: np.ndarray  # (layers, 2) 95 % interval of each layer's mean, percent
    ablated: np.ndarray  # (layers, heads, images) weighted squared errors
    intact: np.ndarray  # (images,) weighted squared errors; their mean is the loss in standardised units
    by_target: TargetEffects
    is_well_read: np.ndarray  # (images,) bool: every prediction of the intact model within a tenth of its axis
    weights: np.ndarray  # (images,)
    exact_images: int  # of them, those on which heads were ablated exactly
    effective_images: float  # as many plainly drawn images would weigh alike

    @classmethod
    def of(cls, ablation: EstimatedAblation) -> "AblationEffects":
        """Compare each head's ablation with the intact model, image by image.

        Raises:
            CompanionError: fewer than eight exact images.
        """
        by_target, intact, many = ablation.ablated_by_target(), ablation.intact, ablation.linearised
        ablated = by_target.mean(0)
        return cls(
            **vars(head_effects(ablated, intact)),
            layer_low_high=layer_intervals(ablated, intact),
            ablated=ablated,
            intact=intact,
            by_target=TargetEffects.of(by_target, ablation.intact_by_target, ablation.exact.label_std),
            is_well_read=(np.abs(many.baseline - many.labels) < TENTH_OF_AXIS).all(-1),
            weights=many.weights,
            exact_images=len(ablation.exact.labels),
            effective_images=effective_sample_size(many.weights),
        )

    def well_read(self) -> dict[str, float]:
        """Return `group_metrics` with their intervals over the images that the intact model reads well.

        Few images have most of the loss; the others, whose predictions are all within a tenth of the axes, are the usual.
        Where fewer than eight are read well the numbers are NaN.
        """
        few = self.is_well_read.sum() < 8
        which = np.ones_like(self.is_well_read) if few else self.is_well_read
        ablated, intact = self.ablated[..., which], self.intact[which]
        increase = percent_increase(ablated, intact)
        sample, without_each = resampled_effects(ablated, intact), effects_without_each(ablated, intact)
        found = group_metrics(increase) | group_intervals(sample, increase, without_each)
        found = dict.fromkeys(found, float("nan")) if few else found
        shares = {"weight": self.weights, "loss": self.intact}
        found |= {f"share_of_{name}": float(of[self.is_well_read].sum() / of.sum()) for name, of in shares.items()}
        return {
            f"well_read.{name}": value for name, value in (found | {"images": int(self.is_well_read.sum())}).items()
        }

    def groups(self) -> pd.DataFrame:
        """Return the increase of early and of later layers, and the difference, each with its interval over images.

        In three ways: as the mean over heads, without the head of largest effect, and as the median over heads. Over all
        images, and over those that are read well.
        """
        found = effect_metrics(self.increase) | effect_intervals_of(self.ablated, self.intact) | self.well_read()
        rows = {
            "mean": "mean over heads",
            "mean_without_largest": "mean without the largest",
            "median": "median over heads",
        }
        which = {"": ("", len(self.intact)), "well_read.": (", images read well", int(self.is_well_read.sum()))}
        columns = {
            "layers_1_to_3": "Layers 1 to 3 (%)",
            "layers_4_to_12": "Layers 4 to 12 (%)",
            "late_minus_early": "Later less earlier (%)",
        }
        cells = {
            title: [_with_interval(found, f"{prefix}{group}.{name}") for prefix in which for name in rows]
            for group, title in columns.items()
        }
        labels = [f"{title}{where}" for where, _ in which.values() for title in rows.values()]
        index = pd.Index(labels, name="Increase of the loss (95 % interval)")
        return pd.DataFrame(cells, index).assign(Images=[count for _, count in which.values() for _ in rows])

    def layer_table(self, published: np.ndarray) -> pd.DataFrame:
        """Return mean and standard deviation over the heads of each layer, beside the published mean.

        Args:
            published: (layers, heads) percent, of a model that may have other numbers of them; NaN where a value is
                not legible.
        """
        means, deviations = layer_summary(self.increase)
        beside = pd.Series(np.nanmean(published, axis=1)).reindex(range(len(means)))
        return pd.DataFrame(
            {
                "Mean (%)": [rounded(mean) for mean in means],
                "95 % interval": [interval(*ends) for ends in self.layer_low_high],
                "Standard deviation (%)": [rounded(deviation) for deviation in deviations],
                "Published mean (%)": [rounded(mean, digits=2) for mean in beside.to_numpy(float)],
            },
            index=pd.RangeIndex(1, len(means) + 1, name="Layer"),
        )

    def strongest(self, count: int = 8) -> pd.DataFrame:
        """Return the heads whose ablation raises the loss most."""
        order = np.argsort(self.increase, axis=None)[::-1][:count]
        heads = list(zip(*np.unravel_index(order, self.increase.shape), strict=True))
        return pd.DataFrame(
            {
                "Increase of the loss (%)": [rounded(self.increase[head]) for head in heads],
                "95 % interval": [interval(self.low[head], self.high[head]) for head in heads],
                "p": [rounded(self.p_value[head], digits=2) for head in heads],
                "Significant (FDR 5 %)": ["yes" if self.significant_bh[head] else "no" for head in heads],
                "Images": len(self.intact),
            },
            index=pd.Index([head_name(*head) for head in heads], name="Head"),
        )

    def errors(self) -> pd.DataFrame:
        """Return the root mean squared error of each target, intact and without the head that matters most."""
        layer, head = np.unravel_index(self.increase.argmax(), self.increase.shape)
        return self.by_target.errors((int(layer), int(head)))

    def significance(self) -> pd.DataFrame:
        """Return how many heads have a significant effect, and how wide the intervals are."""
        significant = self.significant_bh
        values = {
            "significant heads (Benjamini-Hochberg, FDR 5 %)": f"{significant.sum()} of {significant.size}",
            "of them raise the loss": str((significant & (self.increase > 0)).sum()),
            "significant heads (Benjamini-Yekutieli, FDR 5 %)": f"{self.significant_by.sum()} of {significant.size}",
            "median half-width of the intervals (%)": rounded(self._half_width()),
            "standard deviation between heads (%)": rounded(self.increase.std()),
            "images (heads ablated to first order)": f"{len(self.intact):,}",
            "of them with heads ablated exactly": str(self.exact_images),
            "effective sample size of the weighted images": f"{self.effective_images:,.0f}",
            "loss of the intact model (standardised units)": rounded(self.intact.mean()),
        }
        return pd.DataFrame({"Value": values})

    def table(self) -> pd.DataFrame:
        """Return a row for each head: effect, interval and tests, and the effects on each target's own loss.

        Numbers have four significant digits; this table is saved, not shown.
        """
        columns = {
            "increase_percent": self.increase,
            "increase_percent_low": self.low,
            "increase_percent_high": self.high,
            "p_value": self.p_value,
            "significant_bh": self.significant_bh,
            "significant_by": self.significant_by,
        } | {f"{target}_increase_percent": values for target, values in self.by_target.by_name().items()}
        shown = {
            name: values.ravel() if values.dtype == bool else [f"{value:.4g}" for value in values.ravel()]
            for name, values in columns.items()
        }
        return pd.DataFrame({"head": [head_name(*head) for head in np.ndindex(self.increase.shape)]} | shown)

    def metrics(self) -> dict[str, float | str]:
        """Return the flat keys of results.json."""
        largest = largest_head(self.increase)
        found: dict[str, float | str] = {
            "intact_mse": float(self.intact.mean()),
            "images": len(self.intact),
            "exact_images": self.exact_images,
            "effective_images": self.effective_images,
            "significant_heads_bh": int(self.significant_bh.sum()),
            "significant_heads_by": int(self.significant_by.sum()),
            "median_half_width_percent": self._half_width(),
            "spread_between_heads_percent": float(self.increase.std()),
            "heads": self.increase.size,
            "half_of_the_heads": self.increase.size // 2,
            "heads_that_lower_the_loss": int((self.increase < 0).sum()),
            "heads_that_significantly_lower_the_loss": int((self.significant_bh & (self.increase < 0)).sum()),
            "largest_head.name": head_name(*largest),
            "largest_head.effect_percent": float(self.increase[largest]),
            "largest_head.effect_low_percent": float(self.low[largest]),
            "largest_head.effect_high_percent": float(self.high[largest]),
        }
        found |= effect_metrics(self.increase) | effect_intervals_of(self.ablated, self.intact) | self.well_read()
        for layer, (low, high) in enumerate(self.layer_low_high, start=1):
            found |= {f"layer_{layer}.mean_low_percent": float(low), f"layer_{layer}.mean_high_percent": float(high)}
        return {f"ablation.{name}": value for name, value in found.items()}

    def _half_width(self) -> float:
        return float(np.median(self.high - self.low) / 2)


def _with_interval(found: dict[str, float], key: str) -> str:
    return f"{rounded(found[f'{key}_percent'])} ({interval(found[f'{key}_low_percent'], found[f'{key}_high_percent'])})"
