import numpy as np
import pandas as pd
import pytest

from vitrine.report import beside
from vitrine.training import recipes
from vitrine.training.runs import RunError, RunFolder, prediction_rows

# Ten products of two classes; who is right of them in each of two repetitions.
TEXT = [[1, 1, 1, 1, 0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 0, 0, 0, 1, 1, 1]]
IMAGE = [[1, 1, 0, 0, 1, 1, 0, 1, 1, 1], [1, 1, 0, 0, 1, 0, 0, 1, 1, 1]]


def answered(name, rights, base):
    frame = pd.DataFrame({"image": [f"{i}.jpg" for i in range(10)], "label": [0, 1] * 5})
    tables = [prediction_rows(frame, np.full((10, 7), 1 / 7), "test")]
    for repeat, right in enumerate(rights):
        said = np.where(right, frame.label, 2)
        for fold in range(5):
            mask = np.arange(10) % 5 == fold
            given = np.eye(7)[said[mask]] * 0.93 + 0.01
            tables.append(prediction_rows(frame[mask], given, f"repeat-{repeat}", fold))
    return RunFolder(recipes.find(name), 0, base).finish(tables, {"data": {"images": 10}})


@pytest.fixture
def pair(tmp_path):
    return answered("text-title", TEXT, tmp_path), answered("histogram-hog", IMAGE, tmp_path)


def test_products_are_counted_by_class_and_by_who_is_right_of_them(pair):
    counts = beside.shares(*pair)

    assert counts.loc[0].to_dict() == {
        "products": 5, "both": 2, "only_first": 1, "only_second": 1, "neither": 1,
    }  # fmt: skip
    assert counts.loc[1].to_dict() == {
        "products": 5, "both": 2.5, "only_first": 1, "only_second": 1, "neither": 0.5,
    }  # fmt: skip
    assert counts.loc[2:].to_numpy().sum() == 0


def test_the_oracle_misses_what_neither_gets_right(pair):
    assert beside.oracle(*pair) == pytest.approx(1 - 1.5 / 10)


def test_a_product_that_one_saves_is_one_that_it_saves_in_most_repetitions(pair):
    saved, lost = beside.alone(*pair), beside.alone(*pair[::-1])

    assert saved.image.tolist() == ["4.jpg"]  # 5 and 7: one of the two is half right
    assert saved.loc[0, ["first", "second"]].tolist() == [0, 1]
    assert lost.image.tolist() == ["2.jpg", "3.jpg"]


def test_runs_that_share_no_repetition_are_refused(tmp_path):
    text, image = answered("text-title", TEXT, tmp_path), answered("majority", [], tmp_path)

    with pytest.raises(RunError, match="expected text-title/seed-0 and majority/seed-0 to predict"):
        beside.right(text, image)
