"""Run an exported network elsewhere than in ONNX Runtime's float32: OpenVINO, or integers.

OpenVINO is installed beside the project: no lock holds it. In bfloat16 it is fast on a processor
with AVX-512 BF16 or AMX only, and answers in float32 all the same. ONNX Runtime's integers need
photos to find the range of each activation.
"""

import importlib
import importlib.util
import math
import tempfile
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.explain.exported import Answer, predicting, session

__all__ = ["RUNTIMES", "RuntimeMissing", "in_integers", "opened", "predicting"]

RUNTIMES = ("onnx", "openvino", "openvino-bf16", "onnx-int8")
ROUNDED = ["Conv", "Gemm", "MatMul", "Clip", "Relu"]
"""What is computed in integers. A clipped activation is rounded once, on the range that it keeps:
rounded before it is clipped, EfficientNet-Lite0 answers otherwise on one photo in ten."""
LEAST = 1024
"""Weights of a convolution below which the first layers stay in float: they see every pixel, lose
the most when rounded, and three channels are too few for integers to be faster."""


class RuntimeMissing(ValueError):
    """A runtime that is unknown or not installed."""


def opened(model: bytes, runtime: str, photos: Iterable[np.ndarray] = ()) -> Answer:
    """Return the function that gives all outputs of a network for a batch, on one thread.

    Args:
        model: An ONNX file of one input.
        runtime: One of ``RUNTIMES``.
        photos: Batches to find ranges from; for ``onnx-int8`` alone.

    Raises:
        RuntimeMissing: If the runtime is unknown, or not installed.
    """
    if runtime not in RUNTIMES:
        raise RuntimeMissing(f"expected a runtime among {', '.join(RUNTIMES)}, found {runtime!r}")
    if runtime.startswith("openvino"):
        return _in_openvino(model, "bf16" if runtime.endswith("bf16") else "f32")
    running = session(in_integers(model, photos) if runtime == "onnx-int8" else model)
    name = running.get_inputs()[0].name
    return lambda batch: running.run(None, {name: batch})


def _in_openvino(model: bytes, precision: str) -> Answer:
    if importlib.util.find_spec("openvino") is None:
        raise RuntimeMissing("expected OpenVINO, found it not installed; pip install openvino")
    openvino = importlib.import_module("openvino")
    settings: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": 1,
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = openvino.Core()
    running = core.compile_model(core.read_model(model), "CPU", settings)
    return lambda batch: list(running(batch).values())


def in_integers(model: bytes, photos: Iterable[np.ndarray]) -> bytes:
    """Return the same network with its products of matrices and convolutions in 8 bits.

    Activations are unsigned, weights signed with a scale for each output channel. The scan and the
    attention, that multiply activations by one another, stay in float32, and so do the first
    convolutions. Without VNNI, ONNX Runtime's products of 8 bits may saturate on x64: try the file
    where it will run.

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.

    Args:
        model: An ONNX file of one input.
        photos: Batches to find the ranges of the activations from.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        given, prepared, made = (Path(folder) / name for name in ("a.onnx", "b.onnx", "c.onnx"))
        given.write_bytes(model)
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        quantize_static(
            prepared,
            made,
            _Reader(photos, graph.input[0].name),
            op_types_to_quantize=ROUNDED,
            nodes_to_exclude=list(_in_float(graph)),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return made.read_bytes()


def _in_float(graph: Any) -> Iterator[str]:
    """Give the names of the products that stay in float: those of activations, the first layers."""
    weights = {each.name: math.prod(each.dims) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and not weights.keys() & set(node.input):
            yield node.name
    convolutions = (node for node in graph.node if node.op_type == "Conv")
    for node in takewhile(lambda each: weights.get(each.input[1], LEAST) < LEAST, convolutions):
        yield node.name


class _Reader:
    """Hands batches to ONNX Runtime's calibration, one at each call, then None."""

    def __init__(self, photos: Iterable[np.ndarray], name: str) -> None:
        self.batches = ({name: batch} for batch in photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)
