import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import own_photos
from vitrine.data.survey import SurveyError, hidden, listed, survey, tabled


@pytest.fixture
def photos(tmp_path):
    return own_photos.write(tmp_path / "photos", per_class=6)


@pytest.fixture
def draft(photos):
    return own_photos.draft(photos, photos.parent)


def surveyed(draft):
    table, faults = listed(draft.photos)
    return survey(draft, table, faults)


def write(draft, rename=str):
    """Write a table of the photos, with other names of classes."""
    table, _ = listed(draft.photos)
    table.assign(label=table.label.map(rename)).to_csv(draft.table, index=False)


def test_a_folder_of_classes_is_counted_and_its_duplicates_are_found(draft):
    first = draft.photos / "apple" / "0.png"
    (draft.photos / "apple" / "copy.png").write_bytes(first.read_bytes())
    (draft.photos / "plum" / "copy.png").write_bytes(first.read_bytes())

    found = surveyed(draft)

    assert found.counts == {"apple": 7, "lime": 6, "plum": 7}
    assert found.pairs.exact.sum() == 3
    told = "\n".join(found.lines())
    assert "20 photos in 3 classes" in told
    assert "2 of these pairs lie in two classes: apple/0.png with plum/copy.png, apple/copy" in told
    assert "fewer than 20 photos of apple, lime, plum" in told


def test_nothing_is_told_that_is_not_so(draft):
    own_photos.write(draft.photos, per_class=20)

    told = "\n".join(surveyed(draft).lines())

    assert "lie in two classes" not in told and "fewer than" not in told


def test_near_duplicates_are_counted_apart_from_exact_ones(draft):
    first = draft.photos / "apple" / "0.png"
    (draft.photos / "apple" / "copy.png").write_bytes(first.read_bytes())
    with Image.open(first) as picture:
        picture.convert("RGB").save(draft.photos / "apple" / "again.jpg", quality=95)

    found = surveyed(draft)

    near = int((~found.pairs.exact).sum())
    assert near >= 2
    assert f"1 pairs of exact duplicates, {near} of near ones" in "\n".join(found.lines())


def test_photos_of_a_hidden_folder_are_left_out(draft):
    hidden = draft.photos / "apple" / ".thumbnails"
    hidden.mkdir()
    own_photos.photo(hidden / "0.png", "apple", 99)

    assert surveyed(draft).counts["apple"] == 6


def test_a_link_to_nothing_is_told(draft):
    (draft.photos / "apple" / "lost.png").symlink_to(draft.photos / "moved.png")

    with pytest.raises(SurveyError, match=r"behind the link apple/lost\.png, found nothing"):
        surveyed(draft)


def test_hidden_folders_are_told_once_each_and_nothing_is_where_there_are_none(draft):
    plain = "\n".join(surveyed(draft).lines())
    for name in (".old/deep/.deeper", "apple/.thumbnails"):
        (draft.photos / name).mkdir(parents=True)
    (draft.photos / ".DS_Store").touch()

    found = replace(surveyed(draft), hidden=hidden(draft.photos))

    assert "left out" not in plain
    assert (
        "warning: left out, for their names start with a dot: .old, apple/.thumbnails; rename "
        "those that hold photos"
    ) in found.lines()


def test_what_systems_leave_among_photos_is_passed_over(draft):
    for place in ("Thumbs.db", "apple/desktop.ini", "plum/.DS_Store", "lime/Thumbs.db"):
        (draft.photos / place).write_bytes(b"of a system")
    for place in ("__MACOSX/apple/._0.png", "plum/@eaDir/0.png/thumb.png"):
        (draft.photos / place).parent.mkdir(parents=True)
        (draft.photos / place).write_bytes(b"of a system")

    assert surveyed(draft).counts == {"apple": 6, "lime": 6, "plum": 6}


@pytest.mark.parametrize("per_class", [12, 20])
def test_the_first_faults_of_each_kind_are_told_and_others_counted(draft, per_class):
    for number in range(per_class):
        (draft.photos / f"{number:02}.txt").touch()
        (draft.photos / "lime" / f"{number:02}.txt").touch()
    own_photos.photo(draft.photos / "alone" / "0.png", "alone", 99)

    with pytest.raises(SurveyError) as caught:
        surveyed(draft)

    told = str(caught.value).splitlines()
    assert [line for line in told if line.startswith("and")] == (
        ["and 8 others like these"] * 2 if per_class == 20 else []
    )
    assert "lime/11.txt" in str(caught.value) and "lime/12.txt" not in str(caught.value)
    assert told[-1].startswith("expected at least 5 photos of each class, found 1 of 'alone'")


