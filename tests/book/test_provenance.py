import json
from pathlib import Path

import pytest

from vitrine import paths
from vitrine.book import build, sources
from vitrine.book.provenance import describe, is_run
from vitrine.training.runs.meter import CORE_WATTS, GIB_WATTS, watt_hours

RUN = "runs/efficientnet-b0-keras-scratch/seed-0/run.json"
FOLD = "runs/folds/repeat-0-fold-0/majority/seed-0/run.json"
PRETRAINED = "runs/pretrain/efficientnet-b0-pretrain/seed-0/run.json"


@pytest.fixture
def meta():
    return json.loads((paths.root() / RUN).read_text())


@pytest.fixture
def stamp():
    return {
        "profile": "published", "parameters": {"seed": 1}, "stamp": "0123456789abcdef" * 4,
        "versions": {"numpy": "2.4.6 2.5.5"}, "ran": {"python": "3.11.7", "numpy": "2.4.6"},
        "files": {"data/splits/published.csv": "2de1", RUN: "de11"},
    }  # fmt: skip


def test_the_block_tells_the_run_the_machine_and_how_to_redo_it(stamp, meta):
    block = describe("03_baseline_tensorflow", stamp, {meta["name"]: meta})

    for told in (
        "vitrine run 03_baseline_tensorflow -p seed=1", "<td>python 3.11.7, numpy 2.4.6</td>",
        "data/splits/published.csv (2de1)", meta["code"]["commit"][:12], meta["hardware"]["cpu"],
        meta["data"]["split_sha256"][:12], "sans carte graphique",
        "vitrine train efficientnet-b0-keras-scratch --seed 0 --retrain", "estimation, non mesurée",
    ):  # fmt: skip
        assert told in block


def test_a_dirty_tree_and_a_driver_are_told(stamp, meta):
    meta["code"]["dirty"] = True
    meta["hardware"] |= {"gpu": "NVIDIA H100 <PCIe>", "driver": "580.65"}

    block = describe("04", stamp, {meta["name"]: meta})

    assert "et des modifications" in block
    assert "NVIDIA H100 &lt;PCIe&gt;, pilote 580.65" in block


@pytest.mark.parametrize(("threads", "said"), [(1, "1 fil sur 2 cœurs"), (2, "2 fils sur 2 cœurs")])
def test_threads_and_cores_are_counted_in_french(stamp, meta, threads, said):
    meta["hardware"] |= {"threads": threads, "cores": 2}

    assert said in describe("04", stamp, {meta["name"]: meta})


def test_a_commit_that_git_did_not_tell_is_said_unknown(stamp, meta):
    meta["code"] = {"commit": "unknown", "dirty": True}

    block = describe("04", stamp, {meta["name"]: meta})

    assert "<td>inconnu : git n’a pas répondu</td>" in block


def test_versions_are_told_once_and_named_where_they_are_the_same(stamp, meta):
    later = {"versions": meta["versions"] | {"torch": "9.9"}}
    runs = {"a/seed-0": meta, "a/seed-1": meta, "b/seed-0": meta | later}

    block = describe("05", stamp, runs)

    told = ", ".join(f"{name} {version}" for name, version in meta["versions"].items())
    assert block.count(f"<td>{told}</td>") == 1
    assert block.count("<td>celles de a/seed-0</td>") == 1
    assert "torch 9.9" in block


def test_a_pretraining_names_its_corpus_and_its_own_command(stamp):
    learned = json.loads((paths.root() / PRETRAINED).read_text())

    block = describe("07", stamp, {learned["name"]: learned})

    assert f"<td>corpus packed ({learned['data']['sha256'][:12]})</td>" in block
    assert "vitrine pretrain efficientnet-b0-pretrain --seed 0 --retrain" in block


def test_the_page_lists_photo_runs_and_pretrainings_that_the_notebook_read():
    files = {RUN: "1", PRETRAINED: "2", "runs/majority/": "3", "runs/bench/scan.json": "4"}

    assert [path for path in files if is_run(path)] == [RUN, PRETRAINED]


def test_the_copy_that_the_book_is_built_from_holds_them_all(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    for run in (RUN, PRETRAINED, FOLD):
        (tmp_path / run).parent.mkdir(parents=True)
        (tmp_path / run).write_text("{}")

    staged = build.stage([])

    found = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("run.json"))
    assert found == sorted([RUN, PRETRAINED, FOLD])


def test_a_notebook_that_vitrine_did_not_execute_says_so():
    assert "sans relevé" in describe("04", {}, {})


def test_energy_by_hand(meta):
    meta["timing"] = {
        "seconds": 3600.0, "cpu_seconds": 1800.0, "training_seconds": 3000.0,
        "peak_memory_mib": 2048,
    }  # fmt: skip

    assert watt_hours(meta) == pytest.approx(CORE_WATTS / 2 + 2 * GIB_WATTS)
    meta["timing"]["training_seconds"] = 7200.0  # half of it before an interruption
    assert watt_hours(meta) == pytest.approx(CORE_WATTS + 4 * GIB_WATTS)
    meta["hardware"]["gpu"] = "NVIDIA H200"
    assert watt_hours(meta) == pytest.approx(CORE_WATTS + 4 * GIB_WATTS + 2 * 700)
    meta["hardware"]["gpu"] = "an unknown card"
    assert watt_hours(meta) is None


@pytest.mark.parametrize(
    ("gpu", "watts"), [("NVIDIA A100-SXM4-40GB", 400), ("NVIDIA L4", 72), ("NVIDIA L40S", None)]
)
def test_the_power_of_a_gpu_is_that_of_its_own_name(meta, gpu, watts):
    meta["hardware"]["gpu"] = gpu

    energy = watt_hours(meta)

    hours = meta["timing"]["training_seconds"] / 3600
    without = watt_hours(meta | {"hardware": meta["hardware"] | {"gpu": None}})
    assert energy == (watts and pytest.approx(without + watts * hours))


def test_a_run_that_took_no_time_to_speak_of_has_its_energy(stamp, meta):
    meta["timing"] |= {"seconds": 0.0, "cpu_seconds": 3.6, "training_seconds": 0}

    assert watt_hours(meta) == pytest.approx(CORE_WATTS / 1000)
    assert "<td>0,01 Wh</td>" in describe("04", stamp, {meta["name"]: meta})


@pytest.mark.parametrize("name", sources.names())
def test_every_notebook_ends_with_its_provenance(name):
    last = sources.read(Path(sources.find(name))).cells[-1]

    assert last.cell_type == "markdown"
    assert last.source.rstrip().endswith("```{provenance}\n```")
