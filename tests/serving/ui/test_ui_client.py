import json

import httpx
import pytest
import uvicorn

from vitrine.serving.speech import Speech
from vitrine.serving.ui import client as module
from vitrine.serving.ui import markup
from vitrine.serving.ui.client import Client, ServiceError
from vitrine.serving.ui.settings import Settings

ANSWER = {
    "label": "Watches", "name": "Montres", "score": 0.75, "uncertain": False,
    "predictions": [
        {"label": "Watches", "name": "Montres", "score": 0.75},
        {"label": "Computers", "name": "Informatique", "score": 0.25},
    ],
    "model": {"name": "a", "version": "v1", "sha256": "0"},
    "image": {"width": 40, "height": 30, "format": "JPEG", "bytes": 9},
    "timings_ms": {"decode": 1.0, "inference": 2.0, "queue": 0.0, "total": 3.5},
    "request_id": "r", "map": {"rows": 1, "columns": 2, "values": [[0.0, 1.0]]},
}  # fmt: skip
PROBLEM = {
    "type": "about:blank", "title": "Image trop petite", "status": 422,
    "detail": "Chaque côté mesure au moins 8 pixels.", "code": "image_trop_petite",
    "request_id": "r-1",
}  # fmt: skip


@pytest.fixture
def ask(monkeypatch):
    """Return a maker of clients whose service answers what it is told, one answer after another."""
    monkeypatch.setattr(module.time, "sleep", lambda _: None)

    def make(*answers, **settings):
        seen, left = [], list(answers)

        def handle(request):
            seen.append(request)
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Client(Settings(**settings), httpx.MockTransport(handle)), seen

    return make


def test_a_photo_goes_to_the_service_as_it_came_and_its_name_stays_here(ask):
    client, (seen) = ask(httpx.Response(200, json=ANSWER), api_key="clef,former")

    found = client.classify(b"\xff\xd8\xff octets")

    assert found.label == "Watches" and found.score == 0.75 and found.milliseconds == 3.5
    assert found.scores == (("Montres", 0.75), ("Informatique", 0.25))
    assert found.evidence == ((0.0, 1.0),)
    assert seen[0].url.path == "/api/v1/explain" and not seen[0].url.params
    assert seen[0].headers["X-API-Key"] == "clef"
    assert b"\xff\xd8\xff octets" in seen[0].read() and b'filename="photo"' in seen[0].read()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_service_is_asked_for_the_language_of_the_page(ask, language):
    client, seen = ask(httpx.Response(200, json=ANSWER), page_language=language)

    client.classify(b"x")

    assert seen[0].headers["Accept-Language"] == language


def test_a_service_that_is_away_has_an_english_sentence_on_an_english_page(ask):
    client, _ = ask(httpx.ReadTimeout("late"), page_language="en")

    with pytest.raises(ServiceError, match="takes too long to answer") as caught:
        client.classify(b"x")

    assert caught.value.title == "Service too slow"


def test_a_problem_of_the_service_is_told_in_its_own_words(ask):
    client, seen = ask(httpx.Response(422, json=PROBLEM))

    with pytest.raises(ServiceError) as caught:
        client.classify(b"x")

    assert caught.value.code == "image_trop_petite" and not caught.value.away
    assert caught.value.title == "Image trop petite" and caught.value.request_id == "r-1"
    assert str(caught.value) == "Chaque côté mesure au moins 8 pixels."
    assert len(seen) == 1


def test_a_problem_whose_identifier_is_a_number_is_told_too(ask):
    client, _ = ask(httpx.Response(422, json=PROBLEM | {"request_id": 17}))

    with pytest.raises(ServiceError) as caught:
        client.classify(b"x")

    assert caught.value.request_id == "17"
    assert "<code>17</code>" in markup.failure(Speech(), caught.value)


