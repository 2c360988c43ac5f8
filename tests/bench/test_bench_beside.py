"""Benchmarks beside others: another commit, packages that scan, runtimes. No speed is asserted."""

import importlib.util
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import timm
import torch
from torch import nn
from typer.testing import CliRunner

from vitrine.bench import against, runtimes, scan, scan_peers, step
from vitrine.bench.clock import Bench
from vitrine.bench.model import write_onnx
from vitrine.cli import app
from vitrine.data import splits
from vitrine.explain.runtimes import RuntimeMissing, _heaviest, in_integers, made_for, opened
from vitrine.models import mixers
from vitrine.models.rebuilt import image
from vitrine.models.scan import reference, selective_scan
from vitrine.report.recommended import RECOMMENDED
from vitrine.training.runs import RunError
from vitrine.training.session import Session

QUICK = Bench(turns=1, quick=True, tell=lambda _: None)

# Another commit


@contextmanager
def answering(commit):
    """Stands for a program of its own, where a step takes 30 ms."""
    yield lambda **asked: 30.0


def test_a_step_trains_in_each_type_and_keeps_no_gradient():
    for kind in ("forward", "training"):
        for dtype in ("float32", "bfloat16"):
            run = step.timed("mambavision_nano", kind, dtype, batch=2, side=32, depths=(1, 1, 2, 2))

            assert run() > 0
            assert run() > 0


def test_networks_are_timed_beside_the_commit_with_their_share_of_the_peak(monkeypatch):
    taken = {"mambavision_nano": 20.0, "resnet10t": 10.0}
    monkeypatch.setattr(against, "at_commit", answering)
    monkeypatch.setattr(step, "timed", lambda name, **asked: lambda: taken[name])

    found = against.measure(QUICK, commit="b79d509")

    assert found["commit"] == "b79d509"
    assert {(r["candidate"], r["kind"], r["dtype"]) for r in found["rows"]} == {
        (name, kind, dtype)
        for name in ("mambavision_nano", "commit", "resnet10t")
        for kind in ("forward", "training")
        for dtype in ("float32", "bfloat16")
    }
    milliseconds = taken | {"commit": 30.0}
    for row in found["rows"]:
        assert row["share_of_peak"] > 0
        assert row["milliseconds"] == milliseconds[row["candidate"]]
        assert row["ratio"] == pytest.approx(30 / milliseconds[row["candidate"]])
        assert row["ours_faster"] == pytest.approx(milliseconds[row["candidate"]] / 20)


def test_the_code_of_a_commit_runs_in_a_program_of_its_own():
    with against.at_commit("HEAD") as there:
        taken = there(
            name="mambavision_nano", kind="forward", dtype="float32", batch=1, side=32,
            depths=[1, 1, 2, 2],
        )  # fmt: skip

        assert taken > 0
        with pytest.raises(against.CommitError, match="to run resnet_of_nobody, found that it"):
            there(name="resnet_of_nobody", kind="forward", dtype="float32", batch=1, side=32)


def test_an_unknown_commit_is_told():
    expected = pytest.raises(against.CommitError, match="a commit of this repository, found")

    with expected, against.at_commit("no-such-commit"):
        pass


def test_the_training_step_in_bfloat16_alone_is_judged():
    rows = [
        {"candidate": name, "kind": kind, "dtype": dtype, "ours_faster": faster}
        for name, faster in ((against.OURS, 1.0), ("commit", 1.2), ("swin_tiny", 1.05))
        for kind, dtype in (("training", "bfloat16"), ("training", "float32"), ("forward", "x"))
    ]

    bars = against.against_bars(rows)

    assert {bar["dtype"] for bar in bars} == {"bfloat16"}
    assert [(bar["beside"], bar["at_least"], bar["reached"]) for bar in bars] == [
        ("commit", 1.3, False),
        ("swin_tiny", 1.0, True),
    ]


# Packages that scan


class Theirs:
    """Stands for a module with a scan as a method of a block, and one as a function."""

    class Block:
        def selective_scan(self, x, delta, A, B, C, D):
            return reference.selective_scan(x, delta, A, B, C, D)

    def loop(x, dt, A, B, C, D_skip):
        return reference.selective_scan(x, dt, A, B, C, D_skip), "the last state"


@pytest.mark.parametrize("path", ["Block.selective_scan", "loop"])
def test_the_scan_of_another_package_takes_our_arguments(path):
    tensors = scan.arguments(scan.Case(2, 9, 4, 3))

    for softplus in (False, True):
        found = scan_peers._adapted(Theirs, path)(**tensors, delta_softplus=softplus)

        expected = selective_scan(**tensors, delta_softplus=softplus)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_package_is_installed_or_the_sheet_says_why_not():
    known = {"mambapy", "mambax", "torchmamba"}

    assert {*scan_peers.PACKAGES, *scan_peers.ABSENT} == known
    assert ("torchmamba" in scan_peers.PACKAGES) is (sys.version_info >= (3, 12))


