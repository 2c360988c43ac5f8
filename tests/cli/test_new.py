import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import own_photos
import vitrine
from vitrine.cli import app
from vitrine.data import dataset, project
from vitrine.data.dataset import DatasetError
from vitrine.data.survey import SurveyError
from vitrine.training.recipes import RecipeError

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
        "make book", "vitrine sweep majority", "about      5 s",
    ):  # fmt: skip
        assert told in done.output


@pytest.mark.parametrize(("longest", "begun"), [(26, True), (25, False)])
def test_fine_tuning_is_among_the_recipes_of_a_project_where_it_is_short(
    photos, tmp_path, monkeypatch, longest, begun
):
    monkeypatch.setattr(project, "LONGEST", longest)  # 18 photos, of 1.4 s

    done = CliRunner().invoke(app, ["new", str(tmp_path / "shop"), "--photos", str(photos)])

    data = dataset.read(tmp_path / "shop" / "vitrine.toml")
    assert data.recipes[:3] == ("majority", "histogram-hog", "efficientnet-lite0-probe")
    assert data.recipes[3:] == (("efficientnet-lite0-torch",) if begun else ())
    assert "vitrine sweep efficientnet-lite0-torch about     25 s" in done.output
    assert ("add it to recipes in vitrine.toml" in done.output) == (not begun)


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
    command(shop, "train", "majority", "--resume")  # where this test runs alone
    trained = command(shop, "train", "histogram-hog", "--resume")
    lacking = command(shop, "book")
    config = shop / "vitrine.toml"
    before = config.read_text(encoding="utf-8")
    told, _, _ = before.partition("[[comparison]]")
    pair = '[[comparison]]\nfirst = "histogram-hog"\nsecond = "majority"\n'
    config.write_text(told + pair, encoding="utf-8")

    done = command(shop, "run", "01_photos")
    config.write_text(before, encoding="utf-8")

    assert lacking.returncode == 2 and not lacking.stdout
    assert lacking.stderr.startswith("vitrine: expected a run over folds of each recipe")
    assert "found none of efficientnet-lite0-probe" in lacking.stderr
    assert trained.returncode == 0 and done.returncode == 0, done.stderr
    page = (shop / "build" / "executed" / "published" / "01_photos.ipynb").read_text()
    assert "Exactitude (%)" in page and "prise pour" in page


def test_a_recipe_that_changes_after_its_run_is_told_by_every_command_that_reads_it(shop):
    config = shop / "vitrine.toml"
    before = config.read_text(encoding="utf-8")
    own = '[[recipe]]\nname = "my-hog"\nbase = "histogram-hog"\nimage_size = {size}\n'
    told = before.partition("[[comparison]]")[0]
    config.write_text(told + own.format(size=64), encoding="utf-8")
    made = command(shop, "sweep", "my-hog", "--seeds", "0")
    again = command(shop, "sweep", "my-hog", "--seeds", "0")
    config.write_text(told + own.format(size=96), encoding="utf-8")

    done = [
        command(shop, *words)
        for words in (("sweep", "my-hog", "--seeds", "0"), ("check",), ("run", "01_photos"))
    ]
    config.write_text(before, encoding="utf-8")
    shutil.rmtree(shop / "runs" / "my-hog")

    assert made.stdout == "my-hog/seed-0: made\n", made.stderr
    assert again.stdout == "my-hog/seed-0: finished before\n"
    for each in done:
        assert each.returncode
        said = each.stdout + each.stderr
        assert "(image_size = 64), found another of the same name (image_size = 96)" in said


