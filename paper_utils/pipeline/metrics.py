"""The numbers of a run that claims, README and comparisons rest on: those of every notebook's results as flat keys."""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from ..attention import (
    KINDS,
    ClassifiedHeads,
    classify_heads,
    content_or_position,
    contrast,
    relate_to_effect,
    score_regions,
    variant_shifts,
)
from ..claims import Ledger, baseline_loss, figure_4
from ..claims import heads as published_heads
from ..data import KnownEdges, RegionShares
from ..files import read_json, write_json
from ..interventions import (
    AblationEffects,
    AttributionEstimates,
    EstimatedAblation,
    PredictionShift,
    ProtocolEffects,
    Redundancy,
    Removals,
    ReplacementEffects,
    compare_heads,
    largest_head,
)
from ..training import Accuracy, AccuracyByGroup, ErrorOnEdges, OracleLimits, StudyComparison, TrainingSummary
from .provenance import environment
from .sources import closure_hash
from .stages import STAGES

if TYPE_CHECKING:
    from .run import Run

__all__ = ["collect", "effects_by_kind", "gathered"]

Metrics = dict[str, float | str]


def gathered(run: "Run") -> Metrics:
    """Return what `collect` does for a run that computes; kept until a result, a library or any code is another."""
    path, code = run.build / "metrics.json", closure_hash("paper_utils.pipeline.run")  # before it may be edited
    if path.is_file():
        kept = read_json(path)
        if isinstance(kept, dict) and kept.get("of") == _origin(run, code) and kept.get("content") == _content(kept):
            run.has_read(*kept["read"])
            return kept["metrics"]
    found = collect(run)
    kept = {"of": _origin(run, code), "read": sorted(run.read), "metrics": found}
    write_json(path, kept | {"content": _content(kept)})
    return found


def _content(kept: dict) -> str:
    """Return a hash of what is kept, which a file that was edited does not have."""
    return hashlib.sha256(json.dumps([kept.get("read"), kept.get("metrics")]).encode()).hexdigest()


def _origin(run: "Run", code: str) -> str:
    """Return a hash of all that metrics are gathered of, given that of the code that does."""
    needed = [name for name, stage in STAGES.items() if not stage.repeats]  # those that repeat are read below
    contents = {name: (run.results.content(name), run.results.state(name).state) for name in needed}
    known = [contents, code, environment(), run.profile.as_dict(), run.source, run.study(), run.other_seeds()]
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()


def collect(run: "Run") -> Metrics:
    """Return all metrics of a run, computing the results that they need."""
    found: Metrics = {"origin.backbone": run.profile.backbone, "origin.source": run.source}
    found["origin.pixels"] = run.profile.pixels
    ablation = run.ablation()
    effects = AblationEffects.of(ablation)
    found |= _images(run) | _accuracy(run) | _interventions(run, ablation, effects)
    heads = classify_heads(run.mapped())
    found = _rounded(found | _attention(run, effects, heads) | _controls(run, heads))
    return found | Ledger.of(found, run.other_seeds()).metrics()


def _rounded(metrics: Metrics) -> Metrics:
    """Return metrics to ten significant digits: the last six differ between processors, and so would the file."""
    return {key: float(f"{value:.10g}") if isinstance(value, float) else value for key, value in metrics.items()}


def _images(run: "Run") -> Metrics:
    seed = run.profile.seed
    return {**RegionShares.measure(seed).metrics(), **KnownEdges.measure(seed).metrics()}


def _accuracy(run: "Run") -> Metrics:
    evaluation, chirps = run.evaluation(), run.test_chirps()
    accuracy = Accuracy.of(evaluation)
    unselected = Accuracy.of(run.unselected()).metrics(of="accuracy.unselected")
    parts = (
        accuracy,
        ErrorOnEdges.of(evaluation, chirps),
        OracleLimits.of(chirps),
        AccuracyByGroup.of(evaluation, chirps),
    )
    found: Metrics = {key: value for key, value in unselected.items() if not key.endswith("per_second")}
    for part in parts:
        found |= part.metrics()
    return found | ({} if run.given else _training(run, accuracy))


def _training(run: "Run", accuracy: Accuracy) -> Metrics:
    history, trained = run.history(), run.trained_parameters()
    summary = TrainingSummary.of(history, model=run.model(), trained_parameters=trained, batch=run.profile.batch)
    study = StudyComparison.of(run.study(), history=history, accuracy=accuracy, trained_parameters=trained)
    return {**summary.metrics(), **study.metrics()}


