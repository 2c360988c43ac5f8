"""What each route answers to a request that is as it should be."""

import base64
import io

import numpy as np
import pytest
import tiny_model
from fastapi.testclient import TestClient
from pictures import encode, plain
from PIL import Image

from vitrine.data import images
from vitrine.data.catalog import CLASSES_FR
from vitrine.serving.api import create_app
from vitrine.serving.card import Label
from vitrine.serving.settings import Settings


def upload(data, field="file"):
    return {field: ("photo.jpg", data, "image/jpeg")}


@pytest.mark.parametrize(("label", "colour"), tiny_model.COLOURS.items())
def test_each_class_is_found_in_its_colour(client, label, colour):
    answer = client.post("/api/v1/predict", files=upload(plain(colour))).json()

    assert (answer["label"], answer["label_fr"]) == (label, CLASSES_FR[label])
    assert answer["predictions"][0] == {
        key: answer[key] for key in ("label", "label_fr", "name", "score")
    }


def test_scores_are_the_softmax_of_the_logits_cooled_by_the_temperature(client):
    answer = client.post("/api/v1/predict", files=upload(plain("red"))).json()

    logits = 4.0 * tiny_model.SIGNS @ np.array([1.0, -1.0, -1.0]) / 2.0
    expected = np.exp(logits) / np.exp(logits).sum()
    scores = [row["score"] for row in answer["predictions"]]
    assert scores == pytest.approx(sorted(expected, reverse=True), abs=0.01)  # JPEG's red is 254
    assert sum(scores) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("colour", "uncertain"), [("red", False), ("gray", True)])
def test_an_answer_under_the_threshold_of_the_card_is_uncertain(client, colour, uncertain):
    answer = client.post("/api/v1/predict", files=upload(plain(colour))).json()

    assert answer["uncertain"] is uncertain
    assert (answer["score"] < 0.5) is uncertain


def test_the_models_of_the_package_answer_beside_the_one_that_is_served(client):
    listed = client.get("/api/v1/models").json()
    asked = [each["model"] for each in listed]

    answers = [
        client.post(f"/api/v1/predict?model={name}", files=upload(plain("red"))).json()
        for name in asked
    ]

    assert asked == ["tiny/seed-0", "efficientnet-lite0", "mambavision"]
    assert [each["model"] for each in answers] == [
        {key: each[key] for key in ("name", "version", "sha256")} for each in listed
    ]
    assert len({each["sha256"] for each in listed}) == len(asked)
    assert client.get("/api/v1/model").json()["name"] == "tiny/seed-0"


ASKED = {
    "model": "GET", "classes": "GET", "predict": "POST", "explain": "POST", "preprocess": "POST",
    "predict/batch": "POST",
}  # fmt: skip
"""Routes that take ``model``, and their method."""


@pytest.mark.parametrize(("route", "method"), ASKED.items())
def test_a_model_that_is_unknown_is_refused_by_the_name_of_its_parameter(client, route, method):
    files = {key: plain("red") for key in ("file", "files") if method == "POST"}

    refused = client.request(method, f"/api/v1/{route}?model=../x", files=files)

    assert refused.status_code == 422 and refused.json()["code"] == "requete_invalide"
    assert refused.json()["detail"] == (
        "«\u00a0model\u00a0» doit être l’un de ces noms\u00a0: tiny/seed-0, efficientnet-lite0, "
        "mambavision."
    )


def test_each_route_answers_of_the_model_that_is_asked_for(client):
    asked = {"model": "mambavision", "top_k": 2}
    files = upload(plain("red"), "files")

    batch = client.post("/api/v1/predict/batch", params=asked, files=files).json()
    seen = client.post("/api/v1/preprocess", params=asked, files=upload(plain("red"))).content

    told = client.get("/api/v1/model", params=asked).json()
    assert told["name"].startswith("mambavision") and told["classes"] == (
        client.get("/api/v1/classes", params=asked).json()
    )
    prediction = batch["items"][0]["prediction"]
    assert batch["model"] == prediction["model"]
    assert batch["model"] == {key: told[key] for key in ("name", "version", "sha256")}
    assert len(prediction["predictions"]) == 2
    assert Image.open(io.BytesIO(seen)).size == (told["input_size"],) * 2


@pytest.mark.parametrize("route", ["predict", "explain", "predict/batch"])
def test_more_classes_than_those_of_the_model_asked_for_are_refused(client, route):
    client.app.state.service.models.of("mambavision")
    asked = {"model": "mambavision", "top_k": 8}

    refused = client.post(f"/api/v1/{route}", params=asked, files={"file": plain("red")})

    assert refused.status_code == 422 and "top_k" in refused.json()["detail"]


