import pytest

from paper_utils.claims import Ledger
from paper_utils.errors import CompanionError
from paper_utils.files import read_json, write_json
from paper_utils.pipeline.results import REFERENCE, REFERENCES
from tools.ledger import runs_here, side_by_side

RESULTS = read_json(REFERENCE / "results.json")


@pytest.fixture
def figures(tmp_path):
    left_out = ("reference-photographs", "laptop+photographs", "laptop+seeds", "smoke+vit-12345678")
    for name in ("reference", "laptop", "laptop+vit-12345678", "paper", *left_out):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "results.json", RESULTS)
    return tmp_path


def test_runs_on_other_backbones_are_found_and_no_others(figures):
    assert list(runs_here(figures)) == ["laptop+vit-12345678", "paper"]


def test_the_shipped_runs_are_the_first_columns_and_another_is_judged_by_its_own_numbers(figures):
    other = figures / "paper" / "results.json"
    write_json(other, RESULTS | {"released.ablation.rank_autocorrelation": 0.0})
    found = side_by_side({"paper": other})
    assert list(found.summary().columns) == [*REFERENCES, "paper"] == ["embedded", "photographs", "paper"]
    verdicts = found.table().set_index("protocol", append=True)
    walk = next(entry for entry in found.ledgers["paper"].entries if entry.claim.name == "slow_walk").claim.statement
    assert verdicts.loc[(walk, "released"), "same verdict"] == "no"
    alone = Ledger.of(read_json(other))
    assert [entry.verdict for entry in found.ledgers["paper"].entries] == [entry.verdict for entry in alone.entries]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"accuracy.images": 10}, ": the results lack '.*'; remove it and run again$"),
        ({}, " does not hold the numbers of a run; remove it and run again"),
        ([], " does not hold the numbers of a run; remove it and run again"),
        (RESULTS | {"accuracy.images": "many"}, " has 'many' as 'accuracy.images', which is no number; remove it"),
        (RESULTS | {"heads.L1H1": "unselective"}, ": a text describes no head; remove it and run again"),
    ],
)
def test_damaged_results_are_named_and_not_the_claims(content, said, figures):
    path = figures / "paper" / "results.json"
    write_json(path, content)
    with pytest.raises(CompanionError, match=f"^{path}{said}"):
        side_by_side({"paper": path})
