"""The scan as compilers and exporters see it."""

import pytest
import torch
from scan_cases import arguments, assert_same, every_argument, expected_outcome, outcome
from torch import nn

from vitrine.models.scan import chunked, reference, selective_scan

pytestmark = pytest.mark.usefixtures("untyped")


class Scan(nn.Module):
    """The scan of a network: A, D and the bias are its own, the rest is computed from images."""

    def __init__(self, tensors):
        super().__init__()
        self.A, self.D, self.bias = (nn.Parameter(tensors[k]) for k in ("A", "D", "delta_bias"))

    def forward(self, u, delta, B, C):
        return selective_scan(u, delta, self.A, B, C, self.D, self.bias, delta_softplus=True)


@pytest.fixture
def network():
    tensors = {name: t.detach() for name, t in arguments(length=12, dtype=torch.float32).items()}
    return Scan(tensors).eval(), tuple(tensors[name] for name in ("u", "delta", "B", "C"))


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # of the checks themselves
@pytest.mark.parametrize("keep", [True, False])
def test_forward_operator_passes_the_checks_of_the_library(keep, monkeypatch):
    monkeypatch.setattr(chunked, "BUFFER", 5 * 2 * 3 * 4)
    tensors = arguments(length=12).values()

    torch.library.opcheck(chunked._scan, (*tensors, True, keep))
    torch.library.opcheck(chunked._scan, (*list(tensors)[:5], None, None, False, keep))


def test_backward_operator_passes_the_checks_of_the_library(monkeypatch):
    monkeypatch.setattr(chunked, "BUFFER", 5 * 2 * 3 * 4)
    tensors = [t.detach() for t in arguments(length=12).values()]
    y, *kept = chunked._scan(*tensors, True, True)

    torch.library.opcheck(chunked._scan_backward, (*tensors, True, *kept, torch.ones_like(y)))


def test_a_compiled_scan_is_one_node_for_any_batch():
    nodes = []

    def backend(graph, _):
        nodes.append([n.target for n in graph.graph.nodes if n.op == "call_function"])
        return graph

    compiled = torch.compile(selective_scan, backend=backend, fullgraph=True, dynamic=True)

    for batch in (2, 3, 5):
        tensors = arguments(batch=batch)
        assert_same({"y": compiled(**tensors)}, {"y": reference.selective_scan(**tensors)}, 1e-13)

    assert len(nodes) == 1
    assert torch.ops.vitrine.chunked_scan.default in nodes[0]


def test_a_compiled_scan_has_the_gradients_of_the_reference():
    tensors = arguments(length=12)
    compiled = torch.compile(selective_scan, backend="aot_eager", fullgraph=True)

    found = outcome(compiled, tensors)

    assert_same(found, expected_outcome(tensors), 1e-13)


class EveryOption(nn.Module):
    def forward(self, tensors):
        return selective_scan(**tensors, delta_softplus=True, return_last_state=True)


@pytest.mark.parametrize(
    ("B", "C"), [("shared", "shared"), ("grouped", "grouped otherwise"), ("constant", "shared")]
)
def test_a_scan_with_every_option_is_compiled_and_exported_whole(B, C):
    tensors = {name: t.detach() for name, t in every_argument(B, C).items()}
    scan = EveryOption()

    compiled = torch.compile(scan, backend="aot_eager", fullgraph=True)(tensors)
    exported = torch.export.export(scan, (tensors,)).module()(tensors)

    torch.testing.assert_close(compiled, scan(tensors))
    torch.testing.assert_close(exported, scan(tensors))


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_scan_is_made_of_plain_operations_and_takes_any_batch(strict, network):
    scan, inputs = network
    batch = torch.export.Dim("batch")

    program = torch.export.export(
        scan, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs), strict=strict
    )

    targets = {str(n.target) for n in program.graph.nodes if n.op == "call_function"}
    assert not any("vitrine" in target or "loop" in target for target in targets)
    assert {"aten.exp.default", "aten.matmul.default"} < targets
    larger = tuple(torch.cat([t, 2 * t, t]) for t in inputs)
    torch.testing.assert_close(program.module()(*larger), scan(*larger))


def test_an_exported_scan_takes_few_sequential_steps():
    tensors = {name: t.detach() for name, t in arguments(length=196).items()}
    scan = Scan(tensors)

    program = torch.export.export(scan, tuple(tensors[name] for name in ("u", "delta", "B", "C")))

    depth = {}
    for node in program.graph.nodes:
        before = max((depth[parent] for parent in node.all_input_nodes), default=0)
        depth[node] = before + (str(node.target) == "aten.mul.Tensor")
    assert max(depth.values()) <= 14 + 14 + 3


@pytest.mark.parametrize("form", ["chunked", "two_level"])  # two_level, because it runs anywhere
def test_a_scan_on_no_device_has_a_shape_and_gradients(form, monkeypatch):
    monkeypatch.setenv("VITRINE_SCAN", form)
    tensors = {name: t.detach().to("meta").requires_grad_() for name, t in arguments().items()}

    y = selective_scan(**tensors)
    y.sum().backward()

    assert y.shape == (2, 7, 3)
    assert all(t.grad.shape == t.shape for t in tensors.values())
