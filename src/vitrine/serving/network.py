"""A trained network as the service reads it: the file of ``models.graph``, in 8 bits if asked."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from jaxtyping import UInt8
from torch import nn

from vitrine.models import graph
from vitrine.models.graph import GraphError, stripped
from vitrine.serving.card import EVIDENCE, INPUT, LOGITS

__all__ = ["GraphError", "float_graph", "int8_graph"]

QUANTISED = ["Conv", "Gemm", "MatMul"]
"""Operators computed in 8 bits; the scan's exponentials and sums keep their precision."""


def float_graph(network: nn.Sequential, side: int) -> bytes:
    """Return the ONNX file of a network under the names of the service: see ``models.graph``."""
    return graph.float_graph(network, side, names=(INPUT, LOGITS, EVIDENCE))


def int8_graph(model: bytes, pixels: UInt8[np.ndarray, "image size size 3"]) -> bytes:
    """Return the 8-bit form of an ONNX file: static quantisation, a scale for each channel.

    Args:
        model: What ``float_graph`` returned.
        pixels: Training photos, whose activations decide the scales.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Photos(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.batches: Iterator[dict[str, np.ndarray]] = iter(
                [{INPUT: np.ascontiguousarray(pixels[i : i + 1])} for i in range(len(pixels))]
            )

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder:
        source, ready, target = (Path(folder) / name for name in ("a.onnx", "b.onnx", "c.onnx"))
        source.write_bytes(model)
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready,
            target,
            Photos(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=QUANTISED,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return stripped(onnx.load(target))
