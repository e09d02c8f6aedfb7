import numpy as np
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, Dinov2Config, Dinov2Model, ViTConfig, ViTModel

from paper_utils.errors import CompanionError
from paper_utils.orientation import conditions, heads

SIZES = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 32, "patch_size": 16}


def test_sizes_are_the_published_ones_at_the_published_width():
    head = heads.LineHead(768, conditions.TARGETS["IV"])
    assert sum(p.numel() for p in head.parameters()) == pytest.approx(4.0e6, rel=0.005)
    outputs = head.eval()(torch.zeros(2, 768))
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {
        "angle": (2, 1),
        "points": (2, 4),
        "noise": (2, 1),
        "length": (2, 1),
        "width": (2, 1),
        "colour": (2, 3),
    }


def test_published_weights_begin_at_180_degrees():
    torch.manual_seed(0)
    head = heads.LineHead(192, ["angle"]).eval()
    assert head.trunk[0].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert head.trunk[0].bias.abs().max() == 0
    answers = conditions.ENCODINGS["published"].decode(head(torch.randn(50, 192))["angle"].detach().numpy())
    assert np.abs(answers - 180).max() < 1
    other = heads.LineHead(192, ["angle"], initial="default")
    assert other.trunk[0].weight.std().item() > 0.03
    with pytest.raises(CompanionError, match="unknown initial weights 'zero'; choose one of published, default"):
        heads.LineHead(192, ["angle"], initial="zero")


@pytest.mark.parametrize(
    ("model", "norm"),
    [
        (lambda: ViTModel(ViTConfig(**SIZES, intermediate_size=48), add_pooling_layer=False), "layernorm"),
        (lambda: Dinov2Model(Dinov2Config(**SIZES)), "layernorm"),
        (lambda: CLIPVisionModel(CLIPVisionConfig(**SIZES, intermediate_size=48)), "post_layernorm"),
    ],
    ids=["ViT", "DINOv2", "CLIP"],
)
def test_cls_is_taken_before_the_last_norm(model, norm):
    torch.manual_seed(0)
    vit = model().eval()
    seen = []
    vit.get_submodule(norm).register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        found = heads.cls_before_norm(vit, images)
    entering = seen[0] if seen[0].ndim == 2 else seen[0][:, 0]
    assert torch.equal(found, entering)
    with torch.no_grad():
        assert not torch.allclose(found, vit.get_submodule(norm)(found), atol=0.1)


def test_the_loss_is_hubers_with_the_published_weights():
    rng = np.random.default_rng(0)
    outputs = {
        "angle": rng.uniform(-1, 1, (9, 1)),
        "points": rng.uniform(0, 1, (9, 4)),
        "noise": rng.uniform(0, 1, (9, 1)),
    }
    truth = {name: rng.uniform(0, 1, values.shape) for name, values in outputs.items()}

    def huber(error):
        error = np.abs(error)
        return np.where(error < 0.1, error**2 / 2, 0.1 * (error - 0.05))

    start, end = (
        huber(outputs["points"][:, part] - truth["points"][:, part]).mean() for part in (slice(2), slice(2, 4))
    )
    expected = 2 * huber(outputs["angle"] - truth["angle"]).mean() + start + end
    expected += 0.5 * huber(outputs["noise"] - truth["noise"]).mean()
    tensors = [{name: torch.tensor(values) for name, values in part.items()} for part in (outputs, truth)]
    assert heads.weighted(heads.losses(*tensors)).item() == pytest.approx(expected)
