"""Benchmarks: what they compute and write. Nothing here asserts how fast anything is."""

import json
import os
import re
import signal
import sys
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from timm.models import get_pretrained_cfg
from torch.utils.flop_counter import FlopCounterMode
from typer.testing import CliRunner

from vitrine import cli, paths
from vitrine.bench import (
    backbones,
    budget,
    clock,
    lengths,
    model,
    plain,
    recipes,
    results,
    scan,
    training,
)
from vitrine.bench.clock import Bench, Timings, peak_bytes, side_by_side
from vitrine.cli import app
from vitrine.cli import bench as bench_command
from vitrine.data import splits
from vitrine.models import mixers
from vitrine.models.scan import reference
from vitrine.report.ledger import training as ledger
from vitrine.serving import supervisor
from vitrine.training import children
from vitrine.training.recipes import CONTROLS, EQUAL_START, RECIPES

HEADER = {
    "writer", "date", "quick", "turns", "clock", "code", "versions", "hardware", "mamba_ssm",
}  # fmt: skip


# The sheets


def test_a_sheet_is_read_as_it_was_written_and_one_nobody_measured_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    results.write("scan", {"rows": [{"ratio": 2.0}], "bars": []})

    assert results.read("scan") == {"rows": [{"ratio": 2.0}], "bars": []}
    assert results.read("scan-cuda") is None


# The clock


def test_a_ratio_is_the_median_over_the_turns_not_the_ratio_of_the_medians():
    timings = Timings({"slow": (10.0, 40.0, 12.0), "fast": (5.0, 4.0, 6.0)})

    assert timings.milliseconds("slow") == 12.0
    assert timings.ratio("fast", "slow") == 2.0
    assert timings.ratio("slow", "slow") == 1.0


def test_candidates_take_turns_after_a_run_that_is_not_timed():
    ran, turns = [], []
    answers = iter([3.0, 1.0, 5.0, 2.0])

    def fake(work):
        work()
        return next(answers)

    timings = side_by_side(
        {"a": lambda: ran.append("a"), "b": lambda: ran.append("b")},
        turns=2,
        clock=fake,
        progress=lambda turn, of: turns.append((turn, of)),
    )

    assert "".join(ran) == "ab" + "abab"
    assert timings.turns == {"a": (3.0, 5.0), "b": (1.0, 2.0)}
    assert turns == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("work", "turns"), [({}, 3), ({"a": list}, 0)])
def test_nothing_to_time_is_refused(work, turns):
    with pytest.raises(ValueError, match="at least one candidate and one turn"):
        side_by_side(work, turns=turns, clock=lambda _: 1.0)


def test_a_short_work_is_repeated_and_its_mean_is_told():
    calls = {"short": 0, "long": 0}

    def run(name, ms):
        def work():
            calls[name] += 1
            spent[0] += ms

        return work

    spent = [0.0]

    def clock(work):
        before = spent[0]
        work()
        return spent[0] - before

    timings = side_by_side(
        {"short": run("short", 0.5), "long": run("long", 30.0)}, turns=3, clock=clock, least=20.0
    )

    assert calls == {"short": 2 + 3 * 40, "long": 2 + 3}
    assert timings.turns == {"short": (0.5,) * 3, "long": (30.0,) * 3}


def test_the_clock_of_a_cpu_does_not_count_sleep(monkeypatch):
    now = iter([5_000_000, 12_500_000])
    monkeypatch.setattr(clock.time, "process_time_ns", lambda: next(now))

    assert clock.clock_of("cpu")(lambda: None) == 7.5


def test_memory_is_the_most_held_at_once_and_not_what_was_there_before():
    before = torch.zeros(1000)

    def work():
        first = before + 1  # 4000 bytes
        first = torch.cat([first, first])  # 8000 more, then the first 4000 are given back
        return first[:1].clone()

    assert 12000 <= peak_bytes(work, "cpu") < 13000


# The scan to beat


def test_the_plain_scan_is_the_reference_in_another_layout():
    tensors = scan.arguments(scan.Case(2, 9, 4, 3))

    found = plain.selective_scan(**tensors, delta_softplus=True)

    expected = reference.selective_scan(**tensors, delta_softplus=True)
    torch.testing.assert_close(found, expected)


