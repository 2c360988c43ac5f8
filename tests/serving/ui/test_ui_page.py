"""The page as a program sees it: its routes, its document, its events through Gradio's client."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pictures import plain
from running import free_port, process, stopped

import own_photos
from vitrine.data import project
from vitrine.data.showcase import Showcase
from vitrine.data.survey import listed
from vitrine.serving.card import Offered, Words
from vitrine.serving.speech import Speech
from vitrine.serving.ui import create_app, pictures
from vitrine.serving.ui.app import PHOTO, _photos
from vitrine.serving.ui.client import Client
from vitrine.serving.ui.events import Page
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
    yield Page(client, Showcase.read(data_dir), ui_settings, Uploads(1_000_000, 30.0))
    client.close()


@pytest.fixture
def send(page):
    """Return a way to send a photo, which gives what the browser then shows."""
    app = FastAPI()
    app.add_route("/envoi", page.uploads.take, methods=["POST"])
    with TestClient(app) as client:
        yield lambda photo: {**client.post("/envoi", content=photo).json(), "src": "blob:photo"}


def sample(page, rank=0):
    """Return what the browser shows of a sample."""
    return {"key": list(page.samples)[rank]}


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
    assert "<title>Vitrine — ranger une photo</title>" in text
    assert "og:" not in text and "raw.githubusercontent.com" not in text
    assert "<noscript>Cette page a besoin de JavaScript" in text


FRENCH = (
    "Catégorie", "catégorie", "Réessayer", "Probabilité", "photo d’exemple", "Détails", "modèle",
    "Tableau", "Envoyer", "Fermer", "Largeur", "pixels de", "Montres", "ne répond", "cette page",
)  # fmt: skip
"""Words that an English page has no use for."""


def french_in(*texts):
    return [word for word in FRENCH if any(word in text for text in texts)]


@pytest.fixture
def english(ui_settings):
    """Return the settings of an English page."""
    return ui_settings.model_copy(update={"page_language": "en"})


def test_the_document_of_an_english_page_is_english(english):
    home = TestClient(create_app(english))

    text, known = home.get("/").text, home.get("/config").json()

    assert '<html\n\tlang="en"' in text and "<title>Vitrine — classify a photo</title>" in text
    assert "<noscript>This page needs JavaScript" in text
    assert french_in(json.dumps(known, ensure_ascii=False), text) == []
    assert 'say("Close")' not in known["js"] and '"Close"' in known["js"]
    labels = [each["props"].get("label") for each in known["components"]]
    assert {"Classification", "Dashboard", "Details"} <= {*labels}
    assert home.get("/photos/photo/none.jpg").text == "This photo is not on this machine."


def test_the_page_of_an_english_project_is_english_and_names_its_classes(tmp_path):
    """In a process of its own: which project it is is settled by then."""
    photos, shop = own_photos.write(tmp_path / "photos"), tmp_path / "shop"
    table, found = listed(photos)
    project.make(shop, own_photos.draft(photos, shop), table=table, found=found)
    code = (
        "import json; from fastapi.testclient import TestClient\n"
        "from vitrine.serving.ui import create_app; home = TestClient(create_app())\n"
        "print(home.get('/').text, json.dumps(home.get('/config').json(), ensure_ascii=False))"
    )
    here = os.environ | {"VITRINE_ROOT": str(shop), "API_URL": "http://127.0.0.1:9"}

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=here, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert '<html\n\tlang="en"' in done.stdout and french_in(done.stdout) == []
    assert "one of 3 classes." in done.stdout and '["lime", "lime"]' in done.stdout
    assert "Browse the photos" in done.stdout


def test_what_an_english_page_does_is_told_in_english_by_the_service_too(
    english, data_dir, service
):
    client = Client(english)
    page = Page(client, Showcase.read(data_dir), english, Uploads(1_000_000, 30.0, Speech("en")))

    arrived = said(page.arrive(sample(page)))
    page._content = lambda key: b"GIF89a something else"
    refused = said(page.classify(sample(page)))
    del page._content
    compared, changed = page.compare(sample(page)), page.transform(sample(page))
    lost = page.compare({"key": "unknown.jpg"})
    summary, *figures = page.figures([])
    drawn = [json.loads(each.plot) for each in figures]
    service.away = True
    try:
        away = said(page.arrive(sample(page)))
    finally:
        service.away = False
        client.close()

    everything = [*arrived, *refused, compared, changed, lost, summary, *away, page.table()]
    assert french_in(*everything, json.dumps(drawn, ensure_ascii=False)) == []
    assert "Of 10 photos that it had never seen, it classifies 50.0% correctly" in arrived[0]
    assert "one of 7 classes." in arrived[0] and "95% interval: 40.0% to 60.0%" in arrived[0]
    assert "Baby Care" in arrived[3] and re.search(r">\d+\.\d%<", arrived[3])
    assert "Unsupported format" in refused[1]
    assert "efficientnet-lite0-torch" in compared and "32\u00a0×\u00a032 pixels" in changed
    assert "Photo not found" in lost and "The classification service" in away[3]
    counted, sizes, _, weights = (each["layout"] for each in drawn)
    assert sizes["separators"] == ".," and sizes["xaxis"]["title"]["text"] == "Width (px)"
    assert "Beauty<br>and Personal Care" in counted["yaxis"]["categoryarray"]
    assert "1,000" in weights["xaxis"]["ticktext"]


def test_a_service_of_other_classes_is_told_with_its_own_and_samples_are_strange_to_it(
    page, monkeypatch
):
    model, found = page.client.model(), page.client.classify(plain("red"))
    fruits = {"apple": "Pomme", "pear": "Poire"}
    monkeypatch.setattr(page.client, "model", lambda: model.model_copy(update={"classes": fruits}))
    answer = found.model_copy(update={"label": "apple", "name": "Pomme", "names": fruits})
    monkeypatch.setattr(page.client, "classify", lambda *_: answer)

    head, _, _, result, *_ = page.arrive(sample(page))

    assert model.classes == page.names
    assert "l’une des deux catégories" in head and "Pomme, Poire." in head
    assert "Hors de ces catégories" in result


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
    key = home.post("/envoi", content=b"<script>alert(1)</script>").json()["key"]

    for place in (f"/photos/photo/{key}", f"/gradio_api/file={key}", f"/envoi/{key}"):
        back = home.get(place)

        assert back.status_code in (403, 404) and "alert" not in back.text
        assert back.headers["x-content-type-options"] == "nosniff"


def test_a_file_far_beyond_any_photo_is_not_taken_in(home):
    refused = home.post("/envoi", content=b"0" * 13_000_001)

    assert refused.status_code == 413 and refused.headers["connection"] == "close"
    assert refused.json() == {"key": "refus:fichier_trop_volumineux"}


def test_gradios_own_ways_in_which_keep_files_on_the_disk_are_closed(home):
    files = {"files": ("a.mp4", b"0" * 1000, "video/mp4")}

    for way in ("/gradio_api/process_recording", "/gradio_api/upload"):
        assert home.post(way, files=files).status_code == 404
    assert home.post("/upload", files=files).status_code in (404, 405)


def test_the_page_has_the_limits_that_the_operator_sets(ui_settings):
    tight = ui_settings.model_copy(update={"max_upload_bytes": 2_000, "body_timeout_s": 3.0})
    app = create_app(tight)
    client = TestClient(app)

    known = client.get("/config").json()

    (most,) = [each["props"]["props"]["most"] for each in known["components"]
               if each["props"].get("elem_id") == "choix"]  # fmt: skip
    assert most == 2_000
    assert client.post("/envoi", content=b"0" * 2_001).status_code == 413
    assert app.state.stop.__self__.timeout == 3.0  # that of the reader of bodies


def test_a_photo_that_stops_half_way_does_not_hold_the_stop_of_the_page():
    port, sent = free_port(), b"POST /envoi HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
    started = process("-m", "vitrine.serving.ui", PORT=str(port), API_URL="http://127.0.0.1:9")

    received, seconds = stopped(started, port, "/healthz", sent)

    assert started.returncode == -signal.SIGTERM and seconds < 8
    assert received.startswith(b"HTTP/1.1 503") and b"refus:arret" in received


def test_photos_of_the_data_set_alone_are_served_small(home, page, data_dir):
    key = page.first
    (data_dir / "images" / "autre.jpg").write_bytes(plain("blue"))

    small = home.get(f"/photos/vignette/{key}")

    assert small.headers["content-type"] == "image/jpeg" and small.content[:2] == b"\xff\xd8"
    assert "private" in small.headers["cache-control"]
    for place in ("photo/autre.jpg", "photo/..%2Fsampled.csv", "photo/envoi:1"):
        assert home.get(f"/photos/{place}").status_code == 404
    assert home.get(f"/photos/enorme/{key}").status_code == 422


def test_photos_that_lie_in_a_folder_a_class_are_served(ui_settings, data_dir, tmp_path):
    shown = Showcase.read(data_dir)
    key, inside = list(shown.samples.image)[0], "a class/une photo.jpg"
    (tmp_path / "a class").mkdir()
    (tmp_path / inside).write_bytes(shown.path(key).read_bytes())
    foldered = replace(
        shown, samples=shown.samples.replace({"image": {key: inside}}), images=tmp_path
    )
    app = FastAPI()
    app.get(PHOTO)(_photos(foldered, Speech()))

    with TestClient(app) as client:
        assert client.get(f"/{pictures.address(inside, 'vignette')}").content[:2] == b"\xff\xd8"
        assert client.get("/photos/photo/a%20class/autre.jpg").status_code == 404


def do(url, what, *data):
    """Have an event of the page done, as a browser would; return how it ended."""
    visitor = secrets.token_hex(8)
    asked = {"data": data, "fn_index": what, "session_hash": visitor}
    httpx.post(f"{url}/gradio_api/queue/join", json=asked).raise_for_status()
    heard = f"{url}/gradio_api/queue/data?session_hash={visitor}"
    with httpx.stream("GET", heard, timeout=60) as told:  # Gradio may import matplotlib first
        return next(line for line in told.iter_lines() if "process_completed" in line)


def classing(url):
    """Return the number of the event that a choice begins on the server."""
    known = httpx.get(f"{url}/config").json()
    (choice,) = [e["id"] for e in known["components"] if e["props"].get("elem_id") == "choix"]
    (event,) = [
        each["id"] for each in known["dependencies"]
        if [choice, "change"] in each["targets"] and each["backend_fn"]
    ]  # fmt: skip
    return event


def test_a_photo_that_was_sent_is_classed_twice_and_never_lies_on_the_disk(ui_url):
    event, folder = classing(ui_url), Path(gr.utils.get_upload_folder())
    before = set(folder.rglob("*"))

    sent = httpx.post(f"{ui_url}/envoi", content=plain("blue")).json()
    classed = [do(ui_url, event, sent) for _ in range(2)]

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

    ended = do(ui_url, classing(ui_url), {"path": place, "meta": {"_type": "gradio.FileData"}})
    by_key = do(ui_url, classing(ui_url), {"key": place})

    assert '"success":false' in ended and fetched == []
    assert "Photo introuvable" in by_key


def test_only_one_event_of_the_page_is_a_public_endpoint(home):
    info = home.get("/gradio_api/info").json()

    assert list(info["named_endpoints"]) == ["/classer"]
    assert info["unnamed_endpoints"] == {}


def test_the_page_opens_on_the_first_sample_and_its_answer(page):
    head, line, figure, result, details, *_ = page.arrive(sample(page))

    assert "10 photos jamais vues" in head and "<code>" in line
    assert "Catégorie attendue" in result and result.count('<th scope="row">') == 7
    assert f"photos/photo/{page.first}" in figure and "carte-chaleur" in figure
    assert "Robe &lt;b&gt;" in figure and "pixels" in details


def test_the_map_is_off_until_it_is_asked_for(page):
    figure, *_ = page.classify(sample(page))

    assert 'id="voir-carte"' in figure and "checked" not in figure


def test_a_visitors_photo_is_classed_without_a_truth(page, send):
    figure, result, *_ = page.classify(send(plain("blue")))

    assert "<h2 data-annonce>Informatique</h2>" in result
    assert "Catégorie du catalogue" not in result
    assert 'src="blob:photo"' in figure and "votre photo" in figure


def test_what_is_classed_is_what_the_browser_shows_not_what_the_server_remembers(page, send):
    sent = send(plain("blue"))
    restarted = Page(page.client, page.shown, page.settings, Uploads(1_000_000, 30.0))

    gone, lost, *_ = restarted.classify(sent)
    _, other, *_ = restarted.classify(sample(page, rank=1))

    assert "Photo introuvable" in lost and "Envoyez-la de nouveau" in lost
    assert "n’est pas affichée" in gone and "<img" not in gone
    assert "Catégorie proposée" in other


def test_no_address_but_one_of_the_browser_is_shown_as_a_visitors_photo(page, send):
    sent = send(plain("blue")) | {"src": "http://example.com/a.jpg"}

    figure, *_ = page.classify(sent)

    assert "example.com" not in figure


@pytest.mark.parametrize("choice", [None, {}, "exemple", {"key": ""}, {"key": None}])
def test_without_a_photo_the_visitor_is_told_to_choose_one(page, choice):
    _, result, *_ = page.classify(choice)

    assert "Choisissez un exemple" in result and "Choisissez un exemple" in page.compare(choice)


def test_a_photo_that_is_still_coming_is_waited_for(page):
    assert said(page.classify({"key": "", "src": "blob:photo"})) == ["", ""]


def test_the_models_of_the_service_answer_for_a_photo_side_by_side(page, send):
    text = page.compare(send(plain("blue")))

    assert re.findall(r'<th scope="row">(.*?)<small>', text) == [
        "tiny", "EfficientNet-Lite0, PyTorch", "MambaVision (nano, élève de Lite0)",
    ]  # fmt: skip
    assert "<td>Informatique<small>" in text and "juste" not in text
    scores = re.findall(r"\d+,\d\u202f%", text)
    assert len(scores) == len(set(scores)) == 3  # each model answered for itself


def test_a_comparison_that_fails_says_why(page, send, service):
    refused = page.compare(send(b"GIF89a autre chose"))
    service.away = True
    try:
        away = page.compare(sample(page))
    finally:
        service.away = False

    assert "Format non pris en charge" in refused
    assert "Choisissez-en une autre" in page.compare({"key": "inconnue.jpg"})
    assert "Réponse illisible" in away


def test_a_photo_that_the_service_refuses_is_not_shown(page, send):
    figure, result, _, banner, retry, clock = page.classify(send(b"GIF89a autre chose"))

    assert "n’est pas affichée" in figure and "blob:" not in figure
    assert banner == "" and not retry["visible"] and not clock["active"]  # it would be again
    assert "Format non pris en charge" in result and "Référence de la demande" in result


def test_a_photo_too_large_for_the_page_is_told_its_limit_without_asking_the_service(page, send):
    sent = send(plain("blue") + bytes(1_000_000))
    page.client.classify = None

    _, result, *_ = page.classify(sent)

    assert "Fichier trop volumineux" in result and "au plus 1\u00a0Mo" in result


def test_a_service_that_is_away_raises_the_banner_and_starts_the_clock(page, send, service):
    sent = send(plain("blue"))
    service.away = True
    try:
        figure, *_, banner, retry, clock = page.classify(sent)
        head, _, _, result, *_ = page.arrive(sample(page))
    finally:
        service.away = False

    assert "ne répond pas" in banner and retry["visible"] and clock["active"]
    assert "blob:photo" in figure  # it may be answered in a moment
    assert "Dans quelle catégorie" in head and "ne sait pas lire" in result
    *_, banner, retry, clock = page.arrive(sample(page))
    assert banner == "" and not retry["visible"] and not clock["active"]


def jargon(*parts):
    """Return what only some visitors understand, of what parts of the page show at once."""
    unfolded = re.sub("<details><summary>Détails.*?</details>", "", "".join(parts))
    shown = re.sub("<[^>]*>", " ", unfolded)
    words = (
        "tiny", "PyTorch", "version", "exécution", "\u00a0ms", "MambaVision", "API", "Référence",
    )  # fmt: skip
    return [word for word in words if word in shown] + re.findall("[0-9a-f]{32}", shown)


def test_nothing_outside_the_details_names_a_run_or_speaks_of_software(page):
    head, line, figure, result, details, *_ = page.arrive(sample(page))

    assert jargon(head, figure, result) == []
    assert jargon(line, details) == ["tiny", "version", "exécution", "\u00a0ms"]


def test_a_failure_keeps_its_reference_in_the_details(page, send):
    refused = said(page.classify(send(b"GIF89a autre chose")))
    compared = page.compare(send(b"GIF89a autre chose"))

    assert jargon(*refused) == jargon(compared) == []
    assert re.search("<summary>Détails</summary>.*<code>[0-9a-f]{32}</code>", compared)


def test_the_dashboard_speaks_of_photos_not_of_software(page):
    summary, *figures = page.figures([])
    drawn = [json.loads(each.plot)["layout"] for each in figures]

    titles = [each[axis]["title"].get("text", "") for each in drawn for axis in ("xaxis", "yaxis")]
    assert jargon(summary, page.table(), page.transform(sample(page)), *titles) == []
    assert "médianes" in summary and "Largeur (px)" in titles


def test_a_sample_is_shown_beside_what_the_model_receives(page):
    text = page.transform(sample(page))

    assert "32\u00a0×\u00a032 pixels" in text and text.count("<img") == 2
    assert "Robe &lt;b&gt;" in text and "Robe <b>" not in text
    assert "Photo introuvable" in page.transform({"key": "inconnue.jpg"})


def test_the_gallery_has_a_row_for_the_first_of_each_class(page):
    text = page.gallery("exemple", "Une photo d’exemple")

    keys = re.findall(r'type="radio"[^>]* value="(.*?)"', text)
    classes = [page.samples[key].truth for key in keys]
    assert len(keys) == 14 and len(set(classes[:7])) == len(set(classes[7:])) == 7
    assert re.findall(r'value="([^"]*)"[^>]* checked', text) == [page.first]


def test_a_data_set_without_its_tables_leaves_the_visitors_photo(ui_settings, tmp_path):
    (tmp_path / "sampled.csv").write_text("faux\n")

    bare = create_app(ui_settings.model_copy(update={"data_dir": tmp_path}))
    text = TestClient(bare).get("/").text

    assert '"sans-tableau"' in text and '"sans-exemples"' in text and '"choix"' in text
    assert '"filtre"' not in text and '"exemples"' not in text
    assert "liste des photos est absente" in text and "sampled" not in text


def test_without_the_photo_set_free_pictures_are_offered_with_their_authors(ui_settings, tmp_path):
    client = Client(ui_settings)
    settings = ui_settings.model_copy(update={"data_dir": tmp_path})
    free = Page(client, Showcase.read(tmp_path), settings, Uploads(1_000_000, 30.0))

    first, last = (free.samples[key] for key in (free.first, list(free.samples)[-1]))
    figure, *_ = free.classify(sample(free))
    _, result, *_ = free.classify(sample(free, rank=-1))
    client.close()

    assert first.truth == "Computers" and "Photo\u00a0: Oscar" in figure
    assert "demo-" not in figure and last.truth == ""
    assert "Hors de ces catégories" in result and "Hors de ces catégories" in free.table()


@pytest.fixture
def offering(ui_settings, data_dir, monkeypatch):
    """Return a way to make the page of a service whose card offers photos; pairs of name, class."""
    client = Client(ui_settings)
    model = client.model()

    def made(*pairs):
        offered = tuple(Offered(image=image, label=label) for image, label in pairs)
        with_them = model.model_copy(
            update={"offered": offered, "words": Words(classes="sortes", outside="d’ailleurs")}
        )
        monkeypatch.setattr(Client, "model", lambda self: with_them)
        return Page(client, Showcase.read(data_dir), ui_settings, Uploads(1_000_000, 30.0))

    yield made
    client.close()


def test_the_samples_are_those_that_the_card_of_the_model_offers(offering, data_dir):
    rows = Showcase.read(data_dir).photos
    last, first = rows.iloc[-1], rows.iloc[0]
    other = next(name for name in rows["Catégorie"] if name != first["Catégorie"])

    page = offering(
        (last.fichier, last["Catégorie"]), ("absent.jpg", other), ("../dataset.csv", other),
        (first.fichier, other),
    )  # fmt: skip

    assert list(page.samples) == [page.first] == [last.fichier]
    assert page.samples[page.first].name == last["Nom du produit"]
    assert page.samples[page.first].truth == last["Catégorie"]
    assert "sortes." in page.arrive({"key": page.first})[0]


def test_a_photo_that_the_tables_know_and_the_folder_lacks_is_not_offered(data_dir, tmp_path):
    shown = Showcase.read(data_dir)
    pairs = list(zip(shown.photos.fichier, shown.photos["Catégorie"], strict=True))

    assert len(shown.offering(pairs).samples) == len(pairs)
    assert shown.offering(pairs[:3]).samples.image.tolist() == [name for name, _ in pairs[:3]]
    assert replace(shown, images=tmp_path).offering(pairs).samples.empty


def test_a_card_whose_photos_are_elsewhere_leaves_the_visitors_photo_and_says_so(
    offering, ui_settings
):
    page = offering(("elsewhere.jpg", "Watches"))

    text = TestClient(create_app(ui_settings)).get("/").text

    assert page.samples == {} and page.first == ""
    assert "ne sont pas sur cette machine. Vous pouvez" in text and '"exemples"' not in text


def test_without_the_photo_set_the_free_pictures_stay_whatever_the_card_offers(tmp_path):
    free = Showcase.read(tmp_path)

    shown = free.offering([("elsewhere.jpg", "Watches")])

    assert free.synthetic and shown is free


def test_a_page_that_starts_before_its_service_offers_the_photos_of_its_folder(
    ui_settings, data_dir
):
    alone = ui_settings.model_copy(update={"api_url": "http://127.0.0.1:9"})
    shown = Showcase.read(data_dir)

    page = Page(Client(alone), shown, alone, Uploads(1_000_000, 30.0))

    assert list(page.samples) == shown.samples.image.tolist()


def test_a_photo_without_a_title_is_called_by_its_file(page, ui_settings):
    untitled = replace(page.shown, samples=page.shown.samples.assign(product_name=""))

    shown = Page(page.client, untitled, ui_settings, page.uploads)

    key = shown.first
    assert f'title="{key}"' in shown.gallery("exemple", "Les photos")
    assert f'alt="Photo\u00a0: {key}"' in shown.figure(key)


def test_gradio_client_classes_the_first_sample(ui_url):
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