def test_the_scans_of_the_small_network_at_the_side_of_its_photos_are_timed(monkeypatch):
    met = set()

    def spied(u, delta, A, *others, **options):
        met.add(scan.Case(*u.shape, A.shape[1]))
        return selective_scan(u, delta, A, *others, **options)

    monkeypatch.setattr(mixers, "selective_scan", spied)
    timm.create_model("mambavision_nano", img_size=128).eval()(image(1, 128, 128))

    assert met == {scan.Case(1, 64, 32), scan.Case(1, 16, 64)} <= {*scan_peers.CASES}


def test_every_shape_is_timed_and_the_plain_scan_while_it_is_short(monkeypatch):
    @contextmanager
    def installed():
        adapted = scan_peers._adapted(Theirs, "Block.selective_scan")
        yield {"mambapy": adapted, "torchmamba": adapted}

    monkeypatch.setattr(scan_peers, "installed", installed)
    monkeypatch.setattr(scan_peers, "LONGEST_LOOP", 12)
    monkeypatch.setattr(scan_peers, "TINY", (scan.Case(2, 12, 4, 2), scan.Case(1, 13, 4, 2)))
    said = []

    found = scan_peers.measure(replace(QUICK, tell=said.append))

    assert [(row["length"], row["pass"], row["candidate"]) for row in found["rows"]] == [
        (length, kind, name)
        for length, names in (
            (12, ("ours", "mambapy", "torchmamba", "plain")),
            (13, ("ours", "mambapy")),
        )
        for kind in ("forward", "training")
        for name in names
    ]
    assert len(said) == len(found["rows"])
    assert found["packages"] == [pin for pin, *_ in scan_peers.PACKAGES.values()]
    assert found["absent"] == scan_peers.ABSENT


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
    names = ("onnx", "onnx-int8", "openvino-int8")

    found = runtimes.measure(QUICK, names=names[1:])

    asked = [(runtime, batch) for batch in (1, 16) for runtime in names]
    assert [(row["runtime"], row["batch"]) for row in found["rows"]] == asked
    gaps = [row["relative_gap"] for row in found["rows"]]
    assert gaps[0] == gaps[3] == 0
    assert all(0 < gaps[i] < 0.5 for i in (1, 4)), gaps
    assert all(0 < gaps[i] < 0.8 for i in (2, 5)), gaps  # ranges as wide below zero as above
    barred = [(bar["runtime"], bar["at_least"]) for bar in found["bars"]]
    assert barred == 2 * [("onnx-int8", 3.0), ("openvino-int8", 3.0)]


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

    whole = onnx.load_from_string(in_integers(model, photos))

    made = whole.graph
    rounded = {node.output[0] for node in made.node if node.op_type == "DequantizeLinear"}
    layers = [node.input[0] in rounded for node in made.node if node.op_type == "Conv"]
    assert layers == [False, True, True, True]
    assert not [node for node in made.node if node.op_type == "Clip" and node.input[0] in rounded]
    exact, found = (
        opened(file, "onnx")(photos[0])[0] for file in (model, whole.SerializeToString())
    )
    assert np.abs(found - exact).max() < 0.06 * np.abs(exact).max()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_openvino_reads_signed_activations_whose_zero_is_zero(tmp_path):
    model = write_onnx(clipped_network(), tmp_path / "model.onnx", 16).read_bytes()
    photos = [image(2, 16, 16).numpy()]

    def zeros(file):
        graph = onnx.load_from_string(file).graph
        known = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
        asked = (node.input[2] for node in graph.node if node.op_type == "QuantizeLinear")
        return [known[each] for each in asked]

    made = {each: made_for(model, each, photos) for each in runtimes.RUNTIMES}

    assert [each for each, file in made.items() if file != model] == ["onnx-int8", "openvino-int8"]
    assert {zero.dtype.name for zero in zeros(made["onnx-int8"])} == {"uint8"}
    signed = zeros(made["openvino-int8"])
    assert signed and not any(np.any(zero) for zero in signed)
    assert {zero.dtype.name for zero in signed} == {"int8"}
    exact, found = (opened(made[each], each)(photos[0])[0] for each in ("onnx", "openvino-int8"))
    assert np.abs(found - exact).max() < 0.06 * np.abs(exact).max()