def test_the_plain_scan_takes_the_place_of_ours_and_leaves_it():
    ours, asked = mixers.selective_scan, []
    mixer = mixers.ScanMixer(8)
    tokens = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0))
    expected = mixer(tokens)

    def counted(*arguments, **options):
        asked.append(1)
        return plain.selective_scan(*arguments, **options)

    with plain.scanning_with(counted):
        found = mixer(tokens)

    assert asked == [1]
    assert mixers.selective_scan is ours
    torch.testing.assert_close(found, expected)


# The sheets


def quick(measure):
    told = []
    found = clock.measured("any", measure, Bench(turns=1, quick=True, tell=told.append))
    assert told
    assert found.keys() >= HEADER
    assert found["quick"] is True
    assert found["bars"] == []
    assert found["hardware"]["device"] == "cpu"
    assert found["hardware"]["gpu"] is None
    assert found["versions"].keys() >= {"python", "torch", "onnxruntime"}
    assert found["mamba_ssm"].startswith("not compared: ")
    return found


def test_the_sheet_of_the_scan_has_every_form_and_three_mixers(tmp_path):
    found = quick(scan.measure)

    assert {(row["length"], row["pass"], row["candidate"]) for row in found["rows"]} == {
        (case.length, kind, form)
        for case in scan.TINY
        for kind in ("forward", "training")
        for form in ("plain", "reference", "chunked", "two_level")
    }
    for row in found["rows"]:
        assert 0 <= row["fastest"] <= row["milliseconds"] <= row["slowest"]
        assert row["ratio"] == 1 or row["candidate"] != "plain"
        assert row["memory_mib"] > 0
    assert [(row["mixer"], row["length"]) for row in found["lengths"]] == [
        (mixer, length)
        for length in lengths.LENGTHS[:2]
        for mixer in ("scan", "attention", "convolution")
    ]
    assert all(row["milliseconds"] > 0 and row["batch"] == 1 for row in found["lengths"])
    assert len({row["width"] for row in found["lengths"]}) == 1
    assert json.loads(results.write("scan", found, tmp_path).read_text())["rows"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_sheet_of_the_model_has_both_passes_both_types_and_onnx(untyped, tmp_path):
    found = quick(model.measure)

    assert {(row["pass"], row["candidate"], row["dtype"]) for row in found["rows"]} == {
        (kind, candidate, dtype)
        for kind in ("forward", "training")
        for candidate in ("plain", "ours", "ours, channels last")
        for dtype in ("float32", "bfloat16")
    }
    for row in found["rows"]:
        assert row["images_per_second"] == pytest.approx(1e3 * row["batch"] / row["milliseconds"])
        assert row["candidate"] != "plain" or row["ratio_same_dtype"] == 1
    assert [row["dtype"] for row in found["recomputed"]] == ["float32", "bfloat16"]
    assert all(0 < row["memory_share"] < 1 and row["slower"] > 0 for row in found["recomputed"])
    assert [row["batch"] for row in found["onnx"]] == [1, 16]
    assert all(row["same_top1"] and row["largest_gap"] < 1e-4 for row in found["onnx"])
    assert json.loads(results.write("model", found, tmp_path).read_text())["onnx"]


def test_a_sheet_is_rounded_and_written_whole_or_not_at_all(tmp_path):
    path = results.write("scan", {"a": 1.23456789, "b": [{"c": 123456.0}], "d": "text"}, tmp_path)

    with pytest.raises(ValueError, match="not JSON compliant"):
        results.write("scan", {"a": float("nan")}, tmp_path)

    assert json.loads(path.read_text()) == {"a": 1.235, "b": [{"c": 123500.0}], "d": "text"}
    assert [p.name for p in tmp_path.iterdir()] == ["scan.json"]


def scan_row(length, kind, candidate, **measured):
    return {
        "length": length, "pass": kind, "candidate": candidate, "ratio": 1.0, "memory_share": 1.0,
        "milliseconds": 1.0, **measured,
    }  # fmt: skip


def test_bars_of_the_scan_are_judged_from_the_rows():
    rows = [
        scan_row(196, "forward", "chunked", ratio=2.8, memory_share=0.3),
        scan_row(196, "training", "chunked", ratio=27.9, memory_share=0.31),
        scan_row(49, "training", "chunked", ratio=1.0),
        scan_row(196, "forward", "triton", milliseconds=2.0),
        scan_row(196, "forward", "mamba_ssm", milliseconds=1.0),
    ]

    bars = {(bar["about"], bar["length"], bar["pass"]): bar for bar in scan.scan_bars(rows)}

    assert {what: bar["reached"] for what, bar in bars.items()} == {
        ("scan", 196, "forward"): True,
        ("scan", 196, "training"): False,
        ("memory", 196, "forward"): True,
        ("memory", 196, "training"): False,
        ("kernel", 196, "forward"): False,
    }
    assert bars["kernel", 196, "forward"]["measured"] == 0.5


def test_bars_of_the_model_are_judged_from_the_rows():
    rows = [
        {"pass": "training", "candidate": c, "dtype": "bfloat16", "ratio": ratio, "model": "m",
         "images_per_second": speed}
        for c, ratio, speed in (
            ("ours", 2.5, 8.0), ("ours, channels last", 2.7, 9.0), ("mamba_ssm", 3.0, 10.0)
        )
    ]  # fmt: skip
    onnx = [
        {"model": "m", "batch": 1, "ratio": 0.9, "largest_gap": 2e-4, "same_top1": False},
        {"model": "m", "batch": 16, "ratio": 1.1, "largest_gap": 2e-5, "same_top1": True},
    ]

    reached = [bar["reached"] for bar in model.model_bars(rows, onnx)]

    assert reached == [True, False, *[False] * 3, *[True] * 3]


def test_bars_of_a_step_that_computes_again_are_its_memory_and_its_time():
    rows = [
        {"model": "m", "dtype": "float32", "memory_share": 0.74, "slower": 1.2},
        {"model": "m", "dtype": "bfloat16", "memory_share": 0.76, "slower": 1.05},
    ]

    found = {(b["about"], b["dtype"]): b["reached"] for b in model.recompute_bars(rows)}

    assert found == {
        ("recomputed memory", "float32"): True, ("recomputed time", "float32"): False,
        ("recomputed memory", "bfloat16"): False, ("recomputed time", "bfloat16"): True,
    }  # fmt: skip


# The command


def test_the_command_prints_the_machine_and_writes_the_sheet(untyped, tmp_path):
    asked = ["bench", "scan", "--device", "cpu", "--quick", "--turns", "1"]
    done = CliRunner().invoke(app, [*asked, "--folder", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert re.search(r"^machine: .+; 1 thread$", done.stdout, re.M)
    assert "torch " in done.stdout
    assert "written: scan.json" in done.stdout
    assert json.loads((tmp_path / "scan.json").read_text())["writer"] == "vitrine bench scan"


@pytest.mark.parametrize(
    ("flags", "gpu", "where", "told"),
    [
        (["avx2", "avx512f"], None, {"dtype": "bfloat16"}, True),
        ([], None, {"runtime": "openvino-bf16"}, True),
        (["avx512_bf16"], None, {"dtype": "bfloat16"}, False),
        (["amx_bf16"], None, {"dtype": "bfloat16"}, False),
        (["bf16"], None, {"dtype": "bfloat16"}, False),
        ([], "H200", {"dtype": "bfloat16"}, False),
        ([], None, {"dtype": "float32"}, False),
    ],
)
def test_the_summary_says_where_bars_in_bfloat16_need_another_processor(flags, gpu, where, told):
    hardware = {"cpu": "any", "gpu": gpu, "flags": flags, "threads": 1}
    found = {"hardware": hardware, "versions": {}, "mamba_ssm": "not compared"}
    bar = results.at_least("network", 2.0, 1.0, **where)

    lines = bench_command._summary(found | {"bars": [bar]})

    assert lines[-1].startswith("bars in bfloat16 are for a processor") is told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--device", "tpu"], "found 'tpu'"), (["--quick"], "expected --folder with --quick")],
)
def test_the_command_refuses_what_it_cannot_do(arguments, sentence):
    done = CliRunner().invoke(app, ["bench", "model", *arguments])

    assert done.exit_code == 2
    assert sentence in re.sub(r"[\s│]+", " ", done.stderr)


@pytest.mark.parametrize("given", [True, False], ids=["--folder", "runs/bench"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path, monkeypatch, capsys, given
):
    file = tmp_path / "bench"
    file.touch()
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    monkeypatch.setattr(training, "measure", lambda _: pytest.fail("measured"))
    asked = ["--folder", str(file)] if given else []
    monkeypatch.setattr(sys, "argv", ["vitrine", "bench", "training", *asked])

    with pytest.raises(SystemExit) as caught:
        cli.main()

    assert caught.value.code == 2
    assert "expected a folder to write in" in capsys.readouterr().err


def test_an_interruption_writes_nothing_and_says_so_once(tmp_path, monkeypatch, capsys):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "measure", stopped)
    monkeypatch.setattr(sys, "argv", ["vitrine", "bench", "training", "--folder", str(tmp_path)])

    with pytest.raises(SystemExit) as caught:
        cli.main()

    assert caught.value.code == 130
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("vitrine: interrupted; nothing was written")
    assert list(tmp_path.iterdir()) == []


def test_servers_end_with_a_benchmark_that_is_killed(tmp_path, monkeypatch, capsys):
    started = []

    def loaded(_):
        with supervisor.child(["-c", "import time; time.sleep(600)"], {}) as server:
            started.append(server)
            os.kill(os.getpid(), signal.SIGTERM)
            server.wait()

    monkeypatch.setattr("vitrine.bench.serving.measure", loaded)
    monkeypatch.setattr(sys, "argv", ["vitrine", "bench", "serving", "--folder", str(tmp_path)])

    with pytest.raises(SystemExit) as caught:
        cli.main()

    assert caught.value.code == 130
    assert [server.poll() for server in started] == [-signal.SIGTERM]
    assert "nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["scan", "model", "training", "serving"])
def test_help_has_an_example(name):
    shown = CliRunner().invoke(app, ["bench", name, "--help"])

    assert f"Example: vitrine bench {name}" in " ".join(shown.stdout.split())


# What a recipe costs


def test_the_cheapest_recipes_are_timed_and_written():
    found = quick(recipes.measure)

    assert [row["recipe"] for row in found["rows"]] == ["histogram-hog", "majority"]
    assert all(row["images_per_second"] > 0 and row["side"] for row in found["rows"])


@pytest.fixture
def asked(monkeypatch):
    """Return what is asked of the processes that would time a recipe each."""
    asked = []
    row = {"images_per_second": 1.0, "multiply_adds": None}
    monkeypatch.setattr(children, "alone", lambda _, *given: asked.append(given) or row)
    return asked


def test_a_card_is_asked_of_networks_alone(asked):
    found = recipes.measure(Bench(device="cuda", turns=2, tell=lambda _: None))

    assert ("efficientnet-b0-keras-scratch", 2, "cuda") in asked
    assert {RECIPES[name].trainer for name, *_ in asked} == {"torch", "keras"}
    assert not {name for name, *_ in asked} & {*EQUAL_START, *CONTROLS}
    assert found["clock"].startswith("wall time")


def test_every_recipe_that_is_timed_can_be_built(asked):
    recipes.measure(Bench(turns=1, tell=lambda _: None))

    assert {RECIPES[name].trainer for name, *_ in asked} == recipes.BUILDERS.keys()


def test_both_frameworks_count_the_same_multiply_adds():
    """A convolution of 8 kernels of 3 x 3 x 3 that leaves 5 x 5 places, then a head of 7."""

    def tensor(*shape):
        return SimpleNamespace(shape=SimpleNamespace(as_list=lambda: list(shape)))

    convolution = SimpleNamespace(
        type="Conv2D", inputs=[None, tensor(3, 3, 3, 8)], outputs=[tensor(1, 5, 5, 8)]
    )
    head = SimpleNamespace(type="MatMul", inputs=[None, tensor(8, 7)], outputs=[tensor(1, 7)])
    addition = SimpleNamespace(type="AddV2", inputs=[], outputs=[])
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, bias=False), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(8, 7),
    )  # fmt: skip
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, 7, 7))

    adds = sum(map(recipes._multiply_adds, (convolution, head, addition)))

    assert adds == 25 * 27 * 8 + 56 == counter.get_total_flops() / 2


