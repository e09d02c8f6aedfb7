"""The ledger: every published claim held against a run, with its verdict, its nulls and the training seeds that agree."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
import pandas as pd

from ..errors import CompanionError
from .published import Claim, Null, claims
from .rules import NOT, RULES, UNINFORMATIVE, UNTESTABLE, VERDICTS, Judgement, Metrics, exactly

__all__ = ["Entry", "Ledger", "judge"]

TEMPLATES = Path(__file__).with_name("templates")
# how a verdict is marked where the ledger is shown
CLASSES = dict(zip(VERDICTS, ("yes", "partly", "no", "moot", "open"), strict=True))
SEEDS = "fine-tuning seeds, same backbone, that agree"


@dataclass(frozen=True)
class Entry:
    """The verdict on one claim under one protocol."""

    claim: Claim
    protocol: str  # of PROTOCOLS
    judgement: Judgement  # by the claim's rule
    agreeing: tuple[int, int] | None = None  # training seeds that agree, of how many; this run's is one of them
    nulls: tuple[tuple[Null, Judgement], ...] = ()  # by the same rule
    image_count: int | None = None

    @property
    def verdict(self) -> str:
        """That of the rule, unless a trivial case passes as well: then the claim is not informative."""
        order = VERDICTS.index
        found = self.judgement.verdict
        if order(found) < order(NOT) and any(
            null.decides and order(judged.verdict) <= order(found) for null, judged in self.nulls
        ):
            return UNINFORMATIVE
        return found

    @property
    def trivial(self) -> str:
        """What the nulls score and how the rule judges that, in words, or a dash."""
        # details of a value stand behind a semicolon
        scores = (f"{null.what}: {judged.value.split(';')[0]}, {judged.verdict}" for null, judged in self.nulls)
        return "; ".join(scores) or "-"

    @property
    def images(self) -> str:
        """How many images the value rests on, or a dash."""
        return "-" if self.image_count is None else f"{self.image_count:,}"

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
                "images": entry.images,
                "here (95 % interval)": entry.judgement.value,
                "verdict": entry.verdict,
                "a trivial case scores": entry.trivial,
                SEEDS: entry.seeds,
            }
            for entry in self.entries
        )

    def summary(self) -> pd.DataFrame:
        """Return how many claims come to each verdict; one judged in several ways counts by its first row."""
        counts = self._counts()
        return pd.DataFrame(
            {"claims": counts.values(), "of": sum(counts.values())}, index=pd.Index(counts, name="verdict")
        )

    def metrics(self) -> dict[str, int]:
        """Return the numbers of `summary` as flat keys, "claims.not_reproduced" and the like."""
        return {f"claims.{verdict.replace(' ', '_')}": count for verdict, count in self._counts().items()}

    def _counts(self) -> dict[str, int]:
        first = {entry.claim.name: entry.verdict for entry in reversed(self.entries) if not entry.claim.reading_of}
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
        return environment.get_template("ledger.html.j2").render(groups=groups, classes=CLASSES, seeds=SEEDS)


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
    rule = RULES[claim.rule]
    found = rule(metrics, prefix, **claim.arguments)
    images = int(_known(metrics, prefix + claim.images)) if claim.images else None
    nulls = tuple((null, rule(_of_null(metrics, prefix, null), prefix, **claim.arguments)) for null in claim.nulls)
    entry = Entry(claim, protocol, found, nulls=nulls, image_count=images)
    if not other_seeds or found.verdict == UNTESTABLE:
        return entry
    try:
        verdicts = [rule(other, prefix, **claim.arguments).verdict for other in other_seeds]
    except CompanionError:  # not every number is measured for every training seed
        return entry
    return replace(entry, agreeing=(verdicts.count(found.verdict) + 1, len(verdicts) + 1))


def _of_null(metrics: Metrics, prefix: str, null: Null) -> Metrics:
    """Return the metrics with what a null scores in place of what the run does."""
    values = {
        f"{prefix}{key}": _known(metrics, value) if isinstance(value, str) else value
        for key, value in null.values.items()
    }
    return {**metrics, **exactly(values)}


def _known(metrics: Metrics, key: str) -> float:
    if key not in metrics:
        raise CompanionError(f"the results lack {key!r}; run `make figures` again")
    return float(metrics[key])