def weighty_network():
    """Convolutions of a place, of nine and of a channel, then a linear layer, of large weights."""
    draw = torch.Generator().manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(33, 32, 1), nn.Conv2d(32, 130, 1), nn.Conv2d(130, 130, 3, groups=130),
        nn.Conv2d(130, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 300),
    )  # fmt: skip
    for layer in (each for each in layers if hasattr(each, "weight")):
        drawn = torch.rand(layer.weight.shape, generator=draw)
        layer.weight.data = (0.8 + 0.2 * drawn) * (-1.0) ** torch.arange(len(drawn)).view(
            -1, *[1] * (drawn.ndim - 1)
        )
    return layers.eval()


def integers(model):
    """Return by operator and shape the rounded weights of a file, a row an output channel."""
    graph = onnx.load_from_string(model).graph
    known = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    made = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    found = {}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            values = known[made[node.input[1]].input[0]].astype(int)
            found[node.op_type, values.shape] = np.moveaxis(values, 1, -1).reshape(len(values), -1)
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_no_two_neighbours_can_saturate_the_products_of_a_processor_without_vnni():
    photos = [torch.rand(2, 33, 6, 6, generator=torch.Generator().manual_seed(1)).numpy()]
    drawn = torch.from_numpy(photos[0])
    made = torch.onnx.export(weighty_network(), (drawn,), dynamo=True, verbose=False)
    model = made.model_proto.SerializeToString()

    whole, halved, paired = (
        integers(in_integers(model, photos, kind)) for kind in ("whole", "halved", "paired")
    )

    def most(rows):
        even = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2)))
        return np.abs(even[:, ::2] + even[:, 1::2]).max()

    assert len(paired) == 5
    for kind, rows in paired.items():
        if kind[1] == (130, 1, 3, 3):  # a channel alone has no neighbour
            assert np.abs(rows).max() == 127
            continue
        assert most(whole[kind]) > 2 * 110
        assert 120 < most(rows) <= 128
        assert np.abs(halved[kind]).max() <= 64
    one = np.array([[0, 0, 3.0], [1.0, -4.0, 2.0], [0, 0, 0]])
    assert _heaviest(one).tolist() == [3, 4, 1]


# 8-bit forms over folds


class Timed:
    def milliseconds(self, form):
        return 1.0

    def ratio(self, form, other):
        return 1.0


def answering_forms(monkeypatch, right):
    """Make every form right on so many of ten photos of each of five folds.

    The guard, fitted on twenty others, takes two of the ten for none of the classes.
    """
    monkeypatch.setattr(runtimes, "int8_graph", lambda whole: b"int8")

    def in_integers(given, learned, weights="paired"):
        return given + weights.encode()

    monkeypatch.setattr(runtimes, "in_integers", in_integers)
    monkeypatch.setattr(runtimes, "made_for", lambda given, runtime, learned: given + b"signed")
    key = {"onnx": b"", "openvino-bf16": b"bf16", "openvino-int8": b"here"}
    monkeypatch.setattr(
        runtimes, "opened", lambda file, runtime: partial(right.__getitem__, file + key[runtime])
    )
    monkeypatch.setattr(runtimes.Bench, "time", lambda bench, work: Timed())
    monkeypatch.setattr(
        runtimes, "predicting",
        lambda answer: lambda pixels: np.eye(2)[np.repeat([1, 0], [answer(), 10 - answer()])],
    )  # fmt: skip
    alarms = {(20, 10): SimpleNamespace(false_alarms=SimpleNamespace(value=0.2))}
    monkeypatch.setattr(runtimes, "guard", lambda _, known, judged: alarms[len(known), len(judged)])


def test_forms_are_counted_over_folds_and_the_served_one_is_judged(monkeypatch):
    right = {b"": 9, b"int8": 9, b"whole": 8, b"halved": 7, b"paired": 9, b"int8paired": 8}
    right |= {b"bf16": 9, b"signedhere": 7}
    answering_forms(monkeypatch, right)
    truth, pixels = np.ones(10, int), np.zeros((10, 4, 4, 3), np.uint8)

    given = (b"", [], pixels, truth, np.concatenate([pixels, pixels]))
    rows = [row for _ in range(5) for row in runtimes._forms(QUICK, *given)]
    totals = {row["form"]: row for row in runtimes._totals(rows)}

    assert {form: (row["right"], row["images"], row["same"]) for form, row in totals.items()} == {
        "float32": (45, 50, 50), "int8": (45, 50, 50), "int8-static-whole": (40, 50, 45),
        "int8-static-halved": (35, 50, 40), "int8-static": (45, 50, 50),
        "int8-static-again": (40, 50, 45), "openvino-bf16": (45, 50, 50),
        "openvino-int8": (35, 50, 40),
    }  # fmt: skip
    lost = [row["points_lost"] for row in totals.values()]
    assert lost == pytest.approx([0, 0, 10, 20, 0, 10, 0, 20])
    assert totals["int8-static-whole"]["mean_gap"] == pytest.approx(0.1)
    assert max(row["largest_gap"] for row in rows) == 1
    assert {row["false_alarms"] for row in totals.values()} == {10}


