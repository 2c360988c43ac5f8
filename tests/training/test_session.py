import inspect
import time
from concurrent.futures import ThreadPoolExecutor

import IPython  # noqa: F401  (what a kernel has loaded)
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from vitrine.data import splits
from vitrine.training import runs, session
from vitrine.training.session import SessionError

NAME = "efficientnet-b0-keras-scratch"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("vitrine.paths.build", lambda: tmp_path)
    monkeypatch.delenv("VITRINE_PROFILE", raising=False)
    return tmp_path


def test_published_session_reads_the_tracked_split_and_runs(elsewhere):
    here = session.begin("published")

    assert here.split.sha256 == splits.load().sha256
    assert here.run(NAME).meta == runs.load(NAME).meta
    assert not here.smoke


def test_smoke_session_writes_under_build_alone(elsewhere):
    before = runs.names()

    here = session.begin("smoke")
    run = here.run("majority")

    assert run.folder.is_relative_to(elsewhere)
    assert run.name == "majority-smoke/seed-0"
    assert here.run("majority").meta == run.meta
    assert runs.names() == before


@pytest.mark.parametrize("ask", ["run", "answers"])
def test_a_miniature_that_other_code_made_is_made_again(elsewhere, ask):
    made = getattr(session.begin("smoke"), ask)("majority").folder
    note = elsewhere / "smoke" / "code.sha256"
    session.begin("smoke")
    kept = made.is_dir()

    note.write_text("0" * 64)
    session.begin("smoke")

    assert kept and not made.exists()
    assert note.read_text() != "0" * 64


def test_stand_in_answers_need_no_training_and_repeat_exactly(elsewhere):
    here = session.begin("smoke")

    first = here.answers(NAME).part("test")
    again = session.begin("smoke").answers(NAME).part("test")
    other = here.answers("histogram-hog").part("test")

    assert np.array_equal(first.probabilities, again.probabilities)
    assert not np.array_equal(first.probabilities, other.probabilities)
    assert set(first.image) == set(here.split.part("test").image)


def test_a_published_run_is_made_again_apart_and_a_probe_on_the_folds_too(elsewhere, monkeypatch):
    asked = {}

    def fit(recipe, split, catalog, **options):
        asked.update(options, recipe=recipe.name, split=split)
        return runs.load(NAME + "/seed-0")

    monkeypatch.setattr(session, "trainer_of", lambda recipe: fit)
    here, fold = session.begin("published"), splits.load_folds().fold(0, 1)
    photos = session.begin("smoke").catalog()
    monkeypatch.setattr(session.Session, "catalog", lambda here: photos)

    here.run("histogram-hog", retrain=True)
    assert asked["base"] == elsewhere / "retrain"
    assert asked["folds"].sha256 == runs.load("histogram-hog/seed-0").meta["data"]["folds_sha256"]

    here.again().fit(here.recipe("histogram-hog"), split=fold)
    assert asked["base"] == elsewhere / "retrain"
    assert asked["split"] is fold and asked["folds"] is None

    here.fit(here.recipe(NAME), seed=2, device="cpu", threads=3, resume=True)
    assert asked["base"] == here.base
    assert (asked["device"], asked["threads"], asked["resume"]) == ("cpu", 3, True)


def test_a_probe_computes_with_the_threads_that_it_is_given(elsewhere, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    here = session.begin("smoke")

    with threadpool_limits(2):
        run = here.fit(here.recipe("histogram-hog"), threads=1)
        taken = {pool["num_threads"] for pool in threadpool_info()}

    assert taken == {1} == {run.meta["hardware"]["threads"]}


@pytest.mark.parametrize("given", [{"retrain": "false"}, {"retrain": 1}, {"seed": "1"}])
def test_parameters_of_another_type_train_nothing(elsewhere, given):
    with pytest.raises(SessionError, match="expected retrain to be True or False and seed a whole"):
        inspect.unwrap(session.Session.run)(session.begin("published"), NAME, **given)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ("seed = 3", ""), ("sede = 3", "among profile, seed, typed, found sede"),
        ('seed = "abc"', "expected seed of the type of 0, found 'abc'"),
        ("profile = 3", "expected profile of the type of 'published', found 3"),
    ],
)  # fmt: skip
def test_a_parameter_that_papermill_only_warns_about_is_refused(monkeypatch, given, refused):
    class Shell:
        typed = ["", 'profile = "published"\nseed = 0', "def", "typed = 1"]
        user_ns = {"In": [*typed, f"# Parameters\n{given}\n"]}

    monkeypatch.setattr("IPython.get_ipython", Shell)

    if not refused:
        assert session.begin("published").profile == "published"
        return
    with pytest.raises(SessionError, match=refused):
        session.begin("published")


def test_a_miniature_is_made_again_where_it_was(elsewhere):
    here = session.begin("smoke")

    assert here.again() is here


@pytest.mark.parametrize("ask", ["answers", "run"])
def test_two_notebooks_that_want_a_run_at_once_get_the_same_made_once(elsewhere, monkeypatch, ask):
    here, made, finish = session.begin("smoke"), [], runs.RunFolder.finish

    def slowly(folder, *given):
        made.append(folder.name)
        time.sleep(0.2)
        return finish(folder, *given)

    monkeypatch.setattr(runs.RunFolder, "finish", slowly)
    with ThreadPoolExecutor(2) as notebooks:
        first, second = notebooks.map(getattr(here, ask), ["majority"] * 2)

    assert made == ["majority-smoke/seed-0"]
    assert first.meta == second.meta


def test_the_environment_overrides_the_profile(elsewhere, monkeypatch):
    monkeypatch.setenv("VITRINE_PROFILE", "smoke")

    assert session.begin("published").smoke


def test_an_unknown_profile_is_refused(elsewhere):
    with pytest.raises(SessionError, match="expected a profile among published, smoke, found 'x'"):
        session.begin("x")


def test_a_published_run_that_does_not_exist_is_refused(elsewhere):
    with pytest.raises(runs.RunError, match="expected the run efficientnet-b0-keras/seed-0"):
        session.begin("published").run("efficientnet-b0-keras")


def test_a_notebook_refuses_a_root_that_is_no_clone(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))

    with pytest.raises(FileNotFoundError, match="expected VITRINE_ROOT to be a clone of vitrine"):
        session.begin()
