import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from backbone import onnx_graph
from backbone.onnx_graph import Node
from paper_utils.errors import CompanionError


def test_every_parameter_gets_its_name(exported):
    """Oracle: the file that save_pretrained wrote of the model from which the graph was built."""
    state, graph = exported
    found = onnx_graph.encoder_parameters(graph, grid=5)
    assert found.keys() == state.keys()
    assert [name for name, array in state.items() if not np.array_equal(found[name], array)] == []
    assert all(array.flags.c_contiguous and array.dtype == np.float32 for array in found.values())


def test_positions_are_resized_as_the_model_would(small_dinov2, exported):
    """Oracle: Dinov2Model, which resizes its positions in a pass."""
    with torch.no_grad():
        expected = small_dinov2.embeddings.interpolate_pos_encoding(torch.zeros(1, 10, 12), 6, 6)
    found = onnx_graph.encoder_parameters(exported[1], grid=3)["embeddings.position_embeddings"]
    assert found.shape == (1, 10, 12)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_matrix_without_a_bias_is_refused(exported):
    graph = exported[1]
    product = next(node for node in graph.nodes if node.operator == "MatMul" and node.inputs[1] in graph.constants)
    nodes = tuple(node for node in graph.nodes if product.outputs[0] not in node.inputs)
    with pytest.raises(CompanionError, match=f"no bias says which matrix {product.inputs[1]} is"):
        onnx_graph.encoder_parameters(replace(graph, nodes=nodes), grid=5)


def test_constants_that_may_be_positions_or_not_are_refused(exported):
    graph = exported[1]
    more = graph.constants | {"onnx::Add_9999": np.zeros(3, np.float32)}
    with pytest.raises(CompanionError, match="3 constants without a name cannot be the two of positions"):
        onnx_graph.encoder_parameters(replace(graph, constants=more), grid=5)


@pytest.fixture
def tiny_file():
    """An ONNX file whose encoder is a product and a bias, with one more operation behind it."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: `make backbone-photographs` installs it")
    helper = onnx.helper
    weights = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    arrays = {"onnx::MatMul_1": weights, onnx_graph.LAST: np.float32([1, -1])}
    nodes = [
        helper.make_node("MatMul", ["images", "onnx::MatMul_1"], ["product"]),
        helper.make_node("Add", [onnx_graph.LAST, "product"], ["tokens"]),
        helper.make_node("Sigmoid", ["tokens"], ["saliency"]),
    ]
    floats = onnx.TensorProto.FLOAT
    ends = [helper.make_tensor_value_info(name, floats, ["batch", n]) for name, n in (("images", 3), ("saliency", 2))]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "tiny", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
    return model.SerializeToString(), arrays


def test_an_onnx_file_is_read(tiny_file):
    content, arrays = tiny_file
    graph = onnx_graph.read_graph(content)
    assert graph.nodes[1] == Node("Add", (onnx_graph.LAST, "product"), ("tokens",))
    assert graph.constants.keys() == arrays.keys()
    assert all(np.array_equal(graph.constants[name], array) for name, array in arrays.items())


def test_tokens_are_what_the_encoder_returns_not_the_decoder(tiny_file):
    content, (weights, bias) = tiny_file[0], tiny_file[1].values()
    pixels = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    runtime, tokens = onnx_graph.encoder_tokens(content, pixels)
    assert runtime.startswith(("onnxruntime ", "the reference evaluator of onnx "))
    np.testing.assert_allclose(tokens, pixels @ weights + bias, atol=1e-6)


def test_without_onnx_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(CompanionError, match="onnx is not installed; `make backbone-photographs` installs it"):
        onnx_graph.read_graph(b"")
