import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import read_json
from paper_utils.pipeline.results import REFERENCE, REFERENCES
from paper_utils.pipeline.run import Run
from tools import compare

SHIPPED = read_json(REFERENCE / "results.json")


def test_a_run_agrees_with_itself():
    table = compare.comparison(SHIPPED, SHIPPED)
    assert len(table) == len(compare.HEADLINES)
    assert set(table[compare.YOURS]) == {"agrees"}


def test_a_number_beyond_its_tolerance_differs_and_is_set_beside_the_published_one():
    own = SHIPPED | {"accuracy.start_time.pearson_r": 0.9}
    row = compare.comparison(own, SHIPPED).set_index("number").loc["Pearson r, start time"]
    assert row["yours"] == "0.9"
    assert row["published"] == "0.9841"
    assert row[compare.YOURS] == "DIFFERS"


def test_each_backbone_has_tolerances_of_the_size_of_its_effects():
    shipped = read_json(REFERENCES["photographs"].folder / "results.json")
    table = compare.comparison(shipped, shipped).set_index("number")
    assert table.loc["mean increase of the loss, layers 4 to 12 (%)", "tolerance"] == "7"
    assert table.loc["Pearson r, start time", "tolerance"] == "0.03"


def test_a_missing_number_is_named_with_the_way_out():
    with pytest.raises(CompanionError, match=r"this run lacks 'semantics\.chirp_heads'; run `make figures` again"):
        compare.comparison({key: value for key, value in SHIPPED.items() if key != "semantics.chirp_heads"}, SHIPPED)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({}, "does not hold the numbers of a run"),
        ([], "does not hold the numbers of a run"),
        ({"accuracy.images": 3}, "lacks 'accuracy.unselected.images'"),
        (SHIPPED | {"semantics.chirp_heads": "many"}, "has 'many' as 'semantics.chirp_heads', which is no number"),
    ],
)
def test_damaged_results_are_named_with_the_way_out(metrics, said, tmp_path):
    run = Run("laptop", "checkpoint", root=tmp_path)
    with pytest.raises(CompanionError, match=rf"{run.figures}/results\.json {said}; remove it and run again"):
        compare.print_comparison(run, metrics)


def test_other_profiles_are_not_compared(capsys, tmp_path):
    compare.print_comparison(Run("smoke", "seeds", root=tmp_path), {})
    assert "not comparable" in capsys.readouterr().out


def test_the_comparison_says_which_pixels_a_run_used(capsys, tmp_path, tiny_backbone):
    compare.print_comparison(Run("smoke", "seeds", root=tmp_path), {})
    assert "\npixels as published, 0 to 1\n" in capsys.readouterr().out
    compare.print_comparison(Run("laptop", "seeds", backbone=tiny_backbone, pixels="backbone", root=tmp_path), {})
    said = capsys.readouterr().out
    assert "\npixels normalised as the backbone was pre-trained\n" in said
    assert "not comparable" in said
