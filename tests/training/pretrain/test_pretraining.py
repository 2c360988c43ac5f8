"""A pretraining resumes exactly, ends with its budget, and says what it saw, spent and learned."""

import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tiny_corpus import CLASSES, SIDE, SIZES

from vitrine.metrics.classes import top
from vitrine.training import recipes, runs
from vitrine.training.pretrain import corpus as corpora
from vitrine.training.pretrain import learner
from vitrine.training.pretrain.batches import Augment, Part
from vitrine.training.pretrain.fit import fit
from vitrine.training.recipes import RecipeError
from vitrine.training.torch import classifier

RECIPE = replace(
    recipes.find("mambavision-micro-pretrain"), name="tiny-pretrain", image_size=SIDE,
    architecture="mambavision_nano", windows=(2, 1), batch_size=8, epochs=3, optimizer="lamb",
    ema_decay=0.9,
)  # fmt: skip

KILLED = """
import os, signal, sys
from pathlib import Path
from dataclasses import replace
from vitrine.training import recipes
from vitrine.training.pretrain import batches, load
from vitrine.training.pretrain.fit import fit

folder, base, fields, moment = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
calls, draw, put = 0, batches.Augment.__call__, Path.replace

def count(self, pixels):
    global calls
    calls += 1
    if moment == "in a batch" and calls == 9:
        die()
    return draw(self, pixels)

def cut(self, target):
    if moment == "before a checkpoint is in place" and self.name == "last.ckpt.part":
        die()
    return put(self, target)

batches.Augment.__call__, Path.replace = count, cut
recipe = replace(recipes.find("mambavision-micro-pretrain"), **eval(fields))
fit(recipe, load(folder), base=base, device="cpu", threads=1, resume=True)
"""


def train(corpus, base, recipe=RECIPE, **options):
    return fit(recipe, corpus, base=base, device="cpu", threads=1, **options)


