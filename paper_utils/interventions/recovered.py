"""What activation patching recovers, head by head and layer by layer, as a table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..heads import head_name
from .patching import recovery

__all__ = ["PatchingRecovery", "patching_recovery"]


TITLES = {  # of the pairs of images: what is patched into what
    "the chirp": "the image into one without chirp",
    "without the rest": "the spectrogram alone into the image",
}


@dataclass(frozen=True)
class PatchingRecovery:
    """Recovered share of the clean prediction in percent, by what is patched into what."""

    heads: dict[str, np.ndarray]  # (layers, heads)
    heads_low: dict[str, np.ndarray]  # 95 % interval, percentile bootstrap over images
    heads_high: dict[str, np.ndarray]
    layers: dict[str, np.ndarray]  # (layers,) all heads of a layer together
    layers_low: dict[str, np.ndarray]
    layers_high: dict[str, np.ndarray]
    images: int

    def table(self) -> pd.DataFrame:
        """Return the head and the layer that recover most, for each pair of clean and distorted images."""
        rows = []
        for name, heads in self.heads.items():
            head, layer = np.unravel_index(heads.argmax(), heads.shape), int(self.layers[name].argmax())
            of_head = heads[head], self.heads_low[name][head], self.heads_high[name][head]
            of_layer = tuple(part[name][layer] for part in (self.layers, self.layers_low, self.layers_high))
            rows.append(
                {
                    "Patched": name,
                    "Best head": head_name(*head),
                    "Recovered by that head, % (95 % interval)": _interval(of_head),
                    "Best layer": layer + 1,
                    "Recovered by that layer, % (95 % interval)": _interval(of_layer),
                    "Images": self.images,
                }
            )
        return pd.DataFrame(rows).set_index("Patched")


def patching_recovery(patched: dict[str, np.ndarray], unit: np.ndarray) -> PatchingRecovery:
    """Return how much of the clean prediction each head's and each layer's clean output restores.

    Args:
        patched: predictions by name of the pair and what was run: "... clean" and "... distorted" (images, 3),
            "... heads" (layers, heads, images, 3) and "... layers" (layers, images, 3).
        unit: (3,) of the targets, in which they are compared.

    Raises:
        CompanionError: no prediction differs between clean and distorted images.
    """
    names = [name.removesuffix(" clean") for name in patched if name.endswith(" clean")]
    found = {
        part: {
            TITLES.get(name, name): recovery(
                patched[f"{name} {part}"], patched[f"{name} clean"], patched[f"{name} distorted"], unit
            )
            for name in names
        }
        for part in ("heads", "layers")
    }
    arrays = [{name: three[end] for name, three in found[part].items()} for part in found for end in range(3)]
    return PatchingRecovery(*arrays, images=len(patched[f"{names[0]} clean"]))


def _interval(value: tuple[float, float, float]) -> str:
    return "{:.0f} ({:.0f} to {:.0f})".format(*value)
