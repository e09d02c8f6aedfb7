"""The ledger: every published claim held against a run, with its verdict, its nulls and the value of every seed."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import CompanionError
from ..files import load_template
from ..models.pixels import PIXELS, as_pixels
from .judgements import NOT, UNINFORMATIVE, UNTESTABLE, VERDICTS, Judgement
from .published import PROTOCOLS, SCALED, Claim, Null, claims
from .rules import RULES
from .seeds import MEASURED, over_seeds
from .values import Metrics, exactly, interval, interval_keys

__all__ = ["Entry", "Ledger", "judge"]

TEMPLATE = Path(__file__).with_name("templates") / "ledger.html.j2"
# how a verdict is marked where the ledger is shown
CLASSES = dict(zip(VERDICTS, ("yes", "partly", "no", "moot", "open"), strict=True))
SEEDS = "fine-tuning seeds, same backbone"
HERE = "here (95 % interval)"
DEPENDS = "depends on head width"


@dataclass(frozen=True)
class Entry:
    """The verdict on one claim under one protocol."""

    claim: Claim
    protocol: str  # of PROTOCOLS
    judgement: Judgement  # by the claim's rule, over the seeds where the value has an interval, else of this run
    by_seed: tuple[Judgement, ...] = ()  # of each fine-tuning seed by itself, this run's first; none if it is alone
    nulls: tuple[tuple[Null, Judgement], ...] = ()  # by the same rule
    image_counts: tuple[int, ...] = ()  # that the value rests on: one number, or each seed's where they differ
    note: str = ""  # on the verdict

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
        """How many images the value rests on, or a dash; of three seeds that differ "10,000; 2,000; 2,000"."""
        return "; ".join(f"{count:,}" for count in self.image_counts) or "-"

    @property
    def agreeing(self) -> tuple[int, int] | None:
        """How many seeds come to the rule's verdict by themselves, of how many; None where one alone was judged."""
        verdicts = [judged.verdict for judged in self.by_seed]
        return (verdicts.count(self.judgement.verdict), len(verdicts)) if verdicts else None

    @property
    def seeds(self) -> str:
        """The value of each seed and how many agree: "21.9, 28.1, 14.7; 3 of 3 agree", or a dash for one alone."""
        if not self.agreeing:
            return "-"
        values = [judged.short for judged in self.by_seed]
        separator = "; " if any(" " in value for value in values) else ", "
        return f"{separator.join(values)}; {self.agreeing[0]} of {self.agreeing[1]} agree"

    @property
    def in_short(self) -> str:
        """Verdict, value and images: "not reproduced: 1.38 % (1.22 to 1.52), 128 images"."""
        if self.verdict == UNTESTABLE:
            return self.verdict
        return f"{self.verdict}: {self.judgement.value}{f', {self.images} images' if self.image_counts else ''}"

    @property
    def remarked(self) -> str:
        """The verdict, with the note on it where there is one."""
        return f"{self.verdict}; {self.note}" if self.note else self.verdict


