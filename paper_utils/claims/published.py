"""What the paper states, as data: its claims, its Figure 4, the heads it names."""

import inspect
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import CompanionError
from ..files import ROOT, read_json, way_out
from .rules import RULES

__all__ = ["PROTOCOLS", "SCALED", "Claim", "Null", "claims", "figure_4", "heads", "load_claims", "not_measured"]

DATA = ROOT / "data"
CLAIMS = DATA / "claims.json"
PAPER = "2503.18762"
OTHERS = ("2212.09641", "2503.22713", "2504.02976", "2504.09393")  # other papers of the author
FILES = {PAPER: CLAIMS} | {paper: DATA / f"claims_{paper}.json" for paper in OTHERS}  # by arXiv number
SCALED = "released, to scale"
# by name, the prefix of its keys. "described" follows the paper's text, "released" what the package that came with it
# does; "to scale" zeroes as large a share of a head as that package does in ViT-Base, whose heads are wider
PROTOCOLS = {"described": "", SCALED: "to_scale.", "released": "released."}


@dataclass(frozen=True)
class Null:
    """What a trivial case would score: chance, random weights, or a reading that asks for nothing."""

    what: str
    values: dict[str, float | str]  # by the key that the rule reads: a number, or the key of a metric
    decides: bool = True  # a claim that it passes too is not informative; else it is shown alone


@dataclass(frozen=True)
class Claim:
    """A published statement that can be measured."""

    name: str
    statement: str  # in a few words of ours
    quote: str  # the paper's own words, or empty
    section: str  # of the paper
    published: str  # its value, as published
    rule: str  # of RULES
    arguments: dict
    figure: str  # that shows it
    notebook: str
    heading: str  # of the notebook's section that computes it
    protocols: tuple[str, ...] = ("described",)
    images: str = ""  # key of how many images the value rests on
    needs: str = ""  # key of a number that a model of other sizes, or without such heads, does not have
    reading_of: str = ""  # name of the claim that this is another reading of; only that one counts
    nulls: tuple[Null, ...] = field(default=())


def claims(paper: str = PAPER) -> list[Claim]:
    """Return the published claims of a paper, in the order of its file: by default those that a run is held against.

    Raises:
        CompanionError: no claims of that paper are tested here.
    """
    if paper not in FILES:
        raise CompanionError(f"no claims of {paper} are tested here; choose one of {', '.join(FILES)}")
    return load_claims(list(read_json(FILES[paper])))


def load_claims(entries: list[dict]) -> list[Claim]:
    """Return claims from what data/claims.json holds.

    Raises:
        CompanionError: an entry lacks something, or names no rule, protocol or claim that exists.
    """
    loaded: list[Claim] = []
    for entry in entries:
        try:
            claim = Claim(
                **entry
                | {
                    "protocols": tuple(entry.get("protocols", ("described",))),
                    "nulls": tuple(Null(**null) for null in entry.get("nulls", ())),
                }
            )
        except TypeError as error:
            wrong = str(error).partition("() ")[2] or str(error)
            raise CompanionError(f"{CLAIMS}, claim {entry.get('name', '?')!r}: {wrong}; mend the entry") from error
        if claim.rule not in RULES or set(claim.protocols) - set(PROTOCOLS):
            raise CompanionError(
                f"claim {claim.name!r} names no rule or protocol that exists: {claim.rule}, {claim.protocols}"
            )
        _check_arguments(claim)
        if claim.reading_of and claim.reading_of not in {known.name for known in loaded}:
            raise CompanionError(
                f"claim {claim.name!r} is a reading of {claim.reading_of!r}, which does not precede it"
            )
        loaded.append(claim)
    return loaded


def _check_arguments(claim: Claim) -> None:
    """Raise CompanionError if a rule lacks an argument, or one is not a number that should be."""
    signature = inspect.signature(RULES[claim.rule])
    try:
        bound = signature.bind({}, "", **claim.arguments)
    except TypeError as error:
        raise CompanionError(f"{CLAIMS}, claim {claim.name!r}: rule {claim.rule}: {error}; mend the entry") from error
    for name, value in bound.arguments.items():
        if signature.parameters[name].annotation is float and not isinstance(value, int | float):
            raise CompanionError(f"{CLAIMS}, claim {claim.name!r}: {name} is {value!r}, not a number; mend the entry")


def figure_4() -> np.ndarray:
    """Return Figure 4 as published, (layers, heads) percent; NaN where it is not legible.

    Raises:
        CompanionError: the file is missing, or is no table of a number, or nothing, for each head.
    """
    path = DATA / "published_figure4.csv"
    try:
        table = pd.read_csv(path, index_col="layer", dtype=float, float_precision="round_trip")
    except (OSError, ValueError, LookupError) as error:  # the last two are of pandas, too
        raise CompanionError(f"cannot read {path}: {error}; {way_out(path)}") from error
    numbers = range(1, 13)
    if list(table.index) != list(numbers) or list(table) != [f"head_{number}" for number in numbers]:
        raise CompanionError(f"{path} has not 12 layers of 12 heads, in their order; {way_out(path)}")
    return table.to_numpy()


def not_measured() -> pd.DataFrame:
    """Return the paper's other statements on results, each with the reason why no row of the ledger can test it."""
    frame = pd.DataFrame(read_json(DATA / "not_measured.json"))
    return frame.rename(columns={"quote": "statement", "why": "why it has no row"}).set_index("statement")


def heads() -> list[dict]:
    """Return the heads that the paper names, counted from 1, with the features that it says they attend to."""
    return list(read_json(DATA / "published_heads.json"))