def test_models_of_other_classes_are_not_beside_the_one_that_is_served(tmp_path):
    model = tiny_model.graph(classes=3)
    card = tiny_model.card(model)
    own = tuple(Label(id=i, label=f"own {i}", label_fr=f"own {i}") for i in range(3))
    (tmp_path / "model.onnx").write_bytes(model)
    (tmp_path / "model.json").write_text(card.model_copy(update={"classes": own}).to_json())
    with TestClient(create_app(Settings(model_dir=str(tmp_path), workers=1))) as client:
        listed = [each["model"] for each in client.get("/api/v1/models").json()]
        status = client.post("/api/v1/predict?top_k=4", files=upload(plain("red"))).status_code

    assert listed == ["tiny/seed-0"] and status == 422


def test_a_model_of_the_package_is_served_by_its_name():
    with TestClient(create_app(Settings(model_dir="mambavision", workers=1))) as client:
        listed = [each["model"] for each in client.get("/api/v1/models").json()]

    assert listed == ["mambavision", "efficientnet-lite0"]


def test_the_answer_tells_its_model_its_image_and_its_durations(client):
    data = plain("red", (123, 45), "PNG")

    answer = client.post("/api/v1/predict?top_k=2", files=upload(data)).json()

    assert len(answer["predictions"]) == 2
    assert answer["image"] == {"width": 123, "height": 45, "format": "PNG", "bytes": len(data)}
    assert answer["model"]["name"] == "tiny/seed-0"
    timings = answer["timings_ms"]
    assert timings.keys() == {"decode", "inference", "queue", "total"}
    assert timings["total"] >= timings["decode"] + timings["inference"] + timings["queue"]


def test_the_map_is_highest_where_the_colour_of_the_class_is(client):
    photo = Image.new("RGB", (320, 320), "red")
    photo.paste("blue", (0, 0, 80, 80))

    answer = client.post("/api/v1/explain", files=upload(encode(photo, "PNG"))).json()

    assert answer["label"] == "Baby Care"
    values = np.array(answer["map"]["values"])
    assert (answer["map"]["rows"], answer["map"]["columns"]) == values.shape == (4, 4)
    assert values[0, 0] == 0
    assert values[1:, 1:] == pytest.approx(1, abs=0.05)


def test_a_batch_is_answered_in_order_and_a_bad_image_does_not_stop_the_others(client):
    sent = [plain("red"), b"no image", plain("blue")]

    answer = client.post("/api/v1/predict/batch", files=[("files", ("x", one)) for one in sent])

    items = answer.json()["items"]
    assert answer.status_code == 200
    assert [item["index"] for item in items] == [0, 1, 2]
    assert [item["status"] for item in items] == ["ok", "error", "ok"]
    assert items[0]["prediction"]["label"] == "Baby Care"
    assert items[1]["problem"]["code"] == "format_non_pris_en_charge"
    assert items[2]["prediction"]["label"] == "Computers"


def test_a_batch_has_at_most_sixteen_images(client):
    def status(count):
        files = [("files", ("x", plain("red")))] * count
        return client.post("/api/v1/predict/batch", files=files).status_code

    assert (status(16), status(17)) == (200, 400)


def test_the_preprocessed_image_is_what_the_model_receives(client):
    photo = encode(Image.effect_noise((300, 200), 80).convert("RGB"))

    answer = client.post("/api/v1/preprocess", files=upload(photo))

    assert answer.headers["content-type"] == "image/png"
    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert np.array_equal(shown, images.preprocess(photo, tiny_model.SIDE))


def test_the_model_route_tells_what_the_card_says(client, model_dir):
    told = client.get("/api/v1/model").json()

    card = tiny_model.card((model_dir / "model.onnx").read_bytes()).model_dump(mode="json")
    classes = told.pop("classes")
    assert told == {key: card[key] for key in told}
    assert {"version", "sha256", "language", "metrics", "licence", "doubt"} <= told.keys()
    assert classes == [each | {"name": each["label_fr"]} for each in card["classes"]]


def test_the_words_and_the_licence_of_a_card_are_told_in_the_language_of_the_client():
    settings = Settings(model_dir="mambavision", workers=1)
    with TestClient(create_app(settings)) as client:
        french, english = (
            client.get("/api/v1/model", headers={"Accept-Language": said}).json()
            for said in ("fr", "en")
        )

    card = client.app.state.service.card
    assert french["licence"] == card.licence and french["words"] == card.words.model_dump()
    assert english["licence"].startswith("MIT. The weights start from chance")
    assert english["words"] == {
        "photo": "product photo", "classes": "classes of the catalogue",
        "outside": "outside of the catalogue",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "asked", "name"),
    [("fr", "fr", "Montres"), ("fr", "en", "Watches"), ("en", "en", "Montres")],
)
def test_what_a_card_calls_a_class_is_shown_in_the_language_of_the_card(told, asked, name):
    """The own classes of an English project are shown as its user calls them."""
    card = tiny_model.card(b"", language=told)

    assert card.shown(card.classes[-1], asked) == name


