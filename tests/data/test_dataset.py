import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vitrine.data import catalog, dataset
from vitrine.data.dataset import DatasetError

WHOLE = """
name = "Fruits"
language = "en"
[photos]
table = "data/dataset.csv"
folder = "photos"
[columns]
text = ["title"]
group = "product"
[split]
seed = 3
[classes]
apple = "Apple"
pear = "Pear"
"""


@pytest.fixture
def told(tmp_path):
    def read(text):
        path = tmp_path / "vitrine.toml"
        path.write_text(text, encoding="utf-8")
        return dataset.read(path)

    return read


def test_a_data_set_is_read_with_its_places_from_the_root(told, tmp_path):
    found = told(WHOLE)

    assert found.classes == {"apple": "Apple", "pear": "Pear"}
    assert (found.table, found.photos) == (tmp_path / "data/dataset.csv", tmp_path / "photos")
    assert found.columns == ("image", "label", "title", "product")
    assert (found.policy, found.seed, found.own) == ("grouped", 3, True)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"Fruits"', "3", "expected name to be a text, found 3"),
        ('"en"', '"de"', "expected language among fr, en, found 'de'"),
        ('"Fruits"', '"  "', "expected name to be a text, found '  '"),
        ("seed = 3", 'seed = "3"', "expected split.seed of type int, found '3'"),
        ("seed = 3", "seed = true", "expected split.seed of type int, found True"),
        ("apple", '".apple"', "found '.apple', which is like a path"),
        ("seed = 3", "seeds = 3", r"expected section \[split\] to have keys among .* found seeds"),
        ("seed = 3", 'policy = "column"', "expected columns.split for the policy column"),
        ('text = ["title"]', "text = [3]", "expected columns.text to be a list of columns"),
        ('folder = "photos"', "", "expected photos.folder to be a text, found None"),
        ("apple", '"a/b"', "found 'a/b', which is like a path"),
        ("apple", '"PEAR"', "differ by more than their case, .* found 'PEAR' and 'pear'"),
        ("apple", '" "', "expected a name for each class, found a blank one"),
        ('apple = "Apple"', "", "expected 2 to 1000 classes, found 1"),
        ('"Apple"', '"Pear"', "expected each class shown by its own name, found 'Pear' twice"),
        ("[photos]", "[words]\nphoto = 3\n[photos]", "expected words.photo to be a text, found 3"),
        ("[photos]", "[words]\nplace = 'a'\n[photos]", r"section \[words\] .* found place"),
        ("[photos]", "words = 3\n[photos]", r"section \[words\] to be a table, found 3"),
        ("[classes]", "[kinds]", r"expected a section \[classes\], found none"),
        (
            "[photos]",
            'recipes = "all"\n[photos]',
            "expected recipes to be a list of names, found 'all'",
        ),
        ("[photos]", "[comparison]\n[photos]", r"expected \[\[comparison\]\] before each"),
        ("[photos]", 'recipe = ["a"]\n[photos]', r"expected \[\[recipe\]\] before each"),
        (
            "[photos]",
            '[[comparison]]\nfirst = "a"\n[photos]',
            "1 to have a text as second",
        ),
        (
            "[photos]",
            '[[comparison]]\nfirst = "a"\nsecond = "b"\nmetric = "f1"\n[photos]',
            "expected comparison 1 to have first and second alone, found metric",
        ),
        (
            "[photos]",
            '[[comparison]]\nfirst = "a"\nsecond = "a"\n[photos]',
            "expected comparison 1 of two recipes, found one",
        ),
        (
            "[photos]",
            '[[recipe]]\nname = "a"\n[photos]',
            "recipe 1 to have a text as base",
        ),
        (
            "[photos]",
            '[[recipe]]\nname = "a"\nbase = "b"\n' * 2 + "[photos]",
            "expected each recipe once, found 'a' again",
        ),
        ("name =", "name", "in TOML, found: .*line 2"),
    ],
)
def test_what_cannot_be_is_told_with_its_key(told, before, after, message):
    with pytest.raises(DatasetError, match=message):
        told(WHOLE.replace(before, after, 1))


@pytest.mark.parametrize(("count", "faults"), [(1, 1), (2, 0), (1000, 0), (1001, 1)])
def test_there_are_from_two_to_a_thousand_classes(count, faults):
    assert len(dataset.class_faults(f"c{k}" for k in range(count))) == faults


