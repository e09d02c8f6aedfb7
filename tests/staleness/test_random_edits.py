"""Random edits that mean the same, with and without one that does not: `make status` is right of every one of them."""

import os
import random

import pytest

from tests.staleness.random_edits import mean_the_same
from tests.staleness.status import JUDGED, edit, unfresh

SEEDS = range(int(os.environ.get("RANDOM_EDITS", "2")))  # trees that are edited; `make reliability` tries more
EDITS = 12  # of each that mean the same

# file, before, after, and what is stale then
CHANGES = {
    "nothing": ((), set()),
    "a colour map": (
        ("paper_utils/plots/effects.py", 'cmap="coolwarm"', 'cmap="PuOr"'),
        {"figure figure_4", "notebook 04_head_ablation"},
    ),
    "a rule": (("paper_utils/claims/rules.py", "published - 3 * margin", "published - 4 * margin"), JUDGED),
    "a claim": (("data/claims.json", "0.9841", "0.9842"), JUDGED),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_random_edits(tree, seed, record_property):
    moments = random.Random(seed)
    change, expected = CHANGES[list(CHANGES)[seed % len(CHANGES)]]
    done = mean_the_same(tree, moments, count=EDITS)
    assert len(done) == EDITS
    record_property("edits that mean the same", EDITS)
    record_property("edits that do not", int(bool(change)))
    if change:
        edit(tree, change[0], change[1:])
    assert set(unfresh(tree)) == expected, done
