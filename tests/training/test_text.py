import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vitrine.data import splits
from vitrine.data.catalog import CatalogError
from vitrine.training import recipes, repeated, text
from vitrine.training.recipes import RecipeError

TITLE = recipes.find("text-title")
BOTH = recipes.find("text-title-description")


@pytest.fixture(scope="module")
def drawn_folds(demo_catalog):
    return splits.draw_folds(demo_catalog, splits.fingerprints(demo_catalog))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(text, "STRENGTHS", (10.0,))
    monkeypatch.setattr(text, "READERS", {"words": text.READERS["words"]})


def test_titles_of_the_synthetic_catalogue_tell_the_class(demo_catalog, demo_split, tmp_path):
    run = text.fit(TITLE, demo_split, demo_catalog, base=tmp_path)

    test = run.part("test")
    assert (test.predicted == test.truth).mean() > 5 / 7
    assert set(test.image) == set(demo_split.part("test").image)


def test_a_run_keeps_no_word_of_the_text(demo_catalog, demo_split, tmp_path):
    run = text.fit(BOTH, demo_split, demo_catalog, base=tmp_path)

    kept = (run.folder / "run.json").read_text() + (run.folder / "predictions.csv").read_text()
    kept = kept.replace(BOTH.source, "")
    written = " ".join(demo_catalog.texts(demo_split.frame.image, text.FIELDS[BOTH.architecture]))
    words = set(re.findall("[a-z]{4,}", written.lower()))
    told = set(re.findall("[a-z]{4,}", re.sub(r"demo-[a-z0-9-]+\.jpg", "", kept.lower())))
    assert len(words) > 20
    assert words & told <= {"demo", "code"}  # the edition, and the state of the code


def test_the_size_of_the_run_counts_a_weight_a_feature_and_class(
    demo_catalog, demo_split, tmp_path
):
    run = text.fit(TITLE, demo_split, demo_catalog, base=tmp_path)

    train = demo_catalog.texts(demo_split.part("train").image, ("product_name",))
    words = {word for title in train for word in re.findall(r"(?u)\b\w\w+\b", title.lower())}
    assert run.meta["parameters"] == (len(words) + 1) * 7


def test_words_of_other_parts_are_unknown_to_the_vocabulary():
    train = np.array(["red cup", "blue watch"] * 3, dtype=object)
    other = np.array(["green cup", "blue lamp"], dtype=object)

    model, _ = text.choose((train, other), (np.array([0, 1] * 3), np.array([0, 1])))

    assert set(model[0].vocabulary_) == {"red", "cup", "blue", "watch"}


def test_reader_and_strength_are_those_that_validation_prefers(monkeypatch):
    monkeypatch.undo()
    rng = np.random.default_rng(0)
    labels = np.arange(84) % 7
    heard = [f"{'abcdefg'[k]}x{rng.integers(30)} common{rng.integers(4)}" for k in labels]
    texts, first = np.array(heard, dtype=object), np.arange(84) < 63

    model, losses = text.choose((texts[first], texts[~first]), (labels[first], labels[~first]))

    given = model.predict_proba(texts[~first])[np.arange(21), labels[~first]]
    best = min(losses, key=losses.get)
    assert len(losses) == len(text.READERS) * len(text.STRENGTHS)
    assert -np.log(given).mean() == pytest.approx(losses[best])
    assert best == f"words+characters {model[-1].C:g}"  # only the first letter tells the class


def test_fields_that_no_recipe_knows_are_refused(demo_catalog, demo_split, tmp_path):
    recipe = replace(TITLE, architecture="tfidf:category")

    with pytest.raises(RecipeError, match="expected fields among tfidf:title, .*tfidf:category"):
        text.fit(recipe, demo_split, demo_catalog, base=tmp_path)


def test_a_field_left_blank_adds_nothing_and_the_answer_is_no_text(demo_catalog):
    products = demo_catalog.products.assign(description="")
    images = demo_catalog.products.image[[3, 1]]

    read = replace(demo_catalog, products=products).texts(images, ("product_name", "description"))

    assert [line.strip() for line in read] == products.product_name[[3, 1]].tolist()
    with pytest.raises(CatalogError, match="found label: other columns hold the answer"):
        demo_catalog.texts(images, ("product_name", "label"))


def test_each_fold_is_chosen_on_the_next_one_whose_answers_are_kept(
    demo_catalog, demo_split, drawn_folds, tmp_path, monkeypatch
):
    asked, choose = [], text.choose

    def spied(texts, labels):
        asked.append([set(part) for part in texts])
        return choose(texts, labels)

    monkeypatch.setattr(text, "choose", spied)
    names = demo_catalog.products.assign(product_name=demo_catalog.products.image)

    run = text.fit(
        TITLE, demo_split, replace(demo_catalog, products=names), folds=drawn_folds, base=tmp_path
    )

    image = drawn_folds.frame.image
    assert run.folds == list(np.ndindex(splits.REPEATS, splits.FOLDS))
    for (train, validation), (repeat, fold) in zip(asked[1:], run.folds, strict=True):
        number = drawn_folds.frame[f"repeat_{repeat}"]
        after = (fold + 1) % splits.FOLDS
        assert validation == set(image[number == after])
        assert train == set(image[~number.isin([fold, after])])
        assert set(run.fold(repeat, fold).image) == set(image[number == fold])
        assert set(run.fold(repeat, fold, "validation").image) == validation


def test_folds_drawn_once_are_answered_once(demo_split, drawn_folds):
    said, frame = [], demo_split.frame
    once = drawn_folds.frame.filter(regex="row|image|label|repeat_0")
    folds = splits.Split("folds", once, "")

    def learn(train, validation):
        from sklearn.dummy import DummyClassifier

        return DummyClassifier().fit(np.ones((train.sum(), 1)), frame.label[train]), None

    tables, _ = repeated.everywhere(frame, np.ones((len(frame), 1)), learn, folds, said.append)

    assert (folds.repeats, said) == (1, ["repetition 1 of 1"])
    assert len(tables) == 2 + 2 * splits.FOLDS
    with pytest.raises(splits.SplitError, match="repetitions below 1"):
        folds.fold(1, 0)


def test_a_repetition_is_told_when_it_ends(demo_split, drawn_folds):
    said, frame = [], demo_split.frame
    features = np.ones((len(frame), 1))

    def learn(train, validation):
        from sklearn.dummy import DummyClassifier

        return DummyClassifier().fit(features[train], frame.label[train]), int(train.sum())

    tables, notes = repeated.everywhere(frame, features, learn, drawn_folds, said.append)

    assert said == [f"repetition {n} of {splits.REPEATS}" for n in range(1, splits.REPEATS + 1)]
    assert notes[0] == len(demo_split.part("train"))
    assert len(notes) == 1 + splits.REPEATS * splits.FOLDS
    assert len(pd.concat(tables)) == len(frame) * 2 * splits.REPEATS + sum(
        len(demo_split.part(part)) for part in ("validation", "test")
    )
