"""A small DINOv2 and the graph that PyTorch's exporter would make of it."""

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def small_dinov2():
    """A model of 2 layers and 3 heads, width 12, for images of 10 x 10 pixels in 5 x 5 patches; no weight is 0 or 1."""
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 10, "patch_size": 2}
    model = Dinov2Model(Dinov2Config(**sizes, use_mask_token=False))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="session")
def exported(small_dinov2, tmp_path_factory):
    """The model's parameters by the names they have on the hub, and its graph: matrices and positions have no names."""
    from safetensors.numpy import load_file

    from backbone.onnx_graph import Graph, Node

    folder = tmp_path_factory.mktemp("dinov2")
    small_dinov2.save_pretrained(folder)
    state = load_file(folder / "model.safetensors")
    numbers = iter(np.random.default_rng(0).permutation(1000))
    constants = {"decoder.upconv1.weight": np.ones((12, 4, 4, 4), np.float32)}
    nodes = [Node("MatMul", ("scores", "values"), ("mixed",))]  # of two results: no parameter is in it
    for name, array in state.items():
        if name == "embeddings.position_embeddings":
            constants |= {f"onnx::Concat_{next(numbers)}": array[:, :1], f"onnx::Reshape_{next(numbers)}": array[:, 1:]}
        elif name.endswith(".weight") and array.ndim == 2:
            matrix, product, bias = f"onnx::MatMul_{next(numbers)}", f"{name} product", f"backbone.{name[:-6]}bias"
            constants[matrix] = array.T
            nodes += [
                Node("MatMul", (f"{name} input", matrix), (product,)),
                Node("Add", (bias, product), (f"{name} sum",)),
            ]
        else:
            constants[f"backbone.{name}"] = array
    return state, Graph(tuple(nodes), constants)
