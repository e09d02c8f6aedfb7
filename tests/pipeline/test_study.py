from dataclasses import replace

import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import read_json
from paper_utils.pipeline import probes, study
from paper_utils.pipeline.profiles import get_profile
from paper_utils.training import fine_tuning
from paper_utils.training.evaluation import held_out


@pytest.fixture
def work(tiny_backbone, monkeypatch):
    """Golden inputs whose profile fine-tunes the tiny backbone."""
    golden = probes.golden()
    profile = replace(
        get_profile("smoke", backbone=tiny_backbone),
        epochs=1,
        images_per_epoch=8,
        validation_images=6,
        test_images=6,
        micro_batch=4,
        workers=0,
    )
    monkeypatch.setattr(golden, "profile", profile)
    return golden


def test_repeats_start_elsewhere_and_are_judged_on_the_same_images():
    profile = get_profile("smoke")
    again = study.variant_profile(profile, study.VARIANTS["lora_2"])
    assert fine_tuning._training_seed(again) != fine_tuning._training_seed(profile)
    assert held_out(again, range(5)).seed == held_out(profile, range(5)).seed


def test_controls_train_what_they_say(work, tmp_path):
    counts = []
    for name in ("head_only", "all_weights"):
        study.maker(name)(work, tmp_path / f"{name}.json")
        content = read_json(tmp_path / f"{name}.json")
        assert content["title"] == study.VARIANTS[name].title
        assert "metrics" not in content
        counts.append(content["trained_parameters"])
    assert counts[0] < counts[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all_weights.json", "head_only.json"]


def test_an_unknown_variant_is_named():
    with pytest.raises(CompanionError, match="unknown variant 'lora_9'; choose from lora_2"):
        study.maker("lora_9")


def test_random_weights_get_published_pixels():
    profile = get_profile("smoke", pixels="backbone")
    found = {name: study.variant_profile(profile, variant).pixels for name, variant in study.VARIANTS.items()}
    assert {name for name, pixels in found.items() if pixels == "published"} == {"random_lora"}
