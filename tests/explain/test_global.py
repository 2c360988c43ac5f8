import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from vitrine.data import splits
from vitrine.explain import derive, facts, importance, robustness
from vitrine.training import trained
from vitrine.training.runs import Predictions, Run, derived
from vitrine.training.session import Session


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)


def test_borrowing_every_channel_or_both_bands_is_borrowing_the_photo(pixels):
    order = np.roll(np.arange(12), 1)

    channels = pixels
    for part in ("red", "green", "blue"):
        mixed = importance.swap(pixels, part, order)
        index = ("red", "green", "blue").index(part)
        channels = np.where(np.arange(3) == index, mixed, channels)

    assert np.array_equal(channels, pixels[order])
    middle = importance.swap(pixels, "centre", order)
    around = importance.swap(pixels, "border", order)
    assert np.array_equal(
        middle.astype(int) + around, pixels.astype(int) + pixels[order]
    )  # what one keeps the other borrows


@pytest.mark.parametrize("part", importance.PARTS)
def test_a_photo_that_borrows_from_itself_does_not_change(pixels, part):
    same = importance.swap(pixels, part, np.arange(12))

    assert np.abs(same.astype(int) - pixels).max() <= 1


def test_low_frequencies_hold_the_mean_colour_and_high_ones_the_details():
    flat = np.full((32, 32, 3), 200, np.uint8)
    checks = np.indices((32, 32)).sum(axis=0) % 2
    board = (100 + 40 * checks)[..., None].repeat(3, axis=2).astype(np.uint8)
    pair = np.stack([flat, board])

    low = importance.swap(pair, "low", np.array([1, 0]))
    high = importance.swap(pair, "high", np.array([1, 0]))

    assert low[0].std() < 1 and low[0].mean() == pytest.approx(120, abs=1)
    assert high[0].std() == pytest.approx(20, abs=1) and high[0].mean() == pytest.approx(200, abs=1)


def test_a_model_that_reads_red_alone_loses_by_red_alone(pixels):
    labels = pd.Series(np.arange(12) % 2, index=np.arange(100, 112))
    pixels[..., 0] = np.where(labels.to_numpy() == 1, 255, 0)[:, None, None]

    def predict(photos):
        red = photos[..., 0].mean(axis=(1, 2)) / 255
        return np.stack([1 - red, red], axis=1)

    table = importance.answers(predict, pixels, labels.index.to_numpy())

    assert importance.loss(table, "red", labels).low > 0
    for part in ("green", "blue"):
        assert importance.loss(table, part, labels).value == 0


def test_robustness_answers_cover_every_condition_and_start_from_the_runs_own(
    tiny_run, demo_split, demo_catalog
):
    model = trained.load(tiny_run, demo_split, demo_catalog)
    test = demo_split.part("test")

    table = robustness.answers(model, test, demo_catalog)

    labels = demo_split.frame.set_index("row").label
    conditions = 1 + 25 + len(robustness.THUMBNAILS) + len(robustness.INPUT_SIDES)
    assert len(table) == conditions * len(test)
    own = table[(table.corruption == "input") & (table.strength == 64)].set_index("row")
    said = tiny_run.part("test")
    rows = test.set_index("image").loc[said.image].row
    assert np.array_equal(own.loc[rows].predicted, said.predicted)
    for corruption in ("blur", "thumbnail", "input"):
        curve = robustness.curve(table, corruption, labels)
        assert all(0 <= i.low <= i.value <= i.high <= 1 for i in curve.values())
    assert list(robustness.curve(table, "noise", labels)) == [0, 1, 2, 3, 4, 5]
    assert robustness.loss(table, "none", 0, labels).value == 0


def test_a_loss_counts_the_photos_that_a_condition_turns():
    labels = pd.Series([0, 1, 0, 1], index=[4, 5, 6, 7])
    plain = pd.DataFrame({"corruption": "none", "strength": 0, "row": labels.index})
    spoiled = plain.assign(corruption="blur", strength=5)
    table = pd.concat([plain.assign(predicted=labels.to_numpy()), spoiled.assign(predicted=0)])

    assert robustness.loss(table, "blur", 5, labels).value == -0.5