def test_every_fold_is_judged_by_its_own_model_and_the_photos_that_it_learned(monkeypatch):
    right = {b"": 9, b"int8": 9, b"whole": 9, b"halved": 9, b"paired": 9, b"int8paired": 8}
    right |= {b"bf16": 8, b"signedhere": 9}
    answering_forms(monkeypatch, right)
    parts = {
        "test": SimpleNamespace(image=np.array(["a"]), truth=np.ones(10, int)),
        "validation": SimpleNamespace(image=np.array(["b", "c"])),
    }
    recipe = SimpleNamespace(image_size=4)
    group = [SimpleNamespace(number=k, part=parts.get, recipe=recipe) for k in range(5)]
    found = {each: [SimpleNamespace(runs=group)] for each in (RECOMMENDED, runtimes.BESIDE)}
    asked, seen = [], []
    monkeypatch.setattr(runtimes.runs, "across_folds", lambda **given: asked.append(given) or found)
    monkeypatch.setattr(
        runtimes.trained, "load", lambda run, split, _: SimpleNamespace(network=(run.number, split))
    )
    monkeypatch.setattr(
        runtimes, "float_graph", lambda network, *_, **__: seen.append(network) or b""
    )
    monkeypatch.setattr(runtimes, "calibrating", lambda split, *_: seen.append(split) or [])
    monkeypatch.setattr(
        runtimes.images, "cached",
        lambda _, names, side: np.zeros((10 * len(names), side, side, 3), np.uint8),
    )  # fmt: skip
    folds = SimpleNamespace(fold=lambda repeat, fold: f"{repeat}.{fold}")
    monkeypatch.setattr(Session, "folds", lambda _: folds)
    monkeypatch.setattr(Session, "catalog", lambda _: None)
    here, made = Session("published", splits.load(), Path("runs"), photos=True), Path("made")
    told = []

    sheet = runtimes.judge(replace(QUICK, tell=told.append), folder=made, here=here)

    assert asked == [{"base": made, "folds": folds, "only": {RECOMMENDED, runtimes.BESIDE}}]
    assert seen == 2 * [each for k in range(5) for each in ((k, f"0.{k}"), f"0.{k}")]
    assert {row["fold"] for row in sheet["rows"]} == set(range(5)) and len(sheet["rows"]) == 80
    assert [(b["recipe"], b["form"], b["measured"], b["reached"]) for b in sheet["bars"]] == [
        (RECOMMENDED, "int8-static-again", 10, False),
        (RECOMMENDED, "openvino-int8", 0, True),
        (runtimes.BESIDE, "int8-static", 0, True),
        (runtimes.BESIDE, "openvino-int8", 0, True),
        (runtimes.BESIDE, "openvino-bf16", 0.9, False),
    ]
    assert len(sheet["totals"]) == len(told) == 16
    assert told[5].startswith(f"{RECOMMENDED} int8-static-again     40 right of 50, 45 as in")

    found.clear()
    with pytest.raises(
        RunError, match="on each fold in made, found fewer; make them with `vitrine"
    ):
        runtimes.judge(QUICK, folder=made, here=here)


def test_a_runtime_that_is_unknown_or_absent_is_told(monkeypatch):
    with pytest.raises(RuntimeMissing, match="found tensorrt"):
        runtimes.measure(QUICK, names=("tensorrt",))
    with pytest.raises(RuntimeMissing, match="found 'tensorrt'"):
        opened(b"", "tensorrt")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeMissing, match="install the project with its extra openvino"):
        opened(b"", "openvino-bf16")


# The command


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--against", "HEAD", "--runtime", "openvino"), "--against --runtime"),
        (("--runtime", "openvino", "--folds", "."), "--runtime --folds"),
        (("--folds", ".", "--quick"), "--folds --quick"),
    ],
)
def test_options_that_exclude_one_another_are_refused(arguments, found):
    told = CliRunner().invoke(app, ["bench", "model", *arguments])

    assert told.exit_code == 2
    assert f"found {found}" in " ".join(told.output.replace("│", " ").split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "--peers"),
        ("model", "--against", "HEAD"),
        ("model", "--runtime", "openvino"),
        ("model", "--folds", "."),
    ],
)
def test_comparisons_run_on_a_cpu_alone(arguments, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    told = CliRunner().invoke(app, ["bench", *arguments, "--device", "cuda"])

    assert told.exit_code == 2
    assert f"expected a CPU with {arguments[1]}" in " ".join(told.output.split())
