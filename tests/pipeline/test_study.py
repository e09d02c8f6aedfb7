from dataclasses import replace

import pytest

from paper_utils.errors import CompanionError
from paper_utils.pipeline import study
from paper_utils.pipeline.profiles import get_profile
from paper_utils.training import evaluation
from paper_utils.training import fine_tuning as training


@pytest.fixture
def profile(tiny_backbone):
    smoke = get_profile("smoke", backbone=tiny_backbone)
    return replace(smoke, epochs=1, images_per_epoch=8, validation_images=6, test_images=6, micro_batch=4, workers=0)


def test_a_variant_is_trained_once_and_again_for_other_code(profile, tmp_path, monkeypatch):
    first = study.run_variant(profile, "lora_2", tmp_path, key="one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lora_2.json", "lora_2.safetensors"]
    assert first["settings"]["repeat"] == 1
    calls = []
    fine_tune = training.fine_tune
    monkeypatch.setattr(training, "fine_tune", lambda *a, **o: calls.append(a) or fine_tune(*a, **o))
    assert study.run_variant(profile, "lora_2", tmp_path, key="one") == first
    assert not calls
    study.run_variant(profile, "lora_2", tmp_path, key="two")
    assert len(calls) == 1


def test_repeats_start_elsewhere_and_are_judged_on_the_same_images(profile):
    again = study.variant_profile(profile, study.VARIANTS["lora_2"])
    assert training._training_seed(again) != training._training_seed(profile)
    assert evaluation.held_out(again, range(5)).seed == evaluation.held_out(profile, range(5)).seed


def test_controls_train_what_they_say(profile, tmp_path):
    results = {name: study.run_variant(profile, name, tmp_path, key="k") for name in ("head_only", "all_weights")}
    lora = study.run_variant(profile, "lora_3", tmp_path, key="k")
    counts = [results["head_only"], lora, results["all_weights"]]
    assert sorted(result["trained_parameters"] for result in counts) == [r["trained_parameters"] for r in counts]
    assert results["all_weights"]["settings"]["learning_rate"] != profile.learning_rate


def test_an_unknown_variant_is_named(profile, tmp_path):
    with pytest.raises(CompanionError, match="unknown variant 'lora_9'; choose from lora_2"):
        study.run_variant(profile, "lora_9", tmp_path, key="k")
