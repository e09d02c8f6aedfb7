"""The verdicts on several backbones side by side: a statement about Vision Transformers should not hang on one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ..errors import CompanionError
from .judgements import UNTESTABLE
from .ledger import Entry, Ledger
from .published import Claim
from .values import Metrics

__all__ = ["FINDINGS", "Backbones"]

EFFECT = "{0[%s_percent]:.2f} %% ({0[%s_low_percent]:.2f} to {0[%s_high_percent]:.2f})"
WALK = (
    "{{0[{0}ablation.rank_autocorrelation]:.2f}} ({{0[{0}ablation.rank_autocorrelation_shuffled_low]:.2f}} to "
    "{{0[{0}ablation.rank_autocorrelation_shuffled_high]:.2f}})"
)
EARLY, LATE = "ablation%s.layers_1_to_3.mean%s", "ablation%s.layers_4_to_12.mean%s"


def _early_and_late(replacement: str, which: str = "") -> str:
    """Return the effects of early and of late heads with their intervals, to be filled from metrics."""
    sides = (side % (replacement, which) for side in (EARLY, LATE))
    return "; ".join(EFFECT % ((side,) * 3) for side in sides)


# what the paper says most about, in numbers that each backbone has: what it is, and its text, filled from the metrics
FINDINGS = {
    "r of the start time (95 % interval)": "{0[accuracy.unselected.start_time.pearson_r]:.3f} "
    "({0[accuracy.unselected.start_time.pearson_r_low]:.3f} to {0[accuracy.unselected.start_time.pearson_r_high]:.3f})",
    "(images read)": "{0[accuracy.unselected.images]:,}",
    "effect of layers 1 to 3; of the others": _early_and_late(""),
    "the same without the head of largest effect": _early_and_late("", "_without_largest"),
    "the same, each head replaced by its mean": _early_and_late(".replacement.mean"),
    "(images ablated)": "{0[ablation.images]:,}",
    "rank autocorrelation of neighbouring heads as released (95 % of shuffled rows)": WALK.format("released."),
    "(images of the released protocol)": "{0[released.ablation.images]:,}",
    "the same as described": WALK.format(""),
    "monosemantic for the chirp, before fine-tuning": "{0[before_fine_tuning.semantics.chirp_heads]} of {heads} heads",
    "after": "{0[semantics.chirp_heads]} of {heads} heads",
    "share of these that were chirp heads before; by chance": "{0[semantics.chirp_heads_before_already]:.2f}; "
    "{0[semantics.chirp_heads_by_chance]:.2f}",
    "after, with no second feature": "{0[semantics.strict.chirp_heads]}",
    "with shuffled weights": "{0[weights_shuffled.semantics.chirp_heads]}",
    "in layers 1 to 4, monosemantic for something else, before": "{0[before_fine_tuning.semantics.early_distractor_heads]}",
    "the same after": "{0[semantics.early_distractor_heads]}",
    "monosemantic heads driven by content; place; both; that leave a moved feature": "{0[semantics.monosemantic_by_content]}; "
    "{0[semantics.monosemantic_by_place]}; {0[semantics.monosemantic_by_mixed]}; {0[semantics.monosemantic_by_leaving]}",
    "(images looked at)": "{0[attention.images]}",
}
KINDS_OF_HEADS = ("monosemantic", "polysemantic", "unselective")


@dataclass(frozen=True)
class Backbones:
    """Ledgers and numbers by the backbone of the run that they judge, all against the same claims."""

    ledgers: Mapping[str, Ledger]
    numbers: Mapping[str, Metrics]  # flat keys as in results.json

    @classmethod
    def of(
        cls, runs: Mapping[str, tuple[Metrics, Sequence[Metrics]]], *, against: Sequence[Claim] | None = None
    ) -> "Backbones":
        """Hold runs against the published claims.

        Args:
            runs: by the name of the backbone: metrics of the run, and those of its other training seeds.
            against: the claims; those of data/claims.json if None.

        Raises:
            CompanionError: the metrics of a run, which is named, lack a number that a claim rests on.
        """
        ledgers = {}
        for name, (metrics, other_seeds) in runs.items():
            try:
                ledgers[name] = Ledger.of(metrics, other_seeds, against=against)
            except CompanionError as error:
                raise CompanionError(f"{name}: {error}") from error
        return cls(ledgers, {name: metrics for name, (metrics, _) in runs.items()})

    def __post_init__(self) -> None:
        """Raise CompanionError if there is no ledger, or they judge other claims."""
        rows = {tuple(_row(entry) for entry in ledger.entries) for ledger in self.ledgers.values()}
        if len(rows) != 1:
            raise CompanionError("give one ledger or more, all against the same claims")

    def by_row(self) -> list[tuple[Entry, ...]]:
        """Return the entries of each row, one a backbone."""
        return list(zip(*(ledger.entries for ledger in self.ledgers.values()), strict=True))

    def table(self, *, differing: bool = False) -> pd.DataFrame:
        """Return a row for each claim and protocol: verdict and number on every backbone, and whether all agree.

        Only those on which they do not, if `differing`.
        """
        rows = []
        for entries in self.by_row():
            claim, protocol = entries[0].claim, entries[0].protocol
            columns = {name: entry.in_short for name, entry in zip(self.ledgers, entries, strict=True)}
            rows.append(
                {"claim": claim.statement, "published": claim.published, "protocol": protocol}
                | columns
                | {"same verdict": _agreement(entries)}
            )
        table = pd.DataFrame(rows).set_index("claim")
        return table[table["same verdict"] == "no"].drop(columns="same verdict") if differing else table

    def findings(self) -> pd.DataFrame:
        """Return what the paper says most about, a row each: accuracy, early heads, chirp heads, what drives them.

        A dash stands where there are no such heads.

        Raises:
            CompanionError: a run lacks the counts of its heads.
        """
        return pd.DataFrame({name: _findings(name, metrics) for name, metrics in self.numbers.items()})

    def summary(self) -> pd.DataFrame:
        """Return how many claims come to each verdict on each backbone, by the first row of each claim."""
        counts = {name: ledger.summary()["claims"] for name, ledger in self.ledgers.items()}
        return pd.DataFrame(counts)

    def __str__(self) -> str:
        counts = self.metrics()
        same, rows = counts["backbones.same"], counts["backbones.rows"]
        return f"{same} of {rows} rows that all of them can test have one verdict on {' and '.join(self.ledgers)}."

    def metrics(self) -> dict[str, int]:
        """Return of how many rows the verdicts are the same on all backbones, of those that each could be tested on."""
        verdicts = [{entry.verdict for entry in entries} for entries in self.by_row()]
        testable = [found for found in verdicts if UNTESTABLE not in found]
        return {"backbones.rows": len(testable), "backbones.same": sum(len(found) == 1 for found in testable)}


def _findings(name: str, metrics: Metrics) -> dict[str, str]:
    try:
        heads = sum(int(metrics[f"semantics.{kind}_heads"]) for kind in KINDS_OF_HEADS)
    except KeyError as error:
        raise CompanionError(f"the results of {name} lack {error}; run `make figures` again") from error
    return {what: _filled(text, metrics, heads) for what, text in FINDINGS.items()}


def _filled(text: str, metrics: Metrics, heads: int) -> str:
    try:
        return text.format(metrics, heads=heads)
    except KeyError:
        return "-"


def _row(entry: Entry) -> tuple[str, str]:
    return entry.claim.name, entry.protocol


def _agreement(entries: tuple[Entry, ...]) -> str:
    verdicts = {entry.verdict for entry in entries}
    if UNTESTABLE in verdicts:
        return "-"
    return "yes" if len(verdicts) == 1 else "no"
