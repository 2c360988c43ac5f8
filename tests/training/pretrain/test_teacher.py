"""A student learns what a teacher answered about the very pixels that both see."""

import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from tiny_corpus import SIDE, SIZES, drawn, write_packed

from vitrine.models.checkpoints import load_checkpoint
from vitrine.training import imagenet, recipes, runs
from vitrine.training.pretrain import CorpusError, answers, sources
from vitrine.training.pretrain.batches import Augment, Taught
from vitrine.training.pretrain.fit import fit
from vitrine.training.pretrain.learner import Learner
from vitrine.training.recipes import RecipeError
from vitrine.training.torch.classifier import divergence

NAMES = ("goldfish", "bullfrog", "koala", "beaver", "crane", "plate")
RECIPE = replace(
    recipes.find("mambavision-micro-distilled"), name="tiny-distilled", image_size=SIDE,
    architecture="mambavision_nano", windows=(2, 1), batch_size=8, epochs=3, ema_decay=0.9,
    teacher="tf_efficientnet_lite0.in1k", teacher_size=64, teacher_head="own", crops=2,
)  # fmt: skip
PIECES = RECIPE.crops * SIZES["train"] // 16


@pytest.fixture(scope="session")
def named(tmp_path_factory):
    """Return packed files whose classes are among ImageNet's, of which one has a namesake."""
    folder = tmp_path_factory.mktemp("named")
    classes = [{"wnid": f"n{k}", "name": name} for k, name in enumerate(NAMES)]
    (folder / "classes.json").write_text(json.dumps(classes))
    write_packed(folder, "train-0.npz", *drawn(0, SIZES["train"]))
    write_packed(folder, "val.npz", *drawn(1, SIZES["validation"]))
    return folder


@pytest.fixture
def corpus(named, tmp_path):
    """Return a corpus beside which nothing was answered yet."""
    return sources.obtain(named, tmp_path / "corpus")


@pytest.fixture(autouse=True)
def pieces(monkeypatch):
    """Ask for sixteen crops at once, so that a tiny corpus takes several pieces."""
    monkeypatch.setattr(answers, "PIECE", 16)
    torch.set_num_threads(1)


def asked(monkeypatch, interrupt_at=None):
    """Record the pixels that a teacher is asked about, and stop it at some piece."""
    seen, forward = [], answers.Teacher.forward

    def listen(self, pixels):
        if len(seen) == interrupt_at:
            raise KeyboardInterrupt
        seen.append(pixels.clone())
        return forward(self, pixels)

    monkeypatch.setattr(answers.Teacher, "forward", listen)
    return seen


def files(corpus):
    return {path.name: path.read_bytes() for path in corpus.folder.glob("answers-*.npy")}


def test_teacher_and_student_see_the_same_pixels_and_each_epoch_its_own_crop(corpus, monkeypatch):
    seen = asked(monkeypatch)
    told = answers.answers(RECIPE, corpus)
    part = Taught(corpus.pixels("train"), corpus.labels("train"), told.draws, told.given)
    learner = Learner(RECIPE, 0, 6, len(NAMES))
    shown = []
    monkeypatch.setattr(learner, "scaled", lambda pixels: shown.append(pixels) or pixels.float())

    for epoch in range(3):
        learner.eval().judge(part.__getitems__([(epoch, i) for i in (40, 3, 17)]))

    by_crop = torch.cat(seen[:PIECES]).unflatten(0, (RECIPE.crops, SIZES["train"]))
    for epoch, pixels in enumerate(shown):
        assert torch.equal(pixels, by_crop[epoch % RECIPE.crops, [40, 3, 17]])
    assert not torch.equal(shown[0], shown[1])
    assert torch.equal(shown[0], shown[2])


def test_the_answers_kept_are_the_teachers_among_the_classes_of_the_corpus(corpus):
    told = answers.answers(RECIPE, corpus)
    pixels = torch.from_numpy(np.array(corpus.pixels("train")[:16])).permute(0, 3, 1, 2)
    crop = Augment(RECIPE).cut(pixels, torch.from_numpy(told.draws[1, :16]).T)

    large = F.interpolate(crop.float(), (64, 64), mode="bicubic").round().clamp(0, 255)
    network = timm.create_model(RECIPE.teacher).eval()
    load_checkpoint(network, imagenet.PACKAGES["tf_efficientnet_lite0"].path)
    with torch.inference_mode():
        odds = network((large / 255 - 0.5) / 0.5).softmax(1).numpy()
    kept = odds[:, [1, 30, 105, 337, 517, 923]]

    np.testing.assert_allclose(
        np.exp(told.given[1, :16].astype(float)), kept / kept.sum(1, keepdims=True), atol=0.05
    )
    np.testing.assert_allclose(np.exp(told.given.astype(float)).sum(-1), 1, atol=2e-3)


