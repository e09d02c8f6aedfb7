import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy import stats

from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.pipeline.profiles import get_profile
from paper_utils.training import evaluation
from paper_utils.training import fine_tuning as training
from tests.families import new_model


def test_accuracy_against_the_formulas():
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(200, 3))
    predictions = labels + rng.normal(size=(200, 3)) * 0.5 + [0.0, 1.0, -2.0]
    scores = evaluation.accuracy(evaluation.Evaluation(predictions, labels, 1.0))
    for column, score in enumerate(scores.values()):
        r = np.corrcoef(predictions[:, column], labels[:, column])[0, 1]
        assert score["pearson_r"] == pytest.approx(r)
        half = stats.norm.ppf(0.975) / np.sqrt(200 - 3)  # Fisher's interval, which suits normal errors
        assert score["pearson_r_low"] == pytest.approx(np.tanh(np.arctanh(r) - half), abs=0.01)
        assert score["pearson_r_high"] == pytest.approx(np.tanh(np.arctanh(r) + half), abs=0.01)
        assert score["bias"] == pytest.approx((predictions - labels)[:, column].mean())


def test_concatenated_evaluations_are_those_of_one_set():
    rng = np.random.default_rng(1)
    whole = evaluation.Evaluation(rng.normal(size=(9, 3)), rng.normal(size=(9, 3)), 3.0)
    parts = [
        evaluation.Evaluation(whole.predictions[some], whole.labels[some], 1.5) for some in (slice(4), slice(4, 9))
    ]
    found = evaluation.concatenate(parts)
    assert np.array_equal(found.predictions, whole.predictions)
    assert np.array_equal(found.labels, whole.labels)
    assert found.seconds == whole.seconds


def test_titles_of_late_training_images_have_at_most_five_digits():
    for profile in ("laptop", "paper"):
        settings = replace(get_profile(profile), images_per_epoch=64)
        data, _ = training._epoch_images(settings, 99)
        assert max(data.numbers) < 100_000


def test_a_loss_that_is_not_finite_stops_training(tiny_profile, tmp_path):
    with pytest.raises(CompanionError, match="lower the learning rate"):
        training.fine_tune(replace(tiny_profile, learning_rate=float("inf")), tmp_path / "e.pt")


def test_parts_of_a_batch_add_up_to_its_step(tiny_profile, tmp_path, monkeypatch):
    from paper_utils.models import regressor as models

    monkeypatch.setattr(models.LORA, "lora_dropout", 0.0)  # dropout would draw differently for each part
    weights = []
    for micro in (8, 3):
        profile = replace(tiny_profile, epochs=1, micro_batch=micro)
        model, _ = training.fine_tune(profile, tmp_path / f"{micro}.pt")
        weights.append(model.head[0].weight.detach())
    assert torch.allclose(*weights, atol=1e-5)


def test_each_image_counts_by_its_weight(tiny_profile, tmp_path, monkeypatch):
    """Oracle: squared errors of a model that learns nothing, weighted by hand."""
    images, weights = training._epoch_images(tiny_profile, 0)
    weights = np.arange(len(weights)) / 3.5
    monkeypatch.setattr(training, "_epoch_images", lambda profile, epoch: (images, weights))
    profile = replace(tiny_profile, epochs=1, learning_rate=1e-12)
    model, (epoch,) = training.fine_tune(profile, tmp_path / "f.pt")
    checked = evaluation.evaluate(model, images, workers=0)
    squares = (((checked.predictions - checked.labels) / model.label_std.numpy()) ** 2).mean(1)
    assert epoch.train_loss == pytest.approx(np.average(squares, weights=weights), rel=0.02)
    assert epoch.train_loss != pytest.approx(squares.mean(), rel=0.02)


def test_accuracy_of_a_subset_is_that_of_the_subset_alone():
    rng = np.random.default_rng(1)
    labels, noise = rng.normal(size=(2, 60, 3))
    whole = evaluation.Evaluation(labels + noise, labels, 1.0)
    mask = np.arange(60) < 20
    part = evaluation.Evaluation(whole.predictions[:20], labels[:20], 1.0)
    assert evaluation.accuracy(whole, chosen=mask) == evaluation.accuracy(part)


@pytest.mark.filterwarnings("error")
def test_constant_predictions_have_no_r():
    labels = np.random.default_rng(2).normal(size=(20, 3))
    predictions = labels * [1, 0, 1] + [0, 3, 0]
    start, frequency, end = evaluation.accuracy(evaluation.Evaluation(predictions, labels, 1.0)).values()
    assert np.isnan([frequency[f"pearson_r{which}"] for which in ("", "_low", "_high")]).all()
    assert frequency["bias"] == pytest.approx(3 - labels[:, 1].mean())
    assert [start["pearson_r"], end["pearson_r"]] == pytest.approx([1, 1])