def test_the_words_of_the_service_are_those_of_the_data_set(told):
    named = WHOLE.replace("[photos]", '[words]\nphoto = "assiette"\n[photos]')

    assert told(named).words == {"photo": "assiette"} and told(WHOLE).words == {}


def test_places_start_from_the_root_that_is_given(told, tmp_path):
    told(WHOLE)

    found = dataset.read(tmp_path / "vitrine.toml", tmp_path / "elsewhere")

    assert found.photos == tmp_path / "elsewhere" / "photos"
    assert found.folder == tmp_path / "elsewhere" / "data"


def test_the_column_of_parts_is_read_where_the_policy_is_to_obey_it(told):
    named = WHOLE.replace('group = "product"', 'group = "product"\nsplit = "part"')

    grouped, obeyed = told(named), told(named.replace("seed = 3", 'policy = "column"'))

    assert "part" not in grouped.columns and "part" in obeyed.columns


def test_a_data_set_that_changed_is_read_again(tmp_path, monkeypatch):
    own = tmp_path / "vitrine.toml"
    monkeypatch.setattr(dataset.paths, "root", lambda: tmp_path)
    monkeypatch.setattr(dataset.paths, "config", lambda: own)
    own.write_text(WHOLE, encoding="utf-8")
    before = dataset.current().name
    own.write_text(WHOLE.replace("Fruits", "Nuts"), encoding="utf-8")
    os.utime(own, ns=(0, own.stat().st_mtime_ns + 10**9))

    assert (before, dataset.current().name) == ("Fruits", "Nuts")


def test_the_recipes_and_the_comparisons_of_a_project_are_read(told):
    lists = """
recipes = ["majority", "mine"]
[[recipe]]
name = "mine"
base = "histogram-hog"
image_size = 64
[[comparison]]
first = "majority"
second = "mine"
"""

    found = told(WHOLE.replace("[photos]", f"{lists}[photos]"))

    assert found.recipes == ("majority", "mine")
    assert found.variations == ({"name": "mine", "base": "histogram-hog", "image_size": 64},)
    assert found.comparisons == (("majority", "mine"),)


def test_every_fault_is_told_at_once(told):
    text = WHOLE.replace('"en"', '"de"').replace("apple", '"../x"').replace("seed = 3", "a = 1")

    with pytest.raises(DatasetError) as caught:
        told(text)

    assert len(str(caught.value).splitlines()) == 3


def test_the_published_data_set_is_described_like_any_other():
    found = dataset.read(dataset.PUBLISHED)

    assert tuple(found.classes) == catalog.CLASSES and dict(found.classes) == catalog.CLASSES_FR
    assert len(found.classes) == 7
    assert (found.policy, found.seed, found.own) == ("stratified", 314, False)


def test_no_module_but_the_configuration_and_what_is_drawn_names_a_class():
    source = Path(dataset.__file__).parents[1]
    names = [*catalog.CLASSES, *catalog.CLASSES_FR.values()]
    apart = {source / "data" / "demo", source / "explain"}  # drawn: of the demo catalogue

    modules = {
        path: path.read_text(encoding="utf-8")
        for kind in ("py", "js", "css")
        for path in source.rglob(f"*.{kind}")
        if not apart & set(path.parents)
    }

    assert len(modules) > 200
    assert [(p.name, n) for p, text in modules.items() for n in names if f'"{n}"' in text] == []
    named = re.compile(r"flipkart(?!\.toml)", re.IGNORECASE)
    assert [path.name for path, text in modules.items() if named.search(text)] == []


def test_the_classes_of_a_project_are_those_of_its_own_file(tmp_path):
    (tmp_path / "vitrine.toml").write_text(WHOLE, encoding="utf-8")
    code = "from vitrine.data.catalog import CLASSES; print(*CLASSES)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(dataset.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["apple", "pear"]


@pytest.mark.parametrize(
    ("told", "asked", "shown"),
    [
        ("fr", "fr", "Montres"),
        ("fr", "en", "Watches"),
        ("en", "en", "Montres"),
        ("en", "fr", "Montres"),
    ],
)
def test_a_class_is_shown_as_the_data_set_calls_it_and_by_its_table_in_english_of_a_french_one(
    told, asked, shown
):
    data = replace(dataset.current(), language=told)

    assert data.names(asked)["Watches"] == shown
    assert list(data.names(asked)) == list(data.classes)
