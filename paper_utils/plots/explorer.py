"""The explorer: one self-contained page, no server, no network, with every head's maps, scores and effects."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from ..attention.controls import DRIVES, ControlledHeads
from ..attention.mapped import MappedImages
from ..attention.scores import FEATURES, Scores
from ..attention.semantics import describe
from ..errors import CompanionError
from ..heads import head_name, min_max
from ..statistics import HeadEffects
from .attention import FRAMES, group_of

__all__ = ["Heads", "explorer_page"]

TEMPLATES = Path(__file__).with_name("templates")
SHOWN = 5  # regions in a head's table
SHOWN_SCORES = {"enrichment": "attention over its mean", "auroc": "AUROC", "pointing": "pointing"}


@dataclass(frozen=True)
class Heads:
    """What is known of every head."""

    kinds: np.ndarray  # (layers, heads)
    features: np.ndarray  # (layers, heads)
    scores: dict[str, Scores]  # by view, "patches" and "cls"
    effects: HeadEffects
    driven: dict[tuple[str, str], ControlledHeads]  # by region and control, of `controls.compare_with_controls`


def explorer_page(
    mapped: MappedImages, heads: Heads, *, origin: pd.DataFrame, labels: Mapping[str, str], images: int = 6
) -> str:
    """Return the page as HTML: style, script, images and numbers are inlined, so that it opens from disk.

    Args:
        mapped: images with the raw maps of every head over them.
        heads: what is known of these heads.
        origin: profile, seed and versions, for the foot.
        labels: readable names of the counterfactual variants; a control without one goes by its own name.
        images: how many of the first images are shown.

    Raises:
        CompanionError: the maps are of other heads than `heads`.
    """
    maps = mapped.maps.of(slice(images))
    if maps.patches.shape[1:3] != heads.kinds.shape:
        raise CompanionError(f"maps {maps.patches.shape} are not of the {heads.kinds.shape} heads that are described")
    layers, columns = heads.kinds.shape
    data = {
        "shape": [layers, columns, len(maps.patches), maps.patches.shape[-1]],
        "groups": {name: mpl.colors.to_hex(colour) for name, colour in FRAMES.items()},
        "heads": [_head(index, heads, labels) for index in np.ndindex(layers, columns)],
        "first": int(heads.effects.increase.argmax()),
        "largest_effect": round(float(np.abs(heads.effects.increase).max()), 2),
        "score_names": list(SHOWN_SCORES.values()),
        "captions": mapped.captions()[:images],
        "images": [_png(image) for image in mapped.pixels[:images]],
        "maps": {view: _quantised(getattr(maps, view)) for view in ("patches", "cls")},
        "colours": _base64((mpl.colormaps["inferno"](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes()),
    }
    return (
        _environment()
        .get_template("explorer.html.j2")
        .render(
            data=data,
            columns=columns,
            origin=origin.to_html(border=0),  # its cells are escaped
            style=(TEMPLATES / "explorer.css").read_text(encoding="utf-8"),
            script=(TEMPLATES / "explorer.js").read_text(encoding="utf-8"),
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    # the legend keeps the order of the groups; JSON.parse in a browser refuses NaN
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    return environment


def _head(index: tuple[int, int], heads: Heads, labels: Mapping[str, str]) -> dict[str, object]:
    kind, feature = str(heads.kinds[index]), str(heads.features[index])
    effect = [float(values[index]) for values in (heads.effects.increase, heads.effects.low, heads.effects.high)]
    driven = [
        [region, labels.get(control, control), _share(found, index), str(found.drive[index])]
        for (region, control), found in heads.driven.items()
        if found.drive[index] != DRIVES[-1]
    ]
    described = describe(heads.scores["patches"].means, heads.kinds, heads.features, index)
    chirp = list(FEATURES).index("chirp")
    return {
        "name": head_name(*index),
        "label": f"{kind}, {described}" if feature else described,
        "group": group_of(kind, feature),
        "chirp": round(float(heads.scores["patches"].means["enrichment"][chirp, *index]), 2),
        "effect": [round(value, 3) for value in effect],
        "significant": bool(heads.effects.significant_bh[index]),
        "scores": {view: _strongest(scores, index) for view, scores in heads.scores.items()},
        "driven": driven,
    }


def _share(found: ControlledHeads, index: tuple[int, int]) -> str:
    return (
        f"{100 * found.stays[index]:.0f} % ({100 * found.stays_low[index]:.0f} to {100 * found.stays_high[index]:.0f})"
    )


def _strongest(scores: Scores, index: tuple[int, int]) -> list[list[str]]:
    """Return rows of the regions with the highest enrichment: name and scores, each with its interval."""

    def with_interval(name: str, region: int) -> str:
        value, low, high = (part[name][region, *index] for part in (scores.means, scores.low, scores.high))
        return f"{value:.2f} ({low:.2f} to {high:.2f})"

    first = np.argsort(scores.means["enrichment"][:, *index])[::-1][:SHOWN]
    return [[list(FEATURES)[region], *(with_interval(name, region) for name in SHOWN_SCORES)] for region in first]


def _quantised(maps: np.ndarray) -> str:
    """Return maps (images, layers, heads, rows, columns), each scaled to 0..255, heads first, as base64."""
    scaled = np.round(min_max(maps) * 255).astype(np.uint8)
    return _base64(np.moveaxis(scaled, 0, 2).tobytes())


def _png(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return "data:image/png;base64," + _base64(buffer.getvalue())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