def test_a_folder_of_parts_makes_a_project_of_those_parts(photos, tmp_path):
    for number, part in enumerate(("train", "train", "train", "train", "val", "test")):
        for name in own_photos.COLOURS:
            place = tmp_path / "photos" / part / name / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((photos / name / f"{number}.png").read_bytes())

    done = CliRunner().invoke(
        app, ["new", str(tmp_path / "shop"), "--photos", str(tmp_path / "photos")]
    )
    checked = command(tmp_path / "shop", "check")

    assert done.exit_code == 0, done.output
    assert "12 to train, 3 to validation, 3 to test; as the column part of dataset.csv says" in (
        done.output
    )
    assert checked.returncode == 0, checked.stderr
    assert "in no row" not in checked.stdout
    own_photos.photo(tmp_path / "photos" / "test" / "plum" / "new.png", "plum", 99)
    again = command(tmp_path / "shop", "check")
    assert "are in no row of the table: test/plum/new.png; to take them in, make" in again.stdout


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


def test_every_bad_input_is_told_at_once_in_a_sentence_and_nothing_is_written(photos, tmp_path):
    place = tmp_path / "shop-photos"
    own_photos.write(place, per_class=6)
    (place / "broken.png").write_bytes(b"no image")
    outside = tmp_path / "secret.png"
    outside.write_bytes((place / "apple" / "0.png").read_bytes())
    rows = [(f"{name}/{k}.png", name) for name in own_photos.COLOURS for k in range(6)]
    bad = [
        ("apple/0.png", "apple"), ("lime/5.png", " "), ("../secret.png", "plum"),
        (str(outside), "plum"), ("none.png", "plum"), ("x" * 400, "plum"), ("a\0b.png", "plum"),
        ("broken.png", "plum"), ("plum/0.png", "Apple"), ("plum/1.png", "../plum"),
        ("plum/2.png", "alone"),
    ]  # fmt: skip
    rows = [row for row in rows if row[0] not in {name for name, _ in bad[1:]}] + bad
    pd.DataFrame(rows, columns=["image", "label"]).to_csv(place / "table.csv", index=False)

    done = CliRunner().invoke(
        app, ["new", str(tmp_path / "shop"), "--table", str(place / "table.csv")]
    )

    assert isinstance(done.exception, SurveyError)
    told = str(done.exception).splitlines()
    for fault in (
        "found apple/0.png again", "expected a class in label, found a blank",
        "found '../secret.png'", "found '" + str(outside)[:8],
        "none.png in shop-photos, found no such file",
        "found no such file; restore", "found 'a\\x00b.png'",
        "broken.png: expected a JPEG, PNG, WEBP image", "found 'Apple' and 'apple'",
        "found '../plum', which is like a path", "found 1 of 'alone'", "found 4 of 'plum'",
    ):  # fmt: skip
        assert any(fault in line for line in told), (fault, told)
    assert all("expected" in line and "found" in line and ";" in line for line in told)
    assert not (tmp_path / "shop").exists()


def test_a_column_that_the_table_lacks_is_told(photos, tmp_path):
    table = photos / "table.csv"
    table.write_text("image,label\napple/0.png,apple\n")

    for option in ("--image", "--label", "--text", "--split", "--group"):
        done = CliRunner().invoke(
            app, ["new", str(tmp_path / "shop"), "--table", str(table), option, "absent"]
        )

        assert "found no absent among image, label; correct it, or the options" in str(
            done.exception
        )
        assert not (tmp_path / "shop").exists()
    table.unlink()


