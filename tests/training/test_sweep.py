"""A sweep makes every run once, whatever dies on the way."""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from types import SimpleNamespace

import filelock
import numpy as np
import psutil
import pytest
import staged
import timm
import torch
from safetensors.torch import save_file
from test_children import PATIENCE, child_of
from typer.testing import CliRunner

import vitrine.models  # noqa: F401  (registers MambaVision)
from vitrine.cli import app
from vitrine.data import archive
from vitrine.data.splits import Split
from vitrine.training import children, recipes, runs, session
from vitrine.training.runs import RunFolder
from vitrine.training.sweep import Job, Outcome, SweepError, cluster, grid, sweep
from vitrine.training.sweep.job import FOLDS, RETRIES, _main, in_new_process, perform

NAMES = ["majority", "histogram-hog"]


@pytest.fixture(autouse=True)
def taken():
    """Let another program hold the port that Dask usually takes."""
    with socket.socket() as other:
        with suppress(OSError):
            other.bind(("127.0.0.1", 8787))
            other.listen()
        yield


@pytest.fixture
def here(monkeypatch):
    """Return the address of a scheduler whose workers are threads of this process."""
    from dask.distributed import LocalCluster

    monkeypatch.setattr(session, "trainer_of", staged.trainer_of)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None,
        scheduler_kwargs={"dashboard_address": cluster.ANY_PORT},
    ) as made:  # fmt: skip
        yield made.scheduler_address


def test_a_grid_holds_every_recipe_seed_and_fold_under_its_own_name():
    jobs = grid(NAMES, [0, 2], [(0, 1), (4, 4)], threads=3)

    assert len({job.name for job in jobs}) == 8
    assert jobs[1].name == "folds/repeat-4-fold-4/majority/seed-0"
    assert {job.threads for job in jobs} == {3}
    assert grid(["majority"], [5])[0].name == "majority/seed-5"
    assert len(FOLDS) == 25


def test_a_grid_of_what_cannot_be_swept_is_refused():
    with pytest.raises(SweepError, match="expected recipes for the photos, found effic.*-pretrain"):
        grid(["majority", "efficientnet-b0-pretrain"], [0])
    with pytest.raises(SweepError, match=r"below 5 and folds below 5, found 0\.5; correct --folds"):
        grid(["majority"], [0], [(0, 5)])
    with pytest.raises(SweepError, match="expected RECIPE or RECIPE=WEIGHTS, found majority=;"):
        grid(["majority="], [0])


def test_a_job_starts_from_the_weights_that_follow_its_recipe(tmp_path, monkeypatch):
    file = tmp_path / "b0.safetensors"
    file.write_bytes(b"learned")
    made = []
    here = replace(session.begin("published"), base=tmp_path / "runs")
    monkeypatch.setattr(session.Session, "fit", lambda self, recipe, **_: made.append(recipe))

    (job,) = grid([f"efficientnet-b0-torch={file}"], [3])
    perform(job, here)

    (recipe,) = made
    assert recipe.weights == str(file)
    assert recipe.name == f"efficientnet-b0-torch-b0-{sha256(b'learned').hexdigest()[:8]}"
    assert recipes.parent(recipe.name) == "efficientnet-b0-torch"


def test_a_killed_worker_costs_no_run_and_none_is_made_twice(tmp_path):
    jobs = grid(NAMES, [0, 1])
    deadly = [jobs[0].name, jobs[3].name]
    staged.begin(tmp_path, deadly)

    outcomes = sweep(jobs, workers=2, perform=partial(staged.perform, tmp_path))

    assert outcomes == [Outcome(name=job.name, made=True) for job in jobs]
    assert sorted(staged.told(tmp_path, "made")) == runs.names(tmp_path)
    assert sorted(staged.told(tmp_path, "begun")) == sorted([*runs.names(tmp_path), *deadly])


def test_workers_of_this_machine_leave_its_processor_to_their_jobs():
    jobs = grid(NAMES[:1], [0])

    (outcome,) = sweep(jobs, workers=1, perform=staged.watched)

    assert outcome == Outcome(name=jobs[0].name, made=False)


