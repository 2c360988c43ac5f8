"""Every way to fail, walked: its status, its French sentence, and nothing of the program."""

import re

import pytest
from fastapi.testclient import TestClient
from pictures import plain

from vitrine.data.images import ImageError
from vitrine.serving.api import create_app
from vitrine.serving.predictor import Predictor
from vitrine.serving.problems import (
    _DETAILS,
    LANGUAGES,
    PROBLEMS,
    REASONS,
    ProblemError,
    Sentences,
    language_of,
)
from vitrine.serving.settings import Settings

STATUS = {
    "fichier_vide": 400, "requete_invalide": 422, "non_autorise": 401, "introuvable": 404,
    "methode_non_permise": 405, "modele_refuse": 409, "delai_depasse": 408,
    "fichier_trop_volumineux": 413,
    "image_trop_grande": 413, "format_non_pris_en_charge": 415, "image_corrompue": 422,
    "image_trop_petite": 422, "proportions": 422, "prediction_invalide": 500, "interne": 500,
    "modele_non_pret": 503, "surcharge": 503, "arret": 503,
    "prediction_trop_longue": 504,
}  # fmt: skip
SECRET = "/srv/secret/model.py SomeInternalError"


def post(client, **options):
    return client.post("/api/v1/predict", files={"file": ("x", plain("red"))}, **options)


@pytest.mark.parametrize(("code", "status"), STATUS.items())
def test_each_problem_is_told_in_french_with_its_code_and_nothing_else(
    client, monkeypatch, code, status
):
    def fail(*_):
        if code == "interne":
            raise RuntimeError(SECRET)
        raise ProblemError(code) from RuntimeError(SECRET)

    monkeypatch.setattr(client.app.state.service, "judge", fail)
    answer = post(client, headers={"X-Request-ID": "walk-1"})

    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == problem["request_id"] == "walk-1"
    assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert (problem["code"], problem["title"]) == (code, PROBLEMS[code].title["fr"])
    assert not re.search(r"Error|Exception|Traceback|/srv|\.py|UploadFile|\{|\}", answer.text[1:-1])
    assert re.search(r"[àâéêèîïôûç’]| (le|la|les|un|une|au|en|de) ", problem["detail"])
    assert problem["detail"].endswith(".")
    assert ("retry-after" in answer.headers) is (status == 503)


def test_the_walk_visits_every_code():
    assert STATUS.keys() == PROBLEMS.keys()
    assert all(PROBLEMS[code].status == status for code, status in STATUS.items())


def test_every_code_of_the_decoder_is_a_problem():
    import inspect

    from vitrine.data import images

    codes = set(re.findall(r'"([a-z]+(?:_[a-z]+)*)",\s+f?"expected', inspect.getsource(images)))

    assert len(codes) >= 5
    assert codes <= PROBLEMS.keys()
    assert set(re.findall(r"``(\w+)``", ImageError.__doc__)) == codes


def test_every_reason_of_the_decoder_has_its_sentence():
    from vitrine.data import decoding

    assert decoding.UNREAD.keys() - {""} == REASONS.keys()


def test_the_sentences_carry_the_limits_in_force():
    sentences = Sentences(
        Settings(max_upload_bytes=2_500_000, max_pixels=30_000_000, body_timeout_s=7.5, workers=1)
    )

    def all_in(language):
        problems = {code: ProblemError(code) for code in PROBLEMS}
        return {code: sentences.body_of(p, "", language)["detail"] for code, p in problems.items()}

    told, english = all_in("fr"), all_in("en")

    assert "2,5\u00a0Mo" in told["fichier_trop_volumineux"]
    assert "30\u00a0millions" in told["image_trop_grande"]
    assert "10\u00a0millions" in told["image_trop_grande"]
    assert "7,5\u00a0s" in told["delai_depasse"]
    assert "20\u202f000" in told["image_trop_grande"]
    assert not any(re.search(r" [:;!?%]", text) for text in told.values())
    assert "2.5 MB" in english["fichier_trop_volumineux"]
    assert "20,000" in english["image_trop_grande"] and "7.5 s" in english["delai_depasse"]