def kill(corpus, base, moment):
    """Train in a process that is killed for good at some moment."""
    changed = {
        field: value
        for field, value in RECIPE.to_dict().items()
        if value != recipes.find("mambavision-micro-pretrain").to_dict()[field]
    } | {"windows": RECIPE.windows}
    environment = os.environ | {"PYTHONPATH": str(Path(runs.__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, corpus.folder, base, repr(changed), moment],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """Return a run that was never stopped."""
    return train(corpus, tmp_path_factory.mktemp("whole"))


def _interrupt(*_):
    raise SystemExit


def weights(run):
    return load_file(run.folder / "weights" / "model.safetensors")


def test_a_pretraining_killed_twice_equals_one_never_stopped_bit_for_bit(corpus, whole, tmp_path):
    kill(corpus, tmp_path, "in a batch")
    kill(corpus, tmp_path, "before a checkpoint is in place")
    assert runs.names(tmp_path) == []

    resumed = train(corpus, tmp_path, resume=True)

    ours, theirs = weights(resumed), weights(whole)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    timed = ["seconds", "waited", "wall_time"]
    assert resumed.history.drop(columns=timed).equals(whole.history.drop(columns=timed))
    assert resumed.table.equals(whole.table)


def test_an_epoch_that_was_kept_and_not_yet_written_is_in_the_history(
    corpus, whole, tmp_path, monkeypatch
):
    written = runs.RunFolder.write_history

    def unless_the_last(folder, rows):
        if len(rows) == RECIPE.epochs:
            raise MemoryError
        written(folder, rows)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(runs.RunFolder, "write_history", unless_the_last)
        with pytest.raises(MemoryError):
            train(corpus, tmp_path)

    resumed = train(corpus, tmp_path, resume=True)

    assert resumed.history.train_loss.equals(whole.history.train_loss)


def test_a_run_says_what_it_saw_spent_and_learned(corpus, whole):
    meta, history = whole.meta, whole.history

    assert whole.name == "tiny-pretrain/seed-0"
    assert meta["data"]["sha256"] == corpora.fingerprint(corpus.folder)
    assert meta["data"]["train"] == SIZES["train"]
    assert meta["recipe"]["optimizer"] == "lamb"
    assert meta["precision"] == "32-true"
    assert meta["processes"] == 1
    assert meta["timing"]["images_per_second"] > 0
    assert 0 < meta["timing"]["waited_share"] < 1
    assert history.images.tolist() == [48, 96, 144]
    assert (history.val_top5 >= history.val_accuracy).all()
    assert sorted(path.name for path in (whole.folder / "weights").iterdir()) == [
        "model.safetensors"
    ]
    assert (whole.folder / "events.out.tfevents.0.vitrine").stat().st_size > 0


def test_predictions_are_those_of_the_kept_average_and_give_the_last_scores(corpus, whole):
    from vitrine.training.torch.network import build, predict

    network = build(RECIPE, CLASSES)
    network[1].load_state_dict(weights(whole))
    given = predict(network, corpus.pixels("validation"))

    assert whole.table.top_1.tolist() == given.argmax(axis=1).tolist()
    assert whole.table.label.tolist() == corpus.labels("validation").tolist()
    right = (np.argsort(-given)[:, :5] == corpus.labels("validation")[:, None]).any(axis=1)
    labels, guesses = whole.table.label.to_numpy(), whole.table.filter(like="top_").to_numpy()
    assert top(labels, guesses, 5) == right.mean()
    assert top(labels, guesses, 1) <= top(labels, guesses, 5)
    with pytest.raises(ValueError, match="expected 1 to 5 guesses to count, found 7"):
        top(labels, guesses, 7)


@pytest.fixture
def clock(monkeypatch):
    """Give training a clock on which a step lasts a second and all the rest no time."""
    now, draw = itertools.count(0.0), Augment.__call__
    shown = SimpleNamespace(second=next(now), time=time.time)
    shown.perf_counter = lambda: shown.second

    def tick(self, pixels):
        shown.second = next(now)
        return draw(self, pixels)

    monkeypatch.setattr(Augment, "__call__", tick)
    monkeypatch.setattr(classifier, "time", shown)
    monkeypatch.setattr(learner, "time", shown)
    return shown


def test_a_long_epoch_tells_how_far_it_is(corpus, clock, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(learner, "TELLS", 2.0)

    with caplog.at_level("INFO", learner.__name__):
        train(corpus, tmp_path, replace(RECIPE, epochs=1, warmup_epochs=0))

    steps = SIZES["train"] // RECIPE.batch_size
    told = [
        message.partition(":")[0]
        for name, _, message in caplog.record_tuples
        if name == learner.__name__  # the folder of the run may speak too
    ]
    assert told == [f"epoch 1, step {k}/{steps}" for k in range(2, steps + 1, 2)]


def test_a_budget_of_seconds_ends_the_schedule_and_the_training(corpus, tmp_path, clock):
    clocked = replace(RECIPE, name="clocked", budget=9.0)

    run = train(corpus, tmp_path, clocked)

    assert run.history.seconds.tolist() == [6, 3]
    assert run.history.images.tolist() == [48, 72]
    # The last step of an epoch begins a second before its end.
    expected = [clocked.learning_rate_at(clocked.epochs * share) for share in (5 / 9, 8 / 9)]
    assert run.history.learning_rate.tolist() == pytest.approx(expected, rel=1e-5)
    assert run.meta["timing"]["images_per_second"] == 8


def test_a_budget_that_an_interrupted_run_had_spent_is_not_spent_again(
    corpus, tmp_path, clock, monkeypatch
):
    clocked = replace(RECIPE, name="clocked", budget=2.0)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(runs.RunFolder, "finish", _interrupt)
        with pytest.raises(SystemExit):
            train(corpus, tmp_path, clocked)
    before = pd.read_csv(tmp_path / "clocked" / "seed-0" / "history.csv")

    run = train(corpus, tmp_path, clocked, resume=True)

    assert before.seconds.tolist() == [2]
    assert run.history.equals(before)


def test_a_crop_of_the_whole_image_is_the_image_and_a_mirror_its_mirror():
    pixels = torch.randint(0, 256, (64, 3, SIDE, SIDE), dtype=torch.uint8)
    plain = replace(RECIPE, crop_scale=1.0, flip=False, randaugment="")

    same = Augment(plain)(pixels)
    mirrored = Augment(replace(plain, flip=True))(pixels)

    assert torch.equal(same, pixels)
    kept = _all_equal(mirrored, pixels)
    turned = _all_equal(mirrored, pixels.flip(-1))
    assert (kept ^ turned).all()
    assert 0 < int(kept.sum()) < 64


def _all_equal(first, second):
    return (first == second).flatten(1).all(dim=1)


def test_crops_stay_inside_the_image_and_keep_the_share_they_are_told():
    ramp = torch.arange(64).repeat(64, 1)
    place = torch.stack([ramp, ramp.T, torch.zeros_like(ramp)]).to(torch.uint8)
    recipe = replace(RECIPE, image_size=64, crop_scale=0.3, flip=False, randaugment="")

    boxes = Augment(recipe)(place.expand(400, -1, -1, -1)).float()

    # a crop of a ramp is a ramp: its slope is the side of the box
    width = (boxes[:, 0, 32, 60] - boxes[:, 0, 32, 4]) / 56
    height = (boxes[:, 1, 60, 32] - boxes[:, 1, 4, 32]) / 56
    area = width * height
    assert float(area.min()) > 0.3 * 0.9
    assert 0.6 < float(area.mean()) < 0.7
    assert float((width / height).max()) < 4 / 3 * 1.1
    centre = boxes[:, 0, 32, 32]
    assert ((centre >= width * 31) & (centre <= 63 - width * 29)).all()


def test_randaugment_draws_once_for_eight_images():
    pixels = torch.randint(0, 256, (1, 3, SIDE, SIDE), dtype=torch.uint8).expand(32, -1, -1, -1)
    recipe = replace(RECIPE, crop_scale=1.0, flip=False, randaugment="rand-m9-n2")
    torch.manual_seed(0)

    changed = Augment(recipe)(pixels)

    groups = changed.reshape(4, 8, -1)
    assert all(bool((group == group[0]).all()) for group in groups)
    assert len({tuple(group[0].tolist()) for group in groups}) > 1


def test_a_randaugment_that_tensors_cannot_have_is_refused():
    with pytest.raises(RecipeError, match="expected randaugment to be rand-m<0 to 10>"):
        Augment(replace(RECIPE, randaugment="rand-m9-mstd0.5"))


def test_a_batch_is_read_in_the_order_asked_for(corpus):
    part = Part(corpus.pixels("train"), corpus.labels("train"))

    pixels, labels = part.__getitems__([(0, 5), (0, 2), (7, 5)])

    assert labels.tolist() == corpus.labels("train")[[5, 2, 5]].tolist()
    assert np.array_equal(pixels.permute(0, 2, 3, 1), corpus.pixels("train")[[5, 2, 5]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trainer": "torch"}, "expected one for `vitrine pretrain`"),
        ({"image_size": 64}, "expected image_size=32, the side of the corpus, found 64"),
        ({"batch_size": 64}, "expected at least batch_size=64 images to train on, found 48"),
    ],
)
def test_a_recipe_that_is_not_for_this_corpus_is_refused(corpus, tmp_path, change, message):
    with pytest.raises(RecipeError, match=message):
        train(corpus, tmp_path, replace(RECIPE, **change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patience": 3}, "patience to be none: a pretraining starts and ends alike"),
        ({"weights": "imagenet"}, "weights to be none"),
        ({"budget": -1.0}, "budget to be positive seconds"),
        ({"trainer": "torch", "budget": 60.0}, "budget to be positive seconds, and 0 but for"),
        ({"trainer": "keras", "windows": ()}, "optimizer to be adamw: the Keras trainer"),
    ],
)
def test_a_pretraining_recipe_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        replace(RECIPE, **change)


def test_the_two_protocols_of_a_network_differ_by_their_budget_alone():
    images = recipes.find("mambavision-micro-pretrain")
    clock = recipes.find("mambavision-micro-pretrain-clock")

    assert images.budget == 0 < clock.budget
    assert replace(clock, budget=0.0, name=images.name) == images


def test_the_two_networks_start_as_equals():
    own = ("name", "architecture", "windows", "norm_momentum", "weights")
    for kind in ("pretrain", "short", "transfer", "transfer-probe"):
        first, second = (
            recipes.find(f"{n}-{kind}") for n in ("efficientnet-b0", "mambavision-micro")
        )

        assert replace(first, **{field: getattr(second, field) for field in own}) == second


def test_one_set_of_weights_is_transferred_alike_by_both_frameworks():
    torch, keras = (recipes.find(f"efficientnet-b0-{k}") for k in ("transfer", "keras-transfer"))

    own = ("name", "trainer", "architecture", "norm_momentum")
    assert replace(torch, **{field: getattr(keras, field) for field in own}) == keras
