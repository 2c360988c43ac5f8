"""Metrics for Prometheus, and one JSON log line a request.

Neither holds an image or the name of a file. Labels of metrics are taken from closed lists, so that
a hostile client cannot make their number grow.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)  # fmt: skip

from vitrine.serving.card import Card

__all__ = ["LOG", "WATCHED", "Telemetry", "log_as_json"]

LOG = logging.getLogger("vitrine.serving")
WATCHED = ("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")
"""Routes that what supervises a service asks every few seconds: neither logged nor traced."""
SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30)


class Telemetry:
    """The metrics of one service.

    Args:
        card: The model served.
    """

    def __init__(self, card: Card) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        own: dict[str, Any] = {"registry": self.registry, "namespace": "vitrine"}
        self.requests = Counter(
            "http_requests", "Requests answered.", ["route", "status"], **own
        )  # the library adds _total
        self.seconds = Histogram(
            "http_request_duration_seconds", "Duration of requests.", ["route"], buckets=LONG, **own
        )
        self.decoding = Histogram(
            "decode_duration_seconds", "Duration of decoding an image.", buckets=SHORT, **own
        )
        self.inference = Histogram(
            "inference_duration_seconds",
            "Duration of the model.",
            buckets=SHORT,
            **own,
        )
        self.queue = Gauge("queue_depth", "Requests computed or waiting.", **own)
        self.large = Gauge(
            "large_queue_megapixels", "Megapixels of large images computed or waiting.", **own
        )
        self.rejected = Counter("rejected", "Requests and images not answered.", ["code"], **own)
        self.predictions = Counter("predictions", "Answers by class.", ["label"], **own)
        self.confidence = Histogram(
            "confidence", "Score of the answer.", buckets=[i / 10 for i in range(1, 11)], **own
        )
        self._model = Info("model", "The model served.", **own)
        self.serves(card)

    def serves(self, card: Card) -> None:
        """Tell which model is served."""
        self._model.info({"version": card.version, "sha256": card.sha256})

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def predicted(self, label: str, score: float, decode: float, inference: float) -> None:
        """Count an answer; durations are in seconds."""
        self.predictions.labels(label).inc()
        self.confidence.observe(score)
        self.decoding.observe(decode)
        self.inference.observe(inference)

    def answered(self, request_id: str, facts: dict[str, Any]) -> None:
        """Count a request and log it.

        Args:
            request_id: Its identifier.
            facts: ``method``, ``route``, ``status``, ``ms``, and what its handler added.
        """
        self.requests.labels(facts["route"], str(facts["status"])).inc()
        self.seconds.labels(facts["route"]).observe(facts["ms"] / 1e3)
        if code := facts.get("code"):
            self.rejected.labels(code).inc()
        level = logging.DEBUG if facts["route"] in WATCHED else logging.INFO
        LOG.log(level, "request", extra={"request_id": request_id, "facts": facts})


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", None):
            line["request_id"] = request_id
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["stack"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(level: str) -> None:
    """Send every line of the process to the standard output, as JSON.

    Those of the service and of its server from ``level`` on; of libraries, what they warn of.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json())
    everything = logging.getLogger()
    everything.handlers = [handler]
    everything.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in ("vitrine.serving", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(level)
    # Warns of each malformed form, which the line of its request tells already.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