def test_photos_that_all_show_the_same_are_refused(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("vitrine.data.survey.ALIKE", 3)
    place = tmp_path / "photos"
    own_photos.write(place, per_class=6)
    for number in range(4):
        copy = place / "plum" / f"copy-{number}.png"
        copy.write_bytes((place / "apple" / "0.png").read_bytes())

    done = CliRunner().invoke(app, ["new", str(tmp_path / "shop"), "--photos", str(place)])

    assert "at most 3 photos that show the same, found 5 that look like apple/0.png" in str(
        done.exception
    )


@pytest.fixture
def inside(shop, monkeypatch):
    """Stand in the project."""
    monkeypatch.setenv("VITRINE_ROOT", str(shop))
    return shop


@pytest.mark.parametrize(
    ("seed", "place", "speaks"),
    [
        ("1", {}, True),
        ("2", {"RANK": "0"}, True),
        ("3", {"RANK": "1"}, False),
        ("4", {"LOCAL_RANK": "1"}, False),
    ],
)
def test_of_the_processes_of_a_training_the_first_alone_tells_its_end(inside, seed, place, speaks):
    asked = ["train", "majority", "--seed", seed, "--resume"]

    made = CliRunner().invoke(app, asked, env=place)
    again = CliRunner().invoke(app, asked, env=place)

    assert made.exit_code == again.exit_code == 0
    assert ("test photos predicted" in made.output) == speaks
    assert again.output == (f"run majority/seed-{seed}: finished before\n" if speaks else "")


def test_a_sweep_of_a_project_makes_the_recipes_that_it_names(inside, monkeypatch):
    asked = []
    monkeypatch.setattr("vitrine.training.sweep.sweep", lambda jobs, **_: asked.extend(jobs) or [])
    data = replace(dataset.current(), recipes=("majority", "efficientnet-lite0-torch"))
    monkeypatch.setattr(dataset, "current", lambda: data)

    done = CliRunner().invoke(app, ["sweep"])

    assert done.exit_code == 0, done.output
    names = [job.name for job in asked]
    assert names[:2] == ["majority/seed-0", "efficientnet-lite0-torch/seed-0"]
    assert names[2:] == [
        f"folds/repeat-0-fold-{k}/efficientnet-lite0-torch/seed-0" for k in range(5)
    ]


@contextmanager
def started(folder, *words):
    """Run ``dask`` in a folder, as a user does, and yield the process."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_" + words[0], *words[1:],
         "--host", "127.0.0.1", "--no-dashboard"],
        cwd=folder, stderr=subprocess.PIPE, text=True,
        env={key: value for key, value in os.environ.items() if key != "VITRINE_ROOT"}
        | {"PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_scheduler_of_ones_own_makes_the_runs_of_the_project_wherever_its_worker_stands(
    shop, tmp_path
):
    with started(tmp_path, "scheduler", "--port", "0") as scheduler:
        line = next(line for line in scheduler.stderr if "Scheduler at:" in line)
        address = line.split()[-1]
        with started(tmp_path, "worker", address, "--nthreads", "1", "--no-nanny"):
            done = command(shop, "sweep", "majority", "--seeds", "9", "--scheduler", address)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "majority/seed-9: made\n"
    assert (shop / "runs" / "majority" / "seed-9" / "run.json").is_file()


def test_a_sweep_without_recipes_asks_for_some(monkeypatch):
    done = CliRunner().invoke(app, ["sweep"], env={"COLUMNS": "200"})

    assert done.exit_code == 2 and "found none here nor in vitrine.toml" in done.output


@pytest.mark.parametrize(
    "words",
    [
        "data fetch", "data verify", "data status", "data prepare", "data facts", "publish",
        "ledger", "figure --list", "figure fig-comparaison-ecarts", "note", "slides",
    ],
)  # fmt: skip
def test_what_is_done_to_the_published_report_is_refused_in_a_project(inside, words):
    done = CliRunner().invoke(app, words.split())

    assert isinstance(done.exception, DatasetError)
    assert str(done.exception).startswith("expected the data set Flipkart, of which this command")


def test_a_recipe_that_is_none_is_told_by_the_check_of_a_project(inside, monkeypatch):
    for told in (
        {"recipes": ("majorty",)},
        {"comparisons": (("majority", "majorty"),)},
        {"variations": ({"name": "mine", "base": "majorty"},)},
    ):
        data = replace(dataset.read(inside / "vitrine.toml"), **told)
        monkeypatch.setattr(dataset, "current", lambda data=data: data)

        done = CliRunner().invoke(app, ["check"])

        assert isinstance(done.exception, RecipeError) and "majorty" in str(done.exception)


def test_a_project_announces_its_recipes_and_compares_each_with_the_one_before(inside):
    data = dataset.current()

    assert data.recipes[:2] == ("majority", "histogram-hog")
    assert data.comparisons[0] == ("majority", "histogram-hog")
    assert len(data.comparisons) == len(data.recipes) - 1
