"""The explorer: one self-contained page, no server, no network, with every head's maps, scores and effects."""

import base64
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image

from ..attention.controls import DRIVES, Driven
from ..attention.maps import AttentionMaps
from ..attention.scores import FEATURES, Scores
from ..attention.semantics import describe
from ..errors import CompanionError
from ..heads import head_name, min_max
from ..statistics import HeadEffects
from .attention import FRAMES, group_of

__all__ = ["Heads", "explorer_page"]

TEMPLATE = Path(__file__).with_name("explorer.html")
SHOWN = 5  # regions in a head's table
SHOWN_SCORES = {"enrichment": "attention over its mean", "auroc": "AUROC", "pointing": "pointing"}


@dataclass(frozen=True)
class Heads:
    """What is known of every head."""

    kinds: np.ndarray  # (layers, heads)
    features: np.ndarray  # (layers, heads)
    scores: dict[str, Scores]  # by view, "patches" and "cls"
    effects: HeadEffects
    driven: dict[tuple[str, str], Driven]  # of `nulls.compare_with_controls`


def explorer_page(
    pixels: np.ndarray, captions: Sequence[str], maps: AttentionMaps, heads: Heads, *, origin: str, says: dict[str, str]
) -> str:
    """Return the page as HTML.

    Args:
        pixels: (images, rows, columns, 3) uint8, the few that are shown.
        captions: one a image.
        maps: raw, of the same images.
        heads: what is known of them.
        origin: profile, seed and versions, for the foot.
        says: names for a person of what heads were confronted with.

    Raises:
        CompanionError: images, captions and maps are not as many.
    """
    if not len(pixels) == len(captions) == len(maps.patches):
        raise CompanionError(
            f"{len(pixels)} images, {len(captions)} captions and {len(maps.patches)} maps do not match"
        )
    layers, count = heads.kinds.shape
    places = [(layer, head) for layer in range(layers) for head in range(count)]
    entries = [_head(place, heads, says) for place in places]
    data = {
        "shape": [layers, count, len(pixels), maps.patches.shape[-1]],
        "groups": {name: mpl.colors.to_hex(colour) for name, colour in FRAMES.items()},
        "heads": entries,
        "first": int(heads.effects.increase.argmax()),
        "largest_effect": round(float(np.abs(heads.effects.increase).max()), 2),
        "score_names": list(SHOWN_SCORES.values()),
        "captions": list(captions),
        "images": [_png(image) for image in pixels],
        "maps": {view: _quantised(getattr(maps, view)) for view in ("patches", "cls")},
        "colours": _base64((mpl.colormaps["inferno"](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes()),
    }
    page = TEMPLATE.read_text(encoding="utf-8")
    parts = {
        "heads": str(count),
        "grid": _grid(entries, count),
        "origin": html.escape(origin).replace("\n", "<br>"),
        "data": json.dumps(data, allow_nan=False).replace("</", "<\\/"),
    }
    for name, content in parts.items():
        page = page.replace("{{" + name + "}}", content)
    return page


def _head(place: tuple[int, int], heads: Heads, says: dict[str, str]) -> dict[str, object]:
    kind, feature = str(heads.kinds[place]), str(heads.features[place])
    effect = [float(values[place]) for values in (heads.effects.increase, heads.effects.low, heads.effects.high)]
    driven = [
        [region, says.get(null, null), _share(found, place), str(found.drive[place])]
        for (region, null), found in heads.driven.items()
        if found.drive[place] != DRIVES[-1]
    ]
    said = describe(heads.scores["patches"].means, heads.kinds, heads.features, place)
    chirp = list(FEATURES).index("chirp")
    return {
        "name": head_name(*place),
        "says": f"{kind}, {said}" if feature else said,
        "group": group_of(kind, feature),
        "chirp": round(float(heads.scores["patches"].means["enrichment"][chirp, *place]), 2),
        "effect": [round(value, 3) for value in effect],
        "found": bool(heads.effects.significant_bh[place]),
        "scores": {view: _strongest(scores, place) for view, scores in heads.scores.items()},
        "driven": driven,
    }


def _share(found: Driven, place: tuple[int, int]) -> str:
    return (
        f"{100 * found.stays[place]:.0f} % ({100 * found.stays_low[place]:.0f} to {100 * found.stays_high[place]:.0f})"
    )


def _strongest(scores: Scores, place: tuple[int, int]) -> list[list[str]]:
    """Return rows of the regions with the highest enrichment: name and scores, each with its interval."""

    def said(name: str, region: int) -> str:
        value, low, high = (part[name][region, *place] for part in (scores.means, scores.low, scores.high))
        return f"{value:.2f} ({low:.2f} to {high:.2f})"

    first = np.argsort(scores.means["enrichment"][:, *place])[::-1][:SHOWN]
    return [[list(FEATURES)[region], *(said(name, region) for name in SHOWN_SCORES)] for region in first]


def _grid(entries: list[dict], count: int) -> str:
    """Return the rows of the grid: readable, and labelled, before any script runs."""
    columns = "".join(f'<span role="columnheader">{head + 1}</span>' for head in range(count))
    rows = [f'<div role="row"><span role="columnheader"></span>{columns}</div>']
    for layer in range(len(entries) // count):
        buttons = []
        for entry in entries[layer * count : (layer + 1) * count]:
            label = html.escape(f"{entry['name']}: {entry['says']}; ablation {entry['effect'][0]:+.1f} %", quote=True)
            buttons.append(
                f'<button type="button" role="gridcell" tabindex="-1" title="{label}" aria-label="{label}"></button>'
            )
        rows.append(f'<div role="row"><span role="rowheader">L{layer + 1}</span>{"".join(buttons)}</div>')
    return "\n".join(rows)


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
