"""The typed results of notebooks 3 and 6 against the numbers that ship.

Maps are recomputed, and differ in the last digits between processors: a head on a threshold may change its kind.
"""

import numpy as np
import pytest

from paper_utils import attention
from paper_utils.files import ROOT, read_arrays, read_json
from paper_utils.interventions import AblationEffects, EstimatedAblation

REFERENCE = ROOT / "data" / "reference"


@pytest.fixture(scope="module")
def shipped():
    return read_json(REFERENCE / "results.json")


@pytest.fixture(scope="module")
def heads(shipped_mapped):
    return attention.classify_heads(shipped_mapped)


def test_contrast(shipped_mapped, shipped):
    contrast = attention.contrast(shipped_mapped)
    metrics = contrast.metrics()
    assert metrics == pytest.approx({name: shipped[name] for name in metrics}, rel=1e-4)
    assert len(metrics) == 2
    assert list(contrast.table()["Images"]) == [48] * 12
    assert contrast.table()["Most attended patch over the mean"][1] == "3.0"


def test_classified_heads(heads, shipped):
    metrics = heads.metrics()
    assert len(metrics) == 144 + 17 + 15
    agree = [shipped[name] == value for name, value in metrics.items()]
    assert np.mean(agree) >= 0.98
    table = heads.table()
    assert table["For the chirp"].sum() == metrics["semantics.chirp_heads"]
    named = heads.compare_named(read_json(ROOT / "data/published_heads.json"))
    assert named.loc["L6H4", "In the paper"] == "the chirp"
    assert named.loc["L6H4", "Here"] == heads.describe("L6H4").loc["L6H4", "Responds to"]


def test_score_and_effect(shipped_mapped, heads, shipped):
    effects = AblationEffects.of(
        EstimatedAblation.of(*(read_arrays(REFERENCE / f"{name}.npz") for name in ("ablation", "attribution")))
    )
    relation = attention.relate_to_effect(attention.score_regions(shipped_mapped), heads, effects)
    metrics = relation.metrics()
    assert metrics == pytest.approx({name: shipped[name] for name in metrics}, abs=1e-3)
    assert len(relation.table()) == 14
    assert relation.exceptions()["Names"].iloc[1] == "L3H7, L4H2, L6H6"


def test_variant_shifts(shipped):
    shifts = attention.variant_shifts(read_arrays(REFERENCE / "variant_predictions.npz"))
    metrics = shifts.metrics()
    assert metrics == pytest.approx({name: shipped[name] for name in metrics}, rel=1e-6)
    assert len(metrics) == 12
    table = shifts.table()
    assert table.iloc[0, 0] == "1.3"
    assert table.loc["all moved right a patch"].iloc[0] == "5.8 (5.6 to 6)"
    assert (table["Images"] == 128).all()
