import pytest
import torch
from torch import nn

from paper_utils.models import linears
from paper_utils.models.linears import OneDnnLinear

needs_one_dnn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")


@needs_one_dnn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(24,), (5, 24), (2, 7, 24)])
def test_both_kernels_give_the_same(bias, shape):
    torch.manual_seed(0)
    layer, inputs = nn.Linear(24, 40, bias=bias), torch.randn(shape)
    with torch.inference_mode():
        plain = layer(inputs)
        linears.use_linears(layer, OneDnnLinear)
        assert type(layer) is OneDnnLinear
        assert torch.allclose(layer(inputs), plain, atol=1e-5)


@needs_one_dnn
def test_gradients_still_flow():
    layer = nn.Linear(4, 3)
    linears.use_linears(layer, OneDnnLinear)
    layer(torch.ones(2, 4)).sum().backward()
    assert torch.allclose(layer.weight.grad, torch.full((3, 4), 2.0))


@needs_one_dnn
def test_the_class_that_measures_faster_is_chosen(monkeypatch):
    for fast in (nn.Linear, OneDnnLinear):
        monkeypatch.setattr(linears, "_seconds", lambda work, inputs, fast=fast: 1.0 if type(work) is fast else 2.0)
        assert linears.faster_linears(8, 16) is fast


def test_without_one_dnn_the_plain_class_is_chosen(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert linears.faster_linears(8, 16) is nn.Linear
