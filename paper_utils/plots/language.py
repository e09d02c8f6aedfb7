"""Figures of activation patching in a language model: the protocol, what is recovered by layer, and two pairs' maps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from .style import grid

if TYPE_CHECKING:
    from ..language.results import PairMap

__all__ = [
    "clean_differences",
    "edits",
    "pair_maps",
    "patching_protocol",
    "recovered_by_layer",
    "released_and_corrected",
]

COLOURS = {"definitional": "C0", "associative": "C1"}
LINES = {"before": "-", "after": "--"}
SITES = ("attention", "MLP", "residual stream")
PLACES = ("subject's last token", "predicting token")
FEW = 12  # tokens whose names have room below a map
Curve = tuple[np.ndarray, np.ndarray, np.ndarray]  # a value by layer and the ends of its interval


def patching_protocol(
    clean: Sequence[str], corrupted: Sequence[str], tokens: Sequence[str], *, layers: int = 5
) -> Figure:
    """What is patched where: one layer's output at one token of the corrupted prompt is that for the clean prompt.

    Args:
        clean: the tokens of a prompt.
        corrupted: as many, of the other.
        tokens: the first tokens in which the clean and the corrupted answer differ.
        layers: how many are drawn.
    """
    figure, axes = grid(1, 2, 2.3, sharey=True)
    at = max(place for place, (a, b) in enumerate(zip(clean, corrupted, strict=True)) if a != b)
    columns, row = np.arange(len(clean)), layers // 2
    for axis, prompt, title in zip(axes, (clean, corrupted), ("clean", "corrupted, patched"), strict=True):
        x, y = np.meshgrid(columns, np.arange(1, layers + 1))
        axis.plot(x.ravel(), y.ravel(), "o", ms=6, color="0.8")
        if axis is axes[1]:  # what the patch can reach: later layers, this and later tokens
            reached = (y > row) & (x >= at)
            axis.plot(x[reached], y[reached], "o", ms=6, color="C0", alpha=0.35)
        axis.plot(at, row, "o", ms=9, color="C3")
        axis.plot(columns[-1], layers + 0.9, "s", ms=7, color="C2")
        axis.set(title=title, xticks=columns, ylim=(0.4, layers + 1.4), yticks=[])
        labels = axis.set_xticklabels([token.strip() for token in prompt], rotation=60, ha="right")
        for label, a, b in zip(labels, clean, corrupted, strict=True):
            label.set_color("C3" if a != b else "0.2")
    axes[0].set_ylabel("layers, the answer's logits above")
    axes[1].annotate(
        f"logit of '{tokens[0].strip()}' less that of '{tokens[1].strip()}'",
        (columns[-1] - 0.4, layers + 0.9),
        ha="right",
        va="center",
    )
    axes[1].annotate(
        "",
        xy=(at, row),
        xytext=(at, row),
        xycoords=axes[1].transData,
        textcoords=axes[0].transData,
        arrowprops={
            "arrowstyle": "-|>",
            "color": "C3",
            "connectionstyle": "arc3,rad=-0.15",
            "shrinkA": 6,
            "shrinkB": 6,
        },
    )
    return figure


def released_and_corrected(by_metric: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """What patching a layer's MLP recovers by the released protocol, and by corrected ones, on the same pairs.

    Args:
        by_metric: by kind of pairs and protocol, percent by layer with its interval.
    """
    figure, axes = grid(1, len(by_metric), 2.3, sharey=True)
    for axis, (kind, curves) in zip(axes, by_metric.items(), strict=True):
        for number, (name, curve) in enumerate(curves.items()):
            _band(axis, curve, color=f"C{number + 2}", label=name if axis is axes[0] else None)
        axis.set(title=kind, xlabel="Layer")
        _limit(axis, [value for value, _, _ in curves.values()])
    axes[0].set_ylabel("recovered by a layer's MLP (%)")
    figure.legend(loc="outside lower center", ncol=len(next(iter(by_metric.values()))))
    return figure


def clean_differences(
    differences: Mapping[tuple[str, str], np.ndarray], ends: Mapping[tuple[str, str], tuple]
) -> Figure:
    """Clean logit differences of all candidate pairs, by kind, before and after fine-tuning.

    Args:
        differences: by kind and state, (candidates,).
        ends: by kind and state, the mean and its interval.
    """
    figure, axis = grid(1, 1, 1.8)
    rows = np.arange(len(differences))
    boxes = axis.boxplot(
        list(differences.values()),
        positions=rows,
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        patch_artist=True,
    )
    for box, (kind, _) in zip(boxes["boxes"], differences, strict=True):
        box.set(facecolor=COLOURS[kind], alpha=0.3)
    means = np.array([ends[key] for key in differences])
    axis.errorbar(
        means[:, 0],
        rows,
        xerr=np.abs(means[:, 1:].T - means[:, 0]),
        fmt="D",
        ms=4,
        color="C3",
        label="mean, 95 % interval",
    )
    axis.axvline(0, color="0.6", lw=0.6)
    axis.set(xlabel="logit of the prompt's own answer less that of the other", yticks=rows)
    axis.set_yticklabels([f"{kind}, {state}" for kind, state in differences])
    axis.invert_yaxis()
    axis.legend()
    return figure


def edits(shares: Mapping[str, Mapping[str, Curve]], layers: Sequence[int]) -> Figure:
    """In how many pairs an edit takes, and how many other prompts it leaves as they were, by edited layer and kind of pairs.

    Args:
        shares: by what is counted and kind of pairs, percent by layer with its interval.
        layers: the edited ones, from 1.
    """
    figure, axes = grid(1, len(shares), 2.2, sharey=True)
    rows = np.arange(len(layers))
    for axis, (title, kinds) in zip(axes, shares.items(), strict=True):
        for number, (kind, (value, low, high)) in enumerate(kinds.items()):
            axis.errorbar(
                value,
                rows + 0.16 * (2 * number - 1),
                xerr=(value - low, high - value),
                fmt="os"[number],
                ms=4,
                color=COLOURS[kind],
                label=kind if axis is axes[0] else None,
            )
        axis.set(xlabel=f"{title} (%)", xlim=(-4, 104), yticks=rows)
    axes[0].set_yticklabels([f"MLP of layer {layer}" for layer in layers])
    axes[0].invert_yaxis()
    figure.legend(loc="outside lower center", ncol=len(COLOURS))
    return figure


def recovered_by_layer(recovered: Mapping[tuple[str, str], Curve]) -> Figure:
    """What one layer's output at one token recovers, by site and token, both kinds of pairs, before and after fine-tuning.

    Args:
        recovered: by kind and state, percent with its interval over pairs, (sites, places, layers) each.
    """
    figure, axes = grid(len(PLACES), len(SITES), 3.6, sharex=True)
    for (place, site), axis in np.ndenumerate(axes):
        for (kind, state), curve in recovered.items():
            own: Curve = (curve[0][site, place], curve[1][site, place], curve[2][site, place])
            label = f"{kind}, {state} fine-tuning" if axis is axes[0, 0] else None
            _band(axis, own, color=COLOURS[kind], ls=LINES[state], label=label)
        axis.axhline(0, color="0.6", lw=0.6)
    for column, name in enumerate(SITES):
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel("Layer")
    for row, name in enumerate(PLACES):
        axes[row, 0].set_ylabel(f"recovered (%)\n{name}")
    figure.legend(loc="outside lower center", ncol=len(recovered) // 2)
    return figure


def pair_maps(maps: Sequence["PairMap"]) -> Figure:
    """What each layer's attention, MLP and residual stream recovers at each token, a row of panels for each pair.

    Args:
        maps: of single pairs.
    """
    figure, axes = grid(len(maps), len(SITES), 2.1 * len(maps), squeeze=False)
    for row, one in zip(axes, maps, strict=True):
        for axis, values, site in zip(row, one.recovered, SITES, strict=True):
            layers = len(values)
            image = axis.imshow(
                values,
                cmap="coolwarm",
                vmin=-100,
                vmax=100,
                aspect="auto",
                origin="lower",
                extent=(-0.5, values.shape[1] - 0.5, 0.5, layers + 0.5),
            )
            names = [token.strip() for token in one.tokens]
            axis.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7 if len(names) < FEW else 5)
            axis.set_title(site if axis is not row[1] else f"{one.title}\n{site}", fontsize=7)
        row[0].set_ylabel("Layer")
    figure.colorbar(image, ax=axes, label="recovered (%), cut at 100", shrink=0.6, extend="both")
    return figure


def _band(axis: Any, curve: Curve, **options: Any) -> None:
    value, low, high = curve
    layers = np.arange(1, len(value) + 1)
    (line,) = axis.plot(layers, value, lw=1.2, **options)
    axis.fill_between(layers, low, high, color=line.get_color(), alpha=0.15, lw=0)


def _limit(axis: Any, values: Sequence[np.ndarray]) -> None:
    """Cut the axis where an interval of a ratio runs off, so that the curves can be seen."""
    low, high = min(map(np.min, values)), max(map(np.max, values))
    axis.set_ylim(max(low - 20, -150), min(high + 20, 250))