def _interventions(run: "Run", ablation: EstimatedAblation, effects: AblationEffects) -> Metrics:
    found: Metrics = dict(effects.metrics())
    found |= ReplacementEffects.of(run.replacements(), ablation.intact).metrics()
    found |= AttributionEstimates.of(ablation.linearised_few()).metrics(ablation.exact_increase())
    found |= Removals.of(run.removals()).metrics(early=3 * effects.increase.shape[1])
    for redundancy in (Redundancy.of, Redundancy.at_random):
        found |= redundancy(run.removals(), ablation.exact).metrics()
    found |= ProtocolEffects.of(run.protocols(), effects.increase, figure_4()).metrics()
    return found | PredictionShift.of(ablation).metrics()


def _attention(run: "Run", effects: AblationEffects, heads: ClassifiedHeads) -> Metrics:
    scores = score_regions(heads.mapped)
    found: Metrics = {**contrast(heads.mapped).metrics(), **heads.metrics(), **heads.part_metrics(published_heads())}
    found |= content_or_position(run.mapped, heads).metrics()
    found |= relate_to_effect(scores, heads, effects).metrics() | effects_by_kind(heads, effects)
    return found | variant_shifts(run.variant_predictions()).metrics()


def effects_by_kind(heads: ClassifiedHeads, effects: AblationEffects) -> Metrics:
    """Return what chirp heads, and early heads for something else, matter beside others, with 95 % intervals."""
    kept = np.ones(heads.kinds.shape, bool)
    kept[largest_head(effects.increase)] = False
    chirp, others, early = heads.is_chirp & kept, ~heads.is_chirp & kept, heads.is_early_distractor
    both = np.logical_and(chirp.any(1, keepdims=True), others.any(1, keepdims=True))
    counts = chirp.sum(1, keepdims=True), others.sum(1, keepdims=True)
    # the other heads of a layer count, together, as much as its chirp heads
    share = np.divide(*counts, out=np.zeros(both.shape), where=both)
    compared = {
        "chirp_heads.all": (heads.is_chirp, ~heads.is_chirp),
        "chirp_heads.without_largest": (chirp, others),
        "chirp_heads.same_layers": (chirp & both, others * share),
        "early_distractors": (early, ~early & kept),
    }
    found: Metrics = {
        f"effects.{name}.{key}": value
        for name, sides in compared.items()
        if all(side.any() for side in sides)  # a model may have no such heads
        for key, value in compare_heads(effects.ablated, effects.intact, *sides).items()
    }
    if chirp.any():
        # what as many heads of the same layers come to whatever they attend to
        of_layers, per_layer = effects.increase.mean(1, where=kept), chirp.sum(1)
        as_many = float(of_layers @ per_layer / per_layer.sum())
        found["effects.chirp_heads.as_many_of_same_layers_percent"] = as_many
        beside = float(found["effects.chirp_heads.without_largest.others_percent"])
        found["effects.chirp_heads.as_many_of_same_layers_difference_percent"] = as_many - beside
    raises = effects.significant_bh & (effects.increase > 0)
    return found | {
        "effects.significant_heads_that_raise_the_loss": int(raises.sum()),
        "effects.early_distractors.significant_by_chance": round(float(early.sum() * raises.mean())),
        "effects.early_distractors.heads": int(early.sum()),
        "effects.early_distractors.significant": int((early & raises).sum()),
    }


def _controls(run: "Run", heads: ClassifiedHeads) -> Metrics:
    """Return what models of the same shape score that this fine-tuning did not make, and what zeros do.

    Of several draws of shuffled weights the one with most monosemantic heads.
    """
    found: Metrics = {"attention.images": run.profile.map_images}
    others = {name: classify_heads(mapped) for name, mapped in run.mapped_controls().items()}
    for name in sorted(others, key=lambda name: (others[name].kinds == KINDS[0]).sum()):
        prefix = name.split(",")[0].replace(" ", "_").replace("-", "_")
        counts = others[name].metrics()
        found |= {f"{prefix}.{key}": value for key, value in counts.items() if key.startswith("semantics.")}
    before = others["before fine-tuning"].is_chirp
    if heads.is_chirp.any():
        found["semantics.chirp_heads_before_already"] = float(before[heads.is_chirp].mean())
    found["semantics.chirp_heads_by_chance"] = float(before.mean())
    return found | {"predicting_zeros.intact_loss": baseline_loss().zeros}
