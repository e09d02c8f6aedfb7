import pytest

from paper_utils.claims import Backbones, Claim, Ledger
from paper_utils.claims.judgements import NOT, REPRODUCED, UNTESTABLE
from paper_utils.errors import CompanionError
from paper_utils.files import read_json
from paper_utils.pipeline.results import REFERENCE

NEAR = {"published": 0.11, "tolerance": 0.05, "unit": "%"}
CLAIMS = [
    Claim(name, f"claim {name}", "", "abstract", "0.11 %", "near", NEAR | {"key": name}, "", "", "", needs=needs)
    for name, needs in (("x", ""), ("y", ""), ("z", "z"))
]
RUN = {"x": 0.1, "x_low": 0.08, "x_high": 0.12, "y": 0.1, "y_low": 0.08, "y_high": 0.12}
OTHER = RUN | {"y": 3.0, "y_low": 2.0, "y_high": 4.0}


def of(**metrics):
    return Backbones.of({name: (found, []) for name, found in metrics.items()}, against=CLAIMS)


def test_each_backbone_has_a_column_and_the_last_says_where_they_agree():
    table = of(ours=RUN, photographs=OTHER).table()
    assert table.loc["claim x", "ours"] == table.loc["claim x", "photographs"]
    assert table.loc["claim x", "ours"].startswith(f"{REPRODUCED}: 0.1")
    assert table.loc["claim y", "photographs"].startswith(f"{NOT}: 3")
    assert table["same verdict"].tolist() == ["yes", "no", "-"]
    assert table.loc["claim z", "ours"] == UNTESTABLE
    differing = of(ours=RUN, photographs=OTHER).table(differing=True)
    assert (list(differing.index), list(differing)[-2:]) == (["claim y"], ["ours", "photographs"])


def test_the_summary_counts_the_verdicts_of_each():
    found = of(ours=RUN, photographs=OTHER)
    assert found.summary().loc[REPRODUCED].to_dict() == {"ours": 2, "photographs": 1}
    assert found.metrics() == {"backbones.rows": 2, "backbones.same": 1}


def test_ledgers_of_other_claims_do_not_stand_side_by_side():
    with pytest.raises(CompanionError, match="same claims"):
        Backbones({"a": Ledger.of(RUN, against=CLAIMS), "b": Ledger.of(RUN, against=CLAIMS[:1])}, {})
    with pytest.raises(CompanionError, match="one ledger or more"):
        Backbones.of({})


def test_how_many_rows_agree_is_said_in_words():
    assert str(of(ours=RUN, photographs=OTHER)).startswith("1 of 2 rows that all of them can test have one verdict")


def test_a_run_without_a_number_is_named():
    with pytest.raises(CompanionError, match="photographs: the results lack 'y'"):
        of(ours=RUN, photographs={"x": 0.1})
    with pytest.raises(CompanionError, match="the results of ours lack 'semantics.monosemantic_heads'"):
        of(ours=RUN).findings()


def test_findings_are_those_of_the_shipped_results():
    metrics = read_json(REFERENCE / "results.json")
    found = Backbones.of({"ours": (metrics, [])}).findings()["ours"]
    assert found["after"] == f"{metrics['semantics.chirp_heads']} of 144 heads"
    early, late = (
        f"{metrics[f'ablation.{layers}.mean_percent']:.2f} %" for layers in ("layers_1_to_3", "layers_4_to_12")
    )
    effects = found["effect of layers 1 to 3; of the others"].split("; ")
    assert [effect.split(" (")[0] for effect in effects] == [early, late]
