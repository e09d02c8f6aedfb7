"""Oracles: transformers' own image processors, or the normalisation written out, before the model by transformers alone."""

import json

import pytest
import torch
import transformers

from paper_utils.errors import CompanionError
from paper_utils.files import read_json, write_json
from paper_utils.interventions.engine import Engine
from paper_utils.models import pixels as module
from paper_utils.models.regressor import (
    build_regressor,
    load_backbone,
    load_regressor,
    merged,
    named_backbone,
    save_regressor,
    stored_pixels,
)
from tests.conftest import SCALE
from tests.families import KINDS, new_model, plain

# of each family, as the hub has it; each with a mean and deviation of its own
PROCESSORS = {
    "vit": "ViTImageProcessorPil",
    "deit": "DeiTImageProcessorPil",
    "dinov2": "BitImageProcessorPil",
    "dinov2_with_registers": "BitImageProcessorPil",
    "vit_mae": "ViTImageProcessorPil",
    "clip_vision_model": "CLIPImageProcessorPil",
    "siglip_vision_model": "SiglipImageProcessorPil",
}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def saved(folder, kind="vit", **settings):
    """A model with what says how its pixels are normalised."""
    new_model(kind).save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", settings)
    return str(folder)


def drawn(side, count=3):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator)


def normalised(images, mean, std):
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (mean, std))
    return (images.float() / 255 - mean) / std


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_a_folded_model_does_what_the_processor_and_the_plain_model_do(kind, tmp_path):
    processor = getattr(transformers, PROCESSORS[kind])(
        do_resize=False, do_center_crop=False, image_mean=IMAGENET["image_mean"], image_std=IMAGENET["image_std"]
    )
    new_model(kind).save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    theirs = plain(tmp_path, kind)
    images = drawn(theirs.vit.config.image_size)
    given = processor([image.permute(1, 2, 0).numpy() for image in images], return_tensors="pt")["pixel_values"]
    model = build_regressor(str(tmp_path), SCALE, seed=0, trained="head", pixels="backbone").eval()
    with torch.no_grad():
        expected = theirs.read(given)
        assert (expected - theirs.read(images / 255)).abs().max() > 0.01
        assert torch.allclose(model(images), model.head(expected), atol=1e-5)
        found = module.family_of(model.vit).run(model.vit, images / 255)
        assert (found - expected).abs().max() < 1e-5 * max(1, expected.abs().max())
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}


def test_what_looks_into_the_model_sees_the_normalised_one(kind, tmp_path):
    """Oracle: a hook on the plain model that takes a head's output away, on pixels normalised by hand."""
    folder = saved(tmp_path, kind, **IMAGENET)
    theirs = plain(folder, kind)
    images = drawn(theirs.vit.config.image_size)
    model = build_regressor(folder, SCALE, seed=0, trained="head", pixels="backbone").eval()
    width = 24 // theirs.vit.config.num_attention_heads

    def without_the_first_head(layer, inputs):
        inputs = inputs.clone()
        inputs[..., :width] = 0 if layer == 1 else inputs[..., :width]
        return inputs

    with torch.no_grad(), theirs.heads_replaced(without_the_first_head):
        expected = model.head(theirs.read(normalised(images, *IMAGENET.values()))) * model.label_std + model.label_mean
    found = Engine(model).predict(images, [(1, 0)], kind="zero")
    assert torch.allclose(torch.as_tensor(found), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "mean", "std"),
    [
        ({"do_normalize": True, **IMAGENET}, *IMAGENET.values()),  # as google/vit-base-patch16-224 has it
        ({"rescale_factor": 1 / 127.5, "image_mean": 1.0, "image_std": [1, 1, 1]}, [0.5] * 3, [0.5] * 3),
        ({"do_rescale": False, "image_mean": [127.5] * 3, "image_std": [63.75] * 3}, [0.5] * 3, [0.25] * 3),
        ({"do_normalize": False}, [0] * 3, [1] * 3),
        ({"do_normalize": False, "rescale_factor": 1 / 127.5}, [0] * 3, [0.5] * 3),
    ],
    ids=["no rescale_factor", "one number", "no rescaling", "nothing to do", "rescaling alone"],
)
def test_settings_are_followed_as_transformers_does(settings, mean, std, tmp_path):
    """Oracle: by hand, and the processor itself on the same settings."""
    write_json(tmp_path / "preprocessor_config.json", settings)
    found = module.read_normalisation(str(tmp_path))
    assert (found.mean, found.std) == (pytest.approx(mean), pytest.approx(std))
    image = drawn(8, count=1)[0]
    processor = transformers.ViTImageProcessorPil.from_pretrained(str(tmp_path), do_resize=False)
    theirs = torch.as_tensor(processor(image.permute(1, 2, 0).numpy())["pixel_values"][0])
    assert torch.allclose(theirs, normalised(image, found.mean, found.std), atol=1e-4)


