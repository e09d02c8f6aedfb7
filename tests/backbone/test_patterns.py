import numpy as np
import pytest
import torch
from torch import nn
from transformers import ViTConfig, ViTModel

from backbone.patterns import cosine_patterns, set_patterns


def test_patterns_are_orthonormal_cosines_the_smooth_ones_first():
    patterns = cosine_patterns(192, 16)
    flat = patterns.reshape(192, -1)
    assert np.allclose(flat @ flat.T, np.eye(192), atol=1e-12)
    assert np.allclose(patterns[:168], patterns[:168].mean(1, keepdims=True))  # brightness: all channels equal
    assert np.allclose(patterns[168:].sum(1), 0)  # colour: no brightness
    pixel = (np.arange(16) + 0.5) / 16
    waves = sorted((y * y + x * x, y, x) for y in range(16) for x in range(16))[:168]
    for pattern, (_, y, x) in zip(patterns, waves, strict=False):
        cosine = np.cos(np.pi * y * pixel)[:, None] * np.cos(np.pi * x * pixel)
        assert np.allclose(pattern[0], cosine / np.linalg.norm(cosine) / np.sqrt(3))


def test_a_small_patch_has_no_more_patterns_than_pixels():
    assert cosine_patterns(16, 4).shape == (16, 3, 4, 4)
    with pytest.raises(ValueError, match="4 x 4 pixels has 16 patterns of brightness, not 28"):
        cosine_patterns(32, 4)


def test_tokens_of_sample_images_are_whitened_and_faint_patterns_are_not_amplified():
    vit = ViTModel(ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2), add_pooling_layer=False)
    generator = torch.Generator().manual_seed(1)
    flat = 0.2 * torch.rand(20, 3, 1, 1, generator=generator).expand(-1, -1, 224, 224)
    images = 0.3 + flat + 0.1 * torch.rand(20, 1, 224, 224, generator=generator)
    set_patterns(vit, images)
    tokens = vit.embeddings.patch_embeddings(images).flatten(0, 1)
    assert torch.allclose(tokens.mean(0), torch.zeros(32), atol=1e-3)
    spread = tokens.std(0)
    assert torch.allclose(spread[:28], torch.ones(28), atol=1e-3)  # white noise fills every pattern of brightness
    assert (spread[[29, 31]] < 1e-3).all()  # and none of colour but the flat ones
    assert torch.allclose(spread[[28, 30]], torch.ones(2), atol=1e-3)
    assert isinstance(vit.embeddings.patch_embeddings.projection, nn.Conv2d)
