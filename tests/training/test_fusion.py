import hashlib
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from vitrine.metrics.temperature import fuse
from vitrine.training import fusion, recipes, session
from vitrine.training.recipes import RECIPES, RecipeError
from vitrine.training.runs import RunError, RunFolder, load, prediction_rows

MEAN = recipes.find("title-and-image")
IMAGE = "efficientnet-lite012-probe"
STACKED = recipes.find("title-and-image-stacked")
FRAME = pd.DataFrame({"image": [f"{i:03d}.jpg" for i in range(200)], "label": np.arange(200) % 7})


def answers(frame, skill, seed):
    rng = np.random.default_rng(seed)
    given = rng.normal(size=(len(frame), 7))
    given[np.arange(len(frame)), frame.label] += skill
    return np.exp(given) / np.exp(given).sum(axis=1, keepdims=True)


def written(name, skill, base, *, seed=0, validated=True, folds=5, frame=FRAME):
    """Write a run with one repetition of five folds, as a probe or a text does."""
    tables, number = [], np.arange(len(frame)) % 5
    ask = partial(answers, skill=skill)
    for part in ("validation", "test"):
        tables.append(prediction_rows(frame, ask(frame, seed=seed), part))
    for fold in range(folds):
        parts = {"repeat-0": number == fold, "repeat-0-validation": number == (fold + 1) % 5}
        for where, mask in parts.items():
            if where == "repeat-0" or validated:
                given = ask(frame[mask], seed=[seed, fold, len(where)])
                tables.append(prediction_rows(frame[mask], given, where, fold))
    told = {"parameters": 10, "data": {"images": len(frame), "split_sha256": "a", "seed": seed}}
    return RunFolder(replace(MEAN, name=name), 0, base).finish(tables, told)


@pytest.fixture
def parts(tmp_path):
    return [written("text", 1.5, tmp_path, seed=1), written("image", 1.0, tmp_path, seed=2)]


def test_equal_weights_average_the_log_probabilities_of_every_part(parts, tmp_path):
    run = fusion.fit(MEAN, parts, base=tmp_path)

    for find in (lambda r: r.part("test"), lambda r: r.fold(0, 3)):
        text, image, both = map(find, (*parts, run))
        product = np.sqrt(text.probabilities * image.probabilities)
        expected = product / product.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(both.probabilities, expected, rtol=1e-5)
        assert both.truth.tolist() == text.truth.tolist()
    assert run.folds == [(0, fold) for fold in range(5)]
    assert run.meta["weights"] == {"published": [0.5, 0.5], "folds": [[0.5, 0.5]] * 5}


def test_a_fold_is_weighted_on_the_answers_of_its_own_validation(parts, tmp_path):
    run = fusion.fit(STACKED, parts, base=tmp_path)

    for fold, weights in enumerate(run.meta["weights"]["folds"]):
        seen = [part.fold(0, fold, "validation") for part in parts]
        given = [part.fold(0, fold).probabilities for part in parts]
        loss = partial(log_loss_of, seen[0].truth, [part.probabilities for part in seen])
        assert loss(weights) <= min(loss([w * s for w in weights]) for s in (0.9, 1.1)) + 1e-9
        together = fuse(given, np.array(weights))
        np.testing.assert_allclose(run.fold(0, fold).probabilities, together, atol=2e-4)


def log_loss_of(truth, given, weights):
    together = fuse(given, np.array(weights))
    return -np.log(together[np.arange(len(truth)), truth]).mean()


def test_a_fusion_says_of_which_answers_it_is_made(parts, tmp_path):
    run = fusion.fit(MEAN, parts, base=tmp_path)

    digests = [hashlib.sha256((p.folder / "predictions.csv").read_bytes()) for p in parts]
    assert run.meta["parts"] == [
        {"run": part.name, "predictions_sha256": digest.hexdigest()}
        for part, digest in zip(parts, digests, strict=True)
    ]
    assert run.meta["parameters"] == 20
    assert run.meta["data"] == {"images": 200, "split_sha256": "a"}  # what no part contradicts


def test_folds_that_one_part_lacks_are_left_out(tmp_path):
    alone = replace(MEAN, name="published-only")
    bare = RunFolder(alone, 0, tmp_path).finish(
        [prediction_rows(FRAME, answers(FRAME, 1.0, 3), part) for part in ("validation", "test")],
        {},
    )

    run = fusion.fit(STACKED, [written("text", 3.0, tmp_path), bare], base=tmp_path)

    assert run.folds == []
    assert len(run.meta["weights"]["published"]) == 2


