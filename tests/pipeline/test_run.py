import dataclasses
import json

import pytest
import torch
from matplotlib.figure import Figure

from paper_utils import Run
from paper_utils.errors import CompanionError
from paper_utils.files import read_json, write_json
from paper_utils.models.backbone import NAMED
from paper_utils.pipeline import cache, compared
from paper_utils.pipeline.figures import SHIP_TO
from paper_utils.pipeline.made_by import made_by
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import REFERENCES, reference_of
from paper_utils.pipeline.seeds import SEEDS
from paper_utils.pipeline.stages import STAGES, data_files, settings_of
from tests.families import new_model, plain


def test_unknown_names_are_refused():
    with pytest.raises(CompanionError, match="unknown profile 'desktop'; choose one of smoke, laptop, paper"):
        Run("desktop")
    with pytest.raises(CompanionError, match="unknown source 'stale'; choose one of reference, checkpoint, seeds"):
        Run("laptop", "stale")
    with pytest.raises(CompanionError, match="only the laptop profile"):
        Run("smoke", "reference")


def test_two_backbones_ship_results(tmp_path):
    for name, reference in REFERENCES.items():
        folder = reference.folder
        run = Run("laptop", backbone=name, root=tmp_path)
        assert (run.ships, run.results.folder) == (True, folder)
        assert Run("laptop", "checkpoint", backbone=name, root=tmp_path).results.checkpoint.folder == folder
        assert Run("laptop", "seeds", backbone=name, root=tmp_path).folder == f"{run.profile.folder}+seeds"
        assert reference_of(get_profile("smoke", backbone=name)) is None


def test_a_run_without_a_shipped_model_comes_from_seeds(tiny_backbone, tmp_path):
    assert Run("smoke", "checkpoint", root=tmp_path).source == "seeds"
    assert Run("laptop", "checkpoint", backbone=tiny_backbone, root=tmp_path).source == "seeds"
    assert Run("laptop", "checkpoint", root=tmp_path).source == "checkpoint"


def test_runs_of_two_sources_have_folders_of_their_own(tmp_path):
    folders = [Run("laptop", source, root=tmp_path).build.name for source in ("checkpoint", "seeds")]
    assert folders == ["laptop", "laptop+seeds"]


def test_two_backbones_of_one_name_have_two_folders(tmp_path):
    folders = set()
    for parent in ("a", "b"):
        (tmp_path / parent / "vit").mkdir(parents=True)
        folders.add(Run("smoke", "seeds", backbone=str(tmp_path / parent / "vit"), root=tmp_path).build.name)
    assert len(folders) == 2
    assert all(name.startswith("smoke+vit-") for name in folders)


def test_overwritten_weights_are_another_backbone(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "probe_numbers", lambda name: {})
    folder = tmp_path / "vit"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"one")
    (folder / "model.safetensors.index.json").write_text("{}")  # which shard holds a tensor
    profile = get_profile("smoke", backbone=str(folder))
    stage = STAGES["fine_tuning"]
    names = ["config.json", "model.safetensors", "model.safetensors.index.json"]
    assert [path.name for path in data_files(stage, profile)] == names
    (tmp_path / "model.safetensors").write_bytes(b"tuned")
    (tmp_path / "history.json").write_text("[]")
    stamp = cache.stamp_of(stage, profile, tmp_path, {}, {"when": "2026-11-30", "seconds": 1.0, "peak_memory_mib": 100})
    assert cache.state_of(stage, profile, tmp_path, stamp, {}).state == "fresh"
    before = cache.unfinished_name("fine_tuning", profile)
    (folder / "model.safetensors").write_bytes(b"two")
    assert cache.state_of(stage, profile, tmp_path, stamp, {}).why == "model.safetensors has another content"
    assert cache.unfinished_name("fine_tuning", profile) != before  # a checkpoint of the other is not taken up


def test_a_named_backbone_is_read_from_its_own_folder(tmp_path, monkeypatch):
    (tmp_path / "photographs").mkdir()
    monkeypatch.chdir(tmp_path)  # where a folder has the same name
    monkeypatch.setitem(NAMED, "photographs", dataclasses.replace(NAMED["photographs"], folder=tmp_path))
    for name in ("config.json", "model.safetensors", "conversion.json"):
        (tmp_path / name).write_text("{}")
    profile = get_profile("smoke", backbone="photographs")
    assert (profile.backbone, profile.folder) == ("photographs", "smoke+photographs")
    assert data_files(STAGES["fine_tuning"], profile) == [tmp_path / "config.json", tmp_path / "model.safetensors"]
    assert get_profile("smoke", backbone="embedded") == get_profile("smoke")


