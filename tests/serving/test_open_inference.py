"""The Open Inference Protocol, asked by a client that we did not write, and by raw requests."""

import base64
import json
import re
import time

import numpy as np
import pytest
import tiny_model
from fastapi.testclient import TestClient
from pictures import plain
from running import in_a_thread
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from vitrine import paths
from vitrine.data import images
from vitrine.serving import open_inference, tensors
from vitrine.serving.api import create_app
from vitrine.serving.problems import ProblemError
from vitrine.serving.request_body import MOST_FILES
from vitrine.serving.settings import Settings

MODEL = "tiny/seed-0"
INFER = f"/v2/models/{MODEL}/infer"
COLOURS = list(tiny_model.COLOURS.items())[:3]


@pytest.fixture(scope="module")
def triton(settings):
    """Return Triton's client of a server of the tiny model."""
    with in_a_thread(create_app(settings)) as port, InferenceServerClient(f"127.0.0.1:{port}") as c:
        yield c


def photos(*files, binary=True):
    given = InferInput("photo", [len(files)], "BYTES")
    words = files if binary else [base64.b64encode(file) for file in files]
    given.set_data_from_numpy(np.array(words, dtype=object), binary_data=binary)
    return given


def body(shape=(1,), name="photo", datatype="BYTES", **more):
    one = {"name": name, "datatype": datatype, "shape": list(shape), **more}
    return {"inputs": [one]}


def text(file=None):
    return base64.b64encode(plain("red") if file is None else file).decode()


@pytest.mark.parametrize("binary", [True, False])
def test_a_public_client_gets_the_answers_of_the_service(triton, client, binary):
    files = [plain(colour) for _, colour in COLOURS]
    wanted = [InferRequestedOutput(name, binary) for name in ("label", "probabilities")]

    answer = triton.infer(MODEL, [photos(*files, binary=binary)], outputs=wanted, request_id="n1")

    labels = [label.decode() if binary else label for label in answer.as_numpy("label")]
    assert labels == [label for label, _ in COLOURS]
    for scores, file in zip(answer.as_numpy("probabilities"), files, strict=True):
        ours = client.post("/api/v1/predict", files={"file": file}).json()["predictions"]
        assert sorted(scores, reverse=True) == pytest.approx([row["score"] for row in ours])
    told = answer.get_response()
    assert (told["id"], told["model_name"]) == ("n1", MODEL)
    assert told["model_version"] == client.get("/api/v1/model").json()["version"]


@pytest.mark.parametrize("binary", [True, False])
def test_pixels_that_are_prepared_by_the_client_are_answered_as_their_photo_is(triton, binary):
    file = plain("blue", (90, 40))
    pixels = images.preprocess(file, tiny_model.SIDE)[None]
    given = InferInput("image", pixels.shape, "UINT8")
    given.set_data_from_numpy(pixels, binary_data=binary)

    prepared = triton.infer(MODEL, [given]).as_numpy("probabilities")

    assert prepared.shape == (1, 7)
    assert np.array_equal(prepared, triton.infer(MODEL, [photos(file)]).as_numpy("probabilities"))


def test_doubts_are_told_along_the_photos(triton):
    answer = triton.infer(MODEL, [photos(plain("red"), plain("gray"))])

    assert answer.as_numpy("uncertain").tolist() == [False, True]
    assert answer.as_numpy("out_of_catalogue").dtype == bool


def test_a_public_client_finds_the_server_its_models_and_their_tensors(triton, client):
    version = client.get("/api/v1/model").json()["version"]

    told = triton.get_model_metadata(MODEL)

    assert triton.is_server_live() and triton.is_server_ready()
    assert triton.is_model_ready(MODEL) and triton.is_model_ready(MODEL, version)
    assert not triton.is_model_ready("nothing") and not triton.is_model_ready(MODEL, "1")
    assert told["versions"] == [version]
    assert told["inputs"][1] == {"name": "image", "datatype": "UINT8", "shape": [-1, 32, 32, 3]}
    assert told["outputs"][0] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 7]}
    assert "binary_tensor_data" in triton.get_server_metadata()["extensions"]
    listed = [each["name"] for each in triton.get_model_repository_index()]
    assert listed == [MODEL, "efficientnet-lite0", "mambavision"]


