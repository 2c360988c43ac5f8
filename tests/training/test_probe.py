import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier

from vitrine.data import shards, splits
from vitrine.training import head, probe, recipes
from vitrine.training.recipes import RecipeError

HOG = recipes.find("histogram-hog")


def test_majority_always_answers_the_most_frequent_class(demo_catalog, demo_split, tmp_path):
    run = probe.fit(recipes.find("majority"), demo_split, demo_catalog, base=tmp_path)

    train = demo_split.part("train")
    most = train.label.value_counts()
    answers = set(run.part("test").predicted) | set(run.part("validation").predicted)
    assert len(answers) == 1
    assert most[answers.pop()] == most.max()
    shares = most.sort_index().to_numpy() / len(train)
    assert run.part("test").probabilities == pytest.approx(
        np.tile(shares, (len(run.part("test").truth), 1)), abs=1e-6
    )


@pytest.mark.parametrize(("told", "threads"), [(None, os.cpu_count()), ("3", 3)])
def test_a_probe_says_how_many_threads_it_may_take(
    told, threads, demo_catalog, demo_split, tmp_path, monkeypatch
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if told:
        monkeypatch.setenv("OMP_NUM_THREADS", told)

    run = probe.fit(recipes.find("majority"), demo_split, demo_catalog, base=tmp_path)

    assert run.meta["hardware"]["threads"] == threads


def test_classical_features_beat_chance_on_the_synthetic_catalogue(
    demo_catalog, demo_split, tmp_path
):
    recipe = replace(HOG, image_size=64)

    run = probe.fit(recipe, demo_split, demo_catalog, base=tmp_path)

    test = run.part("test")
    assert (test.predicted == test.truth).mean() > 3 / 7
    assert set(run.meta["selection"]["validation_log_loss"]) == {f"{c:g}" for c in probe.STRENGTHS}


def test_the_strength_is_the_one_that_validation_prefers():
    rng = np.random.default_rng(0)
    labels = np.arange(140) % 7
    features = rng.normal(size=(140, 30)) + 0.8 * np.eye(7, 30)[labels]
    halves = np.arange(140) < 100

    model, losses = probe.choose(
        (features[halves], features[~halves]), (labels[halves], labels[~halves])
    )

    best = min(losses, key=losses.get)
    assert f"{model[-1].C:g}" == best
    given = model.predict_proba(features[~halves])
    truth = given[np.arange(40), labels[~halves]]
    assert -np.log(truth).mean() == pytest.approx(losses[best])


def test_a_fold_is_predicted_by_a_model_that_never_saw_it(demo_catalog, demo_split, tmp_path):
    folds = splits.draw_folds(demo_catalog, splits.fingerprints(demo_catalog))
    recipe = replace(recipes.find("majority"), name="m")

    run = probe.fit(recipe, demo_split, demo_catalog, folds=folds, base=tmp_path)

    for repeat in range(splits.REPEATS):
        seen = []
        for fold in range(splits.FOLDS):
            part = run.fold(repeat, fold)
            expected = folds.frame[folds.frame[f"repeat_{repeat}"] == fold].image
            assert set(part.image) == set(expected)
            train = folds.frame[
                ~folds.frame[f"repeat_{repeat}"].isin([fold, (fold + 1) % splits.FOLDS])
            ]
            counts = train.label.value_counts()
            assert counts[part.predicted[0]] == counts.max()
            seen += part.image.tolist()
        assert sorted(seen) == sorted(folds.frame.image)


def test_the_real_weights_give_the_features_they_are_known_for(shared):
    recipe = recipes.find("mobilenetv2-int8-probe")
    pixels = np.zeros((2, 224, 224, 3), np.uint8)
    pixels[1, :, 112:] = 255

    features = probe.extract(recipe, pixels)

    assert features.shape == (2, 1280)
    assert (features >= 0).all()
    assert not np.array_equal(features[0], features[1])


def test_absent_or_altered_weights_say_where_to_get_them(monkeypatch, tmp_path):
    recipe = recipes.find("mobilenetv2-int8-probe")
    monkeypatch.setenv("VITRINE_SHARED", str(tmp_path))
    monkeypatch.setattr(probe.paths, "data", lambda: tmp_path / "data")
    pixels = np.zeros((1, 224, 224, 3), np.uint8)

    with pytest.raises(RecipeError, match="place the file in data/weights/, from https://github"):
        probe.extract(recipe, pixels)

    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / recipe.weights).write_bytes(b"not the weights")
    with pytest.raises(RecipeError, match="to have the SHA-256 7aad0c74c5e3"):
        probe.extract(recipe, pixels)


@pytest.mark.parametrize("content", ["", "not a network"])
def test_a_file_that_is_no_network_is_refused_by_its_name(content, tmp_path):
    path = tmp_path / "mine.tflite"
    path.write_text(content)
    recipe = replace(recipes.find("mobilenetv2-int8-probe"), weights=str(path))

    with pytest.raises(RecipeError, match="TFLite network in mine.tflite, found .*; give `--weig"):
        probe.extract(recipe, np.zeros((1, 224, 224, 3), np.uint8))