# Candidate backbones


def test_the_sheet_of_backbones_counts_times_and_exports_each(untyped, tmp_path):
    found = quick(backbones.measure)

    assert [row["model"] for row in found["rows"]] == list(backbones.QUICK)
    baseline, ours = found["rows"]
    assert found["baseline"] == baseline["model"] and baseline["ratio"] == 1
    assert (baseline["licence"], ours["licence"]) == ("apache-2.0", None)
    assert baseline["parameters"] == 5_288_548
    assert all(row["images_per_second"] > 0 for row in found["rows"])
    assert [row["model"] for row in found["onnx"]] == list(backbones.QUICK)
    assert all(row["same_top1"] and row["relative_gap"] < 1e-4 for row in found["onnx"])
    assert json.loads(results.write("backbones", found, tmp_path).read_text())["onnx"]


def test_a_network_that_cannot_be_exported_is_said_so(monkeypatch):
    def refuse(*arguments, **options):
        raise torch.onnx.OnnxExporterError("no operator for it\nand much more")

    monkeypatch.setattr(backbones, "compare_onnx", refuse)
    told = []

    row = backbones._runtime("any", torch.nn.Identity(), 64, Bench(turns=1, tell=told.append))

    assert row == {"model": "any", "refusal": "no operator for it"}
    assert told == ["onnx any: no operator for it"]


