"""A model whose files change takes the place of the former one, whole, or not at all."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import tiny_model
from fastapi.testclient import TestClient
from pictures import plain
from running import in_a_thread
from tritonclient.http import InferenceServerClient

from vitrine.serving import predictor
from vitrine.serving.api import create_app
from vitrine.serving.card import CARD, MODEL, ModelError, Sample
from vitrine.serving.predictor import Predictor, drawn
from vitrine.serving.settings import Settings

LOAD = "/v2/repository/models/tiny/seed-0/load"


def write(folder, scale=4.0, *, wrong=0.0):
    """Write a model of some confidence and its card, whose samples are wrong by so much."""
    model = tiny_model.graph(scale=scale)
    folder.mkdir(exist_ok=True)
    (folder / MODEL).write_bytes(model)
    (folder / CARD).write_text(tiny_model.card(model).to_json(), encoding="utf-8")
    told = Predictor(folder).answer(drawn(tiny_model.SIDE, 1)).probabilities + wrong
    card = tiny_model.card(model, samples=(Sample(number=1, probabilities=tuple(told)),))
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    return card.version


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "model"


@pytest.fixture
def client(folder):
    """Return a client of a service whose model may change."""
    write(folder)
    settings = Settings(model_dir=str(folder), workers=2, api_key="sesame")
    with TestClient(create_app(settings), headers={"X-API-Key": "sesame"}) as started:
        yield started


def version(client):
    return client.post("/api/v1/predict", files={"file": plain("red")}).json()["model"]["version"]


def test_a_changed_model_is_served_once_it_is_asked_for_and_not_before(client, folder):
    former = version(client)
    changed = write(folder, scale=2.0)

    before = version(client)
    answer = client.post(LOAD)

    assert (before, version(client)) == (former, changed)
    assert answer.status_code == 200 and answer.json()["version"] == changed != former
    assert client.get("/api/v1/model").json()["version"] == changed
    assert f'version="{changed}"' in client.get("/metrics").text
    assert former not in client.get("/metrics").text


def torn(folder):
    (folder / MODEL).write_bytes(tiny_model.graph(scale=3.0))


def failing_its_samples(folder):
    write(folder, scale=3.0, wrong=0.01)


@pytest.mark.parametrize("spoil", [torn, failing_its_samples])
def test_a_model_that_cannot_be_served_leaves_the_former_one_in_place(client, folder, spoil):
    former = version(client)
    spoil(folder)

    refused = client.post(LOAD, headers={"Accept-Language": "en"})

    assert (refused.status_code, refused.json()["code"]) == (409, "modele_refuse")
    assert refused.json()["error"].endswith("see the log of the service.")
    assert version(client) == former


def test_the_models_beside_have_the_classes_of_the_one_that_is_served_now(client, folder):
    names = client.app.state.service.models.names
    assert len(names) > 1
    write(folder)
    told = json.loads((folder / CARD).read_text(encoding="utf-8"))
    told["classes"][0]["label"] = "another"
    (folder / CARD).write_text(json.dumps(told), encoding="utf-8")

    assert client.post(LOAD).status_code == 200

    served, *others = names
    assert client.app.state.service.models.names == (served,)
    asked = {"files": {"file": plain("red")}, "params": {"model": others[0]}}
    assert client.post("/api/v1/predict", **asked).status_code == 422


def test_only_a_known_model_is_loaded_and_only_with_the_key(client):
    refused = client.post(LOAD.replace("tiny", "other"))
    assert (refused.status_code, refused.json()["code"]) == (404, "introuvable")
    assert client.post(LOAD.replace("tiny", "..")).status_code == 404
    assert client.post(LOAD, headers={"X-API-Key": "x"}).status_code == 401


def test_no_request_is_lost_while_a_model_changes(folder):
    versions = {write(folder)}
    settings = Settings(model_dir=str(folder), workers=2, queue_max=64)
    with in_a_thread(create_app(settings)) as port, ThreadPoolExecutor(4) as clients:

        def ask(_):
            answer = httpx.post(
                f"http://127.0.0.1:{port}/api/v1/predict", files={"file": plain("red")}, timeout=30
            )
            return answer.status_code, answer.json()["model"]["version"]

        asked = [clients.submit(ask, i) for i in range(60)]
        for scale in (2.0, 3.0, 5.0):
            versions.add(write(folder, scale))
            with InferenceServerClient(f"127.0.0.1:{port}") as triton:
                triton.load_model("tiny/seed-0")
        answers = [each.result() for each in asked]

    assert {status for status, _ in answers} == {200}
    assert {told for _, told in answers} <= versions


def test_a_model_that_fails_its_own_samples_is_not_served_at_all(folder):
    failing_its_samples(folder)

    with pytest.raises(ModelError, match="its sample 1 within 0.005, found a difference of 0.01"):
        Predictor(folder)


@pytest.mark.parametrize(("wrong", "served"), [(0.04, True), (0.06, False)])
def test_samples_of_a_model_that_computes_in_integers_may_differ_more(folder, wrong, served):
    write(folder)
    card = json.loads((folder / CARD).read_text()) | {"precision": "int8-static"}
    card["samples"][0]["probabilities"][0] += wrong
    (folder / CARD).write_text(json.dumps(card))

    if served:
        assert Predictor(folder).card.precision == "int8-static"
        return
    with pytest.raises(ModelError, match="within 0.05, found a difference of 0.06"):
        Predictor(folder)


def test_a_sample_of_other_classes_is_refused_in_one_sentence(folder):
    write(folder)
    model = (folder / MODEL).read_bytes()
    card = tiny_model.card(model, samples=(Sample(number=0, probabilities=(0.5, 0.5)),))
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")

    with pytest.raises(ModelError, match="sample 0 of the card"):
        Predictor(folder)


@pytest.mark.parametrize("name", [predictor.DEFAULT, predictor.MAMBAVISION])
def test_the_models_of_the_package_have_samples_that_differ(name):
    card = Predictor(name).card

    assert [sample.number for sample in card.samples] == [0, 1, 2]
    assert len({sample.probabilities for sample in card.samples}) == 3
    assert all(sum(each.probabilities) == pytest.approx(1, abs=1e-4) for each in card.samples)