def test_a_missing_key_is_told_to_a_visitor_and_its_variable_to_the_operator(ask, caplog):
    client, _ = ask(httpx.Response(401, json=PROBLEM | {"detail": "En-tête X-API-Key."}))

    with pytest.raises(ServiceError) as caught:
        client.classify(b"x")

    assert "une clé que cette page n’a pas" in str(caught.value)
    assert "API" not in str(caught.value) and caught.value.request_id == "r-1"
    assert "expected API_KEY to open http://127.0.0.1:8000" in caplog.text


@pytest.mark.parametrize(
    "first",
    [
        httpx.Response(503, json=PROBLEM, headers={"Retry-After": "1"}),
        httpx.Response(503, json=PROBLEM, headers={"Retry-After": "demain"}),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.ReadError("reset"),
    ],
    ids=["overloaded", "odd delay", "refused", "forgotten", "cut"],
)
def test_an_overloaded_service_or_a_refused_connection_is_tried_once_more(ask, first):
    client, seen = ask(first, httpx.Response(200, json=ANSWER))

    assert client.classify(b"x").label == "Watches"
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([httpx.ConnectError("refused")] * 2, "injoignable"),
        ([httpx.ReadError("reset")] * 2, "injoignable"),
        ([httpx.ReadTimeout("late")], "trop_lent"),
        ([httpx.Response(502, text="<html>Bad gateway</html>")], "reponse_illisible"),
        ([httpx.Response(404, json=["not", "a", "problem"])], "reponse_illisible"),
        ([httpx.Response(200, text="<html>Bonjour</html>")], "reponse_illisible"),
    ],
)
def test_a_service_that_is_away_or_is_another_has_a_french_sentence(ask, answers, code):
    client, _ = ask(*answers)

    with pytest.raises(ServiceError) as caught:
        client.classify(b"x")

    assert caught.value.code == code and caught.value.away
    assert str(caught.value).startswith("Le service de classement")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("score",), 1.5), (("score",), "NaN"), (("map", "values"), []),
        (("map", "values"), [[0.0], [0.0, 1.0]]), (("map", "values"), [[-1.0]]),
        (("map",), None), (("predictions",), []), (("timings_ms",), {}), (("image", "width"), None),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_right_is_not_shown(ask, path, value):
    body = json.loads(json.dumps(ANSWER))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    client, _ = ask(httpx.Response(200, text=json.dumps(body)))

    with pytest.raises(ServiceError) as caught:
        client.classify(b"x")

    assert caught.value.code == "reponse_illisible"


def test_an_image_that_is_no_png_is_not_shown(ask):
    client, _ = ask(httpx.Response(200, content=b"<svg onload=alert(1)>"))

    with pytest.raises(ServiceError, match="ne sait pas lire"):
        client.preprocess(b"x")


def test_the_real_service_answers_as_this_client_reads(service_url):
    from pictures import plain

    client = Client(Settings(api_url=service_url))
    photo = plain("blue", (40, 30))

    found, model, received = client.classify(photo), client.model(), client.preprocess(photo)
    client.close()

    assert (found.label, found.width, found.height) == ("Computers", 40, 30)
    assert len(found.scores) == 7 and sum(score for _, score in found.scores) == pytest.approx(1)
    assert found.version == model.version and model.accuracy[1] <= model.accuracy[0]
    assert received.startswith(b"\x89PNG")


def test_a_visitor_waits_a_second_at_most_whatever_the_service_asks_for(ask, monkeypatch):
    client, _ = ask(
        httpx.Response(503, json=PROBLEM, headers={"Retry-After": "3600"}),
        httpx.Response(200, json=ANSWER),
    )
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)

    client.classify(b"x")

    assert waited == [module.PATIENCE_S] == [1.0]


@pytest.mark.parametrize(
    ("code", "away"), [("modele_non_pret", True), ("trop_lent", True), ("image_trop_petite", False)]
)
def test_a_model_that_is_not_ready_is_away_and_a_refused_photo_is_not(code, away):
    assert ServiceError(code, "", "").away is away


def test_the_client_forgets_a_connection_before_the_service_does():
    with_service = Client(Settings())

    pool = with_service._http._transport._pool

    assert pool._keepalive_expiry < uvicorn.Config(None).timeout_keep_alive