def test_every_sentence_is_in_every_language():
    kinds = [half for kind in PROBLEMS.values() for half in (kind.title, kind.detail)]
    sentences = [*kinds, *_DETAILS.values()]

    assert len(sentences) > 40
    assert all(set(each) == set(LANGUAGES) and all(each.values()) for each in sentences)
    for each in sentences:
        fields = [set(re.findall(r"{(\w+)}", each[language])) for language in LANGUAGES]
        assert fields[0] == fields[1]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "fr"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("de, en;q=0.3", "en"), ("fr;q=0.2, en;q=0.7", "en"), ("en;q=0, fr;q=0.1", "fr"),
        ("en ; q=0.5, fr ; q=0.4", "en"), ("*", "fr"), ("de", "fr"), ("en;q=...", "fr"),
        ("fr,en", "fr"), ("en,fr", "en"), ("english", "fr"), ("é, ;;,q=", "fr"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_that_weighs_most(accepted, language):
    assert language_of(accepted) == language


def test_a_problem_is_told_in_the_language_that_the_client_reads_best(client):
    english = {"Accept-Language": "en-US,en;q=0.9"}

    refused = client.post("/api/v1/predict", files={"file": b"x"}, headers=english)
    wrong = client.get("/api/v1/nowhere", headers=english)
    items = client.post("/api/v1/predict/batch", files={"files": b"x"}, headers=english).json()

    assert refused.headers["content-language"] == "en"
    assert refused.json()["title"] == "Unsupported format"
    assert refused.json()["code"] == "format_non_pris_en_charge"
    assert wrong.json()["detail"] == (
        "No service answers at this address. The documentation is at /docs."
    )
    assert items["items"][0]["problem"]["title"] == "Unsupported format"
    assert client.get("/api/v1/nowhere").headers["content-language"] == "fr"


def test_what_nobody_expected_is_logged_with_its_stack_and_its_request(client, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(client.app.state.service, "judge", fail)
    post(client, headers={"X-Request-ID": "lost-7"})

    record = next(r for r in caplog.records if r.exc_info)
    assert record.request_id == "lost-7"
    assert SECRET in str(record.exc_info[1])


def test_nothing_is_answered_before_the_model_is_ready(settings):
    client = TestClient(create_app(settings))  # not entered: the service has not started

    assert client.get("/healthz").status_code == 200
    for answer in (client.get("/readyz"), post(client)):
        assert (answer.status_code, answer.json()["code"]) == (503, "modele_non_pret")
        assert answer.headers["retry-after"] == "1"


def test_the_service_is_ready_once_warm_and_not_after_its_end(settings, monkeypatch):
    warmed = []
    monkeypatch.setattr(Predictor, "warm_up", lambda self: warmed.append(1))

    with TestClient(create_app(settings)) as client:
        assert client.get("/readyz").status_code == 200
        assert warmed == [1]
    assert client.app.state.service.pool is None


# The key, where one is asked for


@pytest.fixture(scope="module")
def guarded(model_dir):
    """Return a client of a service that asks for a key."""
    settings = Settings(model_dir=str(model_dir), workers=1, api_key="open-sesame")
    with TestClient(create_app(settings)) as started:
        yield started


@pytest.mark.parametrize("key", [None, "", "open", "OPEN-SESAME", "é", "x" * 10_000])
def test_without_the_key_nothing_of_the_model_is_told(guarded, key):
    headers = {} if key is None else {"X-API-Key": key.encode()}

    for answer in (
        post(guarded, headers=headers),
        guarded.get("/api/v1/model", headers=headers),
        guarded.post("/predict/", json={"image": ""}, headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "non_autorise")
        assert answer.headers["WWW-Authenticate"] == "ApiKey, Bearer"  # RFC 9110 asks for it


def test_the_key_opens_and_probes_need_none(guarded):
    assert post(guarded, headers={"X-API-Key": "open-sesame"}).status_code == 200
    for said, status in (("Bearer open-sesame", 200), ("bearer open-sesame", 200),
                         ("Bearer other", 401), ("Basic open-sesame", 401)):  # fmt: skip
        assert post(guarded, headers={"Authorization": said}).status_code == status
    assert guarded.get("/healthz").status_code == guarded.get("/readyz").status_code == 200


def test_each_of_several_keys_opens_and_nothing_else_does(model_dir):
    settings = Settings(model_dir=str(model_dir), workers=1, api_key="new, former,")
    with TestClient(create_app(settings)) as client:
        for key, status in (("new", 200), ("former", 200), ("new, former,", 401), ("", 401)):
            assert post(client, headers={"X-API-Key": key}).status_code == status
        assert post(client, headers={"Authorization": "Bearer former"}).status_code == 200


def test_the_key_is_not_in_the_text_of_the_settings():
    assert "sesame" not in repr(Settings(api_key="sesame", workers=1))


# Browsers


def test_no_page_of_another_site_may_read_an_answer_unless_it_is_named(client, model_dir):
    settings = Settings(model_dir=str(model_dir), workers=1, cors_origins=("https://a.example",))
    with TestClient(create_app(settings)) as open_to_one:

        def allowed(client, origin):
            answer = client.get("/api/v1/classes", headers={"Origin": origin})
            return answer.headers.get("access-control-allow-origin")

        assert allowed(client, "https://a.example") is None
        assert allowed(open_to_one, "https://a.example") == "https://a.example"
        assert allowed(open_to_one, "https://b.example") is None


def test_a_page_that_is_named_may_read_the_headers_that_the_service_adds(model_dir):
    settings = Settings(model_dir=str(model_dir), workers=1, cors_origins=("https://a.example",))
    with TestClient(create_app(settings)) as client:
        answer = client.get("/api/v1/classes", headers={"Origin": "https://a.example"})

    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed == {"X-Request-ID", "Retry-After", "Deprecation", "Link"}


def test_every_answer_forbids_guessing_framing_and_caching(client):
    for path in ("/healthz", "/nope", "/api/v1/model", "/metrics"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers


def test_a_language_beyond_the_first_hundreds_of_characters_is_not_looked_for():
    assert language_of("x," * 100 + "en") == "en"
    assert language_of("x," * 300 + "en") == "fr"
