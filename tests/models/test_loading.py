import os
import pickle

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from paper_utils.errors import CompanionError
from paper_utils.files import read_json, write_json
from paper_utils.models.loading import check_takes_images, load_vit
from tests.families import KINDS, config_of, new_model, plain, randomised

TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 50}
OTHER_CLASSES = {  # that hold the same encoder, and more
    "ViTForImageClassification": "vit",
    "ViTForMaskedImageModeling": "vit",
    "DeiTForImageClassification": "deit",
    "DeiTForImageClassificationWithTeacher": "deit",
    "Dinov2ForImageClassification": "dinov2",
    "Dinov2WithRegistersForImageClassification": "dinov2_with_registers",
    "ViTMAEForPreTraining": "vit_mae",
    "CLIPVisionModelWithProjection": "clip_vision_model",
    "CLIPForImageClassification": "clip_vision_model",
    "CLIPModel": "clip_vision_model",
    "SiglipForImageClassification": "siglip_vision_model",
    "SiglipModel": "siglip_vision_model",
}
DINOV2_OF_ONE_LAYER = {
    "num_hidden_layers": 1,
    "out_features": ["stage1"],
    "out_indices": [1],
    "stage_names": ["stem", "stage1"],
}


def saved(model, folder, **options):
    model.save_pretrained(folder, **options)
    return str(folder)


def same(folder, kind):
    """Whether a folder is loaded as transformers alone does it, in float32."""
    found, expected = load_vit(folder).state_dict(), plain(folder, kind).vit.float().state_dict()
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
    return all(torch.equal(found[key], expected[key]) for key in found)


def change_config(folder, **changes):
    write_json(f"{folder}/config.json", read_json(f"{folder}/config.json") | changes)
    return folder


def change_tensors(folder, change):
    tensors = load_file(f"{folder}/model.safetensors")
    change(tensors)
    save_file(tensors, f"{folder}/model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"max_shard_size": "20KB"}], ids=["whole", "sharded"])
def test_safetensors_are_read(kind, options, tmp_path):
    folder = saved(new_model(kind), tmp_path, **options)
    assert len(list(tmp_path.glob("*.safetensors"))) == 1 or options
    assert (tmp_path / "model.safetensors.index.json").is_file() == bool(options)
    assert same(folder, kind)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["vit", "dinov2", "siglip_vision_model"])
def test_half_precision_becomes_float32(kind, dtype, tmp_path):
    folder = saved(new_model(kind).to(dtype), tmp_path)
    assert read_json(f"{folder}/config.json")["dtype"] == str(dtype).removeprefix("torch.")
    assert same(folder, kind)


@pytest.mark.parametrize("name", OTHER_CLASSES)
def test_the_encoder_is_taken_out_of_a_larger_model(name, tmp_path):
    kind = OTHER_CLASSES[name]
    config = config_of(kind)
    if name in ("CLIPModel", "CLIPForImageClassification", "SiglipModel", "SiglipForImageClassification"):
        whole = transformers.CLIPConfig if name.startswith("CLIP") else transformers.SiglipConfig
        config = whole(text_config=TEXT, vision_config=config.to_dict())
    assert same(saved(randomised(getattr(transformers, name)(config)), tmp_path), kind)


def test_no_patch_of_vit_mae_is_masked(tmp_path):
    vit = load_vit(saved(new_model("vit_mae", mask_ratio=0.75), tmp_path))
    output = vit(pixel_values=torch.rand(2, 3, 64, 64))
    assert output.last_hidden_state.shape == (2, 17, 24)
    assert torch.equal(output.ids_restore, torch.arange(16).expand(2, 16))
    assert not output.mask.any()


def test_sizes_that_are_given_twice_become_one_number(tmp_path):
    vit = load_vit(change_config(saved(new_model("vit"), tmp_path), image_size=[64, 64], patch_size=[16, 16]))
    assert (vit.config.image_size, vit.config.patch_size) == (64, 16)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("vit", {"model_type": "beit"}, "is of family 'beit', which is not known; give ViT, DeiT, DINOv2, "),
        ("vit", {"model_type": "siglip2"}, "is of family 'siglip2', which is not known"),
        (
            "vit",
            {"image_size": [64, 32]},
            r"has images of .64, 32. and patches of 16 pixels, which form no square grid",
        ),
        ("dinov2", {"image_size": 60}, "has images of 60 and patches of 14 pixels, which form no square grid"),
        ("vit", {"patch_size": [16, 8]}, "form no square grid"),
        ("deit", {"pruned_heads": {"0": [1]}}, "has pruned heads; give one with as many heads in every layer"),
        ("siglip_vision_model", {"vision_use_head": False}, "has no pooling head, whose output is read"),
        ("vit", {"num_hidden_layers": 3}, r"lacks 16 tensors, the first is layers\.2\.attention\.k_proj\.bias; check"),
        ("vit", {"num_hidden_layers": 1}, r"has 16 tensors that its config has no place for, the first is layers\.1\."),
        ("dinov2", DINOV2_OF_ONE_LAYER, r"has 18 tensors that its config has no place for"),
        ("clip_vision_model", {"num_hidden_layers": 1}, "has 16 tensors that its config has no place for"),
        ("vit", {"patch_size": 32}, r"has embeddings\.p\S+ of shape \(.*\), and its config needs \("),
        ("vit", {"num_attention_heads": -2}, "has num_attention_heads -2 in its config.json, not a number from 1 on"),
        ("deit", {"num_hidden_layers": 0}, "has num_hidden_layers 0 in its config.json"),
        ("vit", {"num_attention_heads": 7}, r"a width of \d+, which 7 heads cannot share out"),
        (
            "vit",
            {"num_hidden_layers": 10**6},
            r"has [\d,]{13,} weights or more by its .*, and its files only \S+ bytes",
        ),
        (
            "vit",
            {"intermediate_size": 10**8},
            r"has [\d,]{13,} weights or more by its config\.json, and its files only",
        ),
        ("vit", {"image_size": 16 * 10**4}, r"has [\d,]{13,} weights or more by its config\.json, and its files only"),
        ("vit", {"num_channels": 1}, "has 1 channels, not red, green and blue"),
        (
            "vit",
            {"num_attention_heads": "3"},
            "cannot load .*: Validation error for field 'num_attention_heads': .*int",
        ),
        ("vit", {"hidden_act": "gelo"}, "cannot load .*: it names 'gelo', which is not known; check the folder"),
        ("vit", {"model_type": None}, "cannot load the backbone .*: no config.json that names a model_type was found"),
    ],
)
def test_a_folder_that_is_of_no_use_is_refused_in_a_line(kind, changes, message, tmp_path):
    folder = change_config(saved(new_model(kind), tmp_path), **changes)
    with pytest.raises(CompanionError, match=message) as refused:
        load_vit(folder)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_pruned_heads_of_a_tower_are_refused(tmp_path):
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=config_of("clip_vision_model").to_dict())
    folder = saved(transformers.CLIPModel(config), tmp_path)
    vision = read_json(f"{folder}/config.json")["vision_config"]
    change_config(folder, vision_config=vision | {"pruned_heads": {"1": [0]}})
    with pytest.raises(CompanionError, match="has pruned heads"):
        load_vit(folder)


