"""The network in ONNX: what another runtime answers, for any batch, from standard operators."""

from collections import Counter

import jaxtyping
import numpy as np
import onnx
import onnxruntime
import pytest
import timm
import torch
from mambavision_oracle import fill, image
from torch.export import Dim

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.models.mambavision import ScanMixer

FEW = {"depths": (1, 1, 2, 2)}
CASES = {
    "nano at 224, windows that fit": ("mambavision_nano", (224, 224), {}),
    "micro at 64, windows wider than the map": ("mambavision_micro", (64, 64), {}),
    "one side padded": ("mambavision_nano", (128, 200), FEW | {"window_size": (8, 4)}),
    "both sides padded": ("mambavision_nano", (72, 104), FEW | {"window_size": (3, 2)}),
}
BATCHES = (1, 3, 16)


@pytest.fixture(scope="module", params=CASES)
def exported(request, tmp_path_factory):
    """Return a network with weights far from their fresh values, its size and its ONNX file."""
    name, size, options = CASES[request.param]
    model = fill(timm.create_model(name, num_classes=7, **options)).eval()
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    # Shape checks off: compilers do not see through them, and an installed package has none.
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        torch.onnx.export(
            model,
            (image(2, *size),),
            path,
            dynamo=True,
            dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
            input_names=["image"],
            output_names=["logits"],
            verbose=False,
        )
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
    return model, size, path


# The exporter itself copies nodes in a way that Python deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_onnx_runtime_answers_as_eager_for_any_batch(exported):
    model, size, path = exported
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    for batch in BATCHES:
        x = image(batch, *size)
        (logits,) = session.run(["logits"], {"image": x.numpy()})
        with torch.inference_mode():
            expected = model(x).numpy()
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(logits.argmax(1), expected.argmax(1))


def test_graph_has_standard_operators_one_exponential_a_scan_and_no_loop(exported):
    model, _, path = exported

    graph = onnx.load(path).graph

    count = Counter(node.op_type for node in graph.node)
    assert {node.domain for node in graph.node} <= {"", "ai.onnx"}
    assert count.keys().isdisjoint({"Loop", "Scan", "If"})
    assert count["Exp"] == sum(isinstance(module, ScanMixer) for module in model.modules())


def test_graph_leaves_the_batch_free_and_fixes_the_image(exported):
    _, size, path = exported

    graph = onnx.load(path, load_external_data=False).graph

    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes == {"image": ["batch", 3, *size], "logits": ["batch", 7]}


# Any size: the example's own fits the windows, and others do not

TINY = {"depths": (1, 1, 2, 2), "window_size": (4, 2), "num_classes": 7}
SIZES = [(64, 64), (32, 32), (96, 64), (40, 72), (33, 97), (128, 128), (8, 8), (224, 160)]


@pytest.fixture
def any_size(untyped):
    """A network whose windows fit the maps of 64 x 64 images."""
    return fill(timm.create_model("mambavision_nano", **TINY)).eval()


def assert_answers(answer, network):
    for number, size in enumerate(SIZES, start=1):
        x = image(number, *size)
        with torch.inference_mode():
            expected = network(x).numpy()
        np.testing.assert_allclose(answer(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::torch.jit.TracerWarning")
def test_onnx_runtime_answers_as_eager_for_any_batch_and_size(dynamo, any_size, tmp_path):
    path, free = tmp_path / "model.onnx", {0: "batch", 2: "height", 3: "width"}
    shapes = {"dynamic_shapes" if dynamo else "dynamic_axes": {"image": free}}
    names = {"input_names": ["image"], "output_names": ["logits"]}

    torch.onnx.export(
        any_size, (image(2, 64, 64),), path, dynamo=dynamo, **shapes, **names, verbose=False
    )

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
    assert_answers(lambda x: session.run(None, {"image": x.numpy()})[0], any_size)


BOUNDED = [(33, 33), (64, 64), (96, 64), (40, 72), (33, 97), (128, 128), (65, 64), (224, 160)]
"""Down to one window and just beyond; below 33 pixels the last map is one position."""
PROGRAMS = {
    "any batch": (2, {}),
    "one image": (1, {}),
    "dilated": (2, {"output_stride": 16}),
    "one window in the example, one wider than tall": (2, {"window_size": (8, (2, 4))}),
}


@pytest.mark.parametrize(("batch", "options"), PROGRAMS.values(), ids=PROGRAMS)
def test_an_exported_program_answers_as_eager_for_any_size_within_bounds(batch, options, untyped):
    network = fill(timm.create_model("mambavision_nano", **(TINY | options))).eval()
    dims = {axis: Dim(name, min=33, max=512) for axis, name in ((2, "height"), (3, "width"))}
    dims |= {0: Dim("batch")} if batch > 1 else {}

    program = torch.export.export(
        network, (image(batch, 128, 96),), dynamic_shapes={"image": dims}
    ).module()

    for number, size in enumerate(BOUNDED, start=1):
        x = image(number if batch > 1 else 1, *size)
        with torch.inference_mode():
            torch.testing.assert_close(program(x), network(x), rtol=0, atol=1e-5)
