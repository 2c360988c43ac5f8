"""The page as a program sees it: its routes, its document, its events through Gradio's client."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pictures import plain

from vitrine.data.showcase import Showcase
from vitrine.serving.ui import create_app
from vitrine.serving.ui.client import Client
from vitrine.serving.ui.events import Choice, Page
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.page import build
from vitrine.serving.ui.uploads import Uploads

# Gradio uses what pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="module")
def home(ui_app):
    """Return a client of the page, without starting it."""
    return TestClient(ui_app)


@pytest.fixture
def page(ui_settings, data_dir):
    client = Client(ui_settings)
    yield Page(client, Showcase.read(data_dir), ui_settings, Uploads(1_000_000))
    client.close()


@pytest.fixture
def send(page):
    """Return a way to send a photo, which gives what Gradio says of it."""
    app = FastAPI()
    app.add_route("/upload", page.uploads.take, methods=["POST"])
    with TestClient(app) as client:
        yield lambda content: {"path": client.post("/upload", files={"files": content}).json()[0]}


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
    assert answer.content == ui_settings.note_pdf.read_bytes()


def test_a_page_sent_as_a_photo_is_never_served_back_as_a_page(home):
    evil = ("photo.html", b"<script>alert(1)</script>", "text/html")

    (kept,) = home.post("/gradio_api/upload", files={"files": evil}).json()
    back = home.get(f"/gradio_api/file={kept}")

    assert back.status_code in (403, 404) and "alert" not in back.text
    assert back.headers["x-content-type-options"] == "nosniff"


def test_a_file_far_beyond_any_photo_is_not_taken_in(home):
    too_much = ("photo.jpg", b"0" * 13_100_000, "image/jpeg")

    assert home.post("/gradio_api/upload", files={"files": too_much}).status_code == 413


def test_gradios_own_ways_in_which_keep_files_on_the_disk_are_closed(home):
    video = {"video": ("a.mp4", b"0" * 1000, "video/mp4")}

    assert home.post("/gradio_api/process_recording", files=video).status_code == 404
    assert home.post("/upload", files=video).status_code in (404, 405)


def test_the_page_knows_the_limit_that_the_operator_sets(ui_settings):
    tight = create_app(ui_settings.model_copy(update={"max_upload_bytes": 2_000}))
    client = TestClient(tight)

    known = client.get("/config").json()
    (kept,) = client.post("/gradio_api/upload", files={"files": b"0" * 2_001}).json()

    assert known["max_file_size"] == 2_001
    assert "const MOST = 2000 + 1;" in known["js"]
    assert Path(kept).name == "trop-lourde"


def do(url, what, *data):
    """Have an event of the page done, as a browser would; return how it ended."""
    asked = {"data": data, "fn_index": what, "session_hash": "visitor"}
    httpx.post(f"{url}/gradio_api/queue/join", json=asked).raise_for_status()
    with httpx.stream("GET", f"{url}/gradio_api/queue/data?session_hash=visitor") as told:
        return next(line for line in told.iter_lines() if "process_completed" in line)


def upload_event(url):
    """Return the number of the event that a photo sent begins; showing that it waits comes next."""
    known = httpx.get(f"{url}/config").json()["dependencies"]
    (upload,) = [each["id"] for each in known if any(t[1] == "upload" for t in each["targets"])]
    return upload


def test_a_photo_that_was_sent_is_classed_twice_and_never_lies_on_the_disk(ui_url):
    begun, photo = upload_event(ui_url), ("photo.jpg", plain("blue"), "image/jpeg")
    folder = Path(gr.utils.get_upload_folder())
    before = set(folder.rglob("*"))

    (kept,) = httpx.post(f"{ui_url}/gradio_api/upload", files={"files": photo}).json()
    received = do(ui_url, begun, {"path": kept, "meta": {"_type": "gradio.FileData"}})
    classed = [do(ui_url, begun + 2, None) for _ in range(2)]

    assert '"success":true' in received
    assert all("<h2 data-annonce>Informatique</h2>" in each for each in classed)
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize("named", ["a file", "an address"])
def test_a_visitor_cannot_name_a_file_of_the_machine_or_an_address_as_a_photo(
    ui_url, tmp_path, monkeypatch, named
):
    secret, fetched = tmp_path / "secret.jpg", []
    secret.write_bytes(plain("blue"))
    monkeypatch.setattr(gr.processing_utils, "async_ssrf_protected_get", fetched.append)
    place = str(secret) if named == "a file" else "http://example.com/large.jpg"

    ended = do(ui_url, upload_event(ui_url), {"path": place, "meta": {"_type": "gradio.FileData"}})

    assert '"success":false' in ended and fetched == []


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


def test_a_visitors_photo_is_classed_without_a_truth(page, send):
    sent = send(plain("blue"))

    choice, listed, compared = page.receive(sent)
    figure, result = said(page.classify(choice))

    assert listed is None and compared == "" and choice == Choice(Path(sent["path"]), "votre photo")
    assert "<h2 data-annonce>Informatique</h2>" in result
    assert "Catégorie du catalogue" not in result and "votre photo" in figure


def test_the_models_of_the_service_answer_for_a_photo_side_by_side(page, send):
    choice, *_ = page.receive(send(plain("blue")))

    text = page.compare(choice)

    assert "Choisissez un exemple" in page.compare(None)
    assert re.findall(r'<th scope="row">(.*?)<small>', text) == [
        "tiny", "EfficientNet-Lite0, PyTorch", "MambaVision (nano, de zéro)",
    ]  # fmt: skip
    assert "<td>Informatique<small>" in text and "juste" not in text


def test_a_comparison_that_fails_says_why(page, send, tmp_path, service):
    refused, *_ = page.receive(send(b"GIF89a autre chose"))
    gone = Choice(tmp_path / "gone.jpg", "un exemple", "Watches")
    service.away = True
    try:
        away = page.compare(page.choices[page.first])
    finally:
        service.away = False

    assert "Format non pris en charge" in page.compare(refused)
    assert "Choisissez-la de nouveau" in page.compare(gone)
    assert "Réponse illisible" in away


def test_a_photo_that_the_service_refuses_is_neither_opened_nor_shown(page, send, monkeypatch):
    choice, *_ = page.receive(send(b"GIF89a autre chose"))
    monkeypatch.setattr("vitrine.data.images.decode", None)

    figure, result = said(page.classify(choice))

    assert "n’est pas affichée" in figure
    assert "Format non pris en charge" in result and "Référence de la demande" in result


def test_a_photo_that_is_gone_is_asked_for_again(page, tmp_path):
    gone = tmp_path / "gone.jpg"

    _, sample = said(page.classify(Choice(gone, "un exemple", "Watches")))
    _, sent = said(page.classify(Choice(gone, "votre photo")))

    assert "Choisissez-la de nouveau" in sample and "Envoyez-la de nouveau" in sent


def test_a_file_on_the_disk_is_never_read_as_a_visitors_photo(page, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(plain("blue"))

    _, result = said(page.classify(Choice(tmp_path / "secret.jpg", "votre photo")))

    assert "Photo introuvable" in result


def test_a_photo_too_large_for_the_page_is_told_its_limit_without_asking_the_service(page, send):
    sent = send(plain("blue") + bytes(1_000_000))
    page.client.classify = None

    _, result = said(page.classify(page.receive(sent)[0]))

    assert "Fichier trop volumineux" in result and "au plus 1\u00a0Mo" in result


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

    bare = create_app(ui_settings.model_copy(update={"data_dir": tmp_path}))
    text = TestClient(bare).get("/").text

    assert '"sans-tableau"' in text and '"sans-exemples"' in text and '"envoyer"' in text
    assert '"filtre"' not in text and '"exemples"' not in text


def test_without_the_photo_set_free_pictures_are_offered_with_their_authors(ui_settings, tmp_path):
    client = Client(ui_settings)
    free = Page(client, Showcase.read(tmp_path), ui_settings, Uploads(1_000_000))

    first, last = (free.choices[key] for key in (free.first, list(free.choices)[-1]))
    _, photo, _, _ = free.preview(free.first)
    _, result = said(free.classify(last))
    client.close()

    assert first.truth == "Computers" and "Photo\u00a0: Oscar" in photo
    assert "demo-" not in photo and last.truth == ""
    assert "Hors du catalogue" in result and "Hors du catalogue" in free.table()


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


def test_gradio_looks_at_its_queue_no_more_than_twenty_times_a_second(page, ui_settings):
    async def made():  # in a loop, for want of which Gradio leaves several open
        return build(page.client, page.shown, ui_settings, page.uploads)

    blocks = asyncio.run(made())

    assert blocks._queue.sleep_when_free >= 0.05
    assert blocks._queue.progress_update_sleep_when_free >= 0.05
