import json
import re

import pytest
import torch
from huggingface_hub import ModelCard, ModelCardData
from peft import PeftModel
from safetensors.torch import load_file
from transformers import ViTModel

from paper_utils.errors import CompanionError
from paper_utils.files import write_json
from paper_utils.models import exports
from paper_utils.models.regressor import build_regressor, merged
from tests.conftest import SCALE
from tests.families import new_model


@pytest.fixture
def folder(regressor, tiny_backbone, tmp_path):
    exports.save_adapter(regressor, tmp_path / "adapter", backbone=tiny_backbone)
    return tmp_path / "adapter"


def test_a_folder_holds_peft_s_files_the_head_and_the_card(folder):
    assert sorted(file.name for file in folder.iterdir()) == sorted(exports.ADAPTER_FILES)


def test_peft_alone_reads_the_adapter(folder, regressor, images, tiny_backbone):
    """Oracle: peft's own loader on the backbone, and the head applied by hand."""
    vit = PeftModel.from_pretrained(ViTModel.from_pretrained(tiny_backbone, add_pooling_layer=False), folder).eval()
    stored = load_file(folder / "head.safetensors")
    with torch.no_grad():
        hidden = vit(pixel_values=images.float() / 255).last_hidden_state[:, 0]
        for layer in (0, 2, 4):
            hidden = hidden @ stored[f"head.{layer}.weight"].T + stored[f"head.{layer}.bias"]
            hidden = hidden.relu() if layer < 4 else hidden
        assert (hidden - regressor(images)).abs().max() < 1e-6
        expected = hidden * torch.tensor(SCALE.std).float() + torch.tensor(SCALE.mean).float()
        torch.testing.assert_close(hidden * stored["label_std"] + stored["label_mean"], expected)


def test_what_the_card_says_to_do_predicts(folder, regressor, images, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)[1]
    monkeypatch.chdir(folder)
    names = {}
    exec(code, names)
    found = names["predict"](images.float() / 255)
    with torch.no_grad():
        torch.testing.assert_close(found, regressor.predict(images), atol=1e-4, rtol=0)


def test_the_hub_reads_the_card_s_metadata(folder, regressor, tmp_path):
    exports.save_adapter(regressor, tmp_path / "hub", backbone="google/vit-base-patch16-224")
    for place, base in ((folder, None), (tmp_path / "hub", "google/vit-base-patch16-224")):
        card = ModelCard.load(place / "README.md")
        assert isinstance(card.data, ModelCardData)
        assert (card.data.library_name, card.data.license, card.data.base_model) == ("peft", "mit", base)
        assert "arxiv:2503.18762" in card.data.tags
        assert ModelCardData(**card.data.to_dict()).to_yaml() == card.data.to_yaml()
        assert card.text.lstrip().startswith("# Chirps off spectrogram images")


def test_the_embedded_backbone_is_named_without_this_machine(tmp_path):
    model = build_regressor("embedded", SCALE, seed=0)
    exports.save_adapter(model, tmp_path, backbone="embedded")
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "data/backbone"
    assert config["target_modules"] == ["q_proj", "v_proj"]
    assert ModelCard.load(tmp_path / "README.md").data.base_model is None
    card = (tmp_path / "README.md").read_text()
    assert "rank 8, alpha 16, dropout 0.1, on the queries and values of 12 layers" in card
    assert "mean 22.00, 50.00, 50.00 and standard deviation 13.00, 29.00, 31.00" in card


def test_an_adapter_of_another_family_is_refused(tmp_path):
    new_model("dinov2").save_pretrained(tmp_path)
    with pytest.raises(CompanionError, match="there is no model card for an adapter of DINOv2; give a model on a ViT"):
        exports.save_adapter(build_regressor(str(tmp_path), SCALE, seed=0), tmp_path, backbone=str(tmp_path))


def test_writing_again_gives_the_same_bytes(folder, regressor, tiny_backbone):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    exports.save_adapter(regressor, folder, backbone=tiny_backbone)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_merged_model_has_no_adapter(regressor, tmp_path):
    with pytest.raises(CompanionError, match="no LoRA to write as an adapter; give the one from before merging"):
        exports.save_adapter(merged(regressor), tmp_path / "adapter", backbone="embedded")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(regressor, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CompanionError, match=r"cannot write .*file/adapter_config\.json"):
        exports.save_adapter(regressor, tmp_path / "file", backbone="embedded")


def test_the_card_of_a_model_on_normalised_pixels_says_how(images, tmp_path):
    """Oracle: the card's own code on the plain backbone, and the folded regressor."""
    backbone = tmp_path / "vit"
    new_model("vit", image_size=224).save_pretrained(backbone)
    with pytest.raises(CompanionError, match="there is no preprocessor_config.json in "):
        build_regressor(str(backbone), SCALE, seed=0, pixels="backbone")
    write_json(backbone / "preprocessor_config.json", {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 0.2]})
    model = build_regressor(str(backbone), SCALE, seed=0, pixels="backbone").eval()
    exports.save_adapter(model, tmp_path / "adapter", backbone=str(backbone), pixels="backbone")
    card = (tmp_path / "adapter" / "README.md").read_text()
    assert "pixels scaled to 0..1, then less [0.5, 0.4, 0.3], divided by [0.5, 0.25, 0.2] (red, green, blue) |" in card
    names = {}
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1].replace('".", ', f'"{tmp_path / "adapter"}", ')
    exec(code, names)
    with torch.no_grad():
        found, expected = names["predict"](images.float() / 255), model.predict(images)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
