from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import own_photos
from vitrine.data import catalog, dataset, project, splits
from vitrine.data.catalog import CatalogError
from vitrine.data.dataset import DatasetError
from vitrine.data.splits import PARTS, SplitError
from vitrine.data.survey import SurveyError, listed
from vitrine.data.translations import said


@pytest.fixture
def photos(tmp_path):
    return own_photos.write(tmp_path / "photos", per_class=9)


@pytest.fixture
def draft(photos, tmp_path):
    return own_photos.draft(photos, tmp_path / "shop", 'Fruits « d’été » "2026"')


def make(folder, draft, **options):
    table, faults = listed(draft.photos)
    return project.make(folder, draft, table=table, found=faults, **options)


def test_a_project_of_a_folder_describes_it_and_can_be_read_back(draft, tmp_path, monkeypatch):
    made = make(tmp_path / "shop", draft)

    data = dataset.read(tmp_path / "shop" / "vitrine.toml")
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / "shop"))
    photos = catalog.load(data=data)
    assert (data.name, list(data.classes)) == (draft.name, ["apple", "lime", "plum"])
    assert photos.edition == "own" and photos.absent == [] and len(photos.products) == 27
    assert photos.path("apple/0.png") == draft.photos / "apple" / "0.png"
    assert splits.load().sha256 == made.split.sha256
    assert set(made.written) >= {"vitrine.toml", "README.md", "Makefile", "data/splits/folds.csv"}
    assert project.faults(photos) == []


def test_a_class_whose_folder_is_hidden_is_told_to_be_left_out(draft, tmp_path):
    (draft.photos / "plum").rename(draft.photos / ".plum")

    told = [line for line in make(tmp_path / "shop", draft).lines() if "left out" in line]

    assert len(told) == 1 and ": .plum; rename" in told[0]


def test_a_project_in_another_language_has_other_prose_and_the_same_code(draft, tmp_path):
    cells = {}
    for language in dataset.LANGUAGES:
        make(tmp_path / language, replace(draft, language=language))
        notebook = (tmp_path / language / "notebooks" / "01_photos.py").read_text(encoding="utf-8")
        cells[language] = notebook.split("# %%")[1:]
        config = (tmp_path / language / "_config.yml").read_text(encoding="utf-8")
        assert f"    language: {language}\n" in config and "$" not in notebook + config
        first = (tmp_path / language / "book" / "introduction.md").read_text(encoding="utf-8")
        assert said(language, "introduction") in first.replace("\n", " ")
        assert max(map(len, notebook.splitlines())) <= 100

    french, english = cells["fr"], cells["en"]
    assert len(french) == len(english) == 16
    for one, other in zip(french, english, strict=True):
        assert one == other if "[markdown]" not in one else one != other
        assert "[markdown]" not in one or all(line[:1] in "#" for line in one.splitlines()[1:])


def test_each_part_has_each_class_and_duplicates_stay_together(draft, tmp_path):
    for number in range(3):
        copy = draft.photos / "apple" / f"copy-{number}.png"
        copy.write_bytes((draft.photos / "apple" / "0.png").read_bytes())

    made = make(tmp_path / "shop", draft)

    frame = made.split.frame
    assert pd.crosstab(frame.part, frame.label).loc[list(PARTS)].to_numpy().min() >= 1
    copies = frame[frame.image.str.contains("copy|apple/0", regex=True)]
    assert len(copies) == 4 and copies.part.nunique() == 1
    folds = pd.read_csv(tmp_path / "shop" / "data" / "splits" / "folds.csv").set_index("image")
    assert folds.loc[copies.image, "repeat_0"].nunique() == 1


