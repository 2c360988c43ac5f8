"""Benchmarks beside others: another commit, packages that scan, runtimes. No speed is asserted."""

import importlib.util
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from vitrine.bench import against, runtimes, scan, scan_peers, step
from vitrine.bench.clock import Bench
from vitrine.bench.model import write_onnx
from vitrine.cli import app
from vitrine.explain.runtimes import RuntimeMissing, in_integers, opened
from vitrine.models.rebuilt import image
from vitrine.models.scan import reference, selective_scan

QUICK = Bench(turns=1, quick=True, tell=lambda _: None)

# Another commit


@contextmanager
def answering(commit):
    """Stands for a program of its own: 2 s for each step, so that ours is the faster."""
    yield lambda **asked: 2000.0


def test_a_step_trains_in_each_type_and_keeps_no_gradient():
    for kind in ("forward", "training"):
        for dtype in ("float32", "bfloat16"):
            run = step.timed("mambavision_nano", kind, dtype, batch=2, side=32, depths=(1, 1, 2, 2))

            assert run() > 0
            assert run() > 0


def test_networks_are_timed_beside_the_commit_with_their_share_of_the_peak(monkeypatch):
    monkeypatch.setattr(against, "elsewhere", answering)

    found = against.measure(QUICK, commit="b79d509")

    assert found["commit"] == "b79d509"
    assert {(r["candidate"], r["kind"], r["dtype"]) for r in found["rows"]} == {
        (name, kind, dtype)
        for name in ("mambavision_nano", "commit", "resnet10t")
        for kind in ("forward", "training")
        for dtype in ("float32", "bfloat16")
    }
    for row in found["rows"]:
        assert row["share_of_peak"] > 0
        if row["candidate"] == "commit":
            assert row["milliseconds"] == 2000 and row["ratio"] == 1 and row["ours_faster"] > 1


def test_the_code_of_a_commit_runs_in_a_program_of_its_own():
    with against.elsewhere("HEAD") as there:
        taken = there(
            name="mambavision_nano", kind="forward", dtype="float32", batch=1, side=32,
            depths=[1, 1, 2, 2],
        )  # fmt: skip

        assert taken > 0
        with pytest.raises(against.CommitError, match="to run resnet_of_nobody, found that it"):
            there(name="resnet_of_nobody", kind="forward", dtype="float32", batch=1, side=32)


def test_an_unknown_commit_is_told():
    expected = pytest.raises(against.CommitError, match="a commit of this repository, found")

    with expected, against.elsewhere("no-such-commit"):
        pass


def test_the_training_step_in_bfloat16_alone_is_judged():
    rows = [
        {"candidate": name, "kind": kind, "dtype": dtype, "ours_faster": faster}
        for name, faster in ((against.OURS, 1.0), ("commit", 1.2), ("swin_tiny", 1.05))
        for kind, dtype in (("training", "bfloat16"), ("training", "float32"), ("forward", "x"))
    ]

    bars = against.against_bars(rows)

    assert [(bar["beside"], bar["at_least"], bar["reached"]) for bar in bars] == [
        ("commit", 1.3, False),
        ("swin_tiny", 1.0, True),
    ]


# Packages that scan


def theirs(_, x, delta, A, B, C, D):
    return reference.selective_scan(x, delta, A, B, C, D)


def test_a_method_of_another_package_takes_our_arguments():
    tensors = scan.arguments(scan.Case(2, 9, 4, 3))

    for softplus in (False, True):
        found = scan_peers._adapted(theirs)(**tensors, delta_softplus=softplus)

        expected = selective_scan(**tensors, delta_softplus=softplus)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_every_shape_is_timed_and_the_plain_scan_while_it_is_short(monkeypatch):
    @contextmanager
    def installed():
        yield {"mambapy": scan_peers._adapted(theirs)}

    monkeypatch.setattr(scan_peers, "installed", installed)
    monkeypatch.setattr(scan_peers, "LONGEST_PLAIN", 12)
    monkeypatch.setattr(scan_peers, "TINY", (scan.Case(2, 12, 4, 2), scan.Case(1, 13, 4, 2)))
    said = []

    found = scan_peers.measure(replace(QUICK, tell=said.append))

    assert [(row["length"], row["pass"], row["candidate"]) for row in found["rows"]] == [
        (length, kind, name)
        for length, names in ((12, ("ours", "mambapy", "plain")), (13, ("ours", "mambapy")))
        for kind in ("forward", "training")
        for name in names
    ]
    assert len(said) == len(found["rows"])
    assert found["packages"] == ["mambapy==1.2.0", "mambax==0.4.1"]