def test_the_classes_are_told_in_both_languages_in_the_models_order(client):
    told = client.get("/api/v1/classes").json()

    assert [(row["id"], row["label"], row["label_fr"]) for row in told] == [
        (i, *pair) for i, pair in enumerate(CLASSES_FR.items())
    ]


def test_the_body_may_be_the_photo_itself_on_each_route_of_one_photo(client):
    photo, kind = plain("blue", form="PNG"), {"content-type": "Image/PNG; x=y"}

    for route in ("predict", "explain", "preprocess"):
        raw = client.post(f"/api/v1/{route}", content=photo, headers=kind)
        form = client.post(f"/api/v1/{route}", files=upload(photo))
        assert raw.status_code == form.status_code == 200
        assert raw.content == form.content or raw.json()["label"] == form.json()["label"]
    refused = client.post("/api/v1/predict/batch", content=photo, headers=kind)
    assert refused.status_code == 422
    assert client.post("/api/v1/predict", content=b"", headers=kind).status_code == 400


def test_classes_are_named_in_the_language_that_the_client_reads_best(client):
    def names(accepted):
        said = {"Accept-Language": accepted}
        one = client.post("/api/v1/predict", files=upload(plain("black")), headers=said).json()
        files = upload(plain("black"), "files")
        many = client.post("/api/v1/predict/batch", files=files, headers=said).json()
        listed = client.get("/api/v1/classes", headers=said).json()
        first = one["predictions"][0]["name"]
        return {one["name"], first, many["items"][0]["prediction"]["name"], listed[6]["name"]}

    assert names("en-GB, fr;q=0.9") == {"Watches"}
    assert names("") == names("fr") == {"Montres"}


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_the_earlier_prediction_route_still_answers_and_says_it_is_deprecated(client, prefix):
    body = {"image": prefix + base64.b64encode(plain("blue")).decode()}

    answer = client.post("/predict/", json=body)

    told = answer.json()
    assert told["predicted_label"] == "Computers"
    assert told["probabilities"].keys() == set(CLASSES_FR)
    assert sum(told["probabilities"].values()) == pytest.approx(1)
    assert answer.headers["deprecation"].startswith("@")
    assert answer.headers["link"] == '</api/v1/predict>; rel="successor-version"'


def test_the_earlier_preprocessing_route_gives_the_image_of_the_new_one(client):
    photo = plain("teal")

    earlier = client.post("/normalize/", json={"image": base64.b64encode(photo).decode()}).json()

    now = client.post("/api/v1/preprocess", files=upload(photo)).content
    assert base64.b64decode(earlier["image_normalized"]) == now


def test_the_documentation_loads_nothing_from_elsewhere(client):
    page = client.get("/docs")
    sources = [part.split('"')[0] for part in page.text.split('src="')[1:]]
    sources += [part.split('"')[0] for part in page.text.split('href="')[1:]]

    assert page.status_code == 200
    assert sources
    assert all(source.startswith("/") for source in sources)
    assert all(client.get(source).status_code == 200 for source in sources)
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_the_schema_describes_every_route_its_file_and_its_problems(client):
    schema = client.get("/openapi.json").json()

    described = schema["paths"]["/api/v1/predict"]["post"]
    form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert set(described["responses"]) >= {"200", "400", "408", "413", "415", "422", "500", "503"}
    references = {
        part.split('"')[0] for part in client.get("/openapi.json").text.split("schemas/")[1:]
    }
    assert references <= schema["components"]["schemas"].keys()
    assert schema["paths"]["/predict/"]["post"]["deprecated"] is True


def test_a_photo_too_heavy_for_its_own_route_is_so_in_a_batch_too(model_dir):
    heavy = plain("red") + b"\0" * 5_000
    tight = Settings(model_dir=str(model_dir), max_upload_bytes=5_000, max_batch_bytes=20_000)

    with TestClient(create_app(tight)) as client:
        files = [("files", heavy), ("files", plain("blue"))]
        first, second = client.post("/api/v1/predict/batch", files=files).json()["items"]

    assert first["problem"]["code"] == "fichier_trop_volumineux"
    assert second["status"] == "ok"