def test_the_photos_of_one_group_stay_in_one_part(draft, tmp_path):
    table, _ = listed(draft.photos)
    table["product"] = table.label + (table.groupby("label").cumcount() // 2).astype(str)
    table.loc[0, "product"] = ""  # of no product: alone
    table.to_csv(draft.table, index=False)

    made = project.make(tmp_path / "shop", replace(draft, group="product"))

    parts = made.split.frame.part.groupby(table["product"]).nunique()
    assert parts.max() == 1 and made.data.columns == ("image", "label", "product")


def test_the_folds_of_very_many_answers_are_drawn_once(draft, tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "MANY", 27 * 3 - 1)  # photos times classes, less one

    made = make(tmp_path / "shop", draft)

    drawn = pd.read_csv(tmp_path / "shop" / "data" / "splits" / "folds.csv")
    assert list(drawn) == ["row", "image", "label", "repeat_0"]
    assert any(line.startswith(f"folds: 1 times {splits.FOLDS}") for line in made.lines())


def test_the_parts_of_a_column_are_kept(draft, tmp_path):
    table, _ = listed(draft.photos)
    table["part"] = ["Test", "val", " train"] * 9
    table.to_csv(draft.table, index=False)

    made = project.make(tmp_path / "shop", replace(draft, split="part", policy="column"))
    draft.table.unlink()
    make(tmp_path / "drawn", draft)

    assert made.split.frame.part.tolist() == ["test", "validation", "train"] * 9
    pages = [tmp_path / name / "notebooks" / "01_photos.py" for name in ("shop", "drawn")]
    given, drawn = ("as you gave it" in page.read_text(encoding="utf-8") for page in pages)
    assert given and not drawn


def test_duplicates_that_the_parts_of_a_column_separate_are_named(draft, tmp_path):
    (draft.photos / "lime" / "8.png").write_bytes((draft.photos / "lime" / "0.png").read_bytes())
    table, _ = listed(draft.photos)
    told = {}
    for seed, part in enumerate(("train", "test")):
        table["part"] = ["test", "validation", part] * 9
        table.loc[table.image == "lime/8.png", "part"] = part
        table.loc[table.image.str.endswith("/3.png"), "part"] = "train"
        table.to_csv(draft.table, index=False)
        parts = replace(draft, split="part", policy="column")
        told[part] = "\n".join(project.make(tmp_path / f"shop-{seed}", parts).lines())

    assert "warning: 1 pairs of duplicates lie in two parts" in told["train"]
    assert "measured: lime/0.png with lime/8.png; keep each pair in one part" in told["train"]
    assert "lie in two parts" not in told["test"]


def test_a_project_among_its_own_photos_is_refused(draft):
    for folder in (draft.photos, draft.photos / "shop"):
        with pytest.raises(DatasetError, match="found .* inside of photos, whose files would be"):
            make(folder, draft)

    assert not (draft.photos / "shop").exists()


def test_photos_added_since_a_project_was_made_are_found(draft, tmp_path, monkeypatch):
    table, _ = listed(draft.photos)
    draft = replace(draft, table=tmp_path / "table.csv")
    table[table.image != "lime/0.png"].to_csv(draft.table, index=False)
    make(tmp_path / "listed", draft)
    project.make(tmp_path / "tabled", draft)
    found = {}
    for name in ("listed", "tabled"):
        monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / name))
        found[name] = [project.strays(catalog.load(data=dataset.current()))]
        own_photos.photo(draft.photos / "plum" / f"{name}.png", "plum", 77)
        own_photos.photo(draft.photos / name / "0.png", "plum", 78)
        (draft.photos / "plum" / "notes.txt").touch()
        found[name].append(project.strays(catalog.load(data=dataset.current())))

    assert found["listed"] == [[], ["listed/0.png", "plum/listed.png"]]
    assert found["tabled"] == [
        ["lime/0.png", "plum/listed.png"],
        ["lime/0.png", "plum/listed.png", "plum/tabled.png"],
    ]


def test_a_part_without_a_class_is_told(draft, tmp_path):
    table, _ = listed(draft.photos)
    table["part"] = ["test", "validation", "train"] * 6 + ["train"] * 9
    table.to_csv(draft.table, index=False)

    with pytest.raises(SplitError, match="found none of plum in validation, plum in test"):
        project.make(tmp_path / "shop", replace(draft, split="part", policy="column"))

    assert not (tmp_path / "shop").exists()


def test_nothing_is_written_where_a_photo_is_bad(draft, tmp_path):
    (draft.photos / "apple" / "bad.png").write_bytes(b"no image")

    with pytest.raises(SurveyError, match="apple/bad.png: expected a JPEG"):
        make(tmp_path / "shop", draft)

    assert not (tmp_path / "shop").exists()


def test_a_file_that_was_there_is_never_overwritten(draft, tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "README.md").write_text("mine")

    made = make(tmp_path / "shop", draft)

    assert (tmp_path / "shop" / "README.md").read_text() == "mine"
    assert made.kept == ["README.md"]
    monkeypatch.chdir(tmp_path / "shop")
    with pytest.raises(DatasetError, match="expected shop to be no project yet, found vitrine.tom"):
        make(Path(), draft)


def test_a_photo_that_changed_and_a_split_edited_by_hand_are_told(draft, tmp_path, monkeypatch):
    make(tmp_path / "shop", draft)
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / "shop"))
    photos = catalog.load(data=dataset.current())
    table = tmp_path / "shop" / "data" / "splits" / "published.csv"

    table.write_text(table.read_text().replace(",test", ",train", 1))
    edited = project.faults(photos)
    own_photos.photo(draft.photos / "lime" / "0.png", "lime", 1000)
    changed = project.faults(photos)

    assert [fault.split(":")[0] for fault in edited] == ["data/splits/published.csv"]
    assert [fault.split(":")[0] for fault in changed] == ["lime/0.png"]


def test_photos_that_are_gone_are_named_and_told_apart_from_their_folder(
    draft, tmp_path, monkeypatch
):
    make(tmp_path / "shop", draft)
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / "shop"))
    data = dataset.current()
    (draft.photos / "lime" / "3.png").unlink()

    with pytest.raises(CatalogError, match="from .*/photos, found 1: lime/3.png; restore them"):
        catalog.load(data=data)
    draft.photos.rename(tmp_path / "elsewhere")
    with pytest.raises(CatalogError, match="folder of the photos .*/photos, found none; restore"):
        catalog.load(data=data)
