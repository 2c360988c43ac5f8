import errno
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import MISSING, fields, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from vitrine import paths
from vitrine.data import splits
from vitrine.report.ledger.values import commits
from vitrine.training import runs
from vitrine.training.recipes import RECIPES, Recipe, RecipeError, find
from vitrine.training.runs import RunError, RunFolder, derived, meter, prediction_rows, start

RECIPE = find("efficientnet-b0-torch-scratch")


def frame(n, first=0):
    return pd.DataFrame(
        {"image": [f"{i}.jpg" for i in range(first, first + n)], "label": np.arange(n) % 7}
    )


def answers(n, seed=0):
    given = np.random.default_rng(seed).dirichlet(np.ones(7), n)
    return given.astype(np.float32)


def write(base, *, seed=0, n=20, first=0, recipe=RECIPE):
    images = frame(n, first)
    return RunFolder(recipe, seed, base).finish(
        [prediction_rows(images, answers(n, seed), part) for part in ("validation", "test")], {}
    )


def epochs(n):
    return [
        {"epoch": i + 1, "seconds": 1.5, "learning_rate": 1e-3, "train_loss": 2.0 / (i + 1),
         "train_accuracy": 0.1 * i, "val_loss": 1.9, "val_accuracy": 0.2, "wall_time": 1e9 + i}
        for i in range(n)
    ]  # fmt: skip


def test_predictions_come_back_with_six_significant_digits(tmp_path):
    write(tmp_path)

    part = runs.load("efficientnet-b0-torch-scratch/seed-0", tmp_path).part("test")

    order = np.argsort(frame(20).image.to_numpy())
    assert part.image.tolist() == sorted(frame(20).image)
    assert part.truth.tolist() == frame(20).label.to_numpy()[order].tolist()
    np.testing.assert_allclose(part.probabilities, answers(20)[order], rtol=5e-6)
    assert (part.predicted == answers(20)[order].argmax(axis=1)).all()


def test_a_run_is_written_once(tmp_path):
    write(tmp_path)

    with pytest.raises(RunError, match="is finished and a run is written once"):
        RunFolder(RECIPE, 0, tmp_path)


def test_a_published_run_may_be_made_again_apart(monkeypatch, tmp_path):
    recipe = find("efficientnet-b0-transfer")
    monkeypatch.setattr("vitrine.paths.build", lambda: tmp_path)

    with pytest.raises(RunError, match="make it again apart with --retrain"):
        RunFolder(recipe, 0)
    with pytest.raises(RecipeError, match="`vitrine pretrain`, `--retrain` where it is published"):
        start.find(replace(recipe, weights="pretrain/nothing/seed-0"))

    learned = tmp_path / "retrain" / "pretrain" / "nothing" / "seed-0" / "weights" / start.LEARNED
    learned.parent.mkdir(parents=True)
    learned.touch()
    assert start.find(replace(recipe, weights="pretrain/nothing/seed-0")) == learned
    assert RunFolder(recipe, 0, tmp_path / "retrain").name == "efficientnet-b0-transfer/seed-0"


def test_whatever_is_fine_tuned_can_start_from_no_weights():
    tuned = [
        recipe
        for recipe in RECIPES.values()
        if recipe.weights != "none" and recipe.trainer in ("torch", "keras")
    ]

    for recipe in tuned:
        bare = start.started(recipe, "none")
        assert (bare.weights, bare.head, bare.head_epochs) == ("none", "random", 0)
        assert not bare.frozen_norm
    assert {"probe", "random"} == {recipe.head for recipe in tuned}


def test_remains_of_an_interrupted_run_are_resumed_only_on_request(tmp_path):
    folder = RunFolder(RECIPE, 0, tmp_path)
    folder.prepare(resume=False)
    (folder.weights / "last.ckpt").write_bytes(b"x")

    with pytest.raises(RunError, match="was begun and interrupted; add --resume"):
        RunFolder(RECIPE, 0, tmp_path).prepare(resume=False)
    RunFolder(RECIPE, 0, tmp_path).prepare(resume=True)

    assert (folder.weights / "last.ckpt").exists()
    assert runs.names(tmp_path) == []