def test_attention_counts_as_the_products_that_it_is():
    """4 tokens of 8 channels in 2 heads: two products of 4 x 4 x 4 a head."""

    class Attend(torch.nn.Module):
        def forward(self, x):
            q = x.new_ones(1, 2, 4, 4)
            return torch.nn.functional.scaled_dot_product_attention(q, q, q)

    assert backbones.multiply_adds(Attend(), 8) == 2 * 2 * 4 * 4 * 4


def test_every_candidate_is_known_to_timm_and_its_accuracy_to_the_bibliography():
    cited = pd.read_csv(paths.root() / "ressources" / "backbones.csv").set_index("model")
    library = (paths.root() / "book" / "references.bib").read_text(encoding="utf-8")

    assert list(backbones.candidates()) == list(cited.index)
    assert backbones.BASELINE in cited.index
    for name, row in cited.iterrows():
        known = get_pretrained_cfg(name)
        assert known.input_size[-1] == row.side
        assert (known.license is None) == pd.isna(row.top1) == pd.isna(row.reference)
        assert pd.isna(row.reference) or f"{{{row.reference}," in library


# The budget


def test_the_budget_keeps_what_it_measured_before_and_stops_at_a_failure(monkeypatch, tmp_path):
    ran = []

    def make(command, **options):
        ran.append(command)
        return SimpleNamespace(returncode=int(command == ["make", "broken"]))

    monkeypatch.setattr(budget, "subprocess", SimpleNamespace(run=make))
    results.write("budget", budget.measure(["lint"], folder=tmp_path, tell=list), tmp_path)

    found = budget.measure(["book", "demo"], folder=tmp_path, tell=list)
    with pytest.raises(budget.BudgetError, match="make broken to succeed, found exit code 1"):
        budget.measure(["broken"], folder=tmp_path, tell=list)

    assert ran == [["make", target] for target in ("lint", "book", "demo", "broken")]
    assert [row["target"] for row in found["rows"]] == ["book", "demo", "lint"]
    assert all(row["seconds"] >= 0 and row["hardware"]["cores"] for row in found["rows"])


