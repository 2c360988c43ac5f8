import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vitrine.cli import app
from vitrine.data import catalog, splits
from vitrine.data.archive import ArchiveError
from vitrine.data.catalog import CLASSES, CatalogError
from vitrine.training import session

FIELDS = ["uniq_id", "product_name", "product_category_tree", "image", "description"]


def product(i, *, label=None, **changes):
    tree = json.dumps([f"{label or CLASSES[i % len(CLASSES)]} >> Something >> Else"])
    row = dict(zip(FIELDS, [f"id{i}", f"Product {i}", tree, f"{i}.jpg", "text"], strict=True))
    return row | changes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()

    def write(rows, *, images=None, encoding="utf-8", fields=FIELDS, newline="\n", delimiter=","):
        for name in images if images is not None else {row["image"] for row in rows}:
            (tmp_path / "images" / name).write_bytes(b"x")
        with (tmp_path / "dataset.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(
                file, fields, lineterminator=newline, delimiter=delimiter, extrasaction="ignore"
            )
            writer.writeheader()
            writer.writerows(rows)
        return tmp_path

    return write


def test_a_product_takes_its_class_from_the_first_level_of_its_tree(folder):
    rows = [product(i) for i in range(7)] + [product(7, label="Watches ")]

    loaded = catalog.load(folder(rows))

    assert loaded.products.label.tolist() == [*range(7), CLASSES.index("Watches")]
    assert loaded.absent == []


def test_absent_and_stray_images_are_listed(folder):
    rows = [product(i) for i in range(200)]
    names = [f"{i}.jpg" for i in range(199)] + ["stray.jpg"]

    loaded = catalog.load(folder(rows, images=names))

    assert loaded.absent == ["199.jpg"]
    assert loaded.strays == ("stray.jpg",)
    assert loaded.products.present.sum() == 199


def test_a_catalogue_that_lacks_too_many_images_is_refused(folder):
    lacking = folder([product(i) for i in range(20)], images=[f"{i}.jpg" for i in range(15)])

    with pytest.raises(CatalogError) as told:
        catalog.load(lacking)

    assert "found 5: 15.jpg, 16.jpg, 17.jpg and 2 more; run `vitrine data fetch`" in str(told.value)


def test_a_folder_of_photos_that_is_absent_is_told_apart_from_photos_that_are(folder):
    place = folder([product(i) for i in range(20)])
    shutil.rmtree(place / "images")

    with pytest.raises(CatalogError, match="expected the folder of the photos .*/images, found no"):
        catalog.load(place)


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "utf-8-sig"},
        {"newline": "\r\n"},
        {"delimiter": ";"},
        {"delimiter": "\t"},
        {"encoding": "utf-8-sig", "newline": "\r\n", "delimiter": ";"},
    ],
)
def test_what_a_spreadsheet_writes_is_read(folder, options):
    rows = [product(0, description="é, « deux »\nlignes"), product(1)]

    loaded = catalog.load(folder(rows, **options))

    assert loaded.products.image.tolist() == ["0.jpg", "1.jpg"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"product_category_tree": "not json"}, "row 1: expected product_category_tree as a JSON"),
        ({"product_category_tree": ""}, "row 1: expected product_category_tree as a JSON"),
        ({"product_category_tree": "[]"}, "row 1: expected product_category_tree as a JSON"),
        ({"product_category_tree": '["Toys >> Cars"]'}, "row 1: .* found 'Toys'"),
        ({"uniq_id": "id0"}, "expected each uniq_id once, found 'id0' again"),
        ({"image": "0.jpg"}, "expected each image once, found '0.jpg' again"),
    ],
)
def test_a_bad_row_is_reported_with_its_number(folder, change, message):
    with pytest.raises(CatalogError, match=message):
        catalog.load(folder([product(0), product(1, **change)]))


@pytest.mark.parametrize(
    ("rows", "options", "found"),
    [
        (
            [product(0)],
            {"fields": FIELDS[:3]},
            "no image, description among uniq_id, product_name, product_category_tree;",
        ),
        (
            [product(0, description="é")],
            {"encoding": "latin-1"},
            "0xe9 at .*; save .* as CSV in UTF-8, or run",
        ),
        ([], {}, "only its header"),
    ],
    ids=["columns", "encoding", "header"],
)
def test_a_table_that_cannot_be_used_says_what_is_wrong_with_it(folder, rows, options, found):
    with pytest.raises(CatalogError, match=found):
        catalog.load(folder(rows, **options))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "a table in CSV"),
        (b"uniq_id,image\n1,a\n1,2,3\n", "line 3, saw 3"),
        (b"uniq_id,image\n1,a,\n1,b,\n", "2 values in each row, .* found more;"),
        (None, "found none; run `vitrine data fetch`"),
    ],
    ids=["empty", "too many fields", "a field without a header", "absent"],
)
def test_a_table_that_does_not_parse_is_refused_in_one_line(tmp_path, content, found):
    if content is not None:
        (tmp_path / "dataset.csv").write_bytes(content)

    with pytest.raises(CatalogError, match=found) as caught:
        catalog.load(tmp_path)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"edition": "originals"}'])
def test_a_receipt_that_cannot_be_understood_says_how_to_get_another(folder, text):
    place = folder([product(0)])
    (place / "receipt.json").write_text(text)

    with pytest.raises(CatalogError, match="in receipt.json, found something else .* data fetch"):
        catalog.load(place)


@pytest.mark.parametrize("kind", ["table", "image"])
def test_photos_that_changed_are_neither_trained_on_nor_prepared_nor_measured(
    demo_catalog, tmp_path, monkeypatch, kind
):
    place = Path(shutil.copytree(demo_catalog.folder, tmp_path / "data"))
    published = session.Session("published", splits.load(), base=tmp_path, photos=True)
    monkeypatch.setattr("vitrine.paths.data", lambda: place)
    assert published.catalog().edition == "demo"

    changed = place / (
        "dataset.csv" if kind == "table" else f"images/{demo_catalog.products.image[0]}"
    )
    changed.write_bytes(changed.read_bytes()[:-1])

    with pytest.raises(ArchiveError, match="1 not as recorded: .*; verify, or fetch again"):
        published.catalog()
    for command in ("prepare", "facts"):
        done = CliRunner().invoke(app, ["data", command])
        assert isinstance(done.exception, ArchiveError)


def test_one_image_absent_in_a_hundred_is_still_accepted(folder):
    loaded = catalog.load(
        folder([product(i) for i in range(100)], images=[f"{i}.jpg" for i in range(99)])
    )

    assert loaded.absent == ["99.jpg"]