def test_finished_runs_are_never_made_again(tmp_path, here):
    staged.begin(tmp_path)
    perform = partial(staged.perform, tmp_path)
    folds = grid(NAMES[:1], [0], [(0, 0), (0, 1)])
    first = sweep(folds, scheduler=here, perform=perform)
    told = []

    again = sweep(
        [*folds, *grid(NAMES[1:], [0])], scheduler=here, perform=perform, tell=told.append
    )

    assert [outcome.made for outcome in first] == [True, True]
    assert [outcome.made for outcome in again] == [False, False, True]
    assert sorted(told, key=lambda o: o.name) == sorted(again, key=lambda o: o.name)
    assert sorted(staged.told(tmp_path, "made")) == sorted(o.name for o in again)
    for job in folds:
        assert runs.names(tmp_path / job.place) == ["majority/seed-0"]


def test_a_job_that_fails_for_good_is_told_and_stops_no_other(tmp_path, here):
    jobs = grid(NAMES, [0])
    staged.begin(tmp_path)

    def perform(job):
        if job.recipe == "majority":
            raise ValueError("expected a loss, found none")
        return staged.perform(tmp_path, job)

    outcomes = sweep(jobs, scheduler=here, perform=perform)

    assert outcomes[0] == Outcome(name="majority/seed-0", error="expected a loss, found none")
    assert outcomes[1] == Outcome(name="histogram-hog/seed-0", made=True)
    assert runs.names(tmp_path) == ["histogram-hog/seed-0"]


def test_a_job_that_dies_before_its_first_epoch_leaves_nothing_to_resume(tmp_path, monkeypatch):
    recipe = recipes.find("efficientnet-b0-torch-scratch")

    def die(recipe, *_, seed, base, **__):
        RunFolder(recipe, seed, base).prepare(resume=True)
        raise MemoryError

    monkeypatch.setattr(session, "trainer_of", lambda _: die)
    split = Split("staged", staged.IMAGES, "0")
    here = staged.Here(profile="published", split=split, base=tmp_path, photos=False)
    with pytest.raises(MemoryError):
        perform(Job(recipe=recipe.name, seed=0), here)

    folder = RunFolder(replace(recipe, epochs=7), 0, tmp_path)
    left = sorted(path.name for path in folder.weights.iterdir())
    folder.prepare(resume=False)

    assert left == [".lock", "begun.json"]


def test_what_the_cluster_says_of_itself_does_not_hide_what_became_of_the_jobs(here):
    logging.getLogger("distributed").setLevel(logging.INFO)  # as Dask sets it

    outcomes = sweep([], scheduler=here)

    assert outcomes == []
    assert not logging.getLogger("distributed.scheduler").isEnabledFor(logging.INFO)
    assert logging.getLogger("distributed.nanny").isEnabledFor(logging.WARNING)


def test_a_scheduler_that_does_not_answer_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)

    with pytest.raises(ConnectionError, match="expected a Dask scheduler at nowhere, none"):
        sweep([], scheduler="nowhere")
    with pytest.raises(ConnectionError, match="expected a Dask scheduler at tcp://127.0.0.1:1, no"):
        sweep(grid(["majority"], [0]), scheduler="tcp://127.0.0.1:1")


def test_a_scheduler_without_a_worker_is_told_in_a_sentence(monkeypatch):
    from dask.distributed import LocalCluster

    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    with LocalCluster(
        n_workers=0, processes=False, dashboard_address=None,
        scheduler_kwargs={"dashboard_address": cluster.ANY_PORT},
    ) as made:  # fmt: skip
        address = made.scheduler_address
        told = f"expected a worker of the Dask scheduler at {address}, found none in 0.3 seconds"
        with pytest.raises(ConnectionError, match=told):
            sweep(grid(["majority"], [0]), scheduler=address)


def test_workers_that_all_leave_are_missed_while_jobs_wait(monkeypatch):
    class Client:
        scheduler = SimpleNamespace(address="tcp://127.0.0.1:1")

        def wait_for_workers(self, workers, timeout):
            raise TimeoutError

    def wait(futures, **_):
        raise TimeoutError

    monkeypatch.setattr("dask.distributed.wait", wait)

    with pytest.raises(ConnectionError, match="found none in 30 seconds; start one with"):
        list(cluster._finished(Client(), ["future"], True))


