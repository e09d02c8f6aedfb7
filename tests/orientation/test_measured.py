import numpy as np
import pytest

from paper_utils.claims import Ledger, claims
from paper_utils.errors import CompanionError
from paper_utils.orientation import Orientation

PAPER = "2504.09393"


@pytest.fixture(scope="module")
def measured(stages):
    return Orientation.of(stages)


@pytest.fixture(scope="module")
def metrics(measured):
    return measured.metrics()


def test_every_claim_of_the_paper_is_judged(metrics):
    ledger = Ledger.of(metrics, against=claims(PAPER))
    verdicts = {entry.claim.name: entry.verdict for entry in ledger.entries}
    # these readers answer 180 degrees where two labels fit, which a perfect one may, too
    assert verdicts["lowest_at_180"] == "not informative"
    assert verdicts["level_is_best"] == "not reproduced"
    assert verdicts["lowest_at_180_turned"] != "not reproduced"
    assert verdicts["heads_alike_released"] == "not informative"
    assert verdicts["two_transitions"] == "not reproduced"
    assert verdicts["from_pretraining"] == "cannot be tested here"


def test_numbers_have_intervals_and_how_many_they_are_of(metrics):
    assert (metrics["orientation.images"], metrics["orientation.starts"]) == (240, 3)
    for name in ("minimum_from_180", "I-axial.cardinal", "IV.bluish", "transitions.two", "similarity.I_and_IV"):
        key = f"orientation.{name}"
        assert metrics[f"{key}_low"] <= metrics[key] <= metrics[f"{key}_high"]
    assert metrics["orientation.minimum_from_180"] == max(
        metrics[f"orientation.{name}.minimum_from_180"] for name in ("I", "II", "III", "IV")
    )


def test_without_lora_its_table_is_empty(measured):
    without = Orientation.of({"frozen": {}, "random": {}}).tuned.accuracy()
    assert without.empty
    assert list(without.columns) == list(measured.frozen.accuracy().columns)


def test_tables_name_images_and_starts(measured):
    assert set(measured.errors()["Starts"]) == {1, 3}
    assert (measured.frozen.accuracy()["Images"] == 240).all()
    assert measured.errors().loc["I-axial, frozen", "Plain error (degrees)"] == "-"
    assert measured.transitions().loc["I", "width"] == "-"


def test_figures_get_what_they_show(measured):
    assert [len(panel) for panel in measured.by_set().values()] == [4, 4, 2]
    assert [len(panel) for panel in measured.by_encoding().values()] == [4, 4]
    assert len(measured.losses()) == 4
    assert all(values.shape == (4, 3) for values in measured.similarities().values())
    equal = measured.colours()["equal contrast, modulo 180"]
    assert np.ptp(equal.contrast) < 0.1


def test_what_lora_makes_of_them_may_be_left_out(stages):
    without = Orientation.of({name: arrays for name, arrays in stages.items() if name != "lora"})
    assert list(without.by_set()) == ["sees all, answers 180", "as released (frozen)"]
    verdicts = {
        entry.claim.name: entry.verdict for entry in Ledger.of(without.metrics(), against=claims(PAPER)).entries
    }
    assert verdicts["heads_alike"] == verdicts["lowest_at_180_tuned"] == "cannot be tested here"


def test_what_was_not_fitted_is_named(measured):
    with pytest.raises(CompanionError, match="nothing was fitted as 'II'; choose one of I, IV, I-axial, IV-axial"):
        measured.random["II"]
