import logging
from dataclasses import replace

import pandas as pd
import pytest

from vitrine.data import dataset, pictures, showcase
from vitrine.data.catalog import CLASSES
from vitrine.data.showcase import DASHBOARD, SAMPLES, Showcase, ShowcaseError


@pytest.fixture
def folder(demo_catalog, tmp_path):
    """A data folder with both tables and two photos a class."""
    names = demo_catalog.products.image.tolist()
    chosen = showcase.samples(demo_catalog, names)
    (tmp_path / "images").mkdir()
    for name in chosen.image:
        (tmp_path / "images" / name).write_bytes(demo_catalog.path(name).read_bytes())
    chosen.to_csv(tmp_path / SAMPLES, index=False)
    showcase.dashboard(demo_catalog).to_csv(tmp_path / DASHBOARD, index=False)
    return tmp_path


def test_what_prepare_writes_is_read_back(folder, demo_catalog):
    shown = Showcase.read(folder)

    assert shown.photos.fichier.tolist() == demo_catalog.products.image.tolist()
    assert shown.photos.largeur.dtype == int
    assert shown.samples["class"].tolist() == [name for name in CLASSES for _ in range(2)]
    assert shown.path(shown.samples.image[0]).is_file()
    assert not shown.synthetic and shown.faults == ()


def test_samples_are_chosen_among_the_photos_named(demo_catalog):
    offered = demo_catalog.products.image[demo_catalog.products.row >= 14].tolist()

    chosen = showcase.samples(demo_catalog, offered)

    assert set(chosen.image) <= set(offered)
    assert chosen.image.tolist()[:2] == ["demo-baby-care-002.jpg", "demo-baby-care-003.jpg"]
    assert chosen.image_renamed.tolist()[:3] == [
        "baby-care-1.jpg", "baby-care-2.jpg", "beauty-and-personal-care-1.jpg",
    ]  # fmt: skip


def test_the_samples_open_with_the_preferred_photo_of_those_chosen(demo_catalog):
    names = demo_catalog.products.image.tolist()
    usual = showcase.samples(demo_catalog, names)
    preferred = [names[-1], usual.image[9], usual.image[3]]

    chosen = showcase.samples(demo_catalog, names, preferred)

    assert names[-1] not in set(usual.image)
    assert chosen.image.tolist() == [usual.image[9], *usual.image.drop(9)]
    assert set(chosen.image_renamed) == set(usual.image_renamed)


def test_without_any_table_free_pictures_are_shown_then_cleared_away_and_no_drawing_is(tmp_path):
    free = pictures.photos()

    shown = Showcase.read(tmp_path / "absent")

    assert shown.synthetic and shown.faults == ()
    assert shown.samples["class"].tolist() == [each.label or "" for each in free]
    assert all(
        each.licence in told for each, told in zip(free, shown.samples.description, strict=True)
    )
    assert shown.path(shown.samples.image[0]).read_bytes() == free[0].path.read_bytes()
    images = shown.images
    assert not set(shown.samples.image) & set(shown.photos.fichier)

    del shown

    assert not images.exists()


@pytest.mark.parametrize(("name", "other"), [(DASHBOARD, "samples"), (SAMPLES, "photos")])
def test_an_absent_table_is_named_and_the_other_still_read(folder, caplog, name, other):
    (folder / name).unlink()

    shown = Showcase.read(folder)

    assert shown.faults == (name,)
    assert len(getattr(shown, other))
    assert not shown.synthetic
    assert f"the table {name} in" in caplog.text and "vitrine data prepare" in caplog.text