def test_parallel_threads_train_the_same_weights_as_one(tiny_profile, tmp_path):
    """With dropout, whose masks must not depend on the order of the parts."""
    profile, before, weights = replace(tiny_profile, epochs=1, micro_batch=2), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            model, _ = training.fine_tune(profile, tmp_path / f"{threads}.pt")
            weights.append(torch.cat([parameter.flatten() for parameter in model.parameters()]))
    finally:
        torch.set_num_threads(before)
    assert torch.allclose(weights[0], weights[1], atol=1e-5)
    assert torch.allclose(weights[0], weights[2], atol=1e-5)


def test_mixed_precision_in_parallel_gives_the_same_loss(tiny_profile, tmp_path, monkeypatch):
    monkeypatch.setattr("paper_utils.models.vit.has_mixed_precision", lambda device: True)
    profile, before, losses = replace(tiny_profile, epochs=1, micro_batch=2), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            _, (epoch,) = training.fine_tune(profile, tmp_path / f"{threads}.pt")
            losses.append(epoch.train_loss)
    finally:
        torch.set_num_threads(before)
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_float16_trains_like_float32_with_a_scaled_loss(tiny_profile, tmp_path, monkeypatch):
    """On the CPU, which has float16 too: no GPU is needed to see that scaling is undone before clipping and steps."""
    weights, losses = [], []
    for name, half in (("float32", None), ("float16", torch.float16)):
        monkeypatch.setattr("paper_utils.models.vit.has_mixed_precision", lambda device, half=half: half is not None)
        monkeypatch.setattr("paper_utils.models.vit.half_precision", lambda device: torch.float16)
        model, history = training.fine_tune(replace(tiny_profile, learning_rate=1e-4), tmp_path / f"{name}.pt")
        state = torch.load(tmp_path / f"{name}.pt", weights_only=True)["schedule"]["scaler"]
        assert bool(state) == (name == "float16")
        weights.append(torch.cat([one.flatten() for one in model.parameters()]))
        losses.append([epoch.train_loss for epoch in history])
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert torch.allclose(*weights, atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "sizes"), [("vit", "64 pixels in patches of 16"), ("dinov2", "60 pixels in patches of 15")]
)
def test_a_backbone_for_other_images_is_refused_before_training(tiny_profile, tmp_path, kind, sizes):
    changes = {"dinov2": {"image_size": 60, "patch_size": 15}}.get(kind, {})  # 15 does not divide 224
    new_model(kind, **changes).save_pretrained(tmp_path / "backbone")
    profile = replace(tiny_profile, backbone=str(tmp_path / "backbone"))
    with pytest.raises(CompanionError, match=f"takes images of {sizes}, not those of 224 that are drawn"):
        training.fine_tune(profile, tmp_path / "state.pt")
    assert not (tmp_path / "state.pt").exists()


@pytest.mark.parametrize("kind", ["dinov2", "siglip_vision_model", "vit_mae"])
def test_other_families_learn(tiny_profile, tmp_path, kind):
    new_model(kind, image_size=224, patch_size=14 if kind == "dinov2" else 32).save_pretrained(tmp_path / "backbone")
    model, history = training.fine_tune(
        replace(tiny_profile, backbone=str(tmp_path / "backbone")), tmp_path / "state.pt"
    )
    assert np.isfinite([epoch.train_loss for epoch in history]).all()
    assert all(block.value.lora_B["default"].weight.abs().max() > 0 for block in model.blocks)


def test_pixels_are_normalised_as_the_recipe_says(tiny_profile, tiny_backbone, tmp_path):
    """Oracle: training on a backbone into which (x - 1/2) / (1/4) was folded by hand gives the same losses."""
    by_file, by_hand = (Path(shutil.copytree(tiny_backbone, tmp_path / name)) for name in ("file", "hand"))
    write_json(by_file / "preprocessor_config.json", {"image_mean": [0.5] * 3, "image_std": [0.25] * 3})
    tensors = load_file(by_hand / "model.safetensors")
    weight, bias = (f"embeddings.patch_embeddings.projection.{name}" for name in ("weight", "bias"))
    tensors[bias] -= tensors[weight].sum((1, 2, 3)) * 2
    tensors[weight] *= 4
    save_file(tensors, by_hand / "model.safetensors", metadata={"format": "pt"})
    short = replace(tiny_profile, epochs=1)
    runs = {
        "file": replace(short, backbone=str(by_file), pixels="backbone"),
        "hand": replace(short, backbone=str(by_hand)),
        "neither": replace(short, backbone=str(by_file)),
    }
    losses = {
        name: training.fine_tune(recipe, tmp_path / f"{name}.pt")[1][0].batch_losses for name, recipe in runs.items()
    }
    assert losses["file"] == pytest.approx(losses["hand"], rel=1e-3)
    assert losses["neither"] != pytest.approx(losses["hand"], rel=1e-2)