def test_the_nested_file_of_a_larger_model_is_read(tmp_path):
    write_json(tmp_path / "processor_config.json", {"image_processor": IMAGENET, "processor_class": "CLIPProcessor"})
    assert module.read_normalisation(str(tmp_path)).mean == pytest.approx(IMAGENET["image_mean"])


def test_nothing_to_do_leaves_the_weights_bit_by_bit(tmp_path):
    folder = saved(tmp_path, do_normalize=False)
    before, after = load_backbone(folder).state_dict(), load_backbone(folder, pixels="backbone").state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_published_pixels_read_no_preprocessor(tmp_path):
    folder = saved(tmp_path, image_mean="nonsense")
    before = plain(folder, "vit").vit.state_dict()
    assert all(torch.equal(tensor, before[key]) for key, tensor in load_backbone(folder).state_dict().items())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no preprocessor_config.json in "),
        ("{", "cannot read preprocessor_config.json of .*not a valid JSON file"),
        ("[1]", "holds a list, no settings"),
        (json.dumps({"do_normalize": True}), "has image_mean None, not a number each for red, green and blue"),
        (json.dumps(IMAGENET | {"image_mean": [0.5]}), r"has image_mean \[0.5\], not a number each"),
        (json.dumps(IMAGENET | {"image_std": [1, 1, 1, 1]}), r"has image_std \[1, 1, 1, 1\], not a number each"),
        (json.dumps(IMAGENET | {"image_std": [1, "1", 1]}), "has image_std .*, not a number each"),
        (json.dumps(IMAGENET | {"image_mean": [0, float("nan"), 0]}), "has image_mean .*, not a number each"),
        (json.dumps(IMAGENET | {"image_std": [0.5, 0, 0.5]}), r"has image_std \[0.5, 0.0, 0.5\], by which nothing can"),
        (json.dumps(IMAGENET | {"rescale_factor": 0}), "has rescale_factor 0, which is no positive number"),
        (json.dumps(IMAGENET | {"image_mean": [10**400] * 3}), r"has image_mean \[10+, .*, not a number each"),
        (json.dumps(IMAGENET | {"image_mean": 1e39}), "black or white is not finite in float32"),
        (json.dumps(IMAGENET | {"image_std": [0.5, 1e-40, 0.5]}), "black or white is not finite in float32"),
        (json.dumps(IMAGENET | {"rescale_factor": 1e-320}), "black or white is not finite in float32"),
        (json.dumps(IMAGENET | {"rescale_factor": 1e308}), "black or white is not finite in float32"),
        (json.dumps(IMAGENET | {"do_grayscale": True}), "has do_grayscale, which is not followed here"),
        (json.dumps(IMAGENET | {"offset": True}), "has offset, which is not followed here"),
        (json.dumps(IMAGENET | {"rescale_factor": None}), "has rescale_factor None, which is no positive number"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(content, message, tmp_path):
    folder = saved(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    if content is not None:
        (tmp_path / "preprocessor_config.json").write_text(content)
    with pytest.raises(CompanionError, match=f"{message}.*choose PIXELS=published$") as raised:
        build_regressor(folder, SCALE, seed=0, pixels="backbone")
    assert "\n" not in str(raised.value)


def test_a_hub_name_without_network_is_named(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CompanionError, match="cannot read preprocessor_config.json of 'google/no-such-vit'"):
        module.read_normalisation("google/no-such-vit")


def test_the_embedded_backbone_has_seen_no_others():
    with pytest.raises(CompanionError, match="pre-trained on pixels in 0..1 and has no preprocessor_config.json"):
        load_backbone("embedded", pixels="backbone")


def test_unknown_pixels_are_named():
    assert [module.as_pixels(one) for one in ("published", "backbone")] == list(module.PIXELS)
    with pytest.raises(CompanionError, match="unknown pixels 'imagenet'; choose published or backbone"):
        module.as_pixels("imagenet")


@pytest.fixture
def tuned(kind, tmp_path):
    """A regressor on normalised pixels whose LoRA is not zero, and its file."""
    folder = saved(tmp_path, kind, **IMAGENET)
    model = build_regressor(folder, SCALE, seed=0, pixels="backbone").eval()
    with torch.no_grad():
        for block in model.blocks:
            block.query.lora_B["default"].weight.normal_(0, 0.3)
    save_regressor(model, tmp_path / "tuned.safetensors", backbone=folder, pixels="backbone")
    return model, tmp_path / "tuned.safetensors"


def test_a_stored_model_takes_the_pixels_it_was_trained_on(tuned):
    model, path = tuned
    images = drawn(model.vit.config.image_size)
    assert (stored_pixels(path), named_backbone(path)) == ("backbone", str(path.parent))
    with torch.no_grad():
        expected = model.predict(images)
        for wanted in (None, "backbone"):
            assert torch.equal(load_regressor(path, pixels=wanted).predict(images), expected)
        assert torch.allclose(merged(load_regressor(path)).predict(images), expected, atol=1e-4)
    with pytest.raises(CompanionError, match="was fine-tuned with PIXELS=backbone, not published; give the same"):
        load_regressor(path, pixels="published")


def test_a_file_from_before_there_was_a_choice_is_of_published_pixels(regressor, tiny_backbone, tmp_path):
    path = tmp_path / "model.safetensors"
    save_regressor(regressor, path, backbone=tiny_backbone)
    assert stored_pixels(path) == "published"
    with pytest.raises(CompanionError, match="was fine-tuned with PIXELS=published, not backbone"):
        load_regressor(path, pixels="backbone")


def test_writing_again_gives_the_same_bytes(regressor, tmp_path):
    """Safetensors writes the entries of its metadata in any order, so that a second one would change the file's hash."""
    path = tmp_path / "model.safetensors"
    contents = set()
    for _ in range(12):
        save_regressor(regressor, path, backbone="folder", pixels="backbone")
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_the_patch_projection_stays_as_it_is_while_lora_is_trained(tuned):
    model, _ = tuned
    projection = module.base_model(model.vit).get_submodule(module.family_of(model.vit).patches)
    assert not any(parameter.requires_grad for parameter in projection.parameters())


def test_the_backbone_of_photographs_says_how_it_normalises():
    from backbone.photographs import PREPROCESSOR

    assert {key: list(PREPROCESSOR[key]) for key in IMAGENET} == IMAGENET
    assert PREPROCESSOR["do_normalize"]


def test_the_file_of_a_processor_is_what_is_read(tmp_path):
    transformers.CLIPImageProcessorPil().save_pretrained(tmp_path)
    stored = read_json(tmp_path / "preprocessor_config.json")
    found = module.read_normalisation(str(tmp_path))
    assert (found.mean, found.std) == (pytest.approx(stored["image_mean"]), pytest.approx(stored["image_std"]))
