import csv
import hashlib
import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vitrine.data import archive, catalog, demo
from vitrine.data.demo import writer
from vitrine.data.demo.pen import Pen, box, ellipse, smooth
from vitrine.data.demo.surface import background

WHITE, RED, BLUE = (255, 255, 255), (200, 0, 0), (0, 0, 200)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A catalogue of the default size, only read by tests."""
    return demo.write(tmp_path_factory.mktemp("shop") / "demo")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A catalogue of one product a class, only read by tests."""
    return demo.write(tmp_path_factory.mktemp("small") / "demo", per_class=1)


@pytest.fixture
def folder(small, tmp_path):
    """A copy of the small catalogue, dates included, that a test may spoil."""
    return shutil.copytree(small, tmp_path / "demo")


def rows(folder):
    with (folder / "dataset.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def label(row):
    return json.loads(row["product_category_tree"])[0].split(" >> ")[0]


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "receipt.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def identity(folder):
    """What changes when a file is written again, even with the same bytes."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


# Drawings


@pytest.mark.parametrize("name", demo.SHAPES)
def test_same_state_draws_the_same_pixels_and_another_state_does_not(name):
    first, again, other = (demo.draw(name, np.random.default_rng(seed)) for seed in (5, 5, 6))

    assert first.tobytes() == again.tobytes()
    assert first.size != other.size or first.tobytes() != other.tobytes()


def test_every_background_follows_from_the_generator_alone():
    seeds = range(40)

    first, again = (
        [background(np.random.default_rng(seed), 24, 16).tobytes() for seed in seeds]
        for _ in range(2)
    )

    assert first == again
    assert 20 < len(set(first)) < 40  # white comes back, nothing else does


def test_drawn_classes_are_those_of_the_data_set():
    assert tuple(demo.SHAPES) == catalog.CLASSES
    assert all(len(shapes) >= 3 for shapes in demo.SHAPES.values())


def test_unknown_class_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'Baby Care'.*'Watches', found 'Shoes'; pass one"):
        demo.draw("Shoes", np.random.default_rng(0))


def test_classes_can_be_told_apart_by_simple_features(shop):
    products = rows(shop)
    labels = [label(row) for row in products]
    pictures = [Image.open(shop / "images" / row["image"]).resize((48, 48)) for row in products]
    edges = [hog(np.asarray(p.convert("L")), 9, (8, 8), (1, 1)) for p in pictures]
    colours = [np.asarray(p.resize((8, 8))).ravel() / 255 for p in pictures]
    features = np.hstack([edges, colours])

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    accuracy = cross_val_score(model, features, labels, cv=4).mean()

    assert accuracy > 3.5 / 7


def test_product_fills_most_of_its_picture(shop):
    darkest = [np.asarray(Image.open(path)).min(axis=2) for path in (shop / "images").iterdir()]
    on_white = [d for d in darkest if (d[[0, -1]] > 250).all() and (d[:, [0, -1]] > 250).all()]

    shares = [np.ptp(np.argwhere(d < 200), axis=0) / d.shape for d in on_white]

    assert len(shares) > 20
    assert all(max(share) > 0.55 for share in shares)


# The pen


def test_marks_made_inside_a_shape_stay_inside_it_and_where_they_were_put():
    canvas = Image.new("RGB", (100, 100), WHITE)
    pen = Pen(canvas, np.array([[40.0, 0.0, 50.0], [0.0, 40.0, 50.0]]))

    with pen.inside(box(-0.5, -0.5, 0.5, 0.5)) as clipped:
        clipped.fill(box(0, -3, 3, 3), RED)

    painted = np.argwhere((np.asarray(canvas) == RED).all(axis=2))
    assert painted.min(axis=0).tolist() == [30, 50]
    assert painted.max(axis=0).tolist() == [70, 70]
    assert len(painted) == 41 * 21


def test_gradient_runs_from_the_first_colour_to_the_last_along_its_direction():
    canvas = Image.new("RGB", (100, 100), WHITE)
    pen = Pen(canvas, np.array([[40.0, 0.0, 50.0], [0.0, 40.0, 50.0]]))

    pen.fill(box(-1, -1, 1, 1), RED, BLUE, along=(0, 1))

    column = np.asarray(canvas)[10:91, 50]
    assert column[0].tolist() == pytest.approx(RED, abs=3)  # a pixel is 2.5 levels high
    assert column[-1].tolist() == pytest.approx(BLUE, abs=3)
    assert (np.diff(column[:, 2].astype(int)) >= 0).all()


def test_stamps_turn_from_one_place_to_the_next():
    canvas = Image.new("RGB", (100, 50), WHITE)
    pen = Pen(canvas, np.array([[50.0, 0.0, 0.0], [0.0, 50.0, 25.0]]))

    pen.stamp(box(-0.4, -0.1, 0.4, 0.1), np.array([[0.5, 0.0], [1.5, 0.0]]), RED, spin=90)

    painted = (np.asarray(canvas) == RED).all(axis=2)
    extents = [np.ptp(np.argwhere(half), axis=0).tolist() for half in np.split(painted, 2, axis=1)]
    assert extents == [pytest.approx([10, 40], abs=1), pytest.approx([40, 10], abs=1)]


def test_shapes_beyond_the_canvas_leave_no_mark():
    canvas = Image.new("RGB", (60, 60), WHITE)
    pen = Pen(canvas, np.array([[30.0, 0.0, 30.0], [0.0, 30.0, 30.0]]))
    away = ellipse(9, 9, 0.5)

    pen.fill(away, RED, BLUE)
    pen.shadow(away)
    with pen.inside(away) as clipped:
        clipped.fill(ellipse(0, 0, 3), RED)

    assert canvas.getcolors() == [(3600, WHITE)]


def test_smooth_curve_passes_through_its_points():
    knots = [(0.0, -1.0), (0.8, 0.1), (0.2, 0.9), (-0.7, 0.3)]

    curve = smooth(knots)

    distance = np.linalg.norm(curve[:, None] - np.array(knots), axis=2).min(axis=0)
    assert distance.tolist() == pytest.approx([0, 0, 0, 0], abs=1e-12)


# The folder


def test_seven_classes_are_balanced_and_go_round(shop):
    labels = [label(row) for row in rows(shop)]

    assert labels == list(demo.SHAPES) * 12


def test_products_have_plausible_and_unmistakable_words(shop):
    products = rows(shop)

    for row in products:
        assert set(row) == {
            "uniq_id", "product_name", "product_category_tree", "image", "description"
        }  # fmt: skip
        assert row["image"] == f"{row['uniq_id']}.jpg"
        assert row["uniq_id"].startswith("demo-")
        assert row["product_name"].startswith("Demo ")
        assert " >> Demo >> " in row["product_category_tree"]
        assert "no such product exists" in row["description"]
    assert "demo-home-decor-festive-needs-003" in {row["uniq_id"] for row in products}


def test_every_kind_of_product_takes_its_turn(shop):
    shown = {row["product_category_tree"].split(" >> ")[2] for row in rows(shop)}

    assert shown == {shape.noun for shapes in demo.SHAPES.values() for shape in shapes}


def test_images_are_whole_jpegs_of_varied_sizes(shop):
    named = {row["image"] for row in rows(shop)}
    found = {path.name: path for path in (shop / "images").iterdir()}

    sizes = set()
    for path in found.values():
        with Image.open(path) as image:
            image.load()
            sizes.add(image.size)
            assert (image.format, image.mode) == ("JPEG", "RGB")

    assert set(found) == named
    assert len(sizes) > 60
    assert all(160 <= min(size) <= 320 for size in sizes)
    assert min(w / h for w, h in sizes) < 0.8
    assert max(w / h for w, h in sizes) > 1.25


def test_jpegs_are_saved_at_quality_90(shop):
    reference = io.BytesIO()
    Image.new("RGB", (8, 8)).save(reference, "JPEG", quality=90)

    with (
        Image.open(shop / "images" / "demo-watches-003.jpg") as image,
        Image.open(reference) as expected,
    ):
        assert image.quantization == expected.quantization


def test_catalogue_is_read_by_the_modules_that_read_the_real_one(shop):
    loaded = catalog.load(shop)

    assert (loaded.edition, len(loaded.products), loaded.strays) == ("demo", 84, ())
    assert loaded.products.present.all()
    assert loaded.products.label.tolist() == list(range(7)) * 12
    assert archive.status(shop).source == "vitrine.data.demo seed=0"


def test_receipt_hashes_the_manifest_of_table_and_images(small):
    receipt = json.loads((small / "receipt.json").read_text())

    lines = [
        f"{name},{hashlib.sha256(data).hexdigest()}\n" for name, data in content(small).items()
    ]
    assert receipt["manifest_sha256"] == hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    assert receipt["edition"] == "demo"
    for name, (size, date) in receipt["files"].items():
        assert (small / name).stat().st_size == size
        assert (small / name).stat().st_mtime_ns == date
    assert set(receipt["files"]) == set(content(small))


def test_same_seed_writes_the_same_bytes_and_another_seed_none_of_them(tmp_path, small):
    again = content(demo.write(tmp_path / "again", per_class=1))
    other = content(demo.write(tmp_path / "other", per_class=1, seed=1))

    assert content(small) == again
    assert set(again) == set(other)
    assert all(again[name] != other[name] for name in again)


def test_larger_catalogue_begins_with_the_smaller_one(shop, small):
    many, few = content(shop), content(small)

    assert many.pop("dataset.csv").startswith(few.pop("dataset.csv"))
    assert few.items() <= many.items()


def test_second_call_writes_nothing(folder):
    before = identity(folder)

    returned = demo.write(folder, per_class=1)

    assert returned == folder
    assert identity(folder) == before


def cut(name, content):
    """Write other bytes in place of a file of the catalogue, or remove it."""

    def spoil(folder):
        path = folder / name
        path.unlink(missing_ok=True) if content is None else path.write_bytes(content)

    return spoil


def reverse_image(folder):
    path = folder / "images" / "demo-computers-000.jpg"
    path.write_bytes(path.read_bytes()[::-1])


def leave_leftovers(folder):
    (folder / "receipt.json").unlink()
    (folder.parent / ".demo.partial" / "images").mkdir(parents=True)
    (folder.parent / ".demo.partial" / "images" / "demo-old.jpg").write_bytes(b"half")


DAMAGES = {
    "image removed": cut("images/demo-watches-000.jpg", None),
    "image cut": cut("images/demo-computers-000.jpg", b"\xff\xd8"),
    "image altered": reverse_image,
    "image added": cut("images/demo-watches-001.jpg", b""),
    "table cut": cut("dataset.csv", b"uniq_id,product"),
    "table removed": cut("dataset.csv", None),
    "receipt removed": cut("receipt.json", None),
    "receipt cut": cut("receipt.json", b'{"edition": "de'),
    "receipt replaced": cut("receipt.json", b"[]"),
    "leftovers": leave_leftovers,
}


@pytest.mark.parametrize("spoil", DAMAGES.values(), ids=DAMAGES)
def test_half_written_folder_is_repaired(folder, spoil):
    whole = content(folder)
    spoil(folder)

    demo.write(folder, per_class=1)

    assert content(folder) == whole
    assert catalog.load(folder).edition == "demo"
    assert {path.name for path in folder.parent.iterdir()} <= {"demo", ".demo.lock"}


@pytest.mark.parametrize("change", [{"seed": 3}, {"per_class": 2}])
def test_other_catalogue_replaces_the_former_one_and_its_cache(folder, change, tmp_path):
    (folder / "cache").mkdir()
    (folder / "cache" / "stale.npy").write_bytes(b"decoded")

    demo.write(folder, **{"per_class": 1, **change})

    fresh = demo.write(tmp_path / "fresh", **{"per_class": 1, **change})
    assert content(folder) == content(fresh)


def test_cache_survives_as_long_as_the_catalogue(folder):
    (folder / "cache").mkdir()
    (folder / "cache" / "decoded.npy").write_bytes(b"decoded")

    demo.write(folder, per_class=1)

    assert (folder / "cache" / "decoded.npy").exists()


def test_new_version_of_the_drawings_is_written_over_the_former(folder, monkeypatch):
    before = identity(folder)
    monkeypatch.setattr(writer, "VERSION", writer.VERSION + 1)

    demo.write(folder, per_class=1)

    assert identity(folder)[folder / "dataset.csv"] != before[folder / "dataset.csv"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("images/3f2a.jpg", "a real photo"),
        ("manifest.csv", "image,sha256\n"),
        ("receipt.json", '{"edition": "originals"}'),
        ("dataset.csv", "uniq_id,crawl_timestamp\n"),
        ("dataset.csv", "uniq_id,product_name,product_category_tree,image,description\n3f2a,,,,\n"),
    ],
)
def test_folder_that_holds_anything_else_is_refused_and_left_alone(tmp_path, name, text):
    place = tmp_path / "data"
    (place / name).parent.mkdir(parents=True)
    (place / name).write_text(text)

    with pytest.raises(FileExistsError, match=r"expected data/.*choose another folder"):
        demo.write(place, per_class=1)

    assert content(place) | {"receipt.json": b""} == {name: text.encode(), "receipt.json": b""}
    assert (place / name).read_text() == text


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "demo").write_text("precious")

    with pytest.raises(FileExistsError, match="choose another folder"):
        demo.write(tmp_path / "demo", per_class=1)

    assert (tmp_path / "demo").read_text() == "precious"


def test_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "demo").symlink_to(tmp_path / "disk")

    demo.write(tmp_path / "demo", per_class=1)

    assert (tmp_path / "demo").is_symlink()
    assert (tmp_path / "disk" / "receipt.json").exists()


@pytest.mark.parametrize("kwargs", [{"per_class": 0}, {"seed": -1}])
def test_impossible_request_is_refused_before_anything_is_written(tmp_path, kwargs):
    with pytest.raises(ValueError, match="expected per_class of at least 1 and seed of at least 0"):
        demo.write(tmp_path / "demo", **kwargs)

    assert not list(tmp_path.iterdir())


def test_several_writers_at_once_leave_one_whole_catalogue(tmp_path, small):
    place = tmp_path / "at" / "once"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: demo.write(place, per_class=1), range(4)))

    assert content(place) == content(small)
