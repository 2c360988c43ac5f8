"""The questions asked of a running service tell a good answer from each kind of bad one."""

import http.server
import io
import json
import threading
from contextlib import contextmanager

import probe
import pytest
from PIL import Image

LABELS = "abcdefg"


def scores(*values):
    rows = [{"label": LABELS[i], "score": v} for i, v in enumerate(values)]
    return {"label": "a", "predictions": rows}


def shown(rows):
    answer = json.dumps(["<table>" + '<th scope="row">' * rows])
    return f'event: generating\ndata: ["…"]\n\nevent: complete\ndata: {answer}\n\n'


GOOD = {
    "/readyz": (200, {}),
    "/healthz": (200, {}),
    "/": (200, "<gradio-app>"),
    "/gradio_api/call/classer": (200, {"event_id": "e1"}),
    "/gradio_api/call/classer/e1": (200, shown(7)),
    "/api/v1/predict?top_k=7": (200, scores(0.4, *[0.1] * 6)),
    "/api/v1/predict": (415, {"code": "format_non_pris_en_charge"}),
}


@contextmanager
def server(**changes):
    answers = GOOD | changes.pop("answers", {})
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            seen.append((self.path, dict(self.headers), self.rfile.read(length)))
            status, body = answers[self.path]
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            kind = changes.get("kind", "application/problem+json" if status > 299 else "text/html")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as stub:
        threading.Thread(target=stub.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{stub.server_port}", seen
        stub.shutdown()


def test_picture_is_a_photo_that_any_decoder_reads():
    image = Image.open(io.BytesIO(probe.picture(64)))

    image.load()

    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
    assert image.getpixel((5, 9)) == (5, 9, 128)


def test_service_that_answers_as_promised_passes_with_a_summary():
    with server() as (base, seen):
        said = probe.probe_api(base)

    assert said.startswith("ready; a at 0.40 in ")
    assert b"\x89PNG" in seen[1][2] and b'name="file"' in seen[1][2]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"/readyz": (503, {})}, "a service that is ready"),
        ({"/api/v1/predict?top_k=7": (503, {})}, "a prediction"),
        ({"/api/v1/predict?top_k=7": (200, scores(0.5, 0.5))}, "7 scores"),
        ({"/api/v1/predict?top_k=7": (200, scores(0.5, *[0.1] * 6))}, "add up to 1"),
        (
            {"/api/v1/predict?top_k=7": (200, scores(0.4, *[0.1] * 6) | {"label": "b"})},
            "the best first",
        ),
        ({"/api/v1/predict": (200, {})}, "a refusal of what is no image"),
        ({"/api/v1/predict": (500, {})}, "a refusal of what is no image"),
    ],
)
def test_service_that_breaks_its_promise_is_told(answers, told):
    with server(answers=answers) as (base, _), pytest.raises(probe.ProbeError, match=told):
        probe.probe_api(base)


def test_refusal_in_another_form_than_promised_is_told():
    with server(kind="text/html") as (base, _), pytest.raises(probe.ProbeError, match="refusal"):
        probe.probe_api(base)


def test_interface_that_classifies_passes_with_a_summary():
    with server() as (base, _):
        said = probe.probe_ui(base)

    assert said == "well; page of 0 kB; shows 7 classes of its first sample"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"/healthz": (503, {})}, "an interface that is well"),
        ({"/": (200, "nothing")}, "the page of the interface"),
        ({"/gradio_api/call/classer": (404, {})}, "a button that can be pressed"),
        ({"/gradio_api/call/classer/e1": (200, shown(0))}, "7 classes in the answer shown"),
        ({"/gradio_api/call/classer/e1": (200, "event: error\ndata: null")}, "found 0"),
    ],
)
def test_interface_that_does_not_classify_is_told(answers, told):
    with server(answers=answers) as (base, _), pytest.raises(probe.ProbeError, match=told):
        probe.probe_ui(base)


def test_key_of_the_service_goes_along(monkeypatch):
    monkeypatch.setenv("API_KEY", "sesame")

    with server() as (base, seen):
        probe.probe_ui(base)

    assert all(headers["X-Api-Key"] == "sesame" for _, headers, _ in seen)


def test_waiting_ends_when_the_server_has_stopped():
    with pytest.raises(probe.ProbeError, match="the server has stopped"):
        probe.wait_for("http://127.0.0.1:1/", seconds=60, alive=lambda: False)


def test_command_line_says_what_it_found_and_exits_accordingly(capsys):
    with server() as (base, _):
        passed = probe.main(["ui", base + "/"])
    refused = probe.main(["api", base])
    lost = probe.main(["api"])

    assert (passed, refused, lost) == (0, 1, 2)
    said = capsys.readouterr()
    assert said.out.startswith("ui: well; page of ")
    assert "usage: probe.py" in said.err
