"""A model is served only if it is the one that its card describes."""

import json
import subprocess
import sys
from zipfile import ZipFile

import numpy as np
import pytest
import tiny_model
from pictures import plain

from vitrine.data.images import Limits
from vitrine.serving import card as cards
from vitrine.serving.card import ModelError
from vitrine.serving.predictor import Answer, AnswerError, Predictor, packaged
from vitrine.training import runs


@pytest.fixture
def folder(tmp_path):
    """Return a folder of the tiny model, to be spoiled."""
    return tiny_model.write(tmp_path / "model")


def change(folder, **fields):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_another_file_than_the_cards_is_a_mismatch(folder):
    (folder / "model.onnx").write_bytes(tiny_model.graph(scale=5.0))

    with pytest.raises(ModelError, match=r"with the SHA-256 \w{64} of its card") as refused:
        Predictor(folder)

    assert refused.value.exit_code == 3


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(ModelError, match=rf"expected {name} in the model folder") as refused:
        Predictor(folder)

    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"temperature": 0}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"sha256": "abc"}, "sha256"),
        ({"format": 2}, "format"),
        ({"classes": []}, "classes"),
        ({"surprise": 1}, "surprise"),
        ({"preprocessing": "prep-v0"}, "prep-v1, found prep-v0"),
        ({"classes": [{"id": i, "label": "x", "label_fr": "x"} for i in range(3)]}, "3 classes"),
        ({"input_size": 64}, "64 pixels"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_in_one_sentence(folder, fields, told):
    change(folder, **fields)

    with pytest.raises(ModelError) as refused:
        Predictor(folder)

    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\udcff"])
def test_a_card_that_is_no_json_object_is_refused(folder, text):
    (folder / "model.json").write_text(text, errors="surrogateescape")

    with pytest.raises(ModelError, match=r"expected model\.json as `vitrine export` writes it"):
        Predictor(folder)


def test_a_file_that_is_no_model_is_refused_even_with_its_hash(folder):
    import hashlib

    (folder / "model.onnx").write_bytes(b"no model")
    change(folder, sha256=hashlib.sha256(b"no model").hexdigest())

    with pytest.raises(ModelError, match="that ONNX Runtime"):
        Predictor(folder)


def test_a_number_that_is_not_finite_is_no_answer(folder, monkeypatch):
    predictor = Predictor(folder)
    bad = np.array([[1, 2, np.nan, 0, 0, 0, 0]], np.float32)
    monkeypatch.setattr(Predictor, "logits", lambda *_: (bad, np.zeros((1, 7, 4, 4), np.float32)))

    with pytest.raises(AnswerError):
        predictor.answer(np.zeros((32, 32, 3), np.uint8))


def test_large_logits_still_make_probabilities(folder, monkeypatch):
    predictor = Predictor(folder)
    large = np.array([[1e30, 0, -1e30, 0, 0, 0, 0]], np.float32)
    monkeypatch.setattr(Predictor, "logits", lambda *_: (large, np.zeros((1, 7, 4, 4), np.float32)))

    given = predictor.answer(np.zeros((32, 32, 3), np.uint8)).probabilities

    assert given.tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_a_map_is_brought_between_zero_and_one():
    evidence = np.array([[[1.0, 3.0], [2.0, 5.0]], [[4.0, 4.0], [4.0, 4.0]]])
    answer = Answer(np.array([0.5, 0.5]), evidence)

    assert answer.map_of(0).tolist() == [[0, 0.5], [0.25, 1]]
    assert answer.map_of(1).tolist() == [[0, 0], [0, 0]]


def test_the_first_bad_file_does_not_wait_for_every_plugin(folder):
    code = (
        "import sys, pathlib\n"
        "from vitrine.serving.predictor import Predictor\n"
        "Predictor(pathlib.Path(sys.argv[1]))\n"
        "from PIL import Image\n"
        "assert Image._initialized == 2, Image._initialized\n"
    )

    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


# The model of the package


def test_the_packaged_model_is_ours_small_and_honest_about_itself():
    card, model = cards.read(packaged())

    text = (packaged() / "README.md").read_text()
    accuracy = card.metrics["accuracy"]
    assert len(model) < 5_000_000
    assert card.licence.startswith("MIT. Les poids partent du hasard")
    assert card.data["edition"] == "reduced-320"
    assert card.parity.largest_gap < 1e-4
    assert accuracy.low < accuracy.value < accuracy.high
    assert card.version in text
    assert f"{100 * accuracy.value:.1f}".replace(".", ",") in text


def test_the_packaged_model_gives_the_predictions_of_its_run_on_every_test_photo(shared):
    predictor = Predictor()
    run = runs.load(predictor.card.name)
    test = run.part("test")
    limits = Limits()

    with ZipFile(shared / "flipkart" / "flipkart-320.zip") as archive:
        inside = {name.rpartition("/")[2]: name for name in archive.namelist()}
        pixels = np.stack(
            [predictor.read(archive.read(inside[name]), limits).pixels for name in test.image]
        )
    logits, _ = predictor.logits(pixels)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    given = odds / odds.sum(axis=1, keepdims=True)

    assert len(given) == predictor.card.test_images == 158
    np.testing.assert_allclose(given, test.probabilities, rtol=0, atol=1e-4)
    assert (given.argmax(axis=1) == test.truth).mean() == pytest.approx(
        predictor.card.metrics["accuracy"].value
    )
    assert run.meta["data"] == predictor.card.data


def test_the_packaged_model_answers_through_the_service():
    from fastapi.testclient import TestClient

    from vitrine.serving.api import create_app
    from vitrine.serving.settings import Settings

    with TestClient(create_app(Settings(workers=1))) as client:
        answer = client.post("/api/v1/explain", files={"file": ("x", plain("white"))}).json()

    assert answer["model"]["name"] == "mambavision-nano-scratch/seed-0"
    assert (answer["map"]["rows"], answer["map"]["columns"]) == (4, 4)