def test_settings_are_those_of_the_stage_alone():
    smoke = get_profile("smoke")
    assert settings_of(STAGES["protocols"], smoke).keys() == {"seed", "binning", "resizing", "common_images"}
    assert "workers" not in settings_of(STAGES["fine_tuning"], smoke)
    assert settings_of(STAGES["study/all_weights"], smoke)["trained"] == "all"
    assert json.loads(json.dumps(settings_of(STAGES["fine_tuning"], get_profile("paper"))))["patience"] == [3, 4]


def test_every_setting_of_a_profile_belongs_to_a_stage():
    known = {name for stage in STAGES.values() for name in stage.settings}
    # the backbone's content is an input, its name names the folder; maps are made on the fly
    free = {"name", "proves", "workers", "backbone", "map_images"}
    assert set(get_profile("laptop").as_dict()) - free == known - free


def test_a_missing_shipped_result_is_named():
    run = Run()
    run.results.folder = REFERENCES["embedded"].folder / "gone"
    with pytest.raises(CompanionError, match=r"evaluation\.npz is missing; .*`git checkout data/reference/gone"):
        run.evaluation()


def test_a_run_on_shipped_results_writes_nothing(tmp_path):
    run = Run(notebook="04_head_ablation", root=tmp_path)
    assert run.show(Figure(), "figure_4") is not None
    assert not list(tmp_path.iterdir())


def test_shipped_figures_are_drawn_from_shipped_results_where_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv(SHIP_TO, str(tmp_path / "shipped"))
    run = Run(notebook="04_head_ablation", root=tmp_path)
    for name in ("figure_4", "effect_intervals"):
        run.show(Figure(), name)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["figure_4.png"]


def test_figures_are_noted_with_what_was_read(tmp_path):
    run = Run("smoke", "seeds", notebook="04_head_ablation", root=tmp_path)
    run.has_read("ablation")
    run.show(Figure(), "figure_4")
    assert (tmp_path / "figures" / "smoke" / "figure_4.png").is_file()
    record = read_json(tmp_path / "build" / "smoke" / "notebooks" / "04_head_ablation.read.json")
    own = {"stages": ["ablation"], "figures": ["figure_4"], "files": ["figure_4.pdf", "figure_4.png"]}
    assert record == own | made_by("04_head_ablation")


def test_a_figure_of_another_notebook_is_refused(tmp_path):
    run = Run("smoke", "seeds", notebook="05_prediction_shift", root=tmp_path)
    with pytest.raises(CompanionError, match="05_prediction_shift saves figure 'figure_4'"):
        run.show(Figure(), "figure_4")


def test_the_study_is_ones_own_once_it_is_whole(monkeypatch, tmp_path):
    run = Run("laptop", "seeds", root=tmp_path)
    shipped = compared.shipped()
    states = {}
    for results in (run.results, shipped):
        monkeypatch.setattr(results, "state", lambda name: states.get(name, cache.State("fresh")))
    monkeypatch.setattr(compared, "shipped", lambda backbone: shipped)
    names = [name for name in STAGES if name.startswith("study/")]
    for name in names:
        write_json(run.results.path(name), {"index": 0, "title": "own"})
    assert {content["title"] for content in run.study()} == {"own"}
    states[names[2]] = cache.State("stale")
    titles = [content["title"] for content in run.study()]
    assert titles[:3] == [
        "LoRA, second training seed",
        "LoRA, third training seed",
        "LoRA on a random backbone (by other code)",
    ]


def test_a_notebook_of_another_run_says_whose_text_it_shows(capsys, tmp_path):
    Run(notebook="04_head_ablation", root=tmp_path)
    Run("smoke", "seeds", root=tmp_path)
    assert capsys.readouterr().out == ""
    Run("smoke", "seeds", notebook="04_head_ablation", root=tmp_path)
    assert "of this run: the smoke profile on embedded." in capsys.readouterr().out


