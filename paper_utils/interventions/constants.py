"""What replaces the outputs of heads: their value biases, zeros, means over other images, or those for other images."""

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from ..errors import CompanionError

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["KINDS", "Replacement"]

KINDS = ("zero_qkv", "zero", "mean", "resample")
NEEDED = {"mean": "images to average over", "resample": "one other image for each image"}


class Replacement:
    """One kind of replacement for one model: made once, it serves any number of images and of passes.

    Args:
        engine: of the model.
        kind: "zero_qkv" (a head puts out its value bias), "zero", "mean" (its mean over `source`, token by token) or
            "resample" (its output for another image).
        source: (n, 3, height, width) of the size of the images, uint8 or in 0..1. For "mean" 1 or more of them, better
            others than the images whose predictions are wanted; for "resample" the other image of each.

    Raises:
        CompanionError: there is no such kind, or it needs a source and has none, or has one and needs none.
    """

    @torch.inference_mode()
    def __init__(self, engine: "Engine", kind: str = "zero_qkv", *, source: torch.Tensor | None = None):
        if kind not in KINDS:
            raise CompanionError(f"unknown replacement {kind!r}; choose one of {', '.join(KINDS)}")
        if kind not in NEEDED and source is not None:
            raise CompanionError(
                f"source images are for kinds {' and '.join(NEEDED)}, not for {kind!r}; leave them out"
            )
        if kind in NEEDED and (source is None or not len(source)):
            raise CompanionError(f"replacement {kind!r} needs {NEEDED[kind]}; give them as its source")
        self.engine, self.kind, self.source = engine, kind, source
        biases = [engine.value_bias(layer)[None, None] for layer in engine.layers]
        self._fixed = biases if kind == "zero_qkv" else [torch.zeros_like(bias) for bias in biases]
        if kind == "mean" and source is not None:
            for some in source.split(engine.batch):
                sums = [z.sum(0, keepdim=True) for z in self._outputs(some)]
                self._fixed = [mean + part / len(source) for mean, part in zip(self._fixed, sums, strict=True)]

    @property
    def mark(self) -> str:
        """The kind and, where it has a source, a checksum of it: what an unfinished result is known again by."""
        if self.source is None:
            return self.kind
        return f"{self.kind} {zlib.crc32(self.source.cpu().contiguous().numpy().data):08x}"

    def part(self, chosen: slice) -> "Replacement":
        """Return the replacement for some of the images."""
        if self.kind != "resample" or self.source is None:
            return self
        return Replacement(self.engine, self.kind, source=self.source[chosen])

    def check(self, images: torch.Tensor) -> None:
        """Raise CompanionError where it cannot serve such images: there is none, or each needs another and has none."""
        if not len(images):
            raise CompanionError(f"ablation ({self.kind}) needs 1 or more images, it got 0")
        if self.kind == "resample" and self.source is not None and self.source.shape != images.shape:
            raise CompanionError(
                f"replacement 'resample' needs {NEEDED['resample']}, of its size: it got {tuple(self.source.shape)} for "
                f"{tuple(images.shape)}"
            )

    def constants(self, chosen: torch.Tensor) -> list[torch.Tensor]:
        """Return what replaces the outputs of each layer's heads.

        Args:
            chosen: indices (n,) of the images.

        Returns:
            For each layer, (n or 1, tokens or 1, heads, head dimension).
        """
        if self.kind == "resample" and self.source is not None:
            return list(self._outputs(self.source[chosen]))
        return self._fixed

    def _outputs(self, images: torch.Tensor) -> Iterator[torch.Tensor]:
        engine = self.engine
        x = engine.embed(images)
        for layer in engine.layers:
            z = engine.attend(layer, x)
            yield z
            x = engine.finish_layer(layer, x, z)