def test_history_reads_back_from_csv_and_from_tensorboard(tmp_path, monkeypatch):
    # TensorBoard takes TensorFlow otherwise, and Triton aborts in a process that holds it.
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = RunFolder(RECIPE, 0, tmp_path)
    folder.prepare(resume=False)
    folder.write_history(epochs(2))
    folder.write_history(epochs(3))
    write(tmp_path)

    events = EventAccumulator(str(folder.path))
    events.Reload()
    history = runs.load("efficientnet-b0-torch-scratch", tmp_path).history
    assert history.epoch.tolist() == [1, 2, 3]
    scalars = events.Scalars("train/loss")
    assert [s.step for s in scalars] == [1, 2, 3]
    assert [s.value for s in scalars] == pytest.approx(history.train_loss.tolist())
    assert history.wall_time.tolist() == [1_000_000_000, 1_000_000_001, 1_000_000_002]


def test_the_epochs_of_a_run_killed_before_it_wrote_them_are_in_its_history(tmp_path):
    folder = RunFolder(RECIPE, 0, tmp_path)
    folder.prepare(resume=False)
    folder.write_history(epochs(2))

    run = folder.finish([prediction_rows(frame(20), answers(20), "test")], {}, epochs(3))

    assert run.history.epoch.tolist() == [1, 2, 3]
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "events.out.tfevents.0.vitrine", "history.csv", "predictions.csv", "run.json", "weights",
    ]  # fmt: skip


def test_the_events_grow_in_place_so_that_a_reader_can_follow(tmp_path):
    folder = RunFolder(RECIPE, 0, tmp_path)
    folder.prepare(resume=False)
    folder.write_history(epochs(1))
    file = next(folder.path.glob("events.out.tfevents*"))
    before, inode = file.read_bytes(), file.stat().st_ino

    folder.write_history(epochs(2))

    assert file.read_bytes().startswith(before)
    assert file.stat().st_ino == inode


def test_an_unknown_run_lists_the_known_ones(tmp_path):
    write(tmp_path)

    with pytest.raises(
        RunError, match="found none; the nearest are: efficientnet-b0-torch-scratch/seed-0"
    ):
        runs.load("nothing/seed-0", tmp_path)


def test_two_runs_align_on_the_same_images(tmp_path):
    other = replace(RECIPE, name="other")
    a, b = write(tmp_path), write(tmp_path, seed=1, recipe=other)

    first, second = runs.align(a, b)

    assert (first.image == second.image).all()
    assert not np.array_equal(first.probabilities, second.probabilities)


def test_several_runs_align_with_the_first_and_one_alone_with_itself(tmp_path):
    group = [write(tmp_path, seed=seed) for seed in range(3)]
    other = write(tmp_path, seed=3, first=1)

    aligned = runs.align(*group)

    assert [part.probabilities[0, 0] for part in aligned] == [
        run.part("test").probabilities[0, 0] for run in group
    ]
    assert len(runs.align(other)) == 1
    with pytest.raises(RunError, match="seed-0 and .*seed-3 to predict the same images"):
        runs.align(*group, other)


def test_runs_on_other_images_do_not_align(tmp_path):
    a, b = write(tmp_path), write(tmp_path, seed=1, first=1)

    with pytest.raises(RunError, match="found 2 images in one only"):
        runs.align(a, b)


