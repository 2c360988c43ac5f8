"""Keep the weights of an ONNX network in 8 bits, a scale for each output channel.

Weights alone lose next to nothing, and need no photo. ``explain.runtimes.in_integers`` computes in
8 bits too, in half the time on EfficientNet-Lite0, once photos told the range of each activation.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from vitrine.models.graph import stripped

__all__ = ["int8_graph"]

OPERATORS = {"Conv", "Gemm", "MatMul", "Einsum"}
"""Whose weights are rounded; the parameters of the scan keep their precision."""
LEAST = 1024
"""Weights from which rounding spares more than its scales cost."""
LEVELS = 127


def int8_graph(model: bytes) -> bytes:
    """Return the same network with its weights in 8 bits, which a session widens as it opens.

    The widening is a cast and a product of constants, which ONNX Runtime folds: answers take as
    long as those of the original.

    Args:
        model: What ``models.graph.float_graph`` returned.
    """
    network = onnx.load_from_string(model)
    graph = network.graph
    read = {name for node in graph.node if node.op_type in OPERATORS for name in node.input}
    kept, widening = [], []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if weights.name not in read or values.ndim < 2 or values.size < LEAST:  # noqa: PLR2004
            kept.append(weights)
            continue
        name, scale = weights.name, _scale(values)
        rounded = np.round(values / scale).astype(np.int8)
        kept += [
            numpy_helper.from_array(rounded, f"{name}_int8"),
            numpy_helper.from_array(scale, f"{name}_scale"),
        ]
        widening += [
            helper.make_node("Cast", [f"{name}_int8"], [f"{name}_wide"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_wide", f"{name}_scale"], [name]),
        ]
    nodes = [*widening, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return stripped(network)


def _scale(values: np.ndarray) -> np.ndarray:
    """Return what a level is worth in each slice of the first axis; 1 where all are zero."""
    most = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
    return np.where(most > 0, most / LEVELS, 1).astype(np.float32)
