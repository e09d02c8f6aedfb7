"""The verdicts on several backbones side by side: a statement about Vision Transformers should not hang on one of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ..errors import CompanionError
from .ledger import Entry, Ledger
from .rules import UNTESTABLE

__all__ = ["Backbones"]


@dataclass(frozen=True)
class Backbones:
    """Ledgers by the backbone of the run that they judge, all against the same claims."""

    ledgers: Mapping[str, Ledger]

    def __post_init__(self) -> None:
        """Raise CompanionError if there is no ledger, or they judge other claims."""
        rows = {tuple(_row(entry) for entry in ledger.entries) for ledger in self.ledgers.values()}
        if len(rows) != 1:
            raise CompanionError("give one ledger or more, all against the same claims")

    def table(self) -> pd.DataFrame:
        """Return a row for each claim and protocol: verdict and number on every backbone, and whether all agree."""
        rows = []
        for entries in zip(*(ledger.entries for ledger in self.ledgers.values()), strict=True):
            claim, protocol = entries[0].claim, entries[0].protocol
            columns = {name: _cell(entry) for name, entry in zip(self.ledgers, entries, strict=True)}
            rows.append(
                {"claim": claim.statement, "published": claim.published, "protocol": protocol}
                | columns
                | {"same verdict": _agreement(entries)}
            )
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """Return how many claims come to each verdict on each backbone, by the first row of each claim."""
        counts = {name: ledger.summary()["claims"] for name, ledger in self.ledgers.items()}
        return pd.DataFrame(counts)

    def metrics(self) -> dict[str, int]:
        """Return of how many rows the verdicts are the same on all backbones, of those that each could be tested on."""
        verdicts = [
            {entry.verdict for entry in entries}
            for entries in zip(*(ledger.entries for ledger in self.ledgers.values()), strict=True)
        ]
        testable = [found for found in verdicts if UNTESTABLE not in found]
        return {"backbones.rows": len(testable), "backbones.same": sum(len(found) == 1 for found in testable)}


def _row(entry: Entry) -> tuple[str, str]:
    return entry.claim.name, entry.protocol


def _cell(entry: Entry) -> str:
    return entry.verdict if entry.verdict == UNTESTABLE else f"{entry.verdict}: {entry.judgement.value}"


def _agreement(entries: tuple[Entry, ...]) -> str:
    verdicts = {entry.verdict for entry in entries}
    if UNTESTABLE in verdicts:
        return "-"
    return "yes" if len(verdicts) == 1 else "no"
