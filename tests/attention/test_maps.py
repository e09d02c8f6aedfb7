import numpy as np
import pytest
import torch

from paper_utils.attention import maps as attention
from paper_utils.models.vit import attention_kernel


def test_maps_are_query_averages_without_cls(regressor, images):
    maps = attention.attention_maps(regressor, images, batch=2)
    assert maps.patches.shape == maps.cls.shape == (5, 2, 3, 14, 14)
    with torch.no_grad(), attention_kernel(regressor.vit, "eager"):
        output = regressor.vit(pixel_values=images.float() / 255, output_attentions=True, output_hidden_states=True)
    full = output.attentions
    lengths = output.hidden_states[1].norm(dim=-1)[:, 1:].reshape(5, 14, 14).numpy()
    assert np.allclose(maps.norms[:, 0], lengths, rtol=1e-4)
    for layer in range(2):
        expected = full[layer].numpy()[:, :, 1:, 1:].mean(2).reshape(5, 3, 14, 14)
        assert np.allclose(maps.patches[:, layer], expected, atol=1e-6)
        from_cls = full[layer].numpy()[:, :, 0, 1:].reshape(5, 3, 14, 14)
        assert np.allclose(maps.cls[:, layer], from_cls, atol=1e-6)


def test_a_head_that_attends_to_cls_alone_has_flat_maps(regressor, images):
    attending = regressor.layers[0].attention
    with torch.no_grad():
        regressor.vit.get_base_model().embeddings.cls_token[..., 0] = 1e4  # of a length no patch has after layer norm
        attending.k_proj.weight[8:16] = 0
        attending.k_proj.weight[8:16, 0] = 100
        attending.q_proj.base_layer.bias[8:16] = 100
        attending.q_proj.base_layer.weight[8:16] = 0
        attending.q_proj.lora_B["default"].weight[8:16] = 0
    maps = attention.attention_maps(regressor, images[:2])
    assert attention.sees_no_patch(maps.patches).tolist() == [[False, True, False], [False] * 3]
    assert maps.patches[:, 0, 1].sum((-2, -1)) == pytest.approx(attention.LEAST)
    assert not attention.sees_no_patch(maps.patches[:, :, [0, 2]]).any()


def test_the_model_is_left_as_it_was(regressor, images):
    attention.attention_maps(regressor, images[:1])
    assert regressor.vit.config._attn_implementation == "sdpa"
    assert not any(layer.attention._forward_hooks for layer in regressor.layers)