def test_measuring_the_budget_brings_readme_up_to_date_unless_it_is_kept_elsewhere(
    monkeypatch, tmp_path
):
    updated = []
    monkeypatch.setattr(budget, "measure", lambda *_, **__: {"rows": []})
    monkeypatch.setattr(results, "write", lambda name, *_: tmp_path / name)
    monkeypatch.setattr("vitrine.book.readme.update", lambda: updated.append("README.md"))

    elsewhere = CliRunner().invoke(app, ["bench", "budget", "book", "--folder", str(tmp_path)])
    before = list(updated)
    here = CliRunner().invoke(app, ["bench", "budget", "book"])

    assert (elsewhere.exit_code, here.exit_code) == (0, 0), here.output
    assert (before, updated) == ([], ["README.md"])


def test_a_command_is_charged_for_its_own_processor_time_alone(monkeypatch, tmp_path):
    spent = iter([(100.0, 10.0), (103.0, 10.5)])  # user, system: what other children took before

    def times():
        user, system = next(spent)
        return SimpleNamespace(children_user=user, children_system=system)

    monkeypatch.setattr(budget, "os", SimpleNamespace(times=times))
    done = SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=0))
    monkeypatch.setattr(budget, "subprocess", done)

    (row,) = budget.measure(["lint"], folder=tmp_path, tell=list)["rows"]

    assert row["cpu_seconds"] == 3.5