def test_a_table_of_ones_own_photos_is_made_by_no_command(folder, caplog, monkeypatch):
    own = replace(dataset.current(), own=True)
    monkeypatch.setattr(dataset, "current", lambda: own)
    (folder / SAMPLES).unlink()

    Showcase.read(folder)

    assert "found none; correct or remove both" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda t: b"", "No columns to parse"),
        (lambda t: "Nom du produit\n\xe9".encode("latin-1"), "found byte 0xe9"),
        (lambda t: t.drop(columns="largeur"), "found no largeur"),
        (lambda t: t.head(0), "found only its header"),
        (lambda t: t.assign(largeur="large"), "expected largeur in pixels"),
        (lambda t: t.assign(hauteur=0), "found '0' in row 0"),
        (lambda t: t.assign(largeur="inf"), "found 'inf' in row 0"),
        (lambda t: t.assign(hauteur="1e30"), "from 1 to 20000, in"),
        (lambda t: t.assign(largeur=20_001), "found '20001' in row 0"),
        (lambda t: t.assign(fichier="x" * 300), "found 'xxx"),
        (lambda t: t.assign(Catégorie="Watches "), "found 'Watches '"),
        (lambda t: t.assign(fichier="../secret.jpg"), "found '../secret.jpg'"),
        (lambda t: t.assign(fichier="..\\secret.jpg"), "plain file names"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_says_why_and_what_to_do(folder, caplog, spoil, found):
    spoiled = spoil(pd.read_csv(folder / DASHBOARD))
    content = spoiled if isinstance(spoiled, bytes) else spoiled.to_csv(index=False).encode()
    (folder / DASHBOARD).write_bytes(content)

    shown = Showcase.read(folder)

    assert shown.faults == (DASHBOARD,)
    assert shown.photos.empty and len(shown.samples) == 14
    assert found in caplog.text and "vitrine data prepare" in caplog.text


def test_the_longest_side_of_a_photo_that_can_be_served_is_accepted(folder):
    photos = pd.read_csv(folder / DASHBOARD)
    photos.assign(largeur=20_000).to_csv(folder / DASHBOARD, index=False)

    assert Showcase.read(folder).photos.largeur.tolist() == [20_000] * len(photos)


def test_a_sample_whose_name_no_disk_takes_is_a_fault_of_its_table_alone(folder, caplog):
    chosen = pd.read_csv(folder / SAMPLES)
    chosen.loc[3, "image"] = "x" * 300
    chosen.to_csv(folder / SAMPLES, index=False)

    shown = Showcase.read(folder)

    assert shown.faults == (SAMPLES,)
    assert shown.samples.empty and len(shown.photos)
    assert "found 'xxx" in caplog.text and "File name too long" in caplog.text


def test_a_table_that_the_system_does_not_open_is_a_fault_of_its_own(folder, caplog):
    (folder / DASHBOARD).unlink()
    (folder / DASHBOARD).symlink_to(folder / DASHBOARD)

    shown = Showcase.read(folder)

    assert shown.faults == (DASHBOARD,) and len(shown.samples) == 14
    assert "a file that can be read" in caplog.text and "check its rights" in caplog.text


def test_a_folder_out_of_reach_is_told_and_not_taken_for_an_absent_one(tmp_path, caplog):
    shown = Showcase.read(tmp_path / ("x" * 300))

    assert shown.faults == (DASHBOARD, SAMPLES) and not shown.synthetic
    assert caplog.text.count("a file that can be read") == 2


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(folder):
    text = (folder / DASHBOARD).read_text(encoding="utf-8")
    (folder / DASHBOARD).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))

    assert Showcase.read(folder).faults == ()


def test_a_sample_without_its_photo_is_left_out_with_a_warning(folder, caplog):
    gone = pd.read_csv(folder / SAMPLES).image[3]
    (folder / "images" / gone).unlink()

    with caplog.at_level(logging.WARNING):
        shown = Showcase.read(folder)

    assert gone not in set(shown.samples.image) and len(shown.samples) == 13
    assert f"found no {gone}" in caplog.text
    assert "expected 2 samples a class, found fewer of Beauty and Personal Care" in caplog.text


def test_an_error_of_a_table_is_one_of_bad_input():
    assert issubclass(ShowcaseError, ValueError)
