import dataclasses
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.models import regressor as models
from paper_utils.models.backbone import NAMED, checksums
from tests.conftest import SCALE
from tests.families import new_model


def test_only_lora_and_head_learn(regressor):
    learning = [name for name, parameter in regressor.named_parameters() if parameter.requires_grad]
    assert {("lora_" in name) or name.startswith("head.") for name in learning} == {True}
    lora = [name for name in learning if "lora_" in name]
    assert len(lora) == 2 * 2 * 2  # layers, projections, matrices
    assert all("q_proj" in name or "v_proj" in name for name in lora)


def test_head_is_the_published_one(regressor):
    shapes = [tuple(layer.weight.shape) for layer in regressor.head if hasattr(layer, "weight")]
    assert shapes == [(256, 24), (128, 256), (3, 128)]


def test_merged_is_the_same_function(regressor, images):
    with torch.no_grad():
        assert torch.allclose(regressor(images), models.merged(regressor)(images), atol=1e-5)


def test_merging_a_merged_model_copies_it(model, images):
    again = models.merged(model)
    assert again is not model
    with torch.no_grad():
        assert torch.equal(again(images), model(images))


def test_lora_is_w_plus_ba(regressor):
    wrapped = regressor.layers[0].attention.q_proj
    expected = wrapped.weight + 16 / 8 * wrapped.lora_B["default"].weight @ wrapped.lora_A["default"].weight
    assert torch.allclose(models.merged(regressor).layers[0].attention.q_proj.weight, expected, atol=1e-6)


def test_saved_model_comes_back(regressor, images, tiny_backbone, tmp_path):
    path = tmp_path / "model.safetensors"
    models.save_regressor(regressor, path, backbone=tiny_backbone)
    with torch.no_grad():
        assert torch.equal(models.load_regressor(path).predict(images), regressor.predict(images))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_wrong_keys_are_refused(regressor, tiny_backbone, tmp_path):
    path = tmp_path / "model.safetensors"
    models.save_regressor(regressor, path, backbone=tiny_backbone)
    tensors = load_file(path)
    tensors["head.9.weight"] = tensors.pop("head.0.weight")
    save_file(tensors, path, metadata={"backbone": tiny_backbone})
    with pytest.raises(CompanionError, match=r"head\.0\.weight"):
        models.load_regressor(path)
    with pytest.raises(CompanionError, match="does not fit"):
        models.load_regressor(path, backbone="embedded")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda weight: weight.mul(torch.nan), r"model\.safetensors is damaged: head\.0\.weight is not finite"),
        (lambda weight: weight.to(torch.int32), r"of another shape or type, the first is head\.0\.weight"),
    ],
)
def test_damaged_weights_are_named(regressor, tiny_backbone, tmp_path, damage, said):
    path = tmp_path / "model.safetensors"
    models.save_regressor(regressor, path, backbone=tiny_backbone)
    tensors = load_file(path)
    save_file(tensors | {"head.0.weight": damage(tensors["head.0.weight"])}, path, metadata={"backbone": tiny_backbone})
    with pytest.raises(CompanionError, match=said):
        models.load_regressor(path)


def test_finite_weights_whose_predictions_are_not_are_refused(regressor, images):
    with torch.no_grad():
        regressor.head[0].weight.fill_(3e38)
    with pytest.raises(CompanionError, match="predictions are not finite: .*; give another model"):
        regressor.predict(images)


def test_a_model_that_names_no_backbone_is_refused(regressor, tiny_backbone, tmp_path):
    path = tmp_path / "model.safetensors"
    models.save_regressor(regressor, path, backbone=tiny_backbone)
    assert models.named_backbone(path) == tiny_backbone
    save_file(load_file(path), path)
    with pytest.raises(CompanionError, match="names no backbone; give the one that it was trained on"):
        models.load_regressor(path)


def test_truncated_model_is_refused(regressor, tiny_backbone, tmp_path):
    path = tmp_path / "model.safetensors"
    models.save_regressor(regressor, path, backbone=tiny_backbone)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CompanionError, match="cannot read the model"):
        models.load_regressor(path)


def test_a_model_whose_end_was_lost_is_refused(regressor, tiny_backbone, tmp_path):
    path = tmp_path / "model.safetensors"
    models.save_regressor(regressor, path, backbone=tiny_backbone)
    tensors = load_file(path)
    metadata = {"backbone": tiny_backbone}
    save_file(tensors | {"label_std": torch.zeros(3)}, path, metadata=metadata)
    with pytest.raises(CompanionError, match="is damaged: a standard deviation of its labels is not above 0"):
        models.load_regressor(path)


def test_embedded_backbone_has_the_papers_grid_of_heads():
    model = models.build_regressor("embedded", SCALE, seed=0)
    assert (len(model.layers), model.vit.config.num_attention_heads) == (12, 12)
    assert (model.vit.config.hidden_size, model.vit.config.patch_size, model.vit.config.image_size) == (192, 16, 224)


def test_damaged_backbone_is_named(monkeypatch, tmp_path):
    folder = shutil.copytree(NAMED["embedded"].folder, tmp_path / "backbone")
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    monkeypatch.setitem(NAMED, "embedded", dataclasses.replace(NAMED["embedded"], folder=folder))
    with pytest.raises(CompanionError, match=r"model\.safetensors is damaged"):
        models.load_backbone("embedded")
    weights.unlink()
    with pytest.raises(CompanionError, match=r"lacks .*model\.safetensors"):
        models.load_backbone("embedded")


def test_the_backbone_of_photographs_goes_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setitem(NAMED, "photographs", dataclasses.replace(NAMED["photographs"], folder=tmp_path))
    with pytest.raises(CompanionError, match="make it with `make backbone-photographs`"):
        models.load_backbone("photographs")
    new_model("dinov2").save_pretrained(tmp_path)
    write_json(tmp_path / "conversion.json", checksums(tmp_path))
    assert models.load_backbone("photographs").config.model_type == "dinov2"


def test_a_folder_that_is_no_vit_is_refused(tmp_path):
    with pytest.raises(CompanionError, match="cannot load the backbone"):
        models.load_backbone(str(tmp_path))


def test_a_hub_name_without_network_is_named(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CompanionError, match="'google/no-such-vit'.*there is no such folder here; .*go online once"):
        models.load_backbone("google/no-such-vit")


def test_what_is_trained_is_what_was_asked_for(tiny_backbone):
    def trained(kind):
        model = models.build_regressor(tiny_backbone, SCALE, seed=1, trained=kind)
        return {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad}, model

    assert trained("head")[0] == {"head"}
    every, model = trained("all")
    assert every == {"head", "vit"}
    assert all(p.requires_grad for p in model.parameters())
    assert all("lora" in name for name, p in trained("lora")[1].vit.named_parameters() if p.requires_grad)
    with pytest.raises(CompanionError, match="cannot train 'half'; choose 'lora', 'head' or 'all'"):
        models.build_regressor(tiny_backbone, SCALE, seed=1, trained="half")


def test_a_random_backbone_has_the_embedded_shape_and_other_weights():
    random, embedded = (models.build_regressor(name, SCALE, seed=1, trained="head") for name in ("random", "embedded"))
    weights = [model.layers[3].attention.q_proj.weight for model in (random, embedded)]
    assert weights[0].shape == weights[1].shape
    assert not torch.allclose(*weights, atol=1e-2)
