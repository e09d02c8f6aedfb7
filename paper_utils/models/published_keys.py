"""Key names of the author's state dict, best_vit_regression.pth, in ours and back; and what became of each key.

The file was written with transformers 4, whose ViT names its layers `encoder.layer.0.attention.attention.query`
("old"); transformers 5 says `layers.0.attention.q_proj` ("new"). With LoRA the ViT's keys start with
`vit.base_model.model.` and the weights under an adapter end in `base_layer`; merged, they start with `vit.`. The head
is `regression_head`. ViTModel has a pooler unless told otherwise, so the file holds one, which a read-out of CLS has no
use for: 254 keys for ViT-Base, of which 252 are needed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["POOLER", "KeyReport", "Names", "compare_keys", "has_lora", "key_names", "our_key", "published_key"]

Names = Literal["old", "new"]

POOLER = ("vit.pooler.dense.weight", "vit.pooler.dense.bias")
WRAPPER = "base_model.model."
OLD_PARTS = {  # of a layer, by new name
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
LAYER = re.compile(r"vit\.(?:encoder\.layer|layers)\.(\d+)\.(.+)")


def our_key(key: str) -> str:
    """Return a published key, of old or new names, as our model's state dict has it, without peft's wrapper."""
    key = key.replace(f"vit.{WRAPPER}", "vit.", 1) if key.startswith(f"vit.{WRAPPER}") else key
    if key.startswith("regression_head."):
        return key.removeprefix("regression_")
    if match := LAYER.fullmatch(key):
        layer, part = match.groups()
        new = (part.replace(old, name, 1) for name, old in OLD_PARTS.items() if part.startswith(f"{old}."))
        return f"vit.layers.{layer}.{next(new, part)}"
    return f"ours.{key}" if key.startswith("head.") else key  # only our own files have such a name


def published_key(key: str, *, names: Names, lora: bool) -> str:
    """Return a key of our model's state dict as the published file has it; the inverse of `our_key`.

    Args:
        key: with peft's wrapper or without.
        names: "old" (transformers 4, the author's) or "new" (5).
        lora: whether the file's ViT is wrapped by peft.
    """
    if key.startswith("head."):
        return f"regression_{key}"
    key = key.removeprefix("vit.").removeprefix(WRAPPER)
    if names == "old" and (match := LAYER.fullmatch(f"vit.{key}")):
        layer, part = match.groups()
        old = (part.replace(name, old, 1) for name, old in OLD_PARTS.items() if part.startswith(f"{name}."))
        key = f"encoder.layer.{layer}.{next(old, part)}"
    return f"vit.{WRAPPER if lora else ''}{key}"


def key_names(keys: Iterable[str]) -> Names:
    """Return which names a file's keys have; old ones if any has."""
    return "old" if any(".encoder.layer." in key for key in keys) else "new"


def has_lora(keys: Iterable[str]) -> bool:
    """Return whether a file's keys are of a ViT with LoRA that is not merged."""
    return any(".lora_" in key for key in keys)


@dataclass(frozen=True)
class KeyReport:
    """What became of each key of a published file, and of each that the model needs; keys are named as the file does."""

    path: Path
    names: Names
    lora: bool
    used: tuple[str, ...]
    pooler: tuple[str, ...]  # read and left: the read-out takes the CLS token before it
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    misshapen: tuple[str, ...]  # each with both shapes
    assumed_heads: int = 0  # of a layer, where neither the file nor the reader of it said how many

    @property
    def fits(self) -> bool:
        """Whether every key of the model is there, in its shape, and nothing is left over but the pooler."""
        return not (self.unknown or self.missing or self.misshapen)

    def line(self) -> str:
        """Return the report in one line."""
        total = len(self.used) + len(self.pooler) + len(self.unknown) + len(self.misshapen)
        parts = [f"{len(self.used)} used"]
        if self.pooler:
            parts.append(f"{len(self.pooler)} of the pooler, which predictions from CLS do not use")
        for what in ("unknown", "missing", "misshapen"):
            if keys := getattr(self, what):
                parts.append(f"{len(keys)} {'of another shape' if what == 'misshapen' else what} ({_some(keys)})")
        layout = "LoRA" if self.lora else "no LoRA"
        heads = f"; {self.assumed_heads} heads a layer are assumed, of 64 dimensions each" if self.assumed_heads else ""
        return f"{self.path}: {total} keys ({self.names} names, {layout}): {', '.join(parts)}{heads}"


def compare_keys(path: Path, found: Mapping[str, Sequence[int]], expected: Mapping[str, Sequence[int]]) -> KeyReport:
    """Hold a file's keys and shapes against those that the model needs.

    Args:
        path: of the file.
        found: shapes by published key.
        expected: shapes by our key, without peft's wrapper.
    """
    names, lora = key_names(found), has_lora(found)
    lists: dict[str, list[str]] = {kind: [] for kind in ("used", "pooler", "unknown", "misshapen")}
    seen: dict[str, str] = {}
    for key, shape in found.items():
        ours = our_key(key)
        if ours in seen:
            lists["unknown"].append(f"{key}, beside {seen[ours]}")
        elif ours in POOLER:
            lists["pooler"].append(key)
        elif ours not in expected:
            lists["unknown"].append(key)
        elif tuple(shape) != tuple(expected[ours]):
            lists["misshapen"].append(f"{key} is {tuple(shape)}, not {tuple(expected[ours])}")
        else:
            lists["used"].append(key)
        seen.setdefault(ours, key)
    missing = tuple(published_key(ours, names=names, lora=lora) for ours in expected if ours not in seen)
    used, pooler, unknown, misshapen = map(tuple, lists.values())
    return KeyReport(path, names, lora, used, pooler, unknown, missing, misshapen)


def _some(keys: Sequence[str], most: int = 4) -> str:
    rest = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + rest