def test_a_job_runs_in_a_process_of_its_own_on_the_photos_of_its_fold(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "vitrine"\n')  # as a clone has
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    monkeypatch.delenv("VITRINE_PROFILE", raising=False)
    job = Job(recipe="majority", seed=0, fold=(1, 2), profile="smoke")

    first, second = in_new_process(job), in_new_process(job)

    assert (first.made, second.made) == (True, False)
    run = runs.load("majority-smoke/seed-0", tmp_path / "build" / "smoke" / "runs" / job.place)
    assert run.meta["data"]["split"] == "repeat-1-fold-2"


def as_nvidia_publishes(folder):
    file = folder / "mambavision_nano_1k.pth.tar"
    state = timm.create_model("mambavision_nano").state_dict()
    torch.save({"epoch": 299, "metric": np.float64(82.3), "state_dict": state}, file)
    return file


def as_timm_publishes(folder):
    save_file(timm.create_model("tf_efficientnet_lite0").state_dict(), folder / "model.safetensors")
    told = {"architecture": "tf_efficientnet_lite0", "pretrained_cfg": {"license": "apache-2.0"}}
    (folder / "config.json").write_text(json.dumps(told))
    return folder / "model.safetensors"


def as_keras_publishes(folder):
    file = folder / "efficientnetb0_notop.weights.h5"
    code = (
        "import sys, keras; keras.applications.EfficientNetB0(weights=None, include_top=False)"
        ".save_weights(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True)
    return file


@pytest.mark.parametrize(
    ("recipe", "published", "licence"),
    [
        ("mambavision-nano-scratch", as_nvidia_publishes, None),
        ("efficientnet-lite0-torch", as_timm_publishes, "apache-2.0"),
        ("efficientnet-b0-keras", as_keras_publishes, None),
    ],
)
def test_weights_in_each_published_format_go_through_a_job_and_their_origin_reaches_the_run(
    recipe, published, licence, tmp_path, demo_catalog, monkeypatch
):
    root = tmp_path / "root"
    shutil.copytree(demo_catalog.folder, root / "build" / "demo")
    (root / "pyproject.toml").write_text('[project]\nname = "vitrine"\n')
    file = published(tmp_path)

    job = Job(recipe=f"{recipe}={file}", seed=0, profile="smoke", root=str(root))
    outcome = in_new_process(job)

    assert (outcome.made, outcome.error) == (True, "")
    digest = sha256(file.read_bytes()).hexdigest()
    (made,) = runs.names(root / "build" / "smoke" / "runs")
    run = runs.load(made, root / "build" / "smoke" / "runs")
    assert run.meta["start"]["sha256"] == digest
    assert run.meta["start"].get("licence") == licence
    assert recipes.parent(made.partition("/")[0]) == recipe
    assert made.endswith(f"-{digest[:8]}/seed-0")


def said_by_the_process(monkeypatch, code):
    """Let a job's process run this code; return what becomes of the job, and how often it ran."""
    attempts = []
    process = subprocess.Popen

    def start(command, **options):
        attempts.append(command)
        return process([sys.executable, "-c", code], **options)

    monkeypatch.setattr(subprocess, "Popen", start)
    outcome = in_new_process(Job(recipe="majority", seed=0))
    return outcome.error, len(attempts)


def test_an_error_that_may_pass_is_tried_again_and_told_by_its_last_word(monkeypatch):
    code = "import sys; sys.exit('first\\nCUDA out of memory')"

    assert said_by_the_process(monkeypatch, code) == ("CUDA out of memory", 1 + RETRIES)
    monkeypatch.undo()
    code = "import os; os._exit(9)"
    assert said_by_the_process(monkeypatch, code) == ("its process ended with code 9", 1 + RETRIES)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (recipes.RecipeError("run majority/seed-0: expected weights"), False),
        (archive.ArchiveError("recipe majority: expected weights"), False),
        (FileNotFoundError("expected weights"), False), (TypeError("expected weights"), False),
        (RuntimeError("expected weights"), True), (OSError("expected weights"), True),
    ],
)  # fmt: skip
def test_an_error_that_lasts_is_the_outcome_and_tells_the_name_once(
    error, passes, monkeypatch, capsys
):
    monkeypatch.setattr(children, "end_with_parent", lambda: None)
    monkeypatch.setattr(session, "begin", lambda _: (_ for _ in ()).throw(error))
    asked = json.dumps(asdict(Job(recipe="majority", seed=0)))
    told = Outcome(name="majority/seed-0", error="expected weights")

    if passes:
        with pytest.raises(SystemExit, match="^expected weights$"):
            _main(asked)
    else:
        _main(asked)

    assert capsys.readouterr().out == ("" if passes else f"{json.dumps(asdict(told))}\n")


