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
            row, column = divmod(int(heads.argmax()), heads.shape[1])
            head, layer = (row, column), int(self.layers[name].argmax())
            of_head = heads[head], self.heads_low[name][head], self.heads_high[name][head]
            of_layer = self.layers[name][layer], self.layers_low[name][layer], self.layers_high[name][layer]
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
    of_heads, of_layers = (
        {
            TITLES.get(name, name): recovery(
                patched[f"{name} {part}"], patched[f"{name} clean"], patched[f"{name} distorted"], unit
            )
            for name in names
        }
        for part in ("heads", "layers")
    )
    return PatchingRecovery(
        heads={name: value for name, (value, _, _) in of_heads.items()},
        heads_low={name: low for name, (_, low, _) in of_heads.items()},
        heads_high={name: high for name, (_, _, high) in of_heads.items()},
        layers={name: value for name, (value, _, _) in of_layers.items()},
        layers_low={name: low for name, (_, low, _) in of_layers.items()},
        layers_high={name: high for name, (_, _, high) in of_layers.items()},
        images=len(patched[f"{names[0]} clean"]),
    )


def _interval(value: tuple[float, float, float]) -> str:
    return "{:.0f} ({:.0f} to {:.0f})".format(*value)
