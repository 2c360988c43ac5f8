import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vitrine import paths
from vitrine.data import facts, prepare, splits
from vitrine.data.catalog import CLASSES


def test_tracked_facts_speak_of_the_published_split():
    import json

    about = json.loads((paths.data() / "facts" / "facts.json").read_text())

    assert about["split_sha256"] == splits.load().sha256
    assert about["near_bits"] == splits.NEAR
    assert facts.load("images").image.tolist() == splits.load().frame.image.tolist()
    assert facts.load("images").red.isna().sum() == len(about["absent"]) == 3


def test_tracked_mean_images_are_the_means_of_the_tracked_colours():
    images = facts.load("images")

    means = facts.mean_images()

    assert list(means) == list(CLASSES)
    for k, label in enumerate(CLASSES):
        colours = images.loc[images.label == k, ["red", "green", "blue"]].mean()
        np.testing.assert_allclose(means[label].mean(axis=(0, 1)), colours, atol=1.5)


def test_facts_are_measured_on_the_pixels(demo_catalog, demo_split, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    frame = demo_split.frame[["image"]].assign(bytes=1, width=2, height=3)
    frame.to_csv(tmp_path / "data" / "manifest.csv", index=False)
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))

    folder = facts.measure(demo_catalog, demo_split)

    row = facts.load("images", folder).iloc[4]
    from vitrine.data import images

    pixels = images.preprocess(demo_catalog.path(row.image), 128)
    assert row.red == pytest.approx(pixels[..., 0].mean(), abs=0.01)
    assert row.white_share == pytest.approx((pixels >= 245).all(axis=-1).mean(), abs=1e-4)
    assert facts.mean_images(folder)["Watches"].shape == (64, 64, 3)
    assert set(facts.load("pairs", folder).columns) >= {"image_a", "part_b", "distance", "exact"}


def test_missing_facts_say_how_to_make_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="vitrine data facts"):
        facts.load("images", tmp_path)


def test_prepare_writes_two_samples_a_class_and_every_product(demo_catalog, demo_split):
    said = []

    dashboard, sampled = prepare.prepare(demo_catalog, demo_split, said.append)

    table, samples = pd.read_csv(dashboard), pd.read_csv(sampled)
    assert list(table) == [
        "Nom du produit", "fichier", "description", "Catégorie", "largeur", "hauteur",
    ]  # fmt: skip
    assert len(table) == len(demo_catalog.products)
    with Image.open(demo_catalog.path(table.fichier[0])) as image:
        assert image.size == (table.largeur[0], table.hauteur[0])
    assert list(samples) == ["product_name", "image", "description", "class", "image_renamed"]
    assert set(samples["class"]) <= set(CLASSES)
    assert samples["class"].value_counts().max() <= 2
    assert set(samples.image) <= set(demo_split.part("test").image)
    assert samples.image_renamed.is_unique
    assert len(said) == 7
