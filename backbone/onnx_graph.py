"""The encoder in an ONNX file that PyTorch exported: its parameters by the names they have on the hub, and its tokens.

The exporter keeps the names of biases and factors, but not those of matrices, which it transposes, nor of positions,
which it splits. The bias that is added to a product says which matrix it was.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from paper_utils.errors import CompanionError

__all__ = ["Graph", "Node", "encoder_parameters", "encoder_tokens", "read_graph", "resized_positions"]

ENCODER = "backbone."  # what the file calls it
LAST = f"{ENCODER}layernorm.bias"  # what is added to this are the final tokens


@dataclass(frozen=True)
class Node:
    """An operation, and the names of what it reads and writes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Operations in the order of their execution, and constants by name."""

    nodes: tuple[Node, ...]
    constants: dict[str, np.ndarray]


def _onnx() -> Any:
    """Return the package onnx, which only this needs.

    Raises:
        CompanionError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        remedy = "`make backbone-photographs` installs it, or pip install -e .[photographs] -c constraints.txt"
        raise CompanionError(f"the package onnx is not installed; {remedy}") from error
    return onnx


def read_graph(content: bytes) -> Graph:
    """Return the graph in an ONNX file.

    Raises:
        CompanionError: onnx is not installed.
    """
    onnx = _onnx()
    graph = onnx.load_model_from_string(content).graph
    nodes = tuple(Node(node.op_type, tuple(node.input), tuple(node.output)) for node in graph.node)
    return Graph(nodes, {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer})


def encoder_parameters(graph: Graph, *, grid: int) -> dict[str, np.ndarray]:
    """Return the encoder's parameters by name, with positions for `grid` x `grid` patches.

    Raises:
        CompanionError: a matrix or the positions cannot be told.
    """
    matrices = _matrices(graph)
    named = {name: array for name, array in graph.constants.items() if name.startswith(ENCODER)}
    named |= {name: graph.constants[constant].T for name, constant in matrices.items()}
    named = {name.removeprefix(ENCODER): np.array(array, order="C") for name, array in named.items()}
    table = _positions(graph, without=set(matrices.values()))
    return named | {"embeddings.position_embeddings": resized_positions(table, grid)}


def _matrices(graph: Graph) -> dict[str, str]:
    """Return the constant that holds each of the encoder's matrices, by the name of the matrix."""
    readers = {name: node for node in graph.nodes for name in node.inputs}
    found = {}
    for node in graph.nodes:
        if node.operator != "MatMul" or node.inputs[1] not in graph.constants:
            continue
        added = readers[node.outputs[0]].inputs if node.outputs[0] in readers else ()
        bias = next((name for name in added if name.startswith(ENCODER) and name.endswith(".bias")), None)
        if bias is None:
            raise CompanionError(f"no bias says which matrix {node.inputs[1]} is; this ONNX file is of another export")
        found[bias.removesuffix("bias") + "weight"] = node.inputs[1]
    return found


def _positions(graph: Graph, *, without: set[str]) -> np.ndarray:
    """Return the positions of CLS and patches, (1, 1 + side * side, width): the only other constants without a name."""
    unnamed = [name for name in graph.constants if name.startswith("onnx::") and name not in without]
    tables = sorted((graph.constants[name] for name in unnamed), key=lambda table: table.size)
    if [table.ndim for table in tables] != [3, 3] or tables[0].shape[1] != 1:
        raise CompanionError(
            f"{len(tables)} constants without a name cannot be the two of positions; this ONNX file is of another export"
        )
    return np.concatenate(tables, axis=1)


def resized_positions(table: np.ndarray, grid: int) -> np.ndarray:
    """Return positions, (1, 1 + side * side, width), for `grid` x `grid` patches, as the graph's Resize does it.

    That is bicubic with centres of patches at halves, a = -0.75 and no antialiasing, which is torch's too. It is done in
    float64, so that CPUs whose kernels sum in another order round to the same weights.
    """
    cls, patches = torch.from_numpy(table).double().split([1, table.shape[1] - 1], dim=1)
    side = math.isqrt(patches.shape[1])
    square = patches.unflatten(1, (side, side)).permute(0, 3, 1, 2)
    square = functional.interpolate(square, size=(grid, grid), mode="bicubic", align_corners=False)
    return torch.cat([cls, square.flatten(2).transpose(1, 2)], dim=1).float().numpy()


def encoder_tokens(content: bytes, pixels: np.ndarray) -> tuple[str, np.ndarray]:
    """Run an ONNX file up to the encoder's final tokens: by onnxruntime if it is installed, else by onnx itself.

    Args:
        content: the file.
        pixels: normalised images, (count, 3, rows, columns) float32.

    Returns:
        What ran it, with its version, and the tokens (count, 1 + patches, width).

    Raises:
        CompanionError: onnx is not installed.
    """
    onnx = _onnx()
    model = onnx.load_model_from_string(content)
    nodes, outputs = model.graph.node, model.graph.output
    last = next(index for index, node in enumerate(nodes) if LAST in node.input)
    del nodes[last + 1 :], outputs[:]
    outputs.append(onnx.ValueInfoProto(name=nodes[last].output[0]))
    inputs = {model.graph.input[0].name: pixels}
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        evaluator: Any = ReferenceEvaluator(model)  # in numpy, ten times slower
        return f"the reference evaluator of onnx {onnx.__version__}", evaluator.run(None, inputs)[0]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of each of the decoder's constants, which nothing reads now
    session: Any = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return f"onnxruntime {onnxruntime.__version__}", session.run(None, inputs)[0]
