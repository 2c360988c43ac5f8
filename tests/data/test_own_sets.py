"""Projects are made of photos of every kind: three public sets that packages carry, 300 classes."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import skimage.data
from PIL import Image
from sklearn.datasets import load_digits

from vitrine.data import catalog, dataset, project
from vitrine.data.dataset import Dataset
from vitrine.data.splits import PARTS
from vitrine.data.survey import listed
from vitrine.metrics.metrics import accuracy
from vitrine.training import probe, recipes


def digits():
    """Yield handwritten digits of scikit-learn: ten classes, 8 pixels a side, in grey."""
    found = load_digits()
    for label in range(10):
        for pixels in found.images[found.target == label][:12]:
            yield str(label), np.kron(pixels * 255 / 16, np.ones((6, 6)))


def faces():
    """Yield the faces of scikit-image, of Labeled Faces in the Wild, and what is none: two."""
    for number, pixels in enumerate(skimage.data.lfw_subset()):
        if number % 100 < 40:
            yield ("face" if number < 100 else "other"), np.kron(pixels * 255, np.ones((2, 2)))


def textures():
    """Yield squares of three photos of scikit-image: brick, grass, gravel."""
    for name in ("brick", "grass", "gravel"):
        photo = getattr(skimage.data, name)()
        for y, x in product(range(0, 512, 128), range(0, 512, 128)):
            yield name, photo[y : y + 128, x : x + 128]


def shop(place, photos, monkeypatch):
    """Make a project of photos, each with its class, and return it with its catalogue."""
    for number, (label, pixels) in enumerate(photos):
        path = place / "photos" / label / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(pixels).astype(np.uint8)).save(path, compress_level=1)
    table, faults = listed(place / "photos")
    draft = Dataset(
        name="set", language="en", classes={}, table=place / "table.csv", photos=place / "photos",
        folder=place / "shop" / "data",
    )  # fmt: skip
    made = project.make(place / "shop", draft, table=table, found=faults)
    monkeypatch.setenv("VITRINE_ROOT", str(place / "shop"))
    return made, catalog.load()


@pytest.mark.parametrize(
    ("photos", "classes", "least"), [(digits, 10, 0.6), (faces, 2, 0.8), (textures, 3, 0.8)]
)
def test_a_public_set_is_split_and_learned(photos, classes, least, tmp_path, monkeypatch):
    made, found = shop(tmp_path, photos(), monkeypatch)

    coarse = replace(recipes.find("histogram-hog"), image_size=64)  # quicker
    run = probe.fit(coarse, made.split, found, base=tmp_path / "runs")

    counts = pd.crosstab(made.split.frame.part, made.split.frame.label)
    assert counts.shape == (3, classes) and counts.loc[list(PARTS)].to_numpy().min() >= 1
    test = run.part("test")
    assert test.probabilities.shape == (len(made.split.part("test")), classes)
    assert accuracy(test.truth, test.probabilities) >= least
    assert run.classes == tuple(found.dataset.classes) and run.meta["data"]["dataset"] == "set"


def test_three_hundred_classes_are_split_answered_and_told_in_a_page(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    drawn = (
        (f"class {label:03}", np.kron(rng.integers(0, 256, (6, 6)), np.ones((6, 6))))
        for label in range(300)
        for _ in range(5)
    )

    made, found = shop(tmp_path, drawn, monkeypatch)
    run = probe.fit(recipes.find("majority"), made.split, found, base=tmp_path / "runs")

    assert len(made.lines()) < 60
    assert "276 other classes" in "\n".join(made.lines())
    assert len(run.classes) == 300 and run.part("test").probabilities.shape[1] == 300
    folds = pd.read_csv(tmp_path / "shop" / "data" / "splits" / "folds.csv")
    assert pd.crosstab(folds.repeat_0, folds.label).to_numpy().min() == 1


def test_a_run_keeps_its_classes_when_those_of_the_project_are_renamed(tmp_path, monkeypatch):
    made, found = shop(tmp_path, textures(), monkeypatch)
    run = probe.fit(recipes.find("majority"), made.split, found, base=tmp_path / "runs")
    data = replace(dataset.current(), classes={"a": "A", "b": "B"})
    monkeypatch.setattr(dataset, "current", lambda: data)

    assert run.classes == ("brick", "grass", "gravel")
    assert run.part("test").probabilities.shape[1] == 3
    assert json.loads((run.folder / "run.json").read_text())["data"]["classes"] == [*run.classes]