# How fast networks learn


@pytest.mark.parametrize("quick", [False, True])
def test_trainings_are_compared_turn_by_turn_with_the_first(monkeypatch, quick):
    trained, answers = [], iter([(10, 9), (20, 1), (5, 2), (40, 8), (10, 2), (10, 2)])

    def alone(work, recipe, photos, base, device):
        assert work is training.learn and device == "cpu"
        trained.append((recipe.name, recipe.epochs, base.name))
        took, more = next(answers)
        return {"milliseconds": float(took), "first_more": float(more)}

    monkeypatch.setattr(children, "alone", alone)
    turns, told = [], []
    asked = Bench(turns=2, quick=quick, tell=told.append, progress=lambda *t: turns.append(t))

    found = training.measure(asked)

    names, epochs = list(training.RECIPES), 2 if quick else training.EPOCHS
    mark = "-smoke" if quick else ""
    assert trained == [(f"{name}{mark}", epochs, f"turn-{t}") for t in (0, 1) for name in names]
    assert turns == [(1, 2), (2, 2)] and len(told) == len(names)
    assert [row["recipe"] for row in found["rows"]] == names
    assert [row["milliseconds"] for row in found["rows"]] == [25, 15, 7.5]
    speeds = [row["images_per_second"] for row in found["rows"]]
    assert speeds == pytest.approx([40, 66.67, 133.3], 1e-3)
    assert [row["faster"] for row in found["rows"]] == [1, (10 / 20 + 40 / 10) / 2, (2 + 4) / 2]
    assert [row["first_epoch_more_seconds"] for row in found["rows"]] == [8.5, 1.5, 2]
    assert found["clock"].startswith("wall clock")


def test_what_an_image_takes_is_that_of_the_usual_epoch(monkeypatch, demo_catalog):
    history = pd.DataFrame({"seconds": [9.0, 3.0, 2.0, 4.0]})
    recipe = replace(RECIPES["efficientnet-b0-torch-scratch"].smoke(), epochs=4)
    asked = {}
    monkeypatch.setattr(
        "vitrine.training.torch.fit",
        lambda *_, **options: asked.update(options) or SimpleNamespace(history=history),
    )

    told = training.learn(recipe, demo_catalog.folder, paths.build())

    steps = (splits.draw(demo_catalog).frame.part == "train").sum() // recipe.batch_size
    assert told == {"milliseconds": 3000 / (steps * recipe.batch_size), "first_more": 6.0}
    assert asked == {"base": paths.build(), "device": "cpu", "threads": 1}


def test_the_ledger_compares_speeds_turn_by_turn(tmp_path, monkeypatch):
    rows = [
        {"recipe": "first", "images_per_second": 40.0, "first_epoch_more_seconds": 9.0},
        {"recipe": "second", "images_per_second": 50.0, "first_epoch_more_seconds": 1.0},
    ]
    rows[0]["turns"], rows[1]["turns"] = [20.0, 30.0, 25.0], [10.0, 60.0, 25.0]
    hardware = {"gpu": None, "cpu": "Any", "threads": 1}
    about = {"code": {"commit": "0123456789", "dirty": True}, "hardware": hardware}
    (tmp_path / "runs" / "bench").mkdir(parents=True)
    (tmp_path / ledger.SHEET).write_text(json.dumps({**about, "rows": rows}))
    monkeypatch.setattr("vitrine.paths.root", lambda: tmp_path)

    told = dict(ledger.values())

    assert {key: value.value for key, value in told.items()} == {
        "first.learning_speed": 40, "first.learning_ratio_least": 1, "first.learning_ratio_most": 1,
        "first.first_epoch_more": 9,
        "second.learning_speed": 50, "second.learning_ratio_least": 0.5,
        "second.learning_ratio_most": 2, "second.first_epoch_more": 1,
    }  # fmt: skip
    speed = told["second.learning_speed"]
    assert (speed.commit, speed.hardware) == ("0123456 (modifié)", "Any, 1 fil d’exécution")