def test_a_repetition_that_was_not_finished_is_left_out(tmp_path):
    fewer = written("image", 1.0, tmp_path, folds=4)

    run = fusion.fit(MEAN, [written("text", 3.0, tmp_path), fewer], base=tmp_path)

    assert run.folds == []


def test_a_network_trained_once_a_fold_brings_the_answers_of_each_of_its_runs(tmp_path):
    text, number = written("text", 1.5, tmp_path), np.arange(len(FRAME)) % 5
    network = replace(MEAN, name="network")
    bases = [tmp_path, *(tmp_path / "folds" / f"repeat-0-fold-{k}" for k in range(5))]
    for k, base in enumerate(bases, start=-1):
        asked = {"validation": number == (k + 1) % 5, "test": number == k}
        asked = asked if k >= 0 else dict.fromkeys(asked, number < 5)
        RunFolder(network, 0, base).finish(
            [
                prediction_rows(
                    FRAME[mask], answers(FRAME[mask], 1.0, [9, k + 1, mask.argmax()]), part
                )
                for part, mask in asked.items()
            ],
            {"data": {"images": len(FRAME)}},
        )

    given = [load("network/seed-0", tmp_path), text]
    assert fusion.fit(MEAN, given, base=tmp_path).meta["data"]["split_sha256"] == "a"
    run = fusion.fit(STACKED, given[::-1], base=tmp_path)

    third = load("network/seed-0", bases[3])
    weights = np.array(run.meta["weights"]["folds"][2])
    expected = fuse([text.fold(0, 2).probabilities, third.part().probabilities], weights)
    np.testing.assert_allclose(run.fold(0, 2).probabilities, expected, atol=2e-4)
    assert run.folds == [(0, fold) for fold in range(5)]
    told = {part["run"]: part["predictions_sha256"] for part in run.meta["parts"]}
    digest = hashlib.sha256((third.folder / "predictions.csv").read_bytes()).hexdigest()
    assert told["folds/repeat-0-fold-2/network/seed-0"] == digest
    assert run.meta["data"]["split_sha256"] == "a"  # no part contradicts it


def test_weights_are_not_learned_without_answers_of_validation(tmp_path):
    parts = [written("text", 3.0, tmp_path), written("image", 1.0, tmp_path, validated=False)]

    assert fusion.fit(MEAN, parts, base=tmp_path).folds == [(0, fold) for fold in range(5)]
    with pytest.raises(RunError, match="image/seed-0: expected validation answers of repeat 0"):
        fusion.fit(STACKED, parts, base=tmp_path)


def test_parts_that_answered_for_other_images_are_refused(tmp_path):
    others = FRAME.assign(image=[f"x{i}.jpg" for i in range(200)])
    parts = [written("text", 3.0, tmp_path), written("image", 1.0, tmp_path, frame=others)]

    with pytest.raises(RunError, match="expected text/seed-0 and image/seed-0 to predict the same"):
        fusion.fit(MEAN, parts, base=tmp_path)


def test_an_unknown_rule_is_refused(parts, tmp_path):
    recipe = replace(MEAN, architecture="vote:text+image")

    with pytest.raises(RecipeError, match="expected a rule among mean, stacked, found 'vote'"):
        fusion.fit(recipe, parts, base=tmp_path)


def test_every_fusion_names_a_recipe_of_the_text_and_the_image_model():
    fusions = [RECIPES[name] for name in recipes.BESIDE if RECIPES[name].trainer == "fusion"]

    assert len(fusions) == 4
    for recipe in fusions:
        text, image = recipe.fused
        assert RECIPES[text].trainer == "text"
        assert image == IMAGE
        assert RECIPES[image].trainer not in ("text", "fusion", "pretrain")
    assert RECIPES["text-title"].fused == ()


def test_a_fusion_needs_no_photo_and_has_a_miniature(monkeypatch, tmp_path):
    here = session.Session("smoke", session.begin("smoke").split, tmp_path, photos=False)
    monkeypatch.setattr(session.Session, "catalog", lambda _: pytest.fail("photos were asked for"))

    told = []
    run = here.fit(here.recipe("text-and-image-stacked"), report=told.append)
    with pytest.raises(session.SessionError, match="expected no fold for title-and-image-smoke"):
        here.fit(here.recipe("title-and-image"), split=here.split)

    assert run.name == "text-and-image-stacked-smoke/seed-0"
    assert told[0].startswith(f"{run.name}: weights [")
    assert [part["run"] for part in json.loads((run.folder / "run.json").read_text())["parts"]] == [
        "text-title-description-smoke/seed-0",
        f"{IMAGE}-smoke/seed-0",
    ]
