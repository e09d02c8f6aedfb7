"""The numbers that claims rest on, as flat keys: the same for a run, for the released protocol, and for other starts."""

import numpy as np
from scipy import stats

from ..attention.scores import FEATURES
from ..attention.semantics import KINDS
from ..heads import head_name
from ..interventions.ablation import layer_summary
from ..statistics import HeadEffects, largest_gap

__all__ = [
    "attention_metrics",
    "effect_metrics",
    "effect_intervals_of",
    "effect_table",
    "head_shifts",
    "shift_metrics",
    "two_halves",
]

EARLY = slice(0, 3)  # layers 1 to 3
RESAMPLES = 2000


def effect_metrics(increase: np.ndarray) -> dict[str, float]:
    """Return layer means, standard deviations (n - 1) and ratios of effects in percent, (layers, heads)."""
    means, deviations = layer_summary(increase)
    found = {}
    for layer, (mean, deviation) in enumerate(zip(means, deviations, strict=True), start=1):
        found |= {f"layer_{layer}.mean_percent": float(mean), f"layer_{layer}.std_percent": float(deviation)}
    early, late = increase[EARLY], increase[EARLY.stop :]
    return found | {
        "layers_1_to_3.mean_percent": float(early.mean()),
        "layers_1_to_3.std_percent": float(early.std(ddof=1)),
        "layers_4_to_12.mean_percent": float(late.mean()),
        "layer_6_over_layers_1_to_3": float(means[5] / early.mean()),
        "late_over_early": float(late.mean() / early.mean()),
    }


def effect_intervals_of(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> dict[str, float]:
    """Return 95 % intervals of what `effect_metrics` says of groups of layers: percentile bootstrap over images.

    Args:
        ablated: weighted squared errors without each head, (layers, heads, images).
        intact: those of the intact model, (images,).
        seed: of the bootstrap.
    """
    count = len(intact)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    base = times @ intact
    layers = 100 * (ablated.mean(1) @ times.T / base - 1)  # (layers, resamples), means over heads
    early, late = layers[EARLY].mean(0), layers[EARLY.stop :].mean(0)
    found = {}
    for name, values in (("layers_1_to_3.mean", early), ("layers_4_to_12.mean", late)):
        low, high = np.percentile(values, [2.5, 97.5])
        found |= {f"{name}_low_percent": float(low), f"{name}_high_percent": float(high)}
    for name, top in (("layer_6_over_layers_1_to_3", layers[5]), ("late_over_early", late)):
        # an early mean that may be zero or less leaves a ratio without an upper end
        ratio = np.where(early > 0, top / np.where(early > 0, early, 1), np.where(top > 0, np.inf, -np.inf))
        low, high = np.percentile(ratio, [2.5, 97.5], method="nearest")
        found |= {f"{name}_low": float(np.clip(low, -1e6, 1e6)), f"{name}_high": float(np.clip(high, -1e6, 1e6))}
    return found


def effect_table(effects: HeadEffects, by_target: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Return a row for each head: effect, interval and tests, and the effects on each target's own loss, in percent.

    Args:
        effects: on the whole loss.
        by_target: (layers, heads) each.
    """
    return [
        {
            "head": head_name(*place),
            "increase_percent": f"{effects.increase[place]:.4g}",
            "increase_percent_low": f"{effects.low[place]:.4g}",
            "increase_percent_high": f"{effects.high[place]:.4g}",
            "p_value": f"{effects.p_value[place]:.4g}",
            "significant_bh": bool(effects.significant_bh[place]),
            "significant_by": bool(effects.significant_by[place]),
        }
        | {f"{target}_increase_percent": f"{values[place]:.4g}" for target, values in by_target.items()}
        for place in np.ndindex(effects.increase.shape)
    ]


def attention_metrics(scores: dict[str, np.ndarray], kinds: np.ndarray, features: np.ndarray) -> dict[str, float | str]:
    """Return what heads are: how many of each kind, where the chirp heads lie, and every head's kind by its name.

    Args:
        scores: means over images, (features, layers, heads) each.
        kinds: (layers, heads).
        features: (layers, heads).
    """
    is_chirp = (kinds == KINDS[0]) & (features == "chirp")
    early = (kinds == KINDS[0]) & (features != "chirp") & (np.arange(len(kinds)) < 4)[:, None]
    found = {f"semantics.{kind}_heads": int((kinds == kind).sum()) for kind in KINDS}
    found |= {"semantics.chirp_heads": int(is_chirp.sum()), "semantics.early_distractor_heads": int(early.sum())}
    for layer, count in enumerate(is_chirp.sum(1), start=1):
        found[f"semantics.layer_{layer}.chirp_heads"] = int(count)
    for place in np.ndindex(kinds.shape):
        top = list(FEATURES)[int(np.argmax(scores["enrichment"][:, *place]))]
        found[f"heads.{head_name(*place)}"] = f"{kinds[place]}; {features[place]}; {top}"
    return found


def head_shifts(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return how far predictions move without each head, (layers, heads) each.

    The Wasserstein distance and the Kolmogorov-Smirnov statistic compare the two distributions, the mean shift the
    single images, which may swap places and leave the distribution as it was.

    Args:
        baseline: (images,) seconds.
        ablated: (layers, heads, images) seconds.
        weights: (images,).
    """
    both = weights, weights  # the same images, with the head and without it
    distance = [[stats.wasserstein_distance(baseline, head, *both) for head in layer] for layer in ablated]
    gap = [[largest_gap(baseline, head, both) for head in layer] for layer in ablated]
    shift = np.abs(ablated - baseline) @ weights / weights.sum()
    return {"wasserstein_seconds": np.array(distance), "kolmogorov_smirnov": np.array(gap), "mean_seconds": shift}


def two_halves(baseline: np.ndarray, weights: np.ndarray, *, splits: int = 200, seed: int = 0) -> tuple[float, float]:
    """Return Wasserstein distance (s) and Kolmogorov-Smirnov statistic between two halves of the same predictions.

    Medians over random splits: by a single one a distance may come out three times as large as by another.
    """
    rng, apart = np.random.default_rng(seed), []
    for _ in range(splits):
        first, second = np.array_split(rng.permutation(len(baseline)), 2)
        halves, halved = (baseline[first], baseline[second]), (weights[first], weights[second])
        apart.append((stats.wasserstein_distance(*halves, *halved), largest_gap(*halves, halved)))
    distance, gap = np.median(apart, axis=0)
    return float(distance), float(gap)


def shift_metrics(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return `head_shifts` by group of layers, and `two_halves`; arguments of `head_shifts`."""
    distance, gap = two_halves(baseline, weights)
    found = {"shift.two_halves.wasserstein_seconds": distance, "shift.two_halves.kolmogorov_smirnov": gap}
    for name, values in head_shifts(baseline, ablated, weights).items():
        found[f"shift.layers_1_to_3.{name}"] = float(values[EARLY].mean())
        found[f"shift.layers_4_to_12.{name}"] = float(values[EARLY.stop :].mean())
        found[f"shift.layers_1_to_3.largest_{name}"] = float(values[EARLY].max())
    return found
