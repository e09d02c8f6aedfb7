"""The explorer: one self-contained page, no server, no network, with every head's maps, scores and effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd

from ..attention.controls import DRIVES, ControlledHeads
from ..attention.mapped import MappedImages
from ..attention.scores import FEATURES, Scores
from ..attention.semantics import Rule, describe
from ..data.chirps import TARGETS, UNITS
from ..errors import CompanionError
from ..files import load_template
from ..heads import head_name
from .attention import FRAMES, group_of
from .packing import as_base64, as_png, packed_maps, packed_queries

if TYPE_CHECKING:
    from ..interventions.ablation import Ablation
    from ..interventions.effects import AblationEffects
    from ..interventions.recovered import PatchingRecovery

__all__ = ["Heads", "explorer_page"]

TEMPLATES = Path(__file__).with_name("templates")
SHOWN = 5  # regions in a head's table
SHOWN_SCORES = {"enrichment": "attention over its mean", "auroc": "AUROC", "pointing": "pointing"}
FARTHEST = 300  # percent; an interval that reaches beyond it says nothing about a share


@dataclass(frozen=True)
class Heads:
    """What is known of every head."""

    kinds: np.ndarray  # (layers, heads)
    features: np.ndarray  # (layers, heads)
    scores: dict[str, Scores]  # by view, "patches" and "cls"
    effects: AblationEffects
    driven: dict[tuple[str, str], ControlledHeads]  # by region and control, of `controls.compare_with_controls`
    recovery: PatchingRecovery
    published: list[dict] = field(default_factory=list)  # what the paper says of heads, counted from 1


def explorer_page(
    mapped: MappedImages,
    heads: Heads,
    *,
    predictions: Ablation,
    queries: np.ndarray,
    origin: pd.DataFrame,
    labels: Mapping[str, str],
    images: int = 6,
) -> str:
    """Return the page as HTML: style, script, images and numbers are inlined, so that it opens from disk.

    Args:
        mapped: images with the raw maps of every head over them.
        heads: what is known of these heads.
        predictions: of these images first, intact and with each head ablated.
        queries: how every patch of the first images attends to every patch, as `attention.query_maps` returns it.
        origin: profile, seed and versions, for the foot.
        labels: readable names of the counterfactual variants; a control without one goes by its own name.
        images: how many of the first images are shown.

    Raises:
        CompanionError: the maps are of other heads than `heads`, the predictions of other images, or there are more of
            `queries` than images shown.
    """
    maps = mapped.maps.of(slice(min(images, len(predictions.labels))))
    images, layers, columns, side, _ = maps.patches.shape
    if (layers, columns) != heads.kinds.shape:
        raise CompanionError(
            f"maps {maps.patches.shape} are not of the {heads.kinds.shape} heads that are described; take both of one run"
        )
    if len(queries) > images or queries.shape[1:] != (layers, columns, side**2, side**2):
        raise CompanionError(
            f"queries {queries.shape} are not of the {side} x {side} patches of {images} images or fewer; take them of the "
            "model and the images of the maps"
        )
    labelled = [[getattr(chirp, name) for name in TARGETS] for chirp in mapped.chirps[:images]]
    if not np.allclose(labelled, predictions.labels[:images], atol=1e-3):
        raise CompanionError("the predictions are not of the images that have the maps; take both of one run")
    data = {
        # a model without CLS has the patches' average in both views
        "has_cls": not np.array_equal(maps.cls, maps.patches),
        "shape": [layers, columns, images, side],
        "groups": {name: mpl.colors.to_hex(colour) for name, colour in FRAMES.items()},
        "heads": [
            _head(index, heads, labels, predictions.ablated[:, :, :images]) for index in np.ndindex(layers, columns)
        ],
        "first": int(heads.effects.increase.argmax()),
        "largest_effect": float(f"{np.abs(heads.effects.increase).max():.4g}"),
        "score_names": list(SHOWN_SCORES.values()),
        "targets": [[name.replace("_", " "), unit] for name, unit in UNITS.items()],
        "patched": list(heads.recovery.heads),
        "effect_images": len(heads.effects.intact),
        "patched_images": heads.recovery.images,
        "mapped_images": len(mapped.chirps),
        "captions": mapped.captions()[:images],
        "labels": _rounded(predictions.labels[:images]),
        "intact": _rounded(predictions.baseline[:images]),
        "images": [as_png(image) for image in mapped.pixels[:images]],
        "maps": {view: packed_maps(getattr(maps, view)) for view in ("patches", "cls")},
        "queries": [packed_queries(one) for one in queries],
        "colours": as_base64((mpl.colormaps["inferno"](np.arange(256))[:, :3] * 255).astype(np.uint8)),
    }
    return load_template(TEMPLATES / "explorer.html.j2").render(
        data=data,
        columns=columns,
        rule=Rule(),
        origin=origin.to_html(border=0),  # its cells are escaped
        style=_text("explorer.css"),
        script=_text("explorer_maps.js") + _text("explorer.js"),
    )


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _head(index: tuple[int, int], heads: Heads, labels: Mapping[str, str], ablated: np.ndarray) -> dict[str, object]:
    kind, feature = str(heads.kinds[index]), str(heads.features[index])
    effects, targets, recovery = heads.effects, heads.effects.by_target, heads.recovery
    described = describe(heads.scores["patches"].means, heads.kinds, heads.features, index)
    chirp = list(FEATURES).index("chirp")
    said = [one["said_to_see"] for one in heads.published if (one["layer"] - 1, one["head"] - 1) == index]
    return {
        "name": head_name(*index),
        "label": f"{kind}, {described}" if feature else described,
        "group": group_of(kind, feature),
        "paper": "; ".join(said),
        "chirp": {
            view: round(float(scores.means["enrichment"][chirp, *index]), 2) for view, scores in heads.scores.items()
        },
        "effect": _rounded(part[index] for part in (effects.increase, effects.low, effects.high)),
        "significant": bool(effects.significant_bh[index]),
        "by_target": _rounded(
            [part[number, *index] for part in (targets.increase, targets.low, targets.high)]
            for number in range(len(TARGETS))
        ),
        "recovered": [
            [
                round(float(value[index]), 1),
                _interval(recovery.heads_low[name][index], recovery.heads_high[name][index]),
            ]
            for name, value in recovery.heads.items()
        ],
        "ablated": _rounded(ablated[index]),
        "scores": {view: _strongest(scores, index) for view, scores in heads.scores.items()},
        "driven": [
            [region, labels.get(control, control), _share(found, index), str(found.drive[index])]
            for (region, control), found in heads.driven.items()
            if found.drive[index] != DRIVES[-1]
        ],
    }


def _rounded(values: Iterable) -> list:
    """Return numbers to four significant digits, as nested as they came."""
    return [float(f"{value:.4g}") if np.ndim(value) == 0 else _rounded(value) for value in values]


def _share(found: ControlledHeads, index: tuple[int, int]) -> str:
    low, high = 100 * found.stays_low[index], 100 * found.stays_high[index]
    if max(abs(low), abs(high)) > FARTHEST:  # what is left is on which side of one half it lies
        side = "above 50 % throughout" if low > 50 else "below 50 % throughout" if high < 50 else "interval spans 50 %"
        return f"{100 * found.stays[index]:.0f} % ({side})"
    return f"{100 * found.stays[index]:.0f} % {_interval(low, high)}"


def _interval(low: float, high: float) -> str:
    """Return an interval of a share in percent in brackets, or that it is too wide to say anything."""
    wide = not (abs(low) <= FARTHEST and abs(high) <= FARTHEST)  # so also where an end is NaN
    return "(interval too wide to tell)" if wide else f"({round(low)} to {round(high)})"  # no minus zero


def _strongest(scores: Scores, index: tuple[int, int]) -> list[list[str]]:
    """Return rows of the regions with the highest enrichment: name and scores, each with its interval."""

    def with_interval(name: str, region: int) -> str:
        value, low, high = (part[name][region, *index] for part in (scores.means, scores.low, scores.high))
        return f"{value:.2f} ({low:.2f} to {high:.2f})"

    first = np.argsort(scores.means["enrichment"][:, *index])[::-1][:SHOWN]
    return [[list(FEATURES)[region], *(with_interval(name, region) for name in SHOWN_SCORES)] for region in first]