def test_the_faults_of_the_rows_of_a_table_are_bounded(draft):
    rows = [(f"none-{number}.png", "apple") for number in range(500)]
    pd.DataFrame(rows, columns=["image", "label"]).to_csv(draft.table, index=False)

    _, faults = tabled(draft)

    assert len(faults) == 13 and faults[-1] == "and 488 others like these"


def parted(folder, names):
    """Move the photos of each class into folders of parts, two in each but the first."""
    photos = folder.rename(folder.with_name("all"))
    for label in own_photos.COLOURS:
        for number, part in enumerate([names[0], names[0], *names[1:], *names[1:]]):
            place = folder / part / label / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            (photos / label / f"{number}.png").rename(place)


def test_folders_of_parts_hold_the_classes(draft):
    parted(draft.photos, ["train", "Val", "test"])
    (draft.photos / "test" / "Thumbs.db").touch()

    table, faults = listed(draft.photos)

    assert faults == [] and set(table.label) == set(own_photos.COLOURS)
    assert table.groupby("part").image.first().to_dict() == {
        "test": "test/apple/3.png",
        "train": "train/apple/0.png",
        "validation": "Val/apple/2.png",
    }


def test_a_part_that_is_lacking_is_told_with_what_to_do(draft):
    parted(draft.photos, ["train", "valid"])

    with pytest.raises(
        SurveyError, match="found train, valid with classes inside, and none that is for test;"
    ):
        listed(draft.photos)


def test_what_lies_beside_the_parts_is_told(draft):
    parted(draft.photos, ["train", "val", "test"])
    (draft.photos / "train" / "labels.csv").touch()
    own_photos.photo(draft.photos / "more" / "apple" / "0.png", "apple", 9)

    _, faults = listed(draft.photos)

    assert faults == [
        "expected folders of parts alone in photos, found more; move it away",
        "expected folders of classes alone in train, found the file labels.csv; move it into a "
        "class, or away",
    ]


def test_a_class_may_be_called_as_a_part_is(draft):
    (draft.photos / "plum").rename(draft.photos / "train")
    own_photos.photo(draft.photos / "train" / "of a day" / "0.png", "plum", 9)

    table, faults = listed(draft.photos)

    assert list(table) == ["image", "label"] and set(table.label) == {"apple", "lime", "train"}
    assert faults == []


def test_spaces_around_a_class_or_a_part_of_a_table_are_dropped(draft):
    write(draft, lambda name: f" {name} ")
    table = pd.read_csv(draft.table).assign(part=" Train ")
    table.to_csv(draft.table, index=False)
    obeyed = replace(draft, split="part", policy="column")

    usable, faults = tabled(obeyed)

    assert faults == []
    assert survey(obeyed, usable, faults).counts == {"apple": 6, "lime": 6, "plum": 6}


@pytest.mark.parametrize("per_class", [4, 5])
def test_five_photos_of_a_class_are_enough(tmp_path, draft, per_class):
    few = own_photos.write(tmp_path / "few", per_class=per_class)
    table, faults = listed(few)
    alone = replace(draft, photos=few)

    if per_class == 5:
        assert set(survey(alone, table, faults).counts.values()) == {5}
    else:
        with pytest.raises(SurveyError, match="at least 5 photos of each class, found 4"):
            survey(alone, table, faults)


@pytest.mark.parametrize("copies", [2, 3])
def test_many_photos_that_show_the_same_are_refused_beyond_a_number(draft, monkeypatch, copies):
    monkeypatch.setattr("vitrine.data.survey.ALIKE", 3)
    first = draft.photos / "apple" / "0.png"
    for number in range(copies):
        (draft.photos / "apple" / f"copy{number}.png").write_bytes(first.read_bytes())

    if copies == 2:
        assert surveyed(draft).counts["apple"] == 8
    else:
        with pytest.raises(SurveyError, match="at most 3 photos that show the same, found 4"):
            surveyed(draft)


def test_a_path_with_a_null_byte_is_told(draft):
    write(draft)
    table = draft.table.read_text().replace("apple/0.png", "apple/0\0.png")
    draft.table.write_text(table)

    _, faults = tabled(draft)

    assert len(faults) == 1 and faults[0].startswith("table.csv, row 1:")


def test_unequal_classes_are_told(draft):
    own_photos.write(draft.photos, per_class=6)
    for number in range(6, 30):
        own_photos.photo(draft.photos / "apple" / f"{number}.png", "apple", number)

    told = "\n".join(surveyed(draft).lines())

    assert "the largest class has 30 photos and the smallest 6" in told