def test_unknown_features_are_refused():
    recipe = replace(HOG, architecture="colour-of-the-sky")

    with pytest.raises(RecipeError, match="expected features among tflite:"):
        probe.extract(recipe, np.zeros((1, 64, 64, 3), np.uint8))


def test_timm_features_come_from_the_named_network():
    recipe = replace(HOG, architecture="timm:resnet10t", image_size=64)

    features = probe.extract(recipe, np.zeros((3, 64, 64, 3), np.uint8))

    assert features.shape == (3, 512)


def test_the_fold_that_validates_is_not_learned_from(
    demo_catalog, demo_split, tmp_path, monkeypatch
):
    folds = splits.draw_folds(demo_catalog, splits.fingerprints(demo_catalog))
    asked = []

    def choose(features, labels):
        asked.append([set(part[:, 0].astype(int)) for part in features])
        return DummyClassifier().fit(features[0], labels[0]), {}

    monkeypatch.setattr(probe, "choose", choose)
    monkeypatch.setattr(  # a photo is described by its place in the split
        probe, "extract", lambda _, pixels, seed: np.arange(len(pixels), dtype=np.float32)[:, None]
    )

    probe.fit(replace(HOG, image_size=8), demo_split, demo_catalog, folds=folds, base=tmp_path)

    numbers = demo_split.frame.merge(folds.frame, on="image")
    for (train, validation), (repeat, fold) in zip(
        asked[1:], np.ndindex(splits.REPEATS, splits.FOLDS), strict=True
    ):
        number = numbers[f"repeat_{repeat}"].to_numpy()
        after = (fold + 1) % splits.FOLDS
        assert validation == set(np.flatnonzero(number == after))
        assert train == set(np.flatnonzero((number != fold) & (number != after)))


def test_a_small_photo_is_enlarged_to_the_side_that_a_network_reads(shared):
    recipe = recipes.find("mobilenetv2-int8-probe-128")
    small = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    large = np.asarray(Image.fromarray(small[0]).resize((224, 224), Image.Resampling.BICUBIC))

    given = probe.extract(recipe, small)

    assert np.array_equal(given, probe.extract(recipe, large[None]))


def test_random_weights_are_those_of_the_seed():
    recipe = replace(HOG, architecture="timm:resnet10t", image_size=64)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)

    first, again, other = (probe.extract(recipe, pixels, seed) for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


SLOW = recipes.find("mobilenetv2-int8-slow-head")


def clusters(count):
    labels = np.arange(count) % 7
    noise = np.random.default_rng(0).normal(size=(count, 20))
    return (2 * np.eye(7, 20)[labels] + noise).astype(np.float32), labels


def test_a_head_learns_as_far_as_its_rate_lets_it():
    features, labels = clusters(140)

    def right(rate):
        learned, losses = probe.learn(
            replace(SLOW, learning_rate=rate), (features, features), (labels, labels)
        )
        assert not losses
        given = learned.predict_proba(features)
        assert given.sum(axis=1) == pytest.approx(1)
        return (given.argmax(axis=1) == labels).mean()

    assert right(1e-2) > 0.7 > right(1e-6)


def test_the_first_step_of_a_head_is_the_one_of_adamw_written_by_hand():
    features, labels = clusters(7)
    recipe = replace(SLOW, epochs=1, batch_size=7, learning_rate=0.01, weight_decay=0.5)
    still = head.fit(
        replace(recipe, learning_rate=1e-30), features, labels, classes=7, seed=3
    )  # the weights that it starts from

    moved = head.fit(recipe, features, labels, classes=7, seed=3)

    error = still.predict_proba(features) - np.eye(7)[labels]
    step = 0.01 * np.sign(error.T @ features)  # Adam's first step has the size of the rate
    assert moved.weight == pytest.approx(still.weight * (1 - 0.01 * 0.5) - step, abs=1e-5)
    assert moved.bias == pytest.approx(
        still.bias * (1 - 0.01 * 0.5) - 0.01 * np.sign(error.sum(axis=0)), abs=1e-5
    )


def test_a_head_is_that_of_its_seed():
    features, labels = clusters(30)

    first, again, other = (head.fit(SLOW, features, labels, classes=7, seed=s) for s in (1, 1, 2))

    assert np.array_equal(first.weight, again.weight)
    assert not np.allclose(first.weight, other.weight)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_a_linear_head_answers_as_the_classifier_that_it_amounts_to(classes):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), 6), np.arange(classes)
    features = tuple(rng.normal(3, 2, (len(y), 5)) + y[:, None] for y in labels)

    model, _ = probe.choose(features, labels)

    weight, bias = probe.as_layer(model)

    odds = np.exp(features[1] @ weight.T + bias)
    np.testing.assert_allclose(
        odds / odds.sum(axis=1, keepdims=True), model.predict_proba(features[1]), atol=1e-9
    )


def test_photos_in_several_files_have_the_features_of_those_in_one(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 3), dtype=np.uint8)
    monkeypatch.setattr(shards, "PIECE", 2)

    cut = probe.extract(recipes.find("histogram-hog"), shards.Shards([pixels[:3], pixels[3:]]))

    assert np.array_equal(cut, probe.extract(recipes.find("histogram-hog"), pixels))
