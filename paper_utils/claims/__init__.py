"""The published claims as data, the rules that judge a run by them, and an audit of the published numbers."""

from .audit import PUBLISHED_BASELINE, BaselineLoss, RowMeans, RowOrder, baseline_loss, row_means, row_order
from .backbones import Backbones
from .judgements import VERDICTS, Judgement
from .ledger import SEEDS, Entry, Ledger, judge
from .published import PROTOCOLS, SCALED, Claim, Null, claims, figure_4, heads, load_claims, not_measured
from .rules import RULES
from .seeds import mean_over_seeds, over_seeds

__all__ = [
    "PROTOCOLS",
    "PUBLISHED_BASELINE",
    "RULES",
    "SCALED",
    "SEEDS",
    "VERDICTS",
    "Backbones",
    "BaselineLoss",
    "Claim",
    "Entry",
    "Judgement",
    "Ledger",
    "Null",
    "RowMeans",
    "RowOrder",
    "baseline_loss",
    "claims",
    "figure_4",
    "heads",
    "judge",
    "load_claims",
    "mean_over_seeds",
    "not_measured",
    "over_seeds",
    "row_means",
    "row_order",
]