def test_a_run_stands_beside_those_that_ship_on_other_backbones(tmp_path):
    assert list(Run().backbones().ledgers) == ["embedded", "photographs"]
    assert list(Run(backbone="photographs").backbones().ledgers) == ["photographs", "embedded"]


def test_the_study_of_one_backbone_is_not_shown_beside_another(tiny_backbone, tmp_path):
    assert Run("laptop", "seeds", backbone=tiny_backbone, root=tmp_path).study() == []
    assert Run(backbone="photographs").study() == Run(backbone="photographs").other_seeds() == []


def test_other_training_seeds_are_the_shipped_ones():
    found = Run().other_seeds()
    assert len(found) == len(SEEDS)
    assert all("ablation.layer_6.mean_percent" in metrics for metrics in found)


@pytest.mark.parametrize("name", ["/does/not/exist", "./nowhere", "../no/where"])
def test_a_backbone_that_is_a_path_and_no_folder_is_named(name):
    with pytest.raises(CompanionError, match=f"there is no folder {name}"):
        get_profile("laptop", backbone=name)


def test_a_folder_that_is_missing_beside_others_is_not_taken_for_a_name_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert get_profile("laptop", backbone="models/vit").backbone == "models/vit"
    (tmp_path / "models").mkdir()
    with pytest.raises(CompanionError, match="there is no folder models/vit; give BACKBONE="):
        get_profile("laptop", backbone="models/vit")
    (tmp_path / "models" / "vit").touch()
    with pytest.raises(CompanionError, match="models/vit is a file, not a folder; give BACKBONE="):
        get_profile("laptop", backbone="models/vit")


@pytest.mark.parametrize("name", ["photograph", "vit-base", "google/vit/base", "google/"])
def test_a_backbone_that_can_be_no_name_on_the_hub_is_not_looked_up_there(name):
    with pytest.raises(CompanionError, match=f"there is no folder {name}; .*give BACKBONE= embedded, photographs"):
        get_profile("laptop", backbone=name)


def test_the_name_that_was_meant_is_guessed():
    with pytest.raises(CompanionError, match="did you mean photographs?"):
        get_profile("laptop", backbone="photograhps")


def test_pixels_have_a_folder_of_their_own_and_no_shipped_results(tiny_backbone, tmp_path):
    published, normalised = (
        Run("laptop", "checkpoint", backbone=tiny_backbone, pixels=pixels, root=tmp_path)
        for pixels in ("published", "backbone")
    )
    assert normalised.build.name == f"{published.build.name}+normalised"
    assert get_profile("paper", pixels="backbone").folder == "paper+normalised"
    assert published.profile.pixels == get_profile("paper").pixels == "published"
    assert Run("laptop", "checkpoint", pixels="backbone", root=tmp_path).source == "seeds"
    with pytest.raises(CompanionError, match="unknown pixels 'grey'; choose published or backbone"):
        Run("laptop", pixels="grey")
    with pytest.raises(
        CompanionError,
        match="only the laptop profile ships results, on published pixels and the backbones embedded and photographs",
    ):
        Run("laptop", "reference", pixels="backbone")


def test_where_a_run_was_made_says_its_pixels():
    assert Run().origin()["made with"]["pixels"] == "as published, 0 to 1"


def test_another_normalisation_is_another_backbone(tmp_path):
    for name in ("config.json", "model.safetensors", "preprocessor_config.json", "processor_config.json"):
        (tmp_path / name).write_text("{}")
    names = {
        pixels: [
            path.name
            for path in data_files(STAGES["fine_tuning"], get_profile("smoke", backbone=str(tmp_path), pixels=pixels))
        ]
        for pixels in ("published", "backbone")
    }
    assert names["published"] == ["config.json", "model.safetensors"]
    assert names["backbone"] == [*names["published"], "preprocessor_config.json", "processor_config.json"]


def test_the_backbone_of_a_run_is_folded_like_its_model(tmp_path):
    """Oracle: the model by transformers alone, on pixels normalised by hand."""
    folder = tmp_path / "vit"
    new_model("vit").save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", {"image_mean": [0.5] * 3, "image_std": [0.25] * 3})
    run = Run("smoke", "seeds", backbone=str(folder), pixels="backbone", root=tmp_path)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = plain(folder, "vit").read((images - 0.5) / 0.25)
        assert torch.allclose(run.backbone()(images).last_hidden_state[:, 0], expected, atol=1e-5)
