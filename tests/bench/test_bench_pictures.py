"""The answers for the free pictures that the book counts are those that the served model gives."""

import pytest

from vitrine.bench import pictures, results
from vitrine.serving.predictor import Predictor


def test_the_kept_answers_are_those_of_the_served_model(tmp_path):
    kept = results.read("pictures")["rows"]

    found = pictures.answers(Predictor())

    chances = [row.pop("probability") for row in found]
    assert [row.pop("probability") for row in kept] == pytest.approx(chances, abs=0.01)
    assert found == kept


def test_the_command_writes_the_model_and_its_answers_where_it_is_told(tmp_path):
    path = pictures.measure(tmp_path)

    assert path == tmp_path / "pictures.json"
    assert path.read_text().count('"outside"') == len(pictures.answers(Predictor()))
