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
def test_one_dnn_is_chosen_where_it_is_whatever_else_the_machine_does():
    assert {linears.faster_linears() for _ in range(3)} == {OneDnnLinear}


def test_without_one_dnn_the_plain_class_is_chosen(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert linears.faster_linears() is nn.Linear
