"""What an operator sees: counters that move by one, lines that tell all but the image."""

import io
import json
import logging
import re
import time
import warnings

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pictures import plain

from vitrine.serving import telemetry
from vitrine.serving.api import create_app
from vitrine.serving.settings import Settings


@pytest.fixture
def fresh(settings):
    """Return a client of a service that nobody has asked anything."""
    with TestClient(create_app(settings)) as started:
        yield started


def values(client):
    pairs = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", client.get("/metrics").text, re.M)
    return {name: float(value) for name, value in pairs}


def test_each_answer_and_each_refusal_moves_its_counters(fresh):
    fresh.post("/api/v1/predict", files={"file": plain("red")})
    fresh.post("/api/v1/predict", files={"file": b"nothing"})
    fresh.post("/api/v1/predict/batch", files=[("files", b"nothing"), ("files", plain("blue"))])
    fresh.get("/nowhere/at/all")

    counted = values(fresh)
    assert counted['vitrine_http_requests_total{route="/api/v1/predict",status="200"}'] == 1
    assert counted['vitrine_http_requests_total{route="/api/v1/predict",status="415"}'] == 1
    assert counted['vitrine_http_requests_total{route="other",status="404"}'] == 1
    assert counted['vitrine_rejected_total{code="format_non_pris_en_charge"}'] == 2
    assert counted['vitrine_predictions_total{label="Baby Care"}'] == 1
    assert counted['vitrine_predictions_total{label="Computers"}'] == 1
    assert (
        counted["vitrine_decode_duration_seconds_count"]
        == counted["vitrine_inference_duration_seconds_count"]
        == 2
    )
    assert counted["vitrine_confidence_count"] == 2
    assert counted['vitrine_http_request_duration_seconds_count{route="/api/v1/predict"}'] == 2
    ours = {name for name in counted if not name.startswith("process_")}
    assert all(name.startswith("vitrine_") for name in ours)
    assert counted["vitrine_queue_depth"] == 0
    sha = fresh.get("/api/v1/model").json()
    assert (
        counted[f'vitrine_model_info{{sha256="{sha["sha256"]}",version="{sha["version"]}"}}'] == 1
    )


def test_hostile_addresses_and_methods_add_no_series(fresh):
    before = set(values(fresh))

    for i in range(20):
        fresh.get(f"/x{i}")
        fresh.request(f"M{i}", "/healthz")

    added = {name for name in set(values(fresh)) - before if "http_requests_total" in name}
    assert added <= {
        'vitrine_http_requests_total{route="other",status="404"}',
        'vitrine_http_requests_total{route="other",status="405"}',
        'vitrine_http_requests_total{route="/healthz",status="405"}',
        'vitrine_http_requests_total{route="/metrics",status="200"}',
    }


def test_metrics_can_be_switched_off(model_dir):
    off = Settings(model_dir=str(model_dir), workers=1, metrics=False)
    with TestClient(create_app(off)) as client:
        answer = client.get("/metrics")

    assert (answer.status_code, answer.json()["code"]) == (404, "introuvable")


@pytest.fixture
def logged(monkeypatch):
    """Return the standard output, to which the process logs as it does when it serves."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    names = ("", "vitrine.serving", "uvicorn", "uvicorn.error", "python_multipart")
    loggers = [logging.getLogger(name) for name in names]
    before = [(log.handlers, log.propagate, log.level) for log in loggers]
    telemetry.log_as_json("INFO")
    yield stream
    logging.captureWarnings(False)
    for log, (handlers, propagate, level) in zip(loggers, before, strict=True):
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


def test_a_request_is_one_line_that_tells_its_answer_and_not_its_image(fresh, logged):
    fresh.post(
        "/api/v1/predict",
        files={"file": ("my-secret-holiday.jpg", plain("red", (123, 45)))},
        headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    )
    for probe in telemetry.WATCHED:
        assert fresh.get(probe).status_code == 200

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert len(lines) == 1
    line = lines[0]
    assert line["request_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert (line["route"], line["status"], line["label"]) == ("/api/v1/predict", 200, "Baby Care")
    assert (line["width"], line["height"]) == (123, 45)
    assert line["ms"] >= 0
    assert 0 < line["score"] <= 1
    assert "holiday" not in logged.getvalue()


def test_what_a_library_warns_of_is_json_too_and_a_malformed_form_is_one_line(
    fresh, logged, monkeypatch
):
    kind = {"content-type": "multipart/form-data; boundary=B"}

    fresh.post("/api/v1/predict", content=b"--other\r\n", headers=kind)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)  # pytest has taken both back since
        monkeypatch.setattr("sys.stdout", logged)
        telemetry.log_as_json("INFO")
        warnings.warn("an odd picture", stacklevel=1)

    request, warned = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (request["status"], request["code"]) == (400, "requete_invalide")
    assert (warned["level"], warned["logger"]) == ("WARNING", "py.warnings")
    assert "an odd picture" in warned["message"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "a\tb", "<script>"])
def test_an_identifier_that_could_harm_a_log_is_replaced(fresh, given):
    answer = fresh.get("/healthz", headers={"X-Request-ID": given.encode()})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


def test_a_harmless_identifier_is_kept(fresh):
    answer = fresh.get("/healthz", headers={"X-Request-ID": "order-12.3_4"})

    assert answer.headers["x-request-id"] == "order-12.3_4"


def test_the_duration_of_a_request_is_told_in_seconds(fresh):
    began = time.perf_counter()
    fresh.post("/api/v1/predict", files={"file": plain("red")})
    spent = time.perf_counter() - began

    told = values(fresh)['vitrine_http_request_duration_seconds_sum{route="/api/v1/predict"}']
    assert 0 < told <= spent


@pytest.fixture
def spans(monkeypatch):
    """Return where the spans of a process that traces end up."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


def test_a_trace_follows_a_request_from_its_caller_to_the_model(settings, spans):
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with TestClient(create_app(settings)) as client:
        client.post(
            "/api/v1/predict", files={"file": plain("red")}, headers={"traceparent": caller}
        )
        client.get("/healthz")

    told = {span.name: span for span in spans.get_finished_spans()}
    request = told.pop("POST /api/v1/predict")
    assert told.keys() == {"decode", "infer"}
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    assert {span.parent.span_id for span in told.values()} == {request.context.span_id}


def test_nothing_is_traced_unless_somebody_asks(fresh):
    assert not fresh.app._native_telemetry.enabled()
