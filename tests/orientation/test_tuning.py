from dataclasses import replace

import numpy as np
import torch
from transformers import ViTModel

from paper_utils.lines.variants import variant_images
from paper_utils.orientation import conditions, features, heads, tuning
from paper_utils.pipeline.profiles import get_profile


def tuned(folder, **options):
    vit = ViTModel.from_pretrained(folder, add_pooling_layer=False)
    before = {name: weight.clone() for name, weight in vit.state_dict().items()}
    one = conditions.condition("I")
    torch.manual_seed(1)
    start = heads.LineHead(24, conditions.TARGETS["I"], initial="default").state_dict()
    recipe = replace(get_profile("smoke"), batch=4)
    model, curve = tuning.tune(vit, one, recipe, images=12, seed=0, head=start, **options)
    return vit, before, start, model, curve


def test_adapters_and_heads_are_trained_and_the_backbone_stays(tiny_backbone):
    vit, before, start, model, curve = tuned(tiny_backbone)
    assert all(torch.equal(weight, before[name]) for name, weight in vit.state_dict().items())
    trained = dict(model.named_parameters())
    assert all(trained[name].abs().max() > 0 for name in trained if "lora_B" in name)
    assert not torch.equal(model.head.trunk[0].weight, start["trunk.0.weight"])
    assert torch.allclose(model.head.trunk[0].weight, start["trunk.0.weight"], atol=0.02)
    assert curve.shape == (3, 4)
    assert np.isfinite(curve).all()


def test_outputs_are_those_of_the_heads_on_the_features(tiny_backbone):
    vit = ViTModel.from_pretrained(tiny_backbone, add_pooling_layer=False).eval()
    head = heads.LineHead(24, ["angle"], initial="default").eval()
    lines = conditions.of_set("IV", "test", 10)
    exact = {"variant": "dot", "mixed_precision": False}
    found = tuning.outputs_of(heads.LineModel(vit, head), lines, **exact)["angle"]
    tokens = features.features_of(vit, lines, **exact)
    assert tokens.shape == (10, 24)
    assert np.allclose(found, head(torch.from_numpy(tokens))["angle"].detach(), atol=1e-5)
    whole = features.tensor_of(variant_images(lines, range(10), variant="dot"))
    with torch.no_grad():
        expected = vit(pixel_values=whole / 255, output_hidden_states=True).hidden_states[-1][:, 0]
    assert np.allclose(tokens, expected, atol=1e-4)
