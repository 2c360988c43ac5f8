"""Run an exported network elsewhere than in ONNX Runtime's float32: OpenVINO, or integers.

OpenVINO is the extra ``openvino``, that ``requirements/all.txt`` locks. In bfloat16 it is fast on a
processor with AVX-512 BF16 or AMX only, and answers in float32 all the same. Integers need photos
to find the range of each activation; OpenVINO computes in bfloat16 what stays beside them.
"""

import functools
import importlib
import importlib.util
import math
import tempfile
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from vitrine.explain.exported import Answer, predicting, session

__all__ = [
    "RUNTIMES", "RuntimeMissing", "Weights", "in_integers", "made_for", "opened", "predicting",
]  # fmt: skip

Weights = Literal["whole", "halved", "paired"]
RUNTIMES = ("onnx", "openvino", "openvino-bf16", "onnx-int8", "openvino-int8")
ROUNDED = ["Conv", "Gemm", "MatMul", "Clip", "Relu"]
"""What is computed in integers. A clipped activation is rounded once, on the range that it keeps:
rounded before it is clipped, EfficientNet-Lite0 answers otherwise on one photo in ten."""
LEAST = 1024
"""Weights of a convolution below which the first layers stay in float: they see every pixel, lose
the most when rounded, and three channels are too few for integers to be faster."""


class RuntimeMissing(ValueError):
    """A runtime that is unknown or not installed."""


def made_for(model: bytes, runtime: str, photos: Iterable[np.ndarray]) -> bytes:
    """Return the file that a runtime reads: in integers for the runtimes whose name says so.

    Args:
        model: An ONNX file of one input.
        runtime: One of ``RUNTIMES``.
        photos: Batches to find the ranges of the activations from.
    """
    if not runtime.endswith("int8"):
        return model
    return in_integers(model, photos, signed=runtime.startswith("openvino"))


def opened(model: bytes, runtime: str) -> Answer:
    """Return the function that gives all outputs of a file for a batch, on one thread.

    OpenVINO compiles the network once for each shape of a batch.

    Args:
        model: What ``made_for`` returned for this runtime.
        runtime: One of ``RUNTIMES``.

    Raises:
        RuntimeMissing: If the runtime is unknown, or not installed.
    """
    if runtime not in RUNTIMES:
        raise RuntimeMissing(f"expected a runtime among {', '.join(RUNTIMES)}, found {runtime!r}")
    if runtime.startswith("openvino"):
        return _in_openvino(model, "f32" if runtime == "openvino" else "bf16")
    running = session(model)
    name = running.get_inputs()[0].name
    return lambda batch: running.run(None, {name: batch})


def _in_openvino(model: bytes, precision: str) -> Answer:
    if importlib.util.find_spec("openvino") is None:
        raise RuntimeMissing(
            "expected OpenVINO, found it not installed; install the project with its extra openvino"
        )
    openvino = importlib.import_module("openvino")
    settings: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": 1,
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = openvino.Core()

    @functools.cache
    def compiled(shape: tuple[int, ...]) -> Any:
        # Whatever a file leaves free is fixed: an image alone is answered 1.1 to 1.8 times as fast.
        network = core.read_model(model)
        network.reshape(list(shape))
        return core.compile_model(network, "CPU", settings)

    return lambda batch: list(compiled(batch.shape)(batch).values())


def in_integers(
    model: bytes,
    photos: Iterable[np.ndarray],
    weights: Weights = "paired",
    *,
    signed: bool = False,
) -> bytes:
    """Return the same network with its products of matrices and convolutions in 8 bits.

    Weights are signed, with a scale for each output channel. The scan and the attention, that
    multiply activations by one another, stay in float32, and so do the first convolutions.

    Without VNNI, ONNX Runtime adds the products of two neighbours in 16 bits on x64: activations of
    255 by weights that sum to more than 128 saturate. ``halved`` weights have 7 bits, and cannot;
    ``paired`` ones have 8, on a scale where no two neighbours sum to more; ``whole`` ones give
    other answers from one processor to another.

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.

    Args:
        model: An ONNX file of one input.
        photos: Batches to find the ranges of the activations from.
        weights: How weights are rounded.
        signed: Whether activations have signed integers too, on a range that is as wide below zero
            as above. OpenVINO subtracts any other zero in a step of its own.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from vitrine.models.graph import stripped

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
            reduce_range=weights == "halved",
            activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                "ActivationSymmetric": signed,
                "TensorQuantOverrides": dict(_paired(graph)) if weights == "paired" else {},
            },
        )
        return stripped(onnx.load(made))


def _paired(graph: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Give the range of each channel of weights: that of their sums of two neighbours.

    A depthwise convolution multiplies a channel at a time, and needs none.
    """
    from onnx import numpy_helper

    known = {each.name: each for each in graph.initializer}
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul") or node.input[1] not in known:
            continue
        values = numpy_helper.to_array(known[node.input[1]])
        transposed = any(each.name == "transB" and each.i for each in node.attribute)
        axis = 0 if node.op_type == "Conv" or transposed else values.ndim - 1
        rows = np.moveaxis(values, axis, 0)
        if node.op_type == "Conv":
            if rows.shape[1] == 1:
                continue
            rows = np.moveaxis(rows, 1, -1)  # channels are neighbours, places are not
        most = _heaviest(rows.reshape(len(rows), -1)).tolist()
        yield node.input[1], [{"axis": axis, "rmin": -top, "rmax": top} for top in most]


def _heaviest(rows: Float[np.ndarray, "channel weight"]) -> Float[np.ndarray, " channel"]:
    """Return the largest weight of each row, or sum of two neighbours where it is larger."""
    even = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2)))
    sums = even[:, ::2] + even[:, 1::2]
    most = np.maximum(np.abs(rows).max(axis=1), np.abs(sums).max(axis=1))
    return np.where(most > 0, most, 1)


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
