import json

import numpy as np
import pandas as pd
import pytest

from vitrine.data import splits
from vitrine.training import runs
from vitrine.training.recipes import RECIPES
from vitrine.training.runs import RunError
from vitrine.training.runs.folds import place

SWEPT, PROBE = "efficientnet-b0-torch", "histogram-hog"
FOLDS = splits.load_folds()


def rows(frame, skill, seed, *part):
    """Return answers that are right more often the larger the skill."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(frame), 7))
    logits[np.arange(len(frame)), frame.label] += skill
    odds = np.exp(logits)
    return runs.prediction_rows(frame, odds / odds.sum(1, keepdims=True), *part)


def sweep(base, recipe=SWEPT, seed=0, folds=range(5), skill=2.0):
    """Make the runs of a recipe over folds of the first repetition, as ``vitrine sweep`` does."""
    for fold in folds:
        split = FOLDS.fold(0, fold)
        tables = [rows(split.part(p), skill, (seed, fold), p) for p in ("validation", "test")]
        data = {"images": len(split.frame), "split": split.name, "split_sha256": split.sha256,
                "manifest_sha256": "m"}  # fmt: skip
        folder = runs.RunFolder(RECIPES[recipe], seed, base / place(0, fold))
        folder.finish(tables, {"data": data})


def probe(base, recipe=PROBE, skill=2.0, repeats=5):
    """Make the run of a probe, which holds the answers of all repetitions."""
    tables = [
        rows(FOLDS.frame[FOLDS.frame[f"repeat_{r}"] == k], skill, (r, k), f"repeat-{r}", k)
        for r in range(repeats)
        for k in range(5)
    ]
    data = {"images": len(FOLDS.frame), "folds_sha256": FOLDS.sha256}
    return runs.RunFolder(RECIPES[recipe], 0, base).finish(tables, {"data": data})


def rewritten(path, change):
    """Rewrite a table of predictions."""
    table = pd.read_csv(path, dtype={"fold": "Int64"})
    change(table).to_csv(path, index=False)


def test_a_network_that_has_runs_on_folds_only_answers_once_for_every_photo(tmp_path):
    sweep(tmp_path)

    (found,) = runs.across_folds(base=tmp_path)[SWEPT]

    assert found.name == f"{SWEPT}/seed-0"
    assert [run.name for run in found.runs] == [f"{place(0, k)}/{SWEPT}/seed-0" for k in range(5)]
    assert found.answers.image.tolist() == sorted(FOLDS.frame.image)
    labels = FOLDS.frame.set_index("image").label
    assert found.answers.truth.tolist() == labels[found.answers.image].tolist()
    third = found.runs[3].part("test")
    kept = np.isin(found.answers.image, third.image)
    np.testing.assert_array_equal(found.answers.probabilities[kept], third.probabilities)


def test_a_probe_and_a_network_are_compared_on_the_same_photos(tmp_path):
    sweep(tmp_path)
    run = probe(tmp_path)
    found = runs.across_folds(base=tmp_path)

    of_probe, of_network = runs.align_folds(found[PROBE][0], found[SWEPT][0])

    assert (of_probe.image == of_network.image).all()
    fold = run.fold(0, 2)
    kept = np.isin(of_probe.image, fold.image)
    np.testing.assert_array_equal(of_probe.probabilities[kept], fold.probabilities)


def test_a_probe_that_was_swept_as_well_is_no_second_seed(tmp_path):
    probe(tmp_path)
    sweep(tmp_path, PROBE, skill=0.5)

    (found,) = runs.across_folds(base=tmp_path)[PROBE]

    assert [run.name for run in found.runs] == [f"{PROBE}/seed-0"]


def test_each_seed_has_its_answers_and_each_repetition_its_own(tmp_path):
    sweep(tmp_path, seed=1)
    sweep(tmp_path)
    probe(tmp_path)

    first, second = runs.across_folds(base=tmp_path), runs.across_folds(1, base=tmp_path)

    assert [one.name for one in first[SWEPT]] == [f"{SWEPT}/seed-0", f"{SWEPT}/seed-1"]
    assert list(second) == [PROBE]
    a, b = (found[PROBE][0].answers.probabilities for found in (first, second))
    assert not np.array_equal(a, b)


def test_recipes_that_nobody_asked_for_are_left_unread(tmp_path):
    sweep(tmp_path)
    (probe(tmp_path).folder / "predictions.csv").write_text("damaged")

    found = runs.across_folds(base=tmp_path, only=[SWEPT])

    assert list(found) == [SWEPT]
    assert runs.across_folds(base=tmp_path, only=[]) == {}


def test_a_sweep_that_is_not_finished_is_left_out(tmp_path):
    sweep(tmp_path, folds=range(4))

    assert runs.across_folds(base=tmp_path) == {}
    assert runs.folds_made(SWEPT, base=tmp_path) == 4
    assert runs.folds_made(PROBE, base=tmp_path) == runs.folds_made(SWEPT, 1, base=tmp_path) == 0


def test_answers_about_other_photos_or_labels_than_the_tracked_ones_are_refused(tmp_path):
    sweep(tmp_path)
    path = tmp_path / place(0, 1) / SWEPT / "seed-0" / "predictions.csv"
    other = FOLDS.fold(0, 0).part("test").image[0]
    whole = path.read_text()

    rewritten(path, lambda table: table.assign(label=(table.label + 1) % 7))
    with pytest.raises(RunError, match="data/splits/folds.csv has in fold 1 of repeat 0, found"):
        runs.across_folds(base=tmp_path)

    path.write_text(whole)
    rewritten(path, lambda t: t.assign(image=t.image.where(t.index < len(t) - 1, other)))
    with pytest.raises(RunError, match=f"found another at {other}"):
        runs.across_folds(base=tmp_path)


def test_a_photo_without_an_answer_is_noticed(tmp_path):
    sweep(tmp_path)
    rewritten(tmp_path / place(0, 4) / SWEPT / "seed-0" / "predictions.csv", lambda t: t[:-1])

    with pytest.raises(RunError, match="each of its 1050 images, found 1049 answers"):
        runs.across_folds(base=tmp_path)


@pytest.mark.parametrize("field", ["split_sha256", "manifest_sha256"])
def test_runs_made_on_other_folds_or_photos_are_not_put_together(tmp_path, field):
    sweep(tmp_path)
    path = tmp_path / place(0, 2) / SWEPT / "seed-0" / "run.json"
    meta = json.loads(path.read_text())
    meta["data"][field] = "another"
    path.write_text(json.dumps(meta))

    with pytest.raises(RunError, match=f"found {field} another where .* was expected"):
        runs.across_folds(base=tmp_path)


def test_a_probe_made_on_other_folds_is_refused(tmp_path):
    path = probe(tmp_path, repeats=1).folder / "run.json"
    path.write_text(path.read_text().replace(FOLDS.sha256, "another"))

    with pytest.raises(RunError, match="found folds_sha256 another where"):
        runs.across_folds(base=tmp_path)


def test_the_published_probes_answer_for_the_same_photos():
    found = runs.across_folds()

    parts = runs.align_folds(*(one for every in found.values() for one in every))

    assert {"mobilenetv2-int8-probe", "histogram-hog", "majority"} <= set(found)
    assert len(parts[0].image) == 1047
