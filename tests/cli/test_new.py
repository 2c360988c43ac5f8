import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import own_photos
import vitrine
from vitrine.cli import app
from vitrine.data.survey import SurveyError

SOURCES = Path(vitrine.__file__).parents[1]


def command(folder, *arguments):
    """Run the command line in a folder of the user's own, as an installed package would."""
    environment = {key: value for key, value in os.environ.items() if key != "VITRINE_ROOT"}
    return subprocess.run(
        [sys.executable, "-c", "from vitrine.cli import main; main()", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return own_photos.write(tmp_path_factory.mktemp("own") / "photos", per_class=6)


@pytest.fixture(scope="module")
def shop(photos):
    folder = photos.parent / "shop"
    done = CliRunner().invoke(app, ["new", str(folder), "--photos", str(photos)])
    assert done.exit_code == 0, done.output
    return folder


def test_a_new_project_says_what_it_found_decided_and_costs(photos, tmp_path):
    done = CliRunner().invoke(app, ["new", str(tmp_path / "shop"), "--photos", str(photos)])

    assert done.exit_code == 0
    for told in (
        "18 photos in 3 classes", "6 apple", "pairs of exact duplicates", "wide intervals",
        "drawn with the seed 0", "duplicates kept in one part", "written:", "vitrine.toml",
        "vitrine train majority", "about      5 s",
    ):  # fmt: skip
        assert told in done.output


def test_a_model_is_trained_listed_and_checked_in_a_project_of_other_classes(shop):
    trained = command(shop, "train", "majority")
    listed = command(shop, "runs", "list")
    checked = command(shop, "check")

    assert trained.returncode == 0, trained.stderr
    header = (shop / "runs/majority/seed-0/predictions.csv").read_text().splitlines()[0]
    assert header == "image,split,fold,label,p_0,p_1,p_2"
    assert "majority/seed-0" in listed.stdout
    assert checked.returncode == 0, checked.stderr
    assert "18 photos and their split" in checked.stdout
    assert "run majority/seed-0: whole, on this split" in checked.stdout


def test_the_report_of_a_project_is_executed_with_its_errors(shop):
    trained = command(shop, "train", "histogram-hog", "--resume")
    done = command(shop, "run", "01_photos")

    assert trained.returncode == 0 and done.returncode == 0, done.stderr
    page = (shop / "build" / "executed" / "published" / "01_photos.ipynb").read_text()
    assert "Exactitude (%)" in page and "prise pour" in page


def test_what_is_wrong_with_a_project_is_a_sentence(shop):
    config = shop / "vitrine.toml"
    before = config.read_text(encoding="utf-8")

    config.write_text(before.replace('policy = "grouped"', 'policy = "other"'), encoding="utf-8")
    done = command(shop, "check")
    config.write_text(before, encoding="utf-8")

    assert done.returncode == 2
    assert done.stderr.startswith("vitrine: vitrine.toml: expected split.policy among")
    assert len(done.stderr.splitlines()) == 1


def test_the_drawn_catalogue_is_refused_among_own_photos(shop):
    done = command(shop, "train", "majority", "--profile", "smoke")

    assert done.returncode == 2
    assert "expected the profile published in a project of your own photos" in done.stderr


def test_faults_of_the_photos_reach_the_command_line(photos, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("image,label\nnone.png,apple\n,plum\n")

    done = CliRunner().invoke(app, ["new", str(tmp_path / "shop"), "--table", str(table)])

    assert isinstance(done.exception, SurveyError)
    assert "row 1: expected the image none.png" in str(done.exception)
    assert "row 2: expected an image inside" in str(done.exception)
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "either --photos FOLDER or --table FILE"),
        (["--photos", "a", "--table", "b"], "either --photos FOLDER or --table FILE"),
        (["--photos", "a", "--group", "product"], "columns with --table alone"),
        (["--photos", "a", "--language", "de"], "expected fr or en, found 'de'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path, arguments, told):
    done = CliRunner().invoke(
        app, ["new", str(tmp_path / "shop"), *arguments], env={"COLUMNS": "200"}
    )

    assert done.exit_code == 2
    assert told in done.output


def test_the_page_of_a_project_shows_its_own_photos(shop, monkeypatch):
    monkeypatch.chdir(shop)
    monkeypatch.delenv("VITRINE_ROOT", raising=False)
    reading = (
        "from vitrine.data.showcase import Showcase; from vitrine import paths\n"
        "shown = Showcase.read(paths.data())\n"
        "assert all(shown.path(name).is_file() for name in shown.samples.image)\n"
        "print(len(shown.photos), sorted(set(shown.samples['class'])), shown.synthetic)"
    )

    done = subprocess.run(
        [sys.executable, "-c", reading],
        env=os.environ | {"PYTHONPATH": str(SOURCES)}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split(maxsplit=1)[0] == "18"
    assert done.stdout.rstrip().endswith("False") and "'apple'" in done.stdout
