"""The free pictures that are shown without the photo set."""

import json

import pytest
from PIL import Image

from vitrine.data import pictures
from vitrine.data.catalog import CLASSES


def test_each_free_picture_is_small_and_tells_its_source_licence_and_author():
    shown = pictures.read()

    assert len({picture.path for picture in shown}) == len(shown)
    for picture in shown:
        assert picture.path.stat().st_size < 40_000
        with Image.open(picture.path) as image:
            assert image.format == "JPEG" and max(image.size) <= 320
        assert picture.title and picture.source and picture.licence and picture.author
    listed = {picture.path for picture in shown}
    assert listed == set(pictures.folder().glob("*.jpg"))


def test_the_free_pictures_have_products_first_then_some_outside_the_catalogue():
    labels = [picture.label for picture in pictures.read()]

    inside = [label for label in labels if label]
    assert labels == inside + [None] * (len(labels) - len(inside))
    assert len(set(inside)) >= 3 and labels.count(None) >= 3


def test_a_picture_without_its_file_or_of_an_unknown_class_is_named(tmp_path):
    row = {"name": "cup", "class": "Cups", "title": "", "source": "", "licence": "", "author": ""}
    for known, has_file in ((CLASSES[0], False), ("Cups", True)):
        index = json.dumps([row | {"class": known}])
        (tmp_path / "index.json").write_text(index)
        if has_file:
            Image.new("RGB", (8, 8)).save(tmp_path / "cup.jpg")

        with pytest.raises(ValueError, match="'cup'"):
            pictures.read(tmp_path)


def test_a_folder_without_an_index_has_no_picture(tmp_path):
    assert pictures.read(tmp_path) == ()


def test_photos_are_the_pictures_without_the_rendered_objects():
    shown, photos = pictures.read(), pictures.photos()

    rendered = {
        picture.path.stem for picture in shown if picture.author == "Microsoft, Fluent Emoji"
    }
    assert len(rendered) == 7
    assert {p.path.stem for p in photos} == {p.path.stem for p in shown} - rendered
