"""What the images hold, as tables: one chirp's numbers, samples, shares of the regions, the generator's known edges.

Each result is drawn from the test images of a profile's seed, and says on how many of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .chirps import TARGETS, UNITS, Chirp, draw_chirp, spectrogram
from .counterfactuals import VARIANTS, draw_variant
from .dataset import sample, split_seed
from .oracle import on_edge
from .regions import REGIONS, patch_coverage
from .render import PUBLISHED_SIZE, title_of

__all__ = ["ChirpExample", "KnownEdges", "Panel", "RegionShares", "draw_samples"]

ALL_UNITS = UNITS | {"duration": "s", "kind": "", "noise_level": "of the line's height"}
SHOWN = ("chirp", "background", "margin", "title")


@dataclass(frozen=True)
class Panel:
    """Images of one size, (n, rows, columns, 3) uint8, with a caption each."""

    images: np.ndarray
    captions: tuple[str, ...]


def draw_samples(seed: int, *, count: int = 15, size: tuple[int, int] = PUBLISHED_SIZE) -> Panel:
    """Return the first test images of a profile's seed; captions give kind, duration (s) and noise level."""
    drawn = [sample(split_seed(seed, "test"), index, size=size, with_regions=False) for index in range(count)]
    captions = tuple(f"{chirp.kind}, {chirp.duration:.0f} s, {chirp.noise_level:.2f}" for chirp, _ in drawn)
    return Panel(np.stack([image.pixels for _, image in drawn]), captions)


@dataclass(frozen=True)
class ChirpExample:
    """One test image: its chirp, its pixels (224, 224, 3) uint8, and each pixel's region (an index into REGIONS)."""

    seed: int  # of the profile
    index: int
    chirp: Chirp
    pixels: np.ndarray
    regions: np.ndarray

    @classmethod
    def draw(cls, seed: int, *, index: int = 3) -> "ChirpExample":
        """Draw test image `index` of a profile's seed."""
        chirp, image = sample(split_seed(seed, "test"), index)
        return cls(seed, index, chirp, image.pixels, image.known_regions)

    def table(self) -> pd.DataFrame:
        """Return the chirp's six parameters, their units, and which of them the model is to predict."""
        values = {name: getattr(self.chirp, name) for name in ALL_UNITS}
        rows = {
            name.replace("_", " "): {
                "Value": value if name == "kind" else f"{value:.2f}" if name == "noise_level" else f"{value:.1f}",
                "Unit": ALL_UNITS[name],
                "Predicted by the model": "yes" if name in TARGETS else "no",
            }
            for name, value in values.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def variants(self) -> Panel:
        """Return this chirp, with the same noise, in every counterfactual variant of the image."""
        chirp, rng = draw_chirp(split_seed(self.seed, "test"), self.index)
        drawn = chirp, spectrogram(chirp, rng), title_of(self.index, chirp)
        images = np.stack([draw_variant(name, *drawn).pixels for name in VARIANTS])
        return Panel(images, tuple(variant.label for variant in VARIANTS.values()))


@dataclass(frozen=True)
class RegionShares:
    """How much of the images each region covers, on average over `images` of them."""

    area: dict[str, float]  # by region: share of the pixels, 0..1
    patches: dict[str, float]  # by region: patches of an image that hold any of it
    patches_per_image: int
    images: int

    @classmethod
    def measure(cls, seed: int, *, count: int = 15) -> "RegionShares":
        """Measure the first test images of a profile's seed, at the size that the model sees."""
        regions = [sample(split_seed(seed, "test"), index)[1].known_regions for index in range(count)]
        coverage = np.stack([patch_coverage(each) for each in regions])  # images, regions, rows, columns
        area = coverage.mean(0).mean((1, 2))
        patches = (coverage > 0).sum((2, 3)).mean(0)
        return cls(
            dict(zip(REGIONS, area.tolist(), strict=True)),
            dict(zip(REGIONS, patches.tolist(), strict=True)),
            coverage[0, 0].size,
            count,
        )

    def table(self) -> pd.DataFrame:
        """Return the shares of chirp, background, margin and title."""
        rows = {
            name: {
                "Share of the pixels (%)": f"{100 * self.area[name]:.1f}",
                f"Patches with any of it (of {self.patches_per_image})": f"{self.patches[name]:.0f}",
                "Images": self.images,
            }
            for name in SHOWN
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        return {"images.chirp_share_percent": 100 * self.area["chirp"]}


@dataclass(frozen=True)
class KnownEdges:
    """How many of `images` have labels that the published generator makes hard or impossible to read off."""

    percent: dict[str, float]  # by the names in oracle.EDGES
    images: int

    @classmethod
    def measure(cls, seed: int, *, count: int = 5000) -> "KnownEdges":
        """Look at the first chirps of the test split of a profile's seed; no image is drawn."""
        chirps = [draw_chirp(split_seed(seed, "test"), index)[0] for index in range(count)]
        return cls({name: 100 * float(mask.mean()) for name, mask in on_edge(chirps).items()}, count)

    def table(self) -> pd.DataFrame:
        """Return the share of each edge in percent."""
        rows = {
            name.removeprefix("drawn "): {"Share of the images (%)": f"{share:.1f}", "Images": self.images}
            for name, share in self.percent.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        return {f"images.on_edge_percent.{name}": share for name, share in self.percent.items()}