PUBLISHED = runs.names()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_run_is_whole_and_made_from_a_clean_commit(name):
    run = runs.load(name)
    split = splits.load()

    neutral = {f.name: f.default for f in fields(Recipe) if f.default is not MISSING}
    recipe = RECIPES[name.split("/")[0]].to_dict()
    assert json.loads(json.dumps(neutral)) | run.meta["recipe"] == json.loads(json.dumps(recipe))
    assert run.meta["data"]["split_sha256"] == split.sha256
    assert not run.meta["code"]["dirty"]
    assert len(run.meta["code"]["commit"]) == 40
    assert run.meta["hardware"]["cpu"]
    for part in ("validation", "test"):
        given = run.part(part)
        assert set(given.image) <= set(split.part(part).image)
        np.testing.assert_allclose(given.probabilities.sum(axis=1), 1, atol=1e-4)
    assert len(run.part("test").image) == 158
    if run.meta["recipe"]["trainer"] != "probe":
        assert len(run.history) == run.meta["recipe"]["epochs"]


def test_the_report_rests_on_published_runs():
    assert {"efficientnet-b0-keras-scratch", "efficientnet-b0-torch-scratch"} <= {
        name.split("/")[0] for name in PUBLISHED
    }


def test_runs_that_give_one_image_another_label_do_not_align(tmp_path):
    relabelled = frame(20).assign(label=lambda images: (images.label + 1) % 7)
    other = RunFolder(replace(RECIPE, name="other"), 0, tmp_path).finish(
        [prediction_rows(relabelled, answers(20), "test")], {}
    )

    with pytest.raises(RunError, match="found another label for 20 of them"):
        runs.align(write(tmp_path), other)


