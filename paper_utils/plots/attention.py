"""Figures of what heads attend to, and of the causal effects beside it."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

from ..attention.drives import DRIVEN_BY
from ..attention.semantics import KINDS
from ..heads import min_max
from .style import WIDTH, grid

__all__ = [
    "COLOURS",
    "FRAMES",
    "atlas",
    "driven_heads",
    "group_of",
    "kinds_by_layer",
    "recovered",
    "region_matrix",
    "score_and_effect",
    "shifts",
]

COLOURS = dict(zip(KINDS, ("C3", "C0", "0.6"), strict=True))
FRAMES = {  # by what a head responds to
    "the chirp": "C3",
    "text": "C2",
    "the colour bar": "C1",
    "an edge or corner": "C4",
    KINDS[1]: COLOURS[KINDS[1]],
    KINDS[2]: "0.75",
}


def atlas(maps: np.ndarray, kinds: np.ndarray, features: np.ndarray) -> Figure:
    """Every head's mean map, min-max normalised, in a frame whose colour says what the head responds to.

    Args:
        maps: (layers, heads, rows, columns), means over images.
        kinds: (layers, heads) of `semantics.KINDS`.
        features: (layers, heads), of the monosemantic heads.
    """
    layers, heads = kinds.shape
    layout = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(WIDTH, WIDTH * layers / heads + 0.3), layout=layout)
    axes = figure.subplots(layers, heads, squeeze=False)
    for (layer, head), axis in np.ndenumerate(axes):
        axis.imshow(min_max(maps[layer, head]), cmap="gray", interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        for side in axis.spines.values():
            side.set(
                visible=True, color=FRAMES[group_of(str(kinds[layer, head]), str(features[layer, head]))], linewidth=1.8
            )
        if not layer:
            axis.set_title(f"H{head + 1}", fontsize=6, pad=2)
        if not head:
            axis.set_ylabel(f"L{layer + 1}", fontsize=6, rotation=0, ha="right", va="center")
    handles = [Patch(fc="white", ec=colour, lw=1.8, label=name) for name, colour in FRAMES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncol=6, fontsize=6.5)
    return figure


def group_of(kind: str, feature: str) -> str:
    """Return which of FRAMES a head belongs to."""
    if not feature:
        return kind
    if feature in ("chirp", "colour bar"):
        return f"the {feature}"
    return "text" if feature == "title" or feature.endswith("text") else "an edge or corner"


def region_matrix(enrichment: np.ndarray, names: Sequence[str], *, title: str = "") -> Figure:
    """Attention of each head on each region over its mean attention, on a logarithmic scale; layers from left to right.

    The scale reaches up to the largest value, and down to an eighth.

    Args:
        enrichment: (regions, layers, heads); 1 is the head's mean attention.
        names: of the regions.
        title: of the figure.
    """
    regions, layers, heads = enrichment.shape
    figure, axis = grid(1, 1, 3.3)
    lowest, highest = -3, max(1, int(np.ceil(np.log2(np.nanmax(enrichment)))))
    flat = np.log2(enrichment.reshape(regions, -1).clip(2.0**lowest))
    norm = mpl.colors.TwoSlopeNorm(0, lowest, highest)
    image = axis.imshow(flat, aspect="auto", cmap="PuOr_r", norm=norm, interpolation="nearest")
    axis.set_yticks(range(regions), list(names), fontsize=6)
    axis.set_xticks((np.arange(layers) + 0.5) * heads - 0.5, range(1, layers + 1))
    axis.tick_params(axis="x", length=0)
    for layer in range(1, layers):
        axis.axvline(layer * heads - 0.5, color="white", lw=0.8)
    axis.set(xlabel=f"Layer (within it heads 1 to {heads})", title=title)
    bar = figure.colorbar(image, ax=axis, label="attention over its mean", pad=0.01, extend="min")
    powers = range(lowest, highest + 1)
    bar.set_ticks(list(powers), labels=[f"{2**power}" if power >= 0 else f"1/{2**-power}" for power in powers])
    bar.minorticks_off()
    return figure


def kinds_by_layer(kinds: np.ndarray, is_chirp: np.ndarray) -> Figure:
    """Number of heads of each kind in each layer; monosemantic ones are split into chirp and other features."""
    figure, axis = grid(1, 1, 2.4)
    layers = np.arange(1, len(kinds) + 1)
    parts = {
        "monosemantic: the chirp": ((kinds == KINDS[0]) & is_chirp, COLOURS[KINDS[0]]),
        "monosemantic: something else": ((kinds == KINDS[0]) & ~is_chirp, "C6"),
        KINDS[1]: (kinds == KINDS[1], COLOURS[KINDS[1]]),
        KINDS[2]: (kinds == KINDS[2], "0.8"),
    }
    bottom = np.zeros(len(kinds))
    for name, (which, colour) in parts.items():
        axis.bar(layers, which.sum(1), bottom=bottom, color=colour, label=name, width=0.8)
        bottom += which.sum(1)
    axis.set(xlabel="Layer", ylabel="heads", xticks=layers, xlim=(0.4, len(kinds) + 0.6))
    figure.legend(loc="outside upper center", ncol=4)
    return figure


def driven_heads(
    stays: np.ndarray, low: np.ndarray, high: np.ndarray, labels: Sequence[str], drives: Sequence[str]
) -> Figure:
    """Share of each head's excess attention that stays at a feature's former position when the feature moves or goes.

    Args:
        stays: (heads,).
        low: of its interval, (heads,).
        high: of its interval, (heads,).
        labels: which head and which feature.
        drives: one of `drives.DRIVEN_BY` for each head, which gives the colour.
    """
    figure, axis = grid(1, 1, max(1.6, 0.155 * len(labels) + 0.7))
    colours = dict(zip(DRIVEN_BY, ("C2", "C0", "C3", "0.5"), strict=True))
    rows = np.arange(len(labels))[::-1]
    for drive, colour in colours.items():
        chosen = np.array([one == drive for one in drives], bool)
        if not chosen.any():
            continue
        bars = np.stack([stays - low, high - stays]).clip(0)[:, chosen]
        style = {"fmt": "o", "ms": 3, "lw": 0.8, "color": colour}
        axis.errorbar(stays[chosen], rows[chosen], xerr=bars, label=drive, **style)
    axis.axvline(0, color="0.8", lw=0.6)
    axis.axvline(1, color="0.8", lw=0.6)
    axis.axvline(0.5, color="0.6", lw=0.6, ls=":")
    axis.set_yticks(rows, labels, fontsize=5.5)
    axis.set(
        xlabel="share of the excess attention that stays when the feature is elsewhere or removed",
        ylim=(-1, len(labels)),
    )
    figure.legend(loc="outside upper center", ncol=3)
    return figure


def score_and_effect(score: np.ndarray, increase: np.ndarray, is_chirp: np.ndarray, title: str) -> Figure:
    """Each head's attention on the chirp against its ablation effect; colours are layers.

    Args:
        score: (layers, heads) attention on the chirp over the head's mean attention.
        increase: (layers, heads) of the loss when the head is ablated, in percent.
        is_chirp: (layers, heads) bool, monosemantic for the chirp.
        title: above the axes.
    """
    figure, axis = grid(1, 1, 3.0)
    layers = np.repeat(np.arange(1, len(score) + 1), score.shape[1]).reshape(score.shape)
    for chosen, marker, name in ((is_chirp, "o", "monosemantic for the chirp"), (~is_chirp, "x", "other heads")):
        points = axis.scatter(
            score[chosen].clip(0.05),
            increase[chosen],
            c=layers[chosen],
            marker=marker,
            s=16,
            lw=0.8,
            cmap="viridis",
            vmin=1,
            vmax=len(score),
            label=name,
        )
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axis.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axis.set_yscale("symlog", linthresh=1)
    axis.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axis.axhline(0, color="0.7", lw=0.6)
    axis.axvline(1, color="0.7", lw=0.6)
    axis.set(
        xlabel="attention on the chirp over mean attention (0.05: or less)",
        ylabel="increase of the loss when ablated (%)",
        title=title,
    )
    figure.legend(loc="outside upper right", ncol=2)
    figure.colorbar(points, ax=axis, label="layer", pad=0.01)
    return figure


def shifts(
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    expected: np.ndarray,
    names: Sequence[str],
    targets: Sequence[str],
) -> Figure:
    """Mean absolute shift of the predictions under each variant of the images, a panel for each target.

    Args:
        values: (variants, targets).
        low: end of the 95 % interval, (variants, targets).
        high: the other end.
        expected: of a reader of places in the image alone, (variants, targets); NaN for none.
        names: of the variants.
        targets: with their units.
    """
    figure, axes = grid(1, len(targets), 0.17 * len(names) + 1.1, sharey=True)
    rows = np.arange(len(names))[::-1]
    for target, axis in enumerate(axes):
        bars = np.stack([values - low, high - values])[..., target].clip(0)
        axis.barh(rows, values[:, target], xerr=bars, color="C0", height=0.7, error_kw={"lw": 0.7, "ecolor": "0.3"})
        axis.plot(
            expected[:, target], rows, "d", ms=3.5, color="C3", label="of a reader of places alone, blind to axes"
        )
        axis.set(title=targets[target], xlim=(0, None))
    axes[0].set_yticks(rows, names, fontsize=6)
    figure.supxlabel("mean shift of the prediction", fontsize=8)
    figure.legend(handles=axes[0].lines[-1:], loc="outside lower right")
    return figure


def recovered(heads: dict[str, np.ndarray], layers: dict[str, np.ndarray]) -> Figure:
    """Recovered share of the clean prediction, by head as a heat map and by layer as bars, a pair of panels each.

    Args:
        heads: by title, (layers, heads) percent.
        layers: by the same titles, (layers,) percent, all heads of a layer patched together.
    """
    figure, axes = grid(1, 2 * len(heads), 2.7, width_ratios=[4, 1.1] * len(heads))
    for number, (name, values) in enumerate(heads.items()):
        left, right = axes[2 * number : 2 * number + 2]
        largest = np.abs(values).max() or 1.0
        size = values.shape
        image = left.imshow(
            values,
            cmap="coolwarm",
            vmin=-largest,
            vmax=largest,
            aspect="auto",
            extent=(0.5, size[1] + 0.5, size[0] + 0.5, 0.5),
        )
        left.set(
            title=name, xlabel="Head", ylabel="Layer", xticks=range(1, size[1] + 1, 2), yticks=range(1, size[0] + 1)
        )
        figure.colorbar(image, ax=left, orientation="horizontal", label="recovered by a head (%)")
        right.barh(np.arange(1, size[0] + 1), layers[name], color="0.5")
        right.set(ylim=(size[0] + 0.5, 0.5), yticks=[], title="layer")
        right.set_xlabel("%", fontsize=7)
    return figure
