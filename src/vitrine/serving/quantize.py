"""Static 8-bit quantisation of an ONNX network, a scale for each channel."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from jaxtyping import UInt8
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

from vitrine.models.graph import stripped
from vitrine.serving.card import INPUT

__all__ = ["int8_graph"]

OPERATORS = ["Conv", "Gemm", "MatMul"]
"""Computed in 8 bits; the scan's exponentials and sums keep their precision."""


class _Photos(quantization.CalibrationDataReader):
    """Photos, one at a time, as the calibration reads them."""

    def __init__(self, pixels: UInt8[np.ndarray, "image size size 3"]) -> None:
        self.left = iter(pixels)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next photo, or ``None`` after the last."""
        photo = next(self.left, None)
        return None if photo is None else {INPUT: np.ascontiguousarray(photo[None])}


def int8_graph(model: bytes, pixels: UInt8[np.ndarray, "image size size 3"]) -> bytes:
    """Return the 8-bit form of an ONNX file.

    Args:
        model: What ``models.graph.float_graph`` returned.
        pixels: Training photos, whose activations decide the scales.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, ready, target = (Path(folder) / name for name in ("a.onnx", "b.onnx", "c.onnx"))
        source.write_bytes(model)
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready,
            target,
            _Photos(pixels),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return stripped(onnx.load(target))