DAMAGES = {
    "truncated json": ("run.json", lambda text: text[: len(text) // 2], "whole run.json"),
    "another json": ("run.json", lambda text: "[]", "whole run.json"),
    "json without a recipe": ("run.json", lambda text: "{}", "whole run.json, found KeyError"),
    "empty table": ("predictions.csv", lambda text: "", "found EmptyDataError"),
    "no split": ("predictions.csv", lambda text: text.replace("split", "part", 1), "column split"),
    "no class": ("predictions.csv", lambda text: text.replace("p_6", "q_6", 1), "no column p_6"),
    "text": ("predictions.csv", lambda text: text.replace(",0.", ",x0.", 1), "could not convert"),
    "a hole": ("predictions.csv", lambda text: re.sub(r",0\.\d+", ",", text), "is no number"),
    "a row twice": ("predictions.csv", lambda text: text + text.splitlines()[-1], "twice in one"),
    "no label": ("predictions.csv", lambda text: text.replace(",0,0.", ",,0.", 1), "is no class"),
    "label 9": ("predictions.csv", lambda text: text.replace(",0,0.", ",9,0.", 1), "is no class"),
    "label 0.5": ("predictions.csv", lambda text: text.replace(",0,0.", ",0.5,0.", 1), "no class"),
}


@pytest.mark.parametrize(("file", "damage", "found"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_named_with_its_file(file, damage, found, tmp_path):
    run = write(tmp_path)
    path = run.folder / file
    path.write_text(damage(path.read_text()))

    with pytest.raises(RunError, match=f"run {RECIPE.name}/seed-0: expected a whole") as refusal:
        for part in ("validation", "test"):
            runs.load(run.name, tmp_path).part(part)

    assert found in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_repetition_that_was_cut_at_the_end_of_a_line_is_seen(tmp_path):
    folds = [prediction_rows(frame(10, 10 * k), answers(10), "repeat-0", k) for k in (0, 1)]
    run = RunFolder(RECIPE, 0, tmp_path).finish(folds, {"data": {"images": 20}})
    path = run.folder / "predictions.csv"
    assert len(runs.load(run.name, tmp_path).fold(0, 0).image) == 10

    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    with pytest.raises(RunError, match="whole predictions.csv, found 19 rows of repeat 0 for 20"):
        runs.load(run.name, tmp_path).fold(0, 0)


def test_facts_are_there_once_both_their_files_are(tmp_path, monkeypatch):
    run, table = write(tmp_path), pd.DataFrame({"row": [1], "predicted": [2]})
    replaced, seen = Path.replace, []

    def killed(path, target):
        if seen:
            raise KeyboardInterrupt
        seen.append(path)
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        derived.write(run, "facts", table, {"writer": "a test"})
    assert not derived.has(run.folder, "facts")
    monkeypatch.undo()
    derived.write(run, "facts", table, {"writer": "a test"})

    assert derived.read(run, "facts").equals(table)
    assert derived.about(run, "facts")["writer"] == "a test"
    left = {path.name for path in (run.folder / "derived").iterdir()}
    assert left == {"facts.csv", "facts.json"}


@pytest.mark.parametrize(("file", "ask"), [("facts.json", "about"), ("facts.csv", "read")])
def test_derived_facts_that_are_damaged_are_named_with_their_run(file, ask, tmp_path):
    run = write(tmp_path)
    derived.write(run, "facts", pd.DataFrame({"row": [1]}), {})
    path = run.folder / "derived" / file
    told = rf"{run.name}: expected derived/{file} whole, found .*git, or make it with `vitrine rob"

    path.write_text(path.read_text()[:-1] if file == "facts.csv" else "{")
    with pytest.raises(RunError, match=told):
        getattr(derived, ask)(run, "facts")
    if file == "facts.json":
        path.unlink()
        with pytest.raises(RunError, match="found no such file"):
            derived.about(run, "facts")


def test_code_of_which_git_says_nothing_is_not_declared_clean(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    nothing_said = {"commit": "unknown", "dirty": True}

    assert meter.code_state() == nothing_said  # no repository
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert meter.code_state() == {"commit": "unknown", "dirty": False}
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "new.py").touch()
    assert meter.code_state() == nothing_said
    monkeypatch.setenv("PATH", "/nonexistent")
    assert meter.code_state() == nothing_said  # no git

    assert commits([nothing_said]) == "inconnu"
    assert commits([nothing_said, {"commit": "0123456789", "dirty": False}]) == "0123456, inconnu"


def test_a_run_goes_on_with_what_it_was_begun_with_alone(tmp_path, monkeypatch):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    recipe = replace(RECIPE, name="started", weights=str(first))
    folder = RunFolder(recipe, 0, tmp_path)

    with pytest.raises(RecipeError, match="found no such file"):
        RunFolder(replace(recipe, weights="nowhere"), 0, tmp_path).prepare(resume=False)
    assert not folder.path.exists()

    folder.prepare(resume=False)
    folder.prepare(resume=False)  # nothing was learned yet
    (folder.weights / "last.ckpt").touch()
    folder.prepare(resume=True)
    for other in (replace(recipe, weights=str(second)), replace(recipe, epochs=7)):
        with pytest.raises(RunError, match="recipe and the weights that it was begun with"):
            RunFolder(other, 0, tmp_path).prepare(resume=True)
    write(tmp_path, recipe=recipe)
    assert [path.name for path in folder.weights.iterdir()] == ["last.ckpt"]


def test_processes_that_begin_a_run_together_find_no_remains(tmp_path, monkeypatch):
    first, second = (RunFolder(RECIPE, 0, tmp_path) for _ in range(2))
    replaced, seen, numbers = Path.replace, [], itertools.count()
    monkeypatch.setattr("os.getpid", lambda: next(numbers))

    def meanwhile(path, target):
        if not seen:
            seen.append(path)
            second.prepare(resume=False, first=False)
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    first.prepare(resume=False, first=False)

    assert seen and [path.name for path in first.weights.iterdir()] == ["begun.json"]


MAKING = """
import sys
from pathlib import Path
from vitrine.training import recipes, runs

folder = runs.RunFolder(recipes.find("efficientnet-b0-torch-scratch"), 0, Path(sys.argv[1]))
folder.prepare(resume=False)
print("begun", flush=True)
sys.stdin.read()
"""


def test_a_run_is_made_by_one_process_at_a_time_and_sealed_once(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", MAKING, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        folder = RunFolder(RECIPE, 0, tmp_path)
        with pytest.raises(RunError, match="expected to make it alone, found another process"):
            folder.prepare(resume=True)
        folder.prepare(resume=True, first=False)  # as a process that shares the batches
        other.kill()

    folder.prepare(resume=True)
    late = RunFolder(RECIPE, 0, tmp_path)
    write(tmp_path)
    for end in (partial(folder.finish, [], {}), partial(late.prepare, resume=True)):
        with pytest.raises(RunError, match="is finished and a run is written once"):
            end()


def test_finished_runs_are_listed_by_name_whatever_the_disk_says_first(tmp_path, monkeypatch):
    for seed in (1, 0, 2):
        write(tmp_path, seed=seed)
    found = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, form: sorted(found(self, form), reverse=True))

    assert runs.names(tmp_path) == [f"{RECIPE.name}/seed-{seed}" for seed in (0, 1, 2)]


def test_answers_that_are_no_number_are_not_sealed(tmp_path):
    lost = answers(20)
    lost[3] = np.nan

    with pytest.raises(RunError, match="finite probabilities for the test images, found one that"):
        prediction_rows(frame(20), lost, "test")


def test_a_run_whose_last_file_is_cut_short_by_a_full_disk_is_no_run(tmp_path, monkeypatch):
    whole = Path.write_text

    def cut(path, text, **options):
        whole(path, text[: len(text) // 2], **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path)

    assert runs.names(tmp_path) == []


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Return a run of its own on a copy of the published split, and the file of that split."""
    source = paths.data() / "splits" / "published.csv"
    copy = tmp_path / "data" / "splits" / "published.csv"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(source.read_bytes())
    monkeypatch.setattr(paths, "data", lambda: tmp_path / "data")
    split = splits.load()
    test = split.part("test")
    counts = split.frame.part.value_counts().to_dict()
    data = {
        "split": "published", "split_sha256": split.sha256, "images": 1050 - 3, "counts": counts,
    }  # fmt: skip

    def made(rows=test, **changes):
        folder = tmp_path / f"runs-{len(list(tmp_path.iterdir()))}"
        told = [prediction_rows(rows, answers(len(rows)), "test")]
        return RunFolder(RECIPE, 0, folder).finish(told, {"data": data | changes})

    return made, test, copy


def test_answers_are_read_beside_the_published_split(published):
    made, test, _ = published
    relabelled = test.assign(label=[(test.label[0] + 1) % 7, *test.label[1:]])

    assert len(made().part("test").truth) == len(test)
    assert len(made(test[:-3], counts={}).part("test").truth) == 155  # an edition that lacks three
    with pytest.raises(RunError, match="another label, or part, for .* than published.csv has"):
        made(relabelled).part("test")
    with pytest.raises(RunError, match="found 157 images of test for 158; restore"):
        made(test[:-1]).part("test")
    with pytest.raises(RunError, match="found 154 images of test for 155; restore"):
        made(test[:-4], counts={}).part("test")


def test_a_swapped_split_is_told_and_not_the_images_that_it_lost(published):
    made, _, copy = published
    run = made()
    run.part("test")

    header, first, second, *rest = copy.read_text().splitlines()
    swapped = [",".join([*first.split(",")[:-1], "test"]), second]
    copy.write_text("\n".join([header, *swapped, *rest]) + "\n")
    os.utime(copy, ns=(1, 1))

    with pytest.raises(RunError, match="expected data/splits/published.csv as the run was"):
        run.part("test")


def test_a_run_says_the_bytes_of_its_history_events_and_predictions(tmp_path):
    run = RunFolder(RECIPE, 0, tmp_path).finish(
        [prediction_rows(frame(20), answers(20), "test")], {}, epochs(2)
    )

    digests = {
        name: hashlib.sha256((run.folder / name).read_bytes()).hexdigest()
        for name in ("history.csv", "events.out.tfevents.0.vitrine", "predictions.csv")
    }
    assert run.meta["files"] == digests
