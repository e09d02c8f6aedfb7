"""What the paper says, as data: its Figure 4, the heads it names, its claims."""

import numpy as np

from ..files import ROOT, read_json
from .rules import Claim, load_claims

__all__ = ["claims", "figure_4", "heads"]

DATA = ROOT / "data"


def figure_4() -> np.ndarray:
    """Return Figure 4 as published, (layers, heads) percent; NaN where it is not legible."""
    return np.genfromtxt(DATA / "published_figure4.csv", delimiter=",", skip_header=1)[:, 1:]


def heads() -> list[dict]:
    """Return the heads that the paper names, counted from 1, with what it says they see."""
    return read_json(DATA / "published_heads.json")


def claims() -> list[Claim]:
    """Return the published claims that a run is held against."""
    return load_claims(read_json(DATA / "claims.json"))
