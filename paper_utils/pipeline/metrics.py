"""The numbers of a run that claims, README and comparisons rest on: those of every notebook's results as flat keys."""

from typing import TYPE_CHECKING

from ..attention import classify_heads, content_or_position, contrast, relate_to_effect, score_regions, variant_shifts
from ..claims import Ledger, figure_4
from ..data import KnownEdges, RegionShares
from ..interventions import (
    AblationEffects,
    AttributionEstimates,
    PredictionShift,
    ProtocolEffects,
    Removals,
    ReplacementEffects,
)
from ..training import Accuracy, AccuracyByGroup, ErrorOnEdges, OracleLimits, StudyComparison, TrainingSummary

if TYPE_CHECKING:
    from .run import Run

__all__ = ["collect"]

Metrics = dict[str, float | str]


def collect(run: "Run") -> Metrics:
    """Return all metrics of a run, computing the results that they need."""
    found: Metrics = {"origin.backbone": run.profile.backbone, "origin.source": run.source}
    found |= _images(run) | _accuracy(run) | _interventions(run) | _attention(run)
    return found | Ledger.of(found, run.other_seeds()).metrics()


def _images(run: "Run") -> Metrics:
    seed = run.profile.seed
    return {**RegionShares.measure(seed).metrics(), **KnownEdges.measure(seed).metrics()}


def _accuracy(run: "Run") -> Metrics:
    evaluation, chirps, history = run.evaluation(), run.test_chirps(), run.history()
    accuracy, trained = Accuracy.of(evaluation), run.trained_parameters()
    parts = (
        accuracy,
        ErrorOnEdges.of(evaluation, chirps),
        OracleLimits.of(chirps),
        AccuracyByGroup.of(evaluation, chirps),
        TrainingSummary.of(history, model=run.model(), trained_parameters=trained, batch=run.profile.batch),
        StudyComparison.of(run.study(), history=history, accuracy=accuracy, trained_parameters=trained),
    )
    found: Metrics = {}
    for part in parts:
        found |= part.metrics()
    return found


def _interventions(run: "Run") -> Metrics:
    ablation = run.ablation()
    effects = AblationEffects.of(ablation)
    found: Metrics = dict(effects.metrics())
    found |= ReplacementEffects.of(run.replacements()).metrics()
    found |= AttributionEstimates.of(run.attribution()).metrics(effects.increase)
    found |= Removals.of(run.removals(), images=run.profile.removal_images).metrics(early=3 * effects.increase.shape[1])
    protocols = ProtocolEffects.of(
        run.protocols(), effects.increase, figure_4(), run.released_losses(), images=run.profile.protocol_images
    )
    found |= protocols.metrics()
    return found | PredictionShift.of(ablation).metrics()


def _attention(run: "Run") -> Metrics:
    mapped = run.mapped()
    scores = score_regions(mapped)
    heads = classify_heads(mapped, scores.means)
    found: Metrics = {**contrast(mapped).metrics(), **heads.metrics()}
    found |= content_or_position(run.mapped, heads).metrics()
    effects = AblationEffects.of(run.ablation())
    found |= relate_to_effect(scores, heads, effects).metrics()
    return found | variant_shifts(run.variant_predictions()).metrics()
