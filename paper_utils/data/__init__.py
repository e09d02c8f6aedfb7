"""From a seed to a labelled image: chirps, canvas, rendering, regions, counterfactuals and folders; needs no torch."""

from .canvas import Layout
from .chirps import (
    BINS,
    DURATION,
    MAX_FREQUENCY,
    TARGETS,
    Binning,
    Chirp,
    LabelScale,
    draw_chirp,
    label_scale,
    labels,
    noise_free,
    signal_to_noise,
    spectrogram,
)
from .counterfactuals import VARIANTS, Variant, draw_variant
from .dataset import ChirpSet, sample, split_seed
from .oracle import as_drawn, groups, ideal_threshold, on_edge, read_back
from .regions import REGIONS, patch_coverage
from .render import MODEL_SIZE, PUBLISHED_SIZE, DrawnImage, draw_image, draw_with_matplotlib, title_of
from .summaries import ChirpExample, KnownEdges, Panel, RegionShares, draw_samples

__all__ = [
    "BINS",
    "DURATION",
    "MAX_FREQUENCY",
    "MODEL_SIZE",
    "PUBLISHED_SIZE",
    "REGIONS",
    "TARGETS",
    "VARIANTS",
    "Binning",
    "Chirp",
    "ChirpExample",
    "ChirpSet",
    "DrawnImage",
    "KnownEdges",
    "LabelScale",
    "Layout",
    "Panel",
    "RegionShares",
    "Variant",
    "as_drawn",
    "draw_chirp",
    "draw_image",
    "draw_samples",
    "draw_variant",
    "draw_with_matplotlib",
    "groups",
    "ideal_threshold",
    "label_scale",
    "labels",
    "noise_free",
    "on_edge",
    "patch_coverage",
    "read_back",
    "sample",
    "signal_to_noise",
    "spectrogram",
    "split_seed",
    "title_of",
]