@dataclass(frozen=True, repr=False)
class Ledger:
    """The verdicts on all claims; as the last expression of a cell it shows itself, with quotes, rules and links.

    The first row of each claim that can be tested is shown, all rows on a click.
    """

    entries: tuple[Entry, ...]  # in the order of the claims, by protocol within a claim
    pixels: str = PIXELS["published"]  # how images were given to the backbone, in words

    @classmethod
    def of(
        cls, metrics: Metrics, other_seeds: Sequence[Metrics] = (), *, against: Sequence[Claim] | None = None
    ) -> "Ledger":
        """Hold a run against the published claims.

        Args:
            metrics: of the run, flat keys as in results.json.
            other_seeds: those of fine-tunings from other training seeds. Where each has a claim's value, the verdict
                is on the mean over seeds, with the spread between seeds in its interval (`seeds.mean_over_seeds`).
            against: the claims; those of data/claims.json if None.

        Raises:
            CompanionError: the metrics lack a number that a claim rests on.
        """
        entries: list[Entry] = []
        for claim in claims() if against is None else against:
            entries += _remarked(
                [judge(claim, metrics, protocol=protocol, other_seeds=other_seeds) for protocol in claim.protocols]
            )
        # results from before there was a choice lack this key
        return cls(tuple(entries), PIXELS[as_pixels(str(metrics.get("origin.pixels", "published")))])

    @property
    def seeds_title(self) -> str:
        """The title of the column of seeds: "3 fine-tuning seeds, same backbone"."""
        count = max((len(entry.by_seed) for entry in self.entries), default=0)
        return f"{count} {SEEDS}" if count else SEEDS

    def table(self) -> pd.DataFrame:
        """Return a row for each claim and protocol, in words."""
        return pd.DataFrame(
            {
                "claim": entry.claim.statement,
                "published": entry.claim.published,
                "protocol": entry.protocol,
                "images": entry.images,
                HERE: entry.judgement.value,
                "verdict": entry.remarked,
                "a trivial case scores": entry.trivial,
                self.seeds_title: entry.seeds,
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
        groups = [list(group) for _, group in itertools.groupby(self.entries, lambda entry: entry.claim.name)]
        own = [group[0] for group in groups if not group[0].claim.reading_of]
        first = [entry for entry in own if entry.verdict != UNTESTABLE]
        return load_template(TEMPLATE).render(
            first=first,
            untestable=len(own) - len(first),
            groups=groups,
            classes=CLASSES,
            here=HERE,
            seeds=self.seeds_title,
            pixels=self.pixels,
            on_images=any(entry.claim.images for entry in own),  # else no model is judged
        )


def judge(claim: Claim, metrics: Metrics, *, protocol: str = "described", other_seeds: Sequence[Metrics] = ()) -> Entry:
    """Return the verdict on one claim under one protocol.

    Args:
        claim: what is claimed.
        metrics: of the run, flat keys as in results.json.
        protocol: of PROTOCOLS.
        other_seeds: the metrics of fine-tunings from other training seeds. Unless each has what the claim rests on,
            the run is judged alone.

    Raises:
        CompanionError: the metrics lack a number that the claim rests on.
    """
    prefix, rule = PROTOCOLS[protocol], RULES[claim.rule]
    if claim.needs and f"{prefix}{claim.needs}" not in metrics:
        return Entry(
            claim,
            protocol,
            Judgement(UNTESTABLE, "-", "no number to judge: the model has no such heads, or it was not computed", "-"),
        )
    found = rule(metrics, prefix, **claim.arguments)
    by_seed: tuple[Judgement, ...] = ()
    names = [claim.arguments[name] for name in MEASURED.get(claim.rule, ()) if claim.arguments.get(name)]
    over = None
    if other_seeds and found.verdict != UNTESTABLE:
        over = over_seeds(metrics, other_seeds, [prefix + name for name in names])
    if over is not None:
        try:
            by_seed = (found, *(rule(other, prefix, **claim.arguments) for other in other_seeds))
        except CompanionError:  # not every number is measured for every training seed
            over = None
    if over is not None:
        metrics, found = over, rule(over, prefix, **claim.arguments)
        if names:
            found = replace(found, value=f"mean of {len(by_seed)} seeds: {found.value}")
    images = _image_counts(claim, prefix, [metrics, *(other_seeds if by_seed else ())])
    nulls = tuple((null, rule(_of_null(metrics, prefix, null), prefix, **claim.arguments)) for null in claim.nulls)
    return Entry(claim, protocol, found, by_seed, nulls, images)


def _image_counts(claim: Claim, prefix: str, seeds: Sequence[Metrics]) -> tuple[int, ...]:
    """Return how many images the claim's value rests on, once if it is the same for every seed.

    A seed that does not say was looked into on those of the run, the first of `seeds`.
    """
    if not claim.images:
        return ()
    own = _known(seeds[0], prefix + claim.images)
    counts = tuple(int(seed.get(prefix + claim.images, own)) for seed in seeds)
    return counts if len(set(counts)) > 1 else counts[:1]


def _remarked(entries: list[Entry]) -> list[Entry]:
    """Return the verdicts on one claim, the released protocol's with a note where it is another one to scale."""
    verdicts = {entry.protocol: entry.verdict for entry in entries}
    return [
        replace(entry, note=DEPENDS)
        if entry.protocol == "released" and verdicts.get(SCALED, entry.verdict) != entry.verdict
        else entry
        for entry in entries
    ]


def _of_null(metrics: Metrics, prefix: str, null: Null) -> Metrics:
    """Return the metrics with what a null scores in place of what the run does, with its interval if it has one."""
    found: dict[str, Any] = dict(metrics)
    for key, value in null.values.items():
        found |= exactly({f"{prefix}{key}": _known(metrics, value) if isinstance(value, str) else value})
        if isinstance(value, str) and None not in (ends := interval(metrics, value)):
            found |= dict(zip(interval_keys(f"{prefix}{key}")[-1], ends, strict=True))
    return found


def _known(metrics: Metrics, key: str) -> float:
    if key not in metrics:
        raise CompanionError(f"the results lack {key!r}; run `make figures` again")
    return float(metrics[key])
