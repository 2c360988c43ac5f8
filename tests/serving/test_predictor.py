"""A model is served only if it is the one that its card describes."""

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import tiny_model
from pictures import plain
from scipy.special import softmax

from vitrine import paths
from vitrine.data import pictures as free
from vitrine.data.images import Limits
from vitrine.report.ledger.service import FORMS
from vitrine.report.recommended import RECOMMENDED
from vitrine.serving import card as cards
from vitrine.serving import model_folder
from vitrine.serving.card import ModelError
from vitrine.serving.evaluation import lost_over_folds
from vitrine.serving.predictor import (
    DEFAULT,
    MAMBAVISION,
    ROUNDED_GAP,
    Answer,
    AnswerError,
    Predictor,
    packaged,
    shipped,
)  # fmt: skip
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
def test_a_missing_file_is_named(folder, name, monkeypatch):
    (folder / name).unlink()
    monkeypatch.chdir(folder)

    with pytest.raises(
        ModelError, match=f"expected {name} in the model folder {folder.name}, "
    ) as refused:
        Predictor(".")

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
        ({"preprocessing": "prep-v0"}, "prep-v2, found prep-v0"),
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


# The models of the package


@pytest.fixture(params=shipped())
def folder_shipped(request):
    return shipped()[request.param]


def test_a_packaged_model_is_small_and_honest_about_itself(folder_shipped):
    card, model = cards.read(folder_shipped)

    text = (folder_shipped / "README.md").read_text()
    accuracy = card.metrics["accuracy"]
    assert len(model) < 6_000_000
    assert card.data["edition"] == "reduced-320"
    assert accuracy.low < accuracy.value < accuracy.high
    assert text == model_folder.describe(card, len(model))
    assert f"{100 * accuracy.value:.1f}".replace(".", ",") in text


def test_the_default_model_is_the_recommended_one_under_the_licence_of_its_start():
    card, _ = cards.read(packaged())

    assert card.name == f"{RECOMMENDED}/seed-0"
    assert "Apache-2.0" in card.licence
    assert "Apache License" in (packaged() / "LICENSE").read_text()
    assert "Changes: " in (packaged() / "NOTICE").read_text()
    lost = lost_over_folds(RECOMMENDED, "int8-static-again")
    assert card.precision == "int8-static" and lost is not None and lost < 0.005


def test_the_other_model_owes_nothing_to_anybodys_weights():
    card, _ = cards.read(packaged(MAMBAVISION))

    assert card.licence.startswith("MIT. Les poids partent du hasard")
    assert card.parity.largest_gap < 1e-4


def test_a_model_is_named_or_is_a_folder(tmp_path):
    assert packaged("mambavision") == packaged(Path("mambavision")) == shipped()[MAMBAVISION]
    assert packaged(tmp_path) == tmp_path and packaged() == shipped()[DEFAULT]


def test_a_run_that_was_exported_is_named_too_and_an_unknown_name_is_told_what_is_known(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    folder = tiny_model.write(tmp_path / "build" / "models" / "own" / "seed-0")

    with pytest.raises(ModelError) as refused:
        Predictor("absent")

    assert packaged("own") == packaged("own/seed-0") == folder
    told = "or one of efficientnet-lite0, mambavision, own/seed-0, found absent; name"
    assert told in str(refused.value) and refused.value.exit_code == 2


def test_the_models_of_the_package_have_their_names_outside_of_a_clone(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / "none"))

    assert packaged("mambavision") == shipped()[MAMBAVISION]
    with pytest.raises(ModelError, match="or one of efficientnet-lite0, mambavision, found absent"):
        packaged("absent")


