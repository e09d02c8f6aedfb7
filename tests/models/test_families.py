import pytest
import torch

from paper_utils.errors import CompanionError
from paper_utils.models import families, merged
from paper_utils.models.regressor import build_regressor, load_backbone, load_regressor, save_regressor
from tests.conftest import SCALE
from tests.families import KINDS, PATCH, new_model, plain


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    """A small model of the family, as a user would bring one."""
    path = tmp_path_factory.mktemp(kind)
    new_model(kind).save_pretrained(path)
    return str(path)


@pytest.fixture
def pixels(folder, kind):
    side = plain(folder, kind).vit.config.image_size
    return torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_the_head_gets_what_the_model_reads_out(folder, kind, pixels):
    """Oracle: the model by transformers alone."""
    model = build_regressor(folder, SCALE, seed=0, trained="head").eval()
    with torch.no_grad():
        expected = plain(folder, kind).read(pixels)
        assert torch.allclose(model(pixels), model.head(expected), atol=1e-6)
        assert torch.equal(model(pixels), model(pixels))  # ViT-MAE draws no order of the patches
        assert torch.allclose(families.family_of(model.vit).run(model.vit, pixels), expected, atol=1e-6)


def test_the_parts_make_up_the_model(folder, kind, pixels):
    """Oracle: the model by transformers alone, from embeddings to read-out."""
    vit = load_backbone(folder)
    family = families.family_of(vit)
    heads, patches = vit.config.num_attention_heads, (vit.config.image_size // PATCH.get(kind, 16)) ** 2
    with torch.no_grad():
        x = family.embed(vit, pixels)
        assert x.shape == (3, family.specials(vit.config) + patches, 24)
        for block in family.blocks(vit):
            hidden = block.norm_before(x)
            split = (
                one(hidden).unflatten(-1, (heads, -1)).transpose(1, 2) for one in (block.query, block.key, block.value)
            )
            z = torch.nn.functional.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
            of_attention, of_mlp = block.scales or (torch.nn.Identity(), torch.nn.Identity())
            x = x + of_attention(block.output(z))
            x = x + of_mlp(block.mlp(block.norm_after(x)))
        assert torch.allclose(family.read_out(vit, x), plain(folder, kind).read(pixels), atol=1e-5)
        if family.has_cls:
            assert torch.equal(family.read_out(vit, x[:, :1]), family.read_out(vit, x))


def test_lora_is_fitted_to_queries_and_values_of_every_layer(folder):
    model = build_regressor(folder, SCALE, seed=0)
    adapted = {name for name, module in model.named_modules() if hasattr(module, "lora_A")}
    assert len(adapted) == 2 * len(model.layers) == 4
    assert all(hasattr(part, "lora_A") for block in model.blocks for part in (block.query, block.value))
    side = model.vit.config.image_size
    model(torch.rand(2, 3, side, side)).sum().backward()
    assert all(block.value.lora_B["default"].weight.grad.abs().max() > 0 for block in model.blocks)


def test_a_merged_or_stored_model_predicts_the_same(folder, pixels, tmp_path):
    model = build_regressor(folder, SCALE, seed=0).eval()
    with torch.no_grad():
        without = model.predict(pixels)
        for block in model.blocks:
            block.query.lora_B["default"].weight.normal_(0, 0.3)
            block.value.lora_B["default"].weight.normal_(0, 0.3)
        expected = model.predict(pixels)
        assert (expected - without).abs().max() > 1e-3
        assert torch.allclose(merged(model).predict(pixels), expected, atol=1e-4)
        save_regressor(model, tmp_path / "model.safetensors", backbone=folder)
        assert torch.equal(load_regressor(tmp_path / "model.safetensors").predict(pixels), expected)


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers"])
@pytest.mark.parametrize("swiglu", [False, True])
def test_folded_layer_scale_is_the_same_function(kind, swiglu):
    vit = new_model(kind, use_swiglu_ffn=swiglu)
    pixels = torch.rand(2, 3, 56, 56)
    with torch.no_grad():
        expected = vit(pixel_values=pixels).last_hidden_state
        families.fold_layer_scale(vit)
        assert torch.allclose(vit(pixel_values=pixels).last_hidden_state, expected, atol=1e-5)
    assert all((scale.lambda1 == 1).all() for block in families.family_of(vit).blocks(vit) for scale in block.scales)


def test_a_model_of_no_family_is_named():
    with pytest.raises(CompanionError, match="a model of family 'Identity' is not known; give ViT, DeiT, DINOv2, "):
        families.family_of(torch.nn.Identity())


@pytest.mark.parametrize(("size", "side"), [(64, 64), ([64, 64], 64), ((64, 32), None)])
def test_the_side_of_a_square(size, side):
    assert families.square_side(size) == side