def peer_row(length, candidate, *, faster=1.0, milliseconds=1.0, kind="training"):
    return {
        "shape": f"1x{length}", "length": length, "pass": kind, "candidate": candidate,
        "ours_faster": faster, "milliseconds": milliseconds,
    }  # fmt: skip


def test_bars_hold_no_peer_faster_mambapy_far_behind_when_long_and_a_linear_cost():
    rows = [
        peer_row(64, "mambapy", faster=1.5),
        peer_row(64, "mambax", faster=0.99),
        peer_row(4096, "mambapy", faster=9.0),
        peer_row(4096, "mambapy", faster=2.0, kind="forward"),
        peer_row(64, "ours", milliseconds=1.0),
        peer_row(4096, "ours", milliseconds=10.0),
        peer_row(65536, "ours", milliseconds=16 * 12.0),
    ]

    bars = scan_peers.peer_bars(rows)

    assert [bar["reached"] for bar in bars] == [True, False, False, True, True]
    assert bars[2]["at_least"] == 10
    assert bars[-1]["measured"] == pytest.approx(1.2)


def test_packages_that_cannot_be_installed_are_told(monkeypatch):
    monkeypatch.setattr(
        scan_peers.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1)
    )

    expected = pytest.raises(scan_peers.PeerError, match="to install mambapy==1.2.0, mambax==0.4.1")

    with expected, scan_peers.installed():
        pass


# Runtimes


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_integers_answer_nearly_as_float32_and_are_timed_beside_it(untyped):
    found = runtimes.measure(QUICK, names=("onnx-int8",))

    assert [(row["runtime"], row["batch"]) for row in found["rows"]] == [
        (runtime, batch) for batch in (1, 16) for runtime in ("onnx", "onnx-int8")
    ]
    gaps = [row["relative_gap"] for row in found["rows"]]
    assert gaps[0] == gaps[2] == 0
    assert 0 < gaps[1] < 0.5 and 0 < gaps[3] < 0.5, gaps


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_openvino_answers_as_onnx_runtime_and_in_bfloat16_nearly(untyped):
    names = ("openvino", "openvino-bf16")

    found = runtimes.measure(QUICK, names=names)

    gaps = {
        name: [r["relative_gap"] for r in found["rows"] if r["runtime"] == name] for name in names
    }
    assert max(gaps["openvino"]) < 1e-5
    assert max(gaps["openvino-bf16"]) < 5e-2


def clipped_network():
    """Two convolutions of few weights and two of many, whose outputs go far beyond [0, 6]."""
    draw = torch.Generator().manual_seed(0)
    widths = (3, 16, 16, 32, 32)
    layers = []
    for number, (entering, leaving) in enumerate(pairwise(widths)):
        layer = nn.Conv2d(entering, leaving, 3 if number else 1, padding=1 if number else 0)
        layer.weight.data = torch.randn(layer.weight.shape, generator=draw)
        layer.bias.data.zero_()
        layers += [layer, nn.ReLU6()]
    return nn.Sequential(*layers[:-1]).eval()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_clipped_activation_is_rounded_once_and_the_first_small_layers_stay_in_float(tmp_path):
    model = write_onnx(clipped_network(), tmp_path / "model.onnx", 16).read_bytes()
    photos = [image(2, 16, 16).numpy()]

    made = onnx.load_from_string(in_integers(model, photos)).graph

    rounded = {node.output[0] for node in made.node if node.op_type == "DequantizeLinear"}
    layers = [node.input[0] in rounded for node in made.node if node.op_type == "Conv"]
    assert layers == [False, True, True, True]
    assert not [node for node in made.node if node.op_type == "Clip" and node.input[0] in rounded]
    exact, found = (opened(model, kind, photos)(photos[0])[0] for kind in ("onnx", "onnx-int8"))
    assert np.abs(found - exact).max() < 0.06 * np.abs(exact).max()


def test_a_runtime_that_is_unknown_or_absent_is_told(monkeypatch):
    with pytest.raises(RuntimeMissing, match="found tensorrt"):
        runtimes.measure(QUICK, names=("tensorrt",))
    with pytest.raises(RuntimeMissing, match="found 'tensorrt'"):
        opened(b"", "tensorrt")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeMissing, match="pip install openvino"):
        opened(b"", "openvino-bf16")


# The command


@pytest.mark.parametrize(
    "arguments",
    [("scan", "--peers"), ("model", "--against", "HEAD"), ("model", "--runtime", "openvino")],
)
def test_comparisons_run_on_a_cpu_alone(arguments, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    told = CliRunner().invoke(app, ["bench", *arguments, "--device", "cuda"])

    assert told.exit_code == 2
    assert f"expected a CPU with {arguments[1]}" in " ".join(told.output.split())