@pytest.mark.parametrize(
    ("stop", "to"),
    [
        (signal.SIGTERM, "it alone"),  # as a supervisor does
        (signal.SIGINT, "it alone"),  # as an editor does
        (signal.SIGINT, "all of them"),  # as a terminal does
        (signal.SIGKILL, "it alone"),  # its workers are killed then, and say nothing to their jobs
    ],
)
def test_jobs_end_with_their_sweep(stop, to, tmp_path, demo_catalog):
    root = tmp_path / "root"
    shutil.copytree(demo_catalog.folder, root / "build" / "demo")
    (root / "build" / "smoke").mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "vitrine"\n')
    arguments = ["sweep", "majority", "--seeds", "0", "--profile", "smoke", "--workers", "1"]
    with filelock.FileLock(root / "build" / "smoke" / ".lock"):  # for which the job waits
        sweeping = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", "from vitrine.cli import main; main()",
             *arguments],
            env=os.environ | {"VITRINE_ROOT": str(root)}, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        job = child_of(sweeping, "vitrine.training.sweep.job")
        group = psutil.Process(sweeping.pid).children(recursive=True)
        time.sleep(0.5)

        (os.kill if to == "it alone" else os.killpg)(sweeping.pid, stop)
        _, said = sweeping.communicate(timeout=PATIENCE)
        left = psutil.wait_procs([job, *group], PATIENCE)[1]

    assert left == []
    if stop != signal.SIGKILL:
        assert said.startswith("interrupted; ") and said.count("\n") == 1


def test_a_running_job_ends_once_the_sweep_that_asked_for_it_elsewhere_is_gone(here, monkeypatch):
    from dask.distributed import Client

    code = "import time; from vitrine.training import children as c; c.end_with_parent(); "
    process, started = subprocess.Popen, []

    def start(command, **options):
        started.append(process([sys.executable, "-c", code + "time.sleep(600)"], **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr("vitrine.training.sweep.job.POLL", 0.1)
    with Client(here) as client:
        asked = client.submit(in_new_process, Job(recipe="majority", seed=0), pure=False)
        while not started and not asked.done():
            time.sleep(0.05)

    assert [job.wait(PATIENCE) for job in started] == [-signal.SIGKILL]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--seeds", "0-x"], "found '0-x'"), (["--seeds", "2-0"], "found '2-0'"),
        (["--seeds", "1,0-2-5"], "found '1,0-2-5'"),
        (["--folds", "3"], "found '3'"), (["--device", "gpu"], "found 'gpu'"),
    ],
)  # fmt: skip
def test_seeds_folds_and_devices_that_mean_nothing_are_usage_errors(arguments, found, monkeypatch):
    monkeypatch.setattr("vitrine.training.sweep.sweep", lambda jobs, **_: [])

    done = CliRunner().invoke(app, ["sweep", "majority", *arguments])

    assert done.exit_code == 2
    assert found in done.output


def test_the_command_sweeps_the_seeds_and_folds_it_is_given(monkeypatch):
    asked = []
    monkeypatch.setattr("vitrine.training.sweep.sweep", lambda jobs, **_: asked.extend(jobs) or [])

    done = CliRunner().invoke(app, ["sweep", *NAMES, "--seeds", "0-1,4", "--folds", "0.3,2.1"])

    assert done.exit_code == 0, done.output
    assert {job.seed for job in asked} == {0, 1, 4}
    assert {job.fold for job in asked} == {(0, 3), (2, 1)}
    assert len(asked) == 12


@pytest.mark.parametrize(
    ("available", "device", "workers"), [(True, "auto", 1), (True, "cpu", 5), (False, "auto", 5)]
)
def test_a_machine_with_gpus_makes_one_job_at_a_time(available, device, workers, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: available)
    monkeypatch.setattr("os.cpu_count", lambda: 5)

    assert cluster._workers(grid(NAMES, [0], device=device)) == workers


def test_published_runs_are_swept_again_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("vitrine.paths.build", lambda: tmp_path)
    monkeypatch.setattr(session, "trainer_of", staged.trainer_of)
    staged.begin(tmp_path)
    here = session.begin("published").again()
    photos = session.begin("smoke").catalog()
    monkeypatch.setattr(session.Session, "catalog", lambda _: photos)
    (job,) = grid(["majority"], [0], retrain=True)

    assert perform(job, here) == Outcome(name="majority/seed-0", made=True)
    assert runs.names(tmp_path / "retrain") == ["majority/seed-0"]
    assert perform(job, session.begin("published")) == Outcome(name="majority/seed-0")
