"""The ledger: every published claim held against a run, with its verdict and how many training seeds agree."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd

from ..errors import CompanionError
from .published import Claim, claims
from .rules import RULES, UNTESTABLE, VERDICTS, Judgement, Metrics

__all__ = ["Entry", "Ledger", "judge"]

TEMPLATES = Path(__file__).with_name("templates")
# how a verdict is marked where the ledger is shown
CLASSES = dict(zip(VERDICTS, ("yes", "partly", "no", "open"), strict=True))


@dataclass(frozen=True)
class Entry:
    """The verdict on one claim under one protocol."""

    claim: Claim
    protocol: str  # of PROTOCOLS
    judgement: Judgement
    agreeing: tuple[int, int] | None = None  # training seeds with this verdict, of how many; this run's is one of them

    @property
    def seeds(self) -> str:
        """How many training seeds agree, in words: "2 of 3", or a dash where one alone was judged."""
        return "{} of {}".format(*self.agreeing) if self.agreeing else "-"


@dataclass(frozen=True, repr=False)
class Ledger:
    """The verdicts on all claims; as the last expression of a cell it shows itself, with quotes, rules and links."""

    entries: tuple[Entry, ...]  # in the order of the claims, by protocol within a claim

    @classmethod
    def of(
        cls, metrics: Metrics, other_seeds: Sequence[Metrics] = (), *, against: Sequence[Claim] | None = None
    ) -> "Ledger":
        """Hold a run against the published claims.

        Args:
            metrics: of the run, flat keys as in results.json.
            other_seeds: those of fine-tunings from other training seeds. They are judged as described alone, for the
                released protocol is run once.
            against: the claims; those of data/claims.json if None.

        Raises:
            CompanionError: the metrics lack a number that a claim rests on.
        """
        return cls(
            tuple(
                judge(claim, metrics, protocol=protocol, other_seeds=other_seeds if protocol == "described" else ())
                for claim in (claims() if against is None else against)
                for protocol in claim.protocols
            )
        )

    def table(self) -> pd.DataFrame:
        """Return a row for each claim and protocol, in words."""
        return pd.DataFrame(
            {
                "claim": entry.claim.statement,
                "published": entry.claim.published,
                "protocol": entry.protocol,
                "here (95 % interval)": entry.judgement.value,
                "verdict": entry.judgement.verdict,
                "training seeds that agree": entry.seeds,
            }
            for entry in self.entries
        )

    def summary(self) -> pd.DataFrame:
        """Return how many claims come to each verdict; a claim that is judged under two protocols counts by the first."""
        counts = self._counts()
        return pd.DataFrame(
            {"claims": counts.values(), "of": sum(counts.values())}, index=pd.Index(counts, name="verdict")
        )

    def metrics(self) -> dict[str, int]:
        """Return the numbers of `summary` as flat keys, "claims.not_reproduced" and the like."""
        return {f"claims.{verdict.replace(' ', '_')}": count for verdict, count in self._counts().items()}

    def _counts(self) -> dict[str, int]:
        first = {entry.claim.name: entry.judgement.verdict for entry in reversed(self.entries)}
        return {verdict: Counter(first.values())[verdict] for verdict in VERDICTS}

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self._counts().items())
        return f"Ledger({sum(self._counts().values())} claims: {counts})"

    def _repr_html_(self) -> str:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        groups = [list(group) for _, group in itertools.groupby(self.entries, lambda entry: entry.claim.name)]
        return environment.get_template("ledger.html.j2").render(groups=groups, classes=CLASSES)


def judge(claim: Claim, metrics: Metrics, *, protocol: str = "described", other_seeds: Sequence[Metrics] = ()) -> Entry:
    """Return the verdict on one claim under one protocol.

    Args:
        claim: what is claimed.
        metrics: of the run, flat keys as in results.json.
        protocol: of PROTOCOLS.
        other_seeds: the metrics of fine-tunings from other training seeds, which are judged by the same rule.

    Raises:
        CompanionError: the metrics lack a number that the claim rests on.
    """
    prefix = "" if protocol == "described" else f"{protocol}."
    found = RULES[claim.rule](metrics, prefix, **claim.arguments)
    if not other_seeds or found.verdict == UNTESTABLE:
        return Entry(claim, protocol, found)
    try:
        verdicts = [RULES[claim.rule](other, prefix, **claim.arguments).verdict for other in other_seeds]
    except CompanionError:  # not every number is measured for every training seed
        return Entry(claim, protocol, found)
    return Entry(claim, protocol, found, (verdicts.count(found.verdict) + 1, len(verdicts) + 1))