def test_every_fault_of_a_folder_is_told_at_once(draft):
    (draft.photos / "empty").mkdir()
    (draft.photos / "notes.txt").write_text("of mine")
    (draft.photos / "lime" / "notes.txt").write_text("no image")
    (draft.photos / "plum" / "void.png").touch()
    own_photos.photo(draft.photos / "Apple" / "0.png", "apple", 99)
    (draft.photos / ".hidden").mkdir()

    with pytest.raises(SurveyError) as caught:
        surveyed(draft)

    told = str(caught.value).splitlines()
    assert told == [
        "expected photos in the class 'empty', found none; add some",
        "expected folders of classes alone in photos, found the file notes.txt; move it into a "
        "class, or away",
        "lime/notes.txt: expected a JPEG, PNG, WEBP image, found other content; convert the file",
        "plum/void.png: expected an image, found an empty file; choose another",
        "expected at least 5 photos of each class, found 1 of 'Apple'; add photos of it, or merge "
        "classes",
        "expected classes that differ by more than their case, or than how an accent is encoded, "
        "found 'Apple' and 'apple'; merge or rename them",
    ]


def test_a_name_of_an_old_archive_is_to_be_changed(draft):
    first = draft.photos / "apple" / "0.png"
    try:
        Path(os.fsdecode(os.fsencode(first.parent) + b"/caf\xe9.png")).write_bytes(b"")
    except OSError:
        pytest.skip("this disk has names in UTF-8 alone")

    with pytest.raises(SurveyError) as caught:
        surveyed(draft)

    assert str(caught.value) == (
        r"expected names in UTF-8, found 'apple/caf\udce9.png'; rename the file or its folder"
    )


def test_classes_whose_accents_alone_are_encoded_otherwise_are_told(draft):
    for name in ("Caf\u00e9", "Cafe\u0301"):
        for number in range(6):
            own_photos.photo(draft.photos / name / f"{number}.png", name, number)

    with pytest.raises(SurveyError, match="or than how an accent is encoded, found 'Caf"):
        surveyed(draft)


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(SurveyError, match="expected a folder of photos at .*, found none"):
        listed(tmp_path / "nowhere")


def test_photos_without_folders_of_classes_are_told(tmp_path):
    for number in range(2):
        own_photos.photo(tmp_path / f"{number}.png", "plum", number)

    table, faults = listed(tmp_path)

    assert table.empty and list(table) == ["image", "label"]
    assert [fault.split("found ")[1] for fault in faults] == [
        f"the file {number}.png; move it into a class, or away" for number in range(2)
    ]


def test_a_folder_of_one_class_is_refused(draft):
    for name in ("lime", "plum"):
        for path in (draft.photos / name).iterdir():
            path.unlink()
        (draft.photos / name).rmdir()

    with pytest.raises(SurveyError, match="expected 2 to 1000 classes, found 1"):
        surveyed(draft)


def test_every_bad_row_of_a_table_is_told_with_its_number(draft):
    rows = [
        ("apple/0.png", " ", "train"),
        ("../secret.png", "apple", "train"),
        ("", "apple", "train"),
        ("apple/none.png", "apple", "train"),
        ("apple/1.png", "apple", "holdout"),
        ("apple/1.png", "apple", "test"),
    ]
    pd.DataFrame(rows, columns=["image", "label", "part"]).to_csv(draft.table, index=False)
    (draft.photos.parent / "secret.png").write_bytes(b"x")

    usable, faults = tabled(replace(draft, split="part", policy="column"))

    assert usable.empty
    assert [fault.split(":")[0] for fault in faults] == [
        f"table.csv, row {number}" for number in (1, 2, 3, 4, 5, 6)
    ]
    for fault, found in zip(
        faults,
        (
            "a blank; fill",
            "'../secret.png'; move",
            "found ''",
            "no such file",
            "'holdout'",
            "apple/1.png again",
        ),
        strict=True,
    ):
        assert found in fault


def test_a_column_that_does_not_exist_is_told(draft):
    write(draft)

    with pytest.raises(SurveyError, match="no kind among image, label; correct it, or the options"):
        tabled(replace(draft, label="kind"))


def test_a_table_that_does_not_exist_is_told_with_the_option_that_names_it(draft):
    with pytest.raises(
        SurveyError, match="table table.csv in photos/, found none; .*the options that name it"
    ):
        tabled(draft)


def test_a_photo_that_was_cut_is_to_be_restored(draft):
    first = draft.photos / "apple" / "0.png"
    first.write_bytes(first.read_bytes()[:-200])

    with pytest.raises(SurveyError, match="apple/0.png: .*; restore it, or choose another$"):
        surveyed(draft)


def test_a_class_named_like_a_path_is_told(draft):
    write(draft, {"apple": "apple", "lime": "../lime", "plum": "plum"}.get)
    table, faults = tabled(draft)

    with pytest.raises(SurveyError, match="found '../lime', which is like a path"):
        survey(draft, table, faults)