def test_a_class_is_found_among_those_of_imagenet_by_its_name_and_its_place():
    assert answers.imagenet_classes(["goldfish", "crane"]) == [1, 134]
    assert answers.imagenet_classes(["koala", "crane", "cliff, drop, drop-off"]) == [105, 134, 972]
    assert answers.imagenet_classes(["convertible", "crane"]) == [511, 517]
    with pytest.raises(RecipeError, match="classes of ImageNet-1k in its order, found 'goose'"):
        answers.imagenet_classes(["crane", "goose"])


def test_every_class_of_the_shared_corpus_is_the_one_its_identifier_names(shared):
    source = shared / "pretrain" / "classes.json"
    if not source.is_file():
        pytest.skip("the shared folder holds no pretraining corpus")
    told = json.loads(source.read_text())

    found = answers.imagenet_classes([one["name"] for one in told])

    wnids = answers.ImageNetInfo("imagenet-1k").label_names()
    assert [wnids[k] for k in found] == [one["wnid"] for one in told]


def test_answers_are_asked_for_once_and_say_how_good_the_teacher_is(corpus, monkeypatch):
    first = answers.answers(RECIPE, corpus)
    seen = asked(monkeypatch)

    again = answers.answers(RECIPE, corpus)

    assert not seen
    assert np.array_equal(again.given, first.given)
    assert isinstance(again.given, np.memmap)
    right = first.given.argmax(-1) == corpus.labels("train")
    assert first.facts["top_1_on_crops"] == pytest.approx(right.mean())
    assert 0 <= first.facts["top_1"] <= 1
    known = imagenet.PACKAGES["tf_efficientnet_lite0"]
    assert first.facts["files"][0]["sha256"] == known.sha256


@pytest.mark.parametrize("piece", [0, 2, PIECES - 1, PIECES])
def test_answers_interrupted_and_resumed_are_those_never_stopped(
    corpus, named, tmp_path, monkeypatch, piece
):
    answers.answers(RECIPE, corpus)
    other = sources.obtain(named, tmp_path / "other")
    with monkeypatch.context() as interrupted:
        asked(interrupted, interrupt_at=piece)
        with pytest.raises(KeyboardInterrupt):
            answers.answers(RECIPE, other)
    (half,) = other.folder.glob("features-*.part")
    with half.open("ab") as file:
        file.write(b"torn" if piece < PIECES else b"")

    seen = asked(monkeypatch)
    answers.answers(RECIPE, other)

    assert files(other) == files(corpus)
    held_out = -(-SIZES["validation"] // 16)
    assert len(seen) == PIECES - piece + held_out
    assert not list(other.folder.glob("*.part"))


def test_another_head_answers_from_what_was_seen_already(corpus, monkeypatch):
    own = answers.answers(RECIPE, corpus)
    seen = asked(monkeypatch)

    probe = answers.answers(replace(RECIPE, teacher_head="probe"), corpus)

    assert not seen
    assert probe.facts["top_1_on_crops"] > own.facts["top_1_on_crops"]
    assert len(files(corpus)) == 2


@pytest.mark.parametrize(
    "change",
    [{"teacher_size": 32}, {"crop_scale": 0.5}, {"flip": False}, {"crops": 1}],
    ids=lambda change: next(iter(change)),
)
def test_another_law_has_answers_of_its_own(corpus, change):
    answers.answers(RECIPE, corpus)

    answers.answers(replace(RECIPE, **change), corpus)

    assert len(files(corpus)) == 2


@pytest.mark.parametrize("what", ["seed", "weights", "corpus"])
def test_answers_are_bound_to_crops_weights_and_corpus(corpus, monkeypatch, tmp_path, what):
    before = answers._law(RECIPE, corpus)
    if what == "seed":
        monkeypatch.setattr(answers, "CROPS_SEED", 1)
    elif what == "weights":
        other = tmp_path / "other.pth"
        other.write_bytes(b"other")
        monkeypatch.setattr(answers.start, "find", lambda _: other)
    else:
        receipt = replace(corpus.receipt, manifest_sha256="0" * 64)
        corpus = replace(corpus, receipt=receipt)

    after = answers._law(RECIPE, corpus)

    assert {key for key in before if before[key] != after[key]} == {what}


def test_answers_that_changed_since_are_refused(corpus):
    answers.answers(RECIPE, corpus)
    (path,) = corpus.folder.glob("answers-*.npy")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    with pytest.raises(CorpusError, match=r"as they were given, found others.*remove answers-.*"):
        answers.answers(RECIPE, corpus)


def test_the_crops_of_a_seed_are_drawn_alike_and_those_of_another_are_not(monkeypatch):
    first, again = answers.draws(2, 50), answers.draws(2, 50)
    monkeypatch.setattr(answers, "CROPS_SEED", 1)

    other = answers.draws(2, 50)

    assert np.array_equal(first, again)
    assert not np.isclose(first, other).any(axis=(1, 2)).all()
    assert (first[0] != first[1]).all()


def test_the_loss_is_the_divergence_computed_by_hand():
    taught = np.log([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    logits = np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 0.5]])
    learned = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = (np.exp(taught) * (taught - np.log(learned))).sum(1).mean()

    found = divergence(torch.tensor(taught).half(), torch.tensor(logits))

    assert float(found) == pytest.approx(expected, abs=1e-3)
    assert float(divergence(torch.tensor(taught).half(), torch.tensor(taught))) < 1e-6