def test_the_answer_that_the_book_shows_is_the_one_that_is_given(client):
    page = (paths.root() / "book/service.md").read_text(encoding="utf-8")
    path, address = re.search(r"--data-binary @(\S+) .*?:8000(\S+)", page, re.DOTALL).groups()

    answer = client.post(
        address, content=(paths.root() / path).read_bytes(), headers={"Content-Type": "image/jpeg"}
    ).json()

    scores, label = answer["outputs"][:2]
    first, last = (round(scores["data"][place], 4) for place in (0, -1))
    head = json.dumps(scores | {"data": [first, "…", last]}, ensure_ascii=False)
    assert f'{{"model_name": "{answer["model_name"]}", …, "outputs": [' in page
    assert head.replace('"…"', "…") in page and json.dumps(label) in page


def test_the_other_models_of_the_package_answer_to_their_names(triton):
    answer = triton.infer("mambavision", [photos(plain("red"))])

    assert answer.as_numpy("probabilities").sum() == pytest.approx(1, abs=1e-6)
    assert (
        answer.get_response()["model_version"]
        == triton.get_model_metadata("mambavision")["versions"][0]
    )


@pytest.mark.parametrize(
    "told", [{"Inference-Header-Content-Length": "0"}, {"Content-Type": "Image/JPEG; x=y"}], ids=str
)
def test_the_body_may_be_the_photo_itself(client, told):
    answer = client.post(INFER, content=plain("red"), headers=told)

    outputs = {each["name"]: each["data"] for each in answer.json()["outputs"]}
    assert outputs["label"] == ["Baby Care"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_another_method_than_post_is_refused_with_the_one_to_use(client, method, version):
    answer = client.request(method, f"/v2/models/{MODEL}{version}/infer")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_refusal_reaches_a_public_client_as_its_sentence(triton):
    with pytest.raises(InferenceServerException, match="JPEG, PNG ou WebP") as refused:
        triton.infer(MODEL, [photos(plain("red"), b"no image")])

    assert refused.value.status() == "415"


UNREAD = {
    "no JSON": b"{",
    "no input": {"inputs": []},
    "two inputs": {"inputs": body(data=[text()])["inputs"] * 2},
    "another input": body(name="x", data=[text()]),
    "another type": body(datatype="FP32", data=[text()]),
    "no value": body(),
    "no text": body(data=[3]),
    "no base64": body(data=["é!"]),
    "another count": body(shape=[2], data=[text()]),
    "no photo": body(shape=[0], data=[]),
    "seventeen photos": body(shape=[17], data=[text()] * 17),
    "a negative shape": body(shape=[-1, -1], data=[text()]),
    "no shape": body(shape=[], data=[text()]),
    "bytes that are announced and absent": body(parameters={"binary_data_size": 9}),
    "another size": body(name="image", datatype="UINT8", shape=[1, 8, 8, 3], data=[0] * 192),
    "too few pixels": body(name="image", datatype="UINT8", shape=[1, 32, 32, 3], data=[0] * 9),
    "an unknown side": body(name="image", datatype="UINT8", shape=[-1, 32, 32, 3], data=[0] * 3072),
    "a pixel of 256": body(name="image", datatype="UINT8", shape=[1, 32, 32, 3], data=[256] * 3072),
    "pixels that are texts": body(
        name="image", datatype="UINT8", shape=[1, 32, 32, 3], data=["0"] * 3072
    ),
    "a nest": b'{"inputs": [{"name": "image", "data": ' + b"[" * 5000 + b"]" * 5000 + b"}]}",
    "a million values": body(data=[text()]) | {"parameters": {"x": [0] * 1_000_000}},
    "forty thousand lists": body(data=[text()]) | {"parameters": {"x": [[[]]] * 20_000}},
    "another output": body(data=[text()]) | {"outputs": [{"name": "logits"}]},
    "five outputs": body(data=[text()]) | {"outputs": [{"name": "label"}] * 5},
    "a shape of many sides": body(shape=[1] * 33, data=[text()]),
}


@pytest.mark.parametrize("sent", UNREAD.values(), ids=UNREAD)
def test_a_request_of_another_form_is_told_the_form_expected(client, sent):
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()

    answer = client.post(INFER, content=content)

    assert (answer.status_code, answer.json()["code"]) == (400, "requete_invalide")
    assert answer.json()["error"] == answer.json()["detail"]
    outputs = isinstance(sent, dict) and "outputs" in sent
    assert ("probabilities" if outputs else "photo") in answer.json()["error"]


@pytest.mark.parametrize("value", [3, None, {"a": "b"}, ["é!"], [[]]], ids=str)
def test_a_value_that_is_no_text_is_refused_by_its_reader_and_not_by_a_check_of_types(value):
    with pytest.raises(ProblemError) as refused:
        tensors.unpack(json.dumps(body(data=[value])).encode(), None, tiny_model.SIDE)

    assert refused.value.detail["en"].startswith("The request expected has one input")
    assert not isinstance(refused.value.__cause__, TypeError)


def test_no_photo_beyond_the_most_of_a_request_is_decoded(monkeypatch):
    decoded = []
    monkeypatch.setattr(tensors, "from_base64", lambda text: decoded.append(text) or b"")
    many = body(shape=[500], data=[[""] * 500])

    with pytest.raises(ProblemError):
        tensors.unpack(json.dumps(many).encode(), None, tiny_model.SIDE)

    assert len(decoded) == MOST_FILES + 1


def test_all_the_pixels_of_a_request_may_be_nested(client):
    data = np.zeros((MOST_FILES, tiny_model.SIDE, tiny_model.SIDE, 3), dtype=int)
    sent = body(name="image", datatype="UINT8", shape=data.shape, data=data.tolist())

    answer = client.post(INFER, json=sent)

    assert answer.json()["outputs"][1]["data"] == ["Watches"] * MOST_FILES


def test_values_may_be_nested_along_the_shape(client):
    colours = ["red", "blue"]
    data = [[text(plain(colour))] for colour in colours]

    answer = client.post(INFER, json=body(shape=[2, 1], data=data)).json()

    labels = {each["name"]: each["data"] for each in answer["outputs"]}["label"]
    assert [tiny_model.COLOURS[label] for label in labels] == colours


@pytest.mark.parametrize("header", ["9999", "5", "00"])
@pytest.mark.parametrize("tail", [b"", b"\xff\xff\xff\xff", b"\x01\0\0", b"\xff\0\0\0x"])
def test_binary_values_that_lie_about_their_length_are_refused(client, header, tail):
    head = json.dumps(body(parameters={"binary_data_size": len(tail)})).encode()
    said = str(len(head)) if header == "00" else header

    answer = client.post(
        INFER, content=head + tail, headers={"Inference-Header-Content-Length": said}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "requete_invalide")


def test_it_has_the_limits_the_keys_and_the_places_of_the_service(model_dir):
    tight = Settings(
        model_dir=str(model_dir), workers=1, api_key="sesame", max_upload_bytes=5_000,
        max_batch_bytes=20_000, queue_max=8,
    )  # fmt: skip
    with TestClient(create_app(tight)) as client:

        def status(file, **headers):
            headers |= {"Inference-Header-Content-Length": "0"}
            return client.post(INFER, content=file, headers=headers).status_code

        key = {"X-API-Key": "sesame"}
        assert status(plain("red")) == 401
        assert status(plain("red"), **key) == 200
        assert status(plain("red") + b"\0" * 5_000, **key) == 413
        assert status(b"\0" * 20_001, **key) == 413
        assert client.get("/v2/health/ready").status_code == 200
        assert client.get(f"/v2/models/{MODEL}").status_code == 401
        client.app.state.service.pool._taken = 8
        assert status(plain("red"), **key) == 503


def test_what_unpacking_takes_is_taken_from_the_time_of_the_request(settings, monkeypatch):
    given = []

    async def judge_each(photos, name, within=None):
        given.append((name, within))
        raise ProblemError("surcharge")

    slow = open_inference.unpack
    monkeypatch.setattr(
        open_inference, "unpack", lambda *asked: (time.sleep(0.05), slow(*asked))[1]
    )
    with TestClient(create_app(settings)) as client:
        monkeypatch.setattr(client.app.state.service, "judge_each", judge_each)
        client.post(INFER, json=body(data=[text()]))

    [(name, within)] = given
    assert name == MODEL and 0 < within <= settings.predict_timeout_s - 0.05


def test_it_is_not_ready_before_the_model_is(settings):
    client = TestClient(create_app(settings))  # not entered: the service has not started

    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.head("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 503
    assert client.head("/v2/health/ready").status_code == 503
    assert client.post(INFER, content=b"{}").status_code == 503


def test_answers_are_counted_once_a_photo(model_dir):
    with TestClient(create_app(Settings(model_dir=str(model_dir), workers=1))) as client:
        client.post(INFER, json=body(shape=[2], data=[text(), text(plain("blue"))]))
        counted = client.get("/metrics").text

    assert 'vitrine_predictions_total{label="Baby Care"} 1.0' in counted
    assert 'vitrine_predictions_total{label="Computers"} 1.0' in counted
    assert 'route="/v2/models/{name:path}/infer",status="200"' in counted