@pytest.mark.parametrize("prefix", ["", "vit."])
def test_a_tensor_that_is_missing_unknown_or_not_finite_is_named(prefix, tmp_path):
    model = new_model("vit") if not prefix else transformers.ViTForImageClassification(config_of("vit"))
    key = f"{prefix}layernorm.bias"

    def refused(change):
        folder = change_tensors(saved(model, tmp_path), change)
        with pytest.raises(CompanionError) as error:
            load_vit(folder)
        return str(error.value)

    assert "lacks 1 tensors, the first is layernorm.bias; check the folder" in refused(lambda one: one.pop(key))
    for unknown in ("layernorm.gate", "layers.1.attention.gate.weight"):
        found = refused(lambda one, unknown=unknown: one.update({prefix + unknown: torch.ones(2)}))
        assert f"has 1 tensors that its config has no place for, the first is {prefix}{unknown}" in found
    assert "is damaged: layernorm.bias is not finite" in refused(lambda one: one[key].fill_(float("nan")))


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers"])
def test_a_token_for_masked_patches_is_not_needed(kind, tmp_path):
    folder = saved(new_model(kind), tmp_path)
    expected = load_vit(folder)(pixel_values=torch.ones(1, 3, 56, 56)).last_hidden_state
    (name,) = [name for name in load_file(f"{folder}/model.safetensors") if name.endswith("mask_token")]
    change_tensors(folder, lambda tensors: tensors.pop(name))
    assert torch.equal(load_vit(folder)(pixel_values=torch.ones(1, 3, 56, 56)).last_hidden_state, expected)


def test_pickles_are_read_for_their_tensors_alone(tmp_path):
    model = new_model("vit")
    folder = saved(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    assert same(folder, "vit")

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"layernorm.bias": Bomb()}, protocol=2))
    with pytest.raises(CompanionError, match="cannot load the backbone"):
        load_vit(folder)
    torch.save({"layernorm.bias": Bomb()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CompanionError, match="cannot load the backbone"):
        load_vit(folder)
    assert not (tmp_path / "executed").exists()


def test_an_adapter_beside_the_weights_is_refused(tmp_path):
    folder = saved(new_model("vit"), tmp_path)
    adapted = get_peft_model(load_vit(folder), LoraConfig(target_modules=["q_proj"]))
    adapted.save_pretrained(folder)
    with pytest.raises(CompanionError, match="holds an adapter beside its weights.*merge"):
        load_vit(folder)


@pytest.mark.parametrize("name", ["../outside.safetensors", "/outside.safetensors"])
def test_weights_outside_the_folder_are_refused(name, tmp_path):
    folder = saved(new_model("vit"), tmp_path)
    write_json(tmp_path / "model.safetensors.index.json", {"metadata": {}, "weight_map": {"layernorm.bias": name}})
    with pytest.raises(CompanionError, match=f"names the file '{name}', which is not beside it"):
        load_vit(folder)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": []}', '{"metadata": {}, "weight_map": []}'])
def test_a_damaged_index_of_shards_is_named(content, tmp_path):
    folder = saved(new_model("vit"), tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(
        CompanionError, match=r"model\.safetensors\.index\.json does not say which file holds a tensor; put"
    ):
        load_vit(folder)


def test_outputs_have_names_whatever_the_config_says(tmp_path):
    folder = saved(new_model("vit"), tmp_path)
    change_config(folder, return_dict=False)
    assert load_vit(folder)(pixel_values=torch.ones(1, 3, 64, 64)).last_hidden_state.isfinite().all()


def test_what_makes_no_number_of_an_image_is_refused(tmp_path):
    model = transformers.ViTModel(config_of("vit", image_size=224, patch_size=56), add_pooling_layer=False)
    folder = saved(model, tmp_path)
    check_takes_images(folder, load_vit(folder))
    change_config(folder, layer_norm_eps=-9.0)
    with pytest.raises(CompanionError, match="something of a white image that is not a number; look at layer_norm_eps"):
        check_takes_images(folder, load_vit(folder))