def test_a_distillation_interrupted_equals_one_never_stopped_bit_for_bit(
    corpus, tmp_path, monkeypatch
):
    def train(base, **options):
        return fit(RECIPE, corpus, base=base, device="cpu", threads=1, **options)

    whole = train(tmp_path / "whole")
    calls, judge = [], Learner.judge

    def stop(self, batch):
        calls.append(batch)
        if len(calls) == 9:  # in the second epoch
            raise MemoryError
        return judge(self, batch)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Learner, "judge", stop)
        with pytest.raises(MemoryError):
            train(tmp_path / "stopped")

    resumed = train(tmp_path / "stopped", resume=True)

    ours, theirs = (
        (run.folder / "weights" / "model.safetensors").read_bytes() for run in (resumed, whole)
    )
    assert ours == theirs
    assert resumed.history.train_loss.equals(whole.history.train_loss)
    assert whole.meta["teacher"]["top_1"] == resumed.meta["teacher"]["top_1"]
    assert whole.meta["teacher"]["corpus"] == "ImageNet-1k"
    kept = str(whole.folder / "weights" / "model.safetensors")
    onward = replace(recipes.find("mambavision-micro-distilled-transfer"), weights=kept)
    assert runs.start.facts(onward)["start"]["learned"]["teacher"] == RECIPE.teacher
    assert whole.history.train_loss.iloc[-1] < whole.history.train_loss.iloc[0]


def test_a_teacher_whose_weights_are_nowhere_is_told_in_a_sentence(corpus, monkeypatch):
    monkeypatch.setattr(imagenet, "PACKAGES", {})
    monkeypatch.setattr(imagenet, "_timm_cache", lambda _: None)

    with pytest.raises(RecipeError, match="expected ImageNet weights of .*lite0.in1k on this mach"):
        answers.answers(RECIPE, corpus)


def test_a_recipe_without_a_teacher_has_no_answers(corpus):
    alone = replace(RECIPE, teacher="", teacher_size=0, crops=0)

    with pytest.raises(RecipeError, match="tiny-distilled: expected one with a teacher"):
        answers.answers(alone, corpus)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"crops": 0},
            "crops to be at least 1 for a pretraining with a teacher, and 0 else, found 0",
        ),
        ({"teacher": ""}, "teacher_size to be at least 1 with a teacher, and 0 without"),
        ({"mixup": 0.2}, "mixup to be none: the teacher answered for the crop alone"),
        ({"label_smoothing": 0.1}, "label_smoothing to be none"),
        ({"trainer": "torch"}, "crops to be at least 1 for a pretraining .*, and 0 else, found 2"),
    ],
)
def test_a_recipe_with_a_teacher_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        replace(RECIPE, **change)


def test_both_students_learn_alike_and_go_to_the_photos_as_the_other_pretrainings_do():
    own = ("name", "architecture", "windows", "norm_momentum", "learning_rate", "precision")
    first, second = (
        recipes.find(f"{name}-distilled") for name in ("efficientnet-b0", "mambavision-micro")
    )

    assert replace(first, **{field: getattr(second, field) for field in own}) == second
    for name in ("efficientnet-b0", "mambavision-micro"):
        transfer = recipes.find(f"{name}-distilled-transfer")
        assert runs.start.is_local(transfer)
        assert transfer.weights == f"pretrain/{name}-distilled/seed-0"
        usual = recipes.find(f"{name}-transfer")
        assert replace(transfer, name=usual.name, weights=usual.weights) == usual
