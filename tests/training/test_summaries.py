import json
from pathlib import Path

import numpy as np
import pytest

from paper_utils.data.chirps import TARGETS, draw_chirp
from paper_utils.data.dataset import split_seed
from paper_utils.models.regressor import load_regressor, merged
from paper_utils.training.comparison import StudyComparison, TrainingSummary
from paper_utils.training.evaluation import Evaluation, evaluate, held_out
from paper_utils.training.history import Epoch
from paper_utils.training.summaries import (
    Accuracy,
    AccuracyByGroup,
    ErrorOnEdges,
    OracleLimits,
    StoredCheck,
)

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
SHIPPED = json.loads((REFERENCE / "results.json").read_text())
TRAINED = 156_419


def shipped(*prefixes):
    return {key: value for key, value in SHIPPED.items() if key.startswith(prefixes)}


def agrees(metrics, *prefixes):
    assert metrics == pytest.approx(shipped(*prefixes), rel=1e-9, nan_ok=True)


@pytest.fixture(scope="module")
def evaluation():
    arrays = np.load(REFERENCE / "evaluation.npz")
    return Evaluation(arrays["predictions"], arrays["labels"], float(arrays["seconds"]))


@pytest.fixture(scope="module")
def chirps():
    return [draw_chirp(split_seed(42, "test"), index)[0] for index in range(2000)]


@pytest.fixture(scope="module")
def history():
    return [Epoch(**epoch) for epoch in json.loads((REFERENCE / "history.json").read_text())]


@pytest.fixture(scope="module")
def shipped_model():
    return merged(load_regressor(REFERENCE / "model.safetensors"))


@pytest.fixture(scope="module")
def comparison(evaluation, history):
    names = "lora_2", "lora_3", "random_lora", "head_only", "all_weights", "sound_edges"
    study = [json.loads((REFERENCE / "study" / f"{name}.json").read_text()) for name in names]
    return StudyComparison.of(study, history=history, accuracy=Accuracy.of(evaluation), trained_parameters=TRAINED)


def test_the_training_is_the_shipped_one(history, shipped_model):
    summary = TrainingSummary.of(history, model=shipped_model, trained_parameters=TRAINED, batch=16)
    agrees(summary.metrics(), "training.")
    values = summary.table()["Value"]
    assert list(values) == ["156,419", "5,607,107", "24,576", "0.026", "0.708 to 0.109", "768"]


def test_accuracy_is_the_shipped_one(evaluation):
    accuracy = Accuracy.of(evaluation)
    agrees(accuracy.metrics(), *(f"accuracy.{name}" for name in (*TARGETS, "images")))
    row = accuracy.table().loc["start time"]
    assert list(row) == ["0.983", "0.978 to 0.988", "1.21 s", "-0.09 s", 2000]


def test_constant_predictions_have_no_correlation():
    labels = np.random.default_rng(0).normal(size=(9, 3))
    table = Accuracy.of(Evaluation(np.zeros((9, 3)), labels, 1.0)).table()
    assert set(table["Pearson r"]) == {"undefined"}


def test_images_on_edges_are_the_shipped_ones(evaluation, chirps):
    edges = ErrorOnEdges.of(evaluation, chirps)
    agrees(edges.metrics(), "ceiling.images.")
    table = edges.table()
    assert list(table.iloc[0]) == [2000, "1.2", "2.4", "2.5"]
    assert list(table.iloc[-1]) == [324, "2.3", "5.4", "6.8"]


def test_an_edge_without_images_has_no_error(evaluation, chirps):
    few = Evaluation(evaluation.predictions[:2], evaluation.labels[:2], 0.0)
    table = ErrorOnEdges.of(few, chirps[:2]).table()
    assert list(table.loc["end clipped at 0 Hz"]) == [0, "-", "-", "-"]


def test_oracle_limits_are_the_shipped_ones(chirps):
    limits = OracleLimits.of(chirps)
    agrees(limits.metrics(), "ceiling.oracle.", "ceiling.as_drawn.")
    assert list(limits.table().iloc[1]) == ["0.9999", "1.0000", "0.9976", 2000]


def test_groups_and_their_share_of_the_loss_are_the_shipped_ones(evaluation, chirps):
    groups = AccuracyByGroup.of(evaluation, chirps)
    agrees(groups.metrics(), "accuracy_by.", "share_of_loss.")
    assert list(groups.table().loc["steepness 4 and more"])[:3] == [179, "9", "64"]
    assert list(groups.detectability()["Value"]) == ["6.0", "1,988", "2,000"]
    low, high = groups.intervals()["signal to noise 0 to 8 (48)"]["start_time"][1:]
    assert low < SHIPPED["accuracy_by.signal to noise 0 to 8.start_time.pearson_r"] < high


def test_groups_of_few_images_have_no_correlation(evaluation, chirps):
    few = Evaluation(evaluation.predictions[:12], evaluation.labels[:12], 0.0)
    groups = AccuracyByGroup.of(few, chirps[:12])
    small = {name for name, count in groups.images.items() if count < 4}
    assert small
    assert not small & set(groups.scores)
    table = groups.table()
    assert set(table.loc[sorted(small), "r of start time"]) == {"too few images"}


def test_training_seeds_are_the_shipped_ones(comparison):
    agrees(comparison.metrics(), "starts.")
    table = comparison.seed_table()
    assert list(table.loc["start time"]) == ["0.984", "0.0004", 3, 2000]
    assert {target: len(r) for target, r in comparison.seeds().items()} == dict.fromkeys(TARGETS, 3)


def test_every_way_of_training_has_a_row_and_a_curve(comparison):
    table = comparison.table()
    assert table.index[0] == "LoRA, first training seed"
    assert len(table) == 7
    assert list(comparison.curves()) == list(table.index)
    random = table.loc["LoRA on a random backbone"]
    assert list(random) == ["156,419", "24,576", "never", *["undefined"] * 3, 2000]
    assert table.loc["all weights", "Trained parameters"] == "5,607,107"
    assert table.iloc[0]["Images to reach r 0.9"] == "1,024"


def test_stored_predictions_are_those_of_the_model(tiny_profile, model):
    stored = evaluate(model, held_out(tiny_profile, range(3)), workers=0)
    assert StoredCheck.of(model, tiny_profile, stored, count=2).table()["Value"].to_list() == ["2", "yes"]
    other = Evaluation(stored.predictions + 3, stored.labels, 0.0)
    assert StoredCheck.of(model, tiny_profile, other, count=2).table()["Value"].to_list() == ["2", "no"]
