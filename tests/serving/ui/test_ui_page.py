"""The page as a program sees it: its routes, its document, its events through Gradio's client."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from pictures import plain

from vitrine.serving.ui import create_app
from vitrine.serving.ui.client import Client
from vitrine.serving.ui.events import Choice, Page
from vitrine.showcase import Showcase

# Gradio uses what pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="module")
def home(ui_app):
    """Return a client of the page, without starting it."""
    return TestClient(ui_app)


@pytest.fixture
def page(ui_settings, data_dir):
    client = Client(ui_settings)
    yield Page(client, Showcase.read(data_dir), ui_settings)
    client.close()


def said(parts):
    """Return what an event shows, without what it leaves as it is."""
    return [part for part in parts if isinstance(part, str)]


def test_health_does_not_depend_on_the_service(home, service):
    service.away = True
    try:
        assert home.get("/healthz").json() == {"status": "ok"}
    finally:
        service.away = False


def test_the_document_is_french_has_a_title_and_says_nothing_of_another_site(home):
    text = home.get("/").text

    assert '<html\n\tlang="fr"' in text
    assert "<title>Vitrine — ranger une photo de produit</title>" in text
    assert "og:" not in text and "raw.githubusercontent.com" not in text
    assert "<noscript>Cette page a besoin de JavaScript" in text


def test_every_answer_forbids_the_browser_to_ask_elsewhere(home):
    for path in ("/", "/healthz", "/theme.css"):
        headers = home.get(path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "http:" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_note_is_offered_as_a_pdf(home, ui_settings):
    answer = home.get("/note.pdf")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content == ui_settings.note.read_bytes()


def test_a_page_sent_as_a_photo_is_never_served_back_as_a_page(home):
    evil = ("photo.html", b"<script>alert(1)</script>", "text/html")

    (kept,) = home.post("/gradio_api/upload", files={"files": evil}).json()
    back = home.get(f"/gradio_api/file={kept}")

    assert back.headers.get("content-disposition", "").startswith("attachment")
    assert back.headers["x-content-type-options"] == "nosniff"


def test_a_file_far_beyond_any_photo_is_not_taken_in(home):
    too_much = ("photo.jpg", b"0" * 30_000_001, "image/jpeg")

    assert home.post("/gradio_api/upload", files={"files": too_much}).status_code == 413


def test_a_visitor_cannot_name_a_file_of_the_machine_as_a_photo(ui_url, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(plain("blue"))
    known = httpx.get(f"{ui_url}/config").json()["dependencies"]
    (upload,) = [each["id"] for each in known if any(t[1] == "upload" for t in each["targets"])]
    photo = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    asked = {"data": [photo], "fn_index": upload, "session_hash": "visitor"}

    httpx.post(f"{ui_url}/gradio_api/queue/join", json=asked).raise_for_status()
    with httpx.stream("GET", f"{ui_url}/gradio_api/queue/data?session_hash=visitor") as told:
        ended = next(line for line in told.iter_lines() if "process_completed" in line)

    assert '"success":false' in ended


def test_only_one_event_of_the_page_is_a_public_endpoint(home):
    info = home.get("/gradio_api/info").json()

    assert list(info["named_endpoints"]) == ["/classer"]
    assert info["unnamed_endpoints"] == {}


def test_the_first_sample_is_classed_with_its_map_and_its_truth(page):
    choice = page.choices[page.first]

    figure, result = said(page.classify(choice))

    assert "Analyse en cours" in page.wait(choice)
    assert "Montrer sur la photo ce qui a compté" in figure and "carte-chaleur" in figure
    assert "Catégorie du catalogue" in result and result.count('<th scope="row">') == 7


def test_a_visitors_photo_is_classed_without_a_truth(page, tmp_path):
    sent = tmp_path / "x.bin"
    sent.write_bytes(plain("blue"))

    choice, listed = page.receive(str(sent))
    figure, result = said(page.classify(choice))

    assert listed is None and choice == Choice(sent, "votre photo")
    assert "<h2 data-annonce>Informatique</h2>" in result
    assert "Catégorie du catalogue" not in result and "votre photo" in figure


def test_a_photo_that_the_service_refuses_is_neither_opened_nor_shown(page, tmp_path, monkeypatch):
    sent = tmp_path / "x.jpg"
    sent.write_bytes(b"GIF89a autre chose")
    monkeypatch.setattr("vitrine.images.decode", None)

    figure, result = said(page.classify(Choice(sent, "votre photo")))

    assert "n’est pas affichée" in figure
    assert "Format non pris en charge" in result and "Référence de la demande" in result


def test_a_photo_that_is_gone_is_asked_for_again(page, tmp_path):
    _, result = said(page.classify(Choice(tmp_path / "gone.jpg", "votre photo")))

    assert "Choisissez-la de nouveau" in result


def test_without_a_photo_the_visitor_is_told_to_choose_one(page):
    (told,) = said(page.classify(None))

    assert "Choisissez un exemple ou envoyez une photo" in told


def test_a_service_that_is_away_raises_the_banner_and_starts_the_clock(page, service):
    service.away = True
    try:
        *_, banner, retry, clock = page.classify(page.choices[page.first])
        arrived = page.arrive()
    finally:
        service.away = False

    assert "ne répond pas" in banner and retry["visible"] and clock["active"]
    assert "Dans quel rayon" in arrived[0] and "ne répond pas" in arrived[1]
    banner, retry, clock = page.watch()
    assert banner == "" and not retry["visible"] and not clock["active"]


def test_a_sample_is_shown_beside_what_the_model_receives(page):
    text = page.transform(page.first)

    assert "32\u00a0×\u00a032 pixels" in text and text.count("<img") == 2
    assert "Robe &lt;b&gt;" in text and "Robe <b>" not in text


def test_a_data_set_without_its_tables_leaves_the_visitors_photo(ui_settings, tmp_path):
    (tmp_path / "sampled.csv").write_text("faux\n")

    bare = create_app(dataclasses.replace(ui_settings, data_dir=tmp_path))
    text = TestClient(bare).get("/").text

    assert '"sans-tableau"' in text and '"sans-exemples"' in text and '"envoyer"' in text
    assert '"filtre"' not in text and '"exemples"' not in text


def test_gradio_client_classes_the_sample_shown_on_arrival(ui_url):
    from gradio_client import Client as GradioClient

    with_page = GradioClient(ui_url, verbose=False)

    shown = with_page.predict(api_name="/classer")

    assert any("Catégorie proposée" in str(part) for part in shown)


def test_the_interface_needs_no_framework_and_writes_nothing_beside_its_source():
    heavy = {"torch", "tensorflow", "onnxruntime", "scipy", "sklearn", "timm"}
    code = f"import vitrine.serving.ui.__main__, sys; print(*sorted({heavy!r} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
    import vitrine.serving.ui

    assert list(Path(vitrine.serving.ui.__file__).parent.glob("*.pyi")) == []