def test_a_packaged_model_answers_as_its_run_on_every_test_photo(folder_shipped, shared):
    predictor = Predictor(folder_shipped)
    card, run = predictor.card, runs.load(predictor.card.name)
    test, limits = run.part("test"), Limits()

    with ZipFile(shared / "flipkart" / "flipkart-320.zip") as archive:
        inside = {name.rpartition("/")[2]: name for name in archive.namelist()}
        pixels = [predictor.read(archive.read(inside[name]), limits).pixels for name in test.image]
    told = [predictor.logits(each[None]) for each in pixels]
    given = softmax(np.concatenate([logits for logits, _ in told]).astype(float), axis=1)

    assert len(given) == card.test_images == 158
    moved = ROUNDED_GAP if card.precision == "int8-static" else 1e-4  # by another processor
    np.testing.assert_allclose(given, test.probabilities, atol=card.parity.largest_gap + moved)
    assert (given.argmax(axis=1) == test.predicted).sum() == card.parity.same_top1
    assert (given.argmax(axis=1) == test.truth).mean() == pytest.approx(
        card.metrics["accuracy"].value
    )
    assert run.meta["data"].items() <= card.data.items()
    if card.guard:
        outside = [predictor.answer(each).outside for each in pixels]
        assert np.mean(outside) == pytest.approx(card.guard.false_alarms.value)


@pytest.mark.parametrize("name", [DEFAULT, MAMBAVISION])
@pytest.mark.parametrize("kind", ["black", "grey", "white", "red", "noise"])
def test_a_model_of_the_package_takes_nothing_for_a_product(kind, name):
    predictor = Predictor(packaged(name))
    flat = {"black": 0, "grey": 128, "white": 255, "red": (200, 20, 20)}
    side = predictor.card.input_size
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    pixels = noise if kind == "noise" else np.full_like(noise, flat[kind])

    answer = predictor.answer(pixels)

    assert answer.outside


@pytest.mark.parametrize(
    ("plain_below", "level", "told"), [(1.5, 0, True), (1.5, 40, False), (0.0, 0, False)]
)
def test_a_plain_photo_is_outside_however_near_the_guard_finds_it(
    plain_below, level, told, monkeypatch
):
    predictor = Predictor(packaged(MAMBAVISION))
    near = predictor.card.guard.model_copy(update={"limit": 1e9, "plain_below": plain_below})
    monkeypatch.setattr(predictor, "card", predictor.card.model_copy(update={"guard": near}))
    pixels = np.full((predictor.card.input_size,) * 2 + (3,), 90, np.uint8)
    pixels[::2] += np.uint8(level)

    assert predictor.answer(pixels).outside is told


def test_the_default_model_is_right_on_free_pictures_as_often_as_on_the_catalogue():
    predictor, inside = Predictor(), [each for each in free.photos() if each.label]

    found = [predictor.read(each.path.read_bytes(), Limits()).pixels for each in inside]
    named = [
        predictor.card.classes[predictor.answer(pixels).probabilities.argmax()].label
        for pixels in found
    ]

    right = [said == each.label for said, each in zip(named, inside, strict=True)]
    assert right[0]
    totals = json.loads((paths.root() / FORMS).read_text(encoding="utf-8"))["totals"]
    served = next(
        row for row in totals
        if (row["recipe"], row["form"]) == (RECOMMENDED, "int8-static-again")
    )  # fmt: skip
    assert np.mean(right) >= served["right"] / served["images"]


def test_the_default_model_says_through_the_service_that_black_is_no_product():
    from fastapi.testclient import TestClient

    from vitrine.serving.api import create_app
    from vitrine.serving.settings import Settings

    with TestClient(create_app(Settings(workers=1))) as client:
        answer = client.post("/api/v1/explain", files={"file": ("x", plain("black"))}).json()
        told = client.get("/api/v1/model").json()

    assert answer["model"]["name"] == "efficientnet-lite0-torch/seed-0"
    assert (answer["map"]["rows"], answer["map"]["columns"]) == (7, 7)
    assert answer["out_of_catalogue"] and answer["uncertain"]
    assert 0 < told["guard"]["false_alarms"]["value"] < 0.1