def test_photos_whose_answer_the_common_size_changes_are_counted():
    frame = pd.DataFrame({"row": [4, 5, 6], "image": ["c.jpg", "a.jpg", "b.jpg"]})
    plain = pd.DataFrame({"corruption": "none", "strength": 0, "row": frame.row})
    table = pd.concat(
        [plain.assign(predicted=[0, 1, 2]), plain.assign(corruption="blur", predicted=6)]
    )
    published = Predictions(
        np.array(["a.jpg", "b.jpg", "c.jpg"]), np.zeros(3, int), np.eye(3)[[1, 0, 0]]
    )

    assert robustness.turned(table, published, frame) == 1  # b.jpg alone: 0, then 2


def test_the_map_is_the_same_again_and_keeps_clusters_apart():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), 15)
    features = rng.normal(size=(45, 8)) + 12 * np.eye(3, 8)[groups]

    places = derive.embed(features)

    assert np.array_equal(places, derive.embed(features))
    kept_share = derive.neighbours_kept(features, places)
    shuffled = derive.neighbours_kept(features, rng.permutation(places))
    assert kept_share > 0.5 > shuffled


def test_a_run_without_derived_facts_is_not_even_read(tmp_path):
    whole = json.dumps({"seed": 0, "recipe": {"name": "histogram-hog"}})
    for name, content in (("majority", "{"), ("histogram-hog", whole)):
        (tmp_path / name / "seed-0").mkdir(parents=True)
        (tmp_path / name / "seed-0" / "run.json").write_text(content)
    (tmp_path / "histogram-hog" / "seed-0" / "derived").mkdir()
    (tmp_path / "histogram-hog" / "seed-0" / "derived" / "robustness.csv").write_text("")
    session = Session("published", splits.load(), tmp_path, photos=False)

    assert list(facts.explained(session, "robustness")) == ["histogram-hog"]
    assert facts.explained(session, "importance") == {}


@pytest.mark.parametrize(("trainer", "last"), [("torch", "drawing"), ("probe", "occlusion")])
def test_an_explanation_that_was_interrupted_is_made_again(trainer, last, tmp_path, monkeypatch):
    run = Run("any/seed-0", tmp_path, {"recipe": {"trainer": trainer}})
    session = Session("smoke", splits.load(), tmp_path, photos=False)
    monkeypatch.setattr(Session, "run", lambda *_: run)
    monkeypatch.setattr(Session, "catalog", lambda _: None)
    table, asked = pd.DataFrame({"row": [0]}), []
    derived.write(run, "importance", table, {})

    def explain(run, *_, quick):
        asked.append(quick)
        derived.write(run, last, table, {})

    monkeypatch.setattr("vitrine.explain.derive.explain", explain)
    for _ in range(2):
        assert set(facts.explained(session, "importance")) == set(facts.SMOKE)

    assert asked == [True]


def test_two_notebooks_that_want_facts_at_once_get_the_same_made_once(tmp_path, monkeypatch):
    run = Run("any/seed-0", tmp_path, {"recipe": {"trainer": "probe"}})
    session = Session("smoke", splits.load(), tmp_path, photos=False)
    monkeypatch.setattr(Session, "run", lambda *_: run)
    monkeypatch.setattr(Session, "catalog", lambda _: None)
    made = []

    def robustness(run, *_):
        made.append(run.name)
        time.sleep(0.2)
        derived.write(run, "robustness", pd.DataFrame({"row": [0]}), {})

    monkeypatch.setattr("vitrine.explain.derive.robustness", robustness)
    with ThreadPoolExecutor(2) as notebooks:
        found = list(notebooks.map(facts.explained, [session] * 2, ["robustness"] * 2))

    assert made == ["any/seed-0"]
    assert found == [{"histogram-hog": run}] * 2


def test_a_photo_whose_answer_changes_is_found_by_its_row_whatever_the_order_of_the_table():
    frame = pd.DataFrame({"row": [4, 5, 6], "image": ["c.jpg", "a.jpg", "b.jpg"]})
    plain = pd.DataFrame({"corruption": "none", "strength": 0, "row": [6, 4, 5]})
    published = Predictions(
        np.array(["a.jpg", "b.jpg", "c.jpg"]), np.zeros(3, int), np.eye(3)[[0, 1, 2]]
    )

    assert robustness.turned(plain.assign(predicted=[1, 2, 0]), published, frame) == 0
