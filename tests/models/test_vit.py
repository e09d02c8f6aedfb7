import copy
import os
import subprocess
import sys

import pytest
import torch

from paper_utils.files import ROOT
from paper_utils.models import vit


def test_positions_distinguish_rows_from_columns():
    positions = vit.sine_cosine_positions(4, 16)[0]
    assert torch.equal(positions[0], torch.zeros(16))
    patches = positions[1:].reshape(4, 4, 16)
    assert torch.equal(patches[0, :, :8], patches[3, :, :8])  # a column's half is the same in every row
    assert torch.equal(patches[:, 0, 8:], patches[:, 3, 8:])
    assert len({tuple(row.tolist()) for row in positions}) == 17
    # first frequency is one radian a patch
    assert torch.allclose(patches[0, :, 0], torch.arange(4.0).sin())


@pytest.mark.slow
def test_mixed_precision_needs_units_that_torch_may_use():
    code = "import torch; from paper_utils.models.vit import has_mixed_precision as h; print(h(torch.device('cpu')))"
    environment = os.environ | {"ATEN_CPU_CAPABILITY": "avx2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_embedded_shape_is_new_every_seed_but_not_its_positions():
    first, second = vit.new_embedded_vit(seed=1), vit.new_embedded_vit(seed=2)
    assert torch.equal(first.embeddings.position_embeddings, second.embeddings.position_embeddings)
    weights = [model.layers[0].attention.q_proj.weight for model in (first, second)]
    assert not torch.equal(*weights)


def test_patches_are_embedded_exactly_in_mixed_precision():
    """Oracle: the same convolution in float64. A faint line on bright patches must not be rounded away."""
    model = vit.new_embedded_vit(seed=0)
    images = 0.7 + 0.001 * torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    layer = model.embeddings.patch_embeddings.projection
    exact = torch.nn.functional.conv2d(images.double(), layer.weight.double(), layer.bias.double(), stride=16)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = layer(images)
        rounded = torch.nn.functional.conv2d(images, layer.weight, layer.bias, stride=16)
    assert found.dtype == torch.float32
    assert (found - exact).abs().max() < 1e-5
    assert (rounded - exact).abs().max() > 1e-3
    copied = copy.deepcopy(model)
    torch.nn.init.zeros_(copied.embeddings.patch_embeddings.projection.weight)
    assert layer.weight.abs().max() > 0


@pytest.mark.parametrize("kernel", ["eager", "matmul"])
def test_kernels_give_the_same_predictions_and_gradients(regressor, images, kernel):
    """Oracle: torch's fused attention."""
    parameters = [parameter for parameter in regressor.parameters() if parameter.requires_grad]
    results = []
    for name in ("sdpa", kernel):
        with vit.attention_kernel(regressor.vit, name):
            predictions = regressor(images)
            results.append([predictions, *torch.autograd.grad(predictions.square().sum(), parameters)])
    for fused, other in zip(*results, strict=True):
        assert torch.allclose(fused, other, atol=1e-5)


def test_the_kernel_is_the_previous_one_after_a_failure(regressor):
    config = regressor.vit.get_base_model().config
    previous = config._attn_implementation
    with pytest.raises(RuntimeError), vit.attention_kernel(regressor.vit, "eager"):
        regressor(torch.zeros(1, 3, 7, 7))  # no image of this size
    assert config._attn_implementation == previous


@pytest.mark.parametrize(
    ("device", "has_units", "asked", "expected"),
    [
        ("cpu", False, "fp16", torch.bfloat16),
        ("cuda", True, "no", torch.bfloat16),
        ("cuda", True, "fp16", torch.float16),
        ("cuda", False, "no", torch.float16),
        ("cuda", False, "bf16", torch.float16),
    ],
)
def test_half_precision_is_bfloat16_where_the_device_has_it(monkeypatch, device, has_units, asked, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: has_units)
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", asked)
    assert vit.half_precision(torch.device(device)) == expected


def test_the_cpu_is_used_where_the_environment_asks_for_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert vit.best_device().type == "cuda"
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert vit.best_device().type == "cpu"
