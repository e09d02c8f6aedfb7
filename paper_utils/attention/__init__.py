"""Reading what heads attend to: maps, region scores, classification by rule and counterfactual controls."""

from .causal import (
    ScoreAndEffect,
    VariantShifts,
    relate_to_effect,
    variant_shifts,
)
from .classified import ClassifiedHeads, classify_heads
from .controls import CONTROLS, DRIVES, VARIANTS_NEEDED, ControlledHeads, compare_with_controls
from .drives import HeadDrives, content_or_position, control_labels
from .mapped import MappedImages, head_index, map_images
from .maps import AttentionMaps, attention_maps
from .matrices import query_maps
from .region_scores import RegionScores, score_regions
from .scores import FEATURES, SCORES, Scores, feature_coverage, mean_scores, score_heads
from .semantics import KINDS, Rule, classify
from .summaries import Contrast, LayerSummary, attention_metrics, contrast, summarise_layers

__all__ = [
    "CONTROLS",
    "DRIVES",
    "FEATURES",
    "KINDS",
    "SCORES",
    "VARIANTS_NEEDED",
    "AttentionMaps",
    "ClassifiedHeads",
    "Contrast",
    "ControlledHeads",
    "HeadDrives",
    "LayerSummary",
    "MappedImages",
    "RegionScores",
    "Rule",
    "ScoreAndEffect",
    "Scores",
    "VariantShifts",
    "attention_maps",
    "attention_metrics",
    "classify",
    "classify_heads",
    "compare_with_controls",
    "content_or_position",
    "contrast",
    "control_labels",
    "feature_coverage",
    "head_index",
    "map_images",
    "mean_scores",
    "query_maps",
    "relate_to_effect",
    "score_heads",
    "score_regions",
    "summarise_layers",
    "variant_shifts",
]
