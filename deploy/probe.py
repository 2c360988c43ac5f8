"""Ask a running service what a visitor would: health, readiness, a prediction, a refusal.

    python deploy/probe.py api http://127.0.0.1:8000
    python deploy/probe.py ui http://127.0.0.1:7860

The workflow asks it of containers, the rehearsal of processes: the questions are the same. Only the
standard library is used, since the machine that asks may have nothing else.
"""

import json
import os
import struct
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

__all__ = [
    "ABSENT",
    "FORBIDDEN",
    "Answer",
    "ProbeError",
    "ask",
    "picture",
    "probe_api",
    "probe_ui",
    "wait_for",
]

CLASSES, ROUNDING = 7, 1e-4
CLASSIFY = "/gradio_api/call/classer"
FORBIDDEN = ("torch", "tensorflow", "keras", "jax")
"""What trains models has no place in an image that serves one."""
ABSENT = "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m)])"
"""Prints which of its arguments can be imported: nothing, for these."""


class ProbeError(Exception):
    """A service that does not answer as it should: what was expected, what came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: status, headers with names in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        """Return the body, read as JSON."""
        return json.loads(self.body)


def ask(address: str, *, data: bytes | None = None, kind: str = "", timeout: float = 20) -> Answer:
    """Send one request and return the answer, whatever its status.

    The key of the service is taken from ``API_KEY`` where it is set.

    Raises:
        OSError: If no answer came.
    """
    headers = {"Content-Type": kind} if kind else {}
    if key := os.environ.get("API_KEY"):
        headers["X-API-Key"] = key
    request = urllib.request.Request(address, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return _answer(answer)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error)


def _answer(response: urllib.response.addinfourl) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, response.read())


def wait_for(address: str, *, seconds: float, alive: Callable[[], bool] = lambda: True) -> float:
    """Wait until an address answers 200 and return the seconds that took.

    Args:
        address: Usually a health route.
        seconds: How long to wait at most.
        alive: Tells whether the server can still come up.

    Raises:
        ProbeError: If it does not answer 200 in time, or can no longer.
    """
    start, last = time.monotonic(), "no answer"
    while time.monotonic() - start < seconds and alive():
        try:
            last = f"status {ask(address, timeout=3).status}"
            if last == "status 200":
                return time.monotonic() - start
        except OSError as error:
            last = str(error)
        time.sleep(0.1)
    state = "" if alive() else "; the server has stopped"
    raise ProbeError(f"{address}: expected 200 within {seconds:g} s, found {last}{state}")


def picture(side: int = 224) -> bytes:
    """Return a PNG of a colour gradient, made without an imaging library."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(side) for v in (x % 256, y % 256, 128)) for y in range(side)
    )

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _form(content: bytes) -> tuple[bytes, str]:
    edge = "vitrine-probe"
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="photo.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{edge}--\r\n".encode(), (
        f"multipart/form-data; boundary={edge}"
    )


def _expect(condition: bool, what: str, answer: Answer) -> None:
    if not condition:
        raise ProbeError(f"expected {what}, found status {answer.status}: {answer.body[:300]!r}")


def probe_api(base: str) -> str:
    """Check that the API is ready, predicts, and refuses what is no image; return a summary.

    Raises:
        ProbeError: At the first answer that is not as promised.
        OSError: If no answer came.
    """
    ready = ask(f"{base}/readyz")
    _expect(ready.status == HTTPStatus.OK, "a service that is ready", ready)

    data, kind = _form(picture())
    start = time.monotonic()
    said = ask(f"{base}/api/v1/predict?top_k={CLASSES}", data=data, kind=kind)
    took = (time.monotonic() - start) * 1000
    _expect(said.status == HTTPStatus.OK, "a prediction", said)
    scores = [row["score"] for row in said.json()["predictions"]]
    whole = len(scores) == CLASSES and abs(sum(scores) - 1) < ROUNDING
    _expect(whole, f"{CLASSES} scores that add up to 1", said)
    _expect(said.json()["label"] == said.json()["predictions"][0]["label"], "the best first", said)

    data, kind = _form(b"no image")
    refused = ask(f"{base}/api/v1/predict", data=data, kind=kind)
    problem = refused.headers.get("content-type", "").startswith("application/problem+json")
    _expect(
        refused.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE and problem,
        "a refusal of what is no image",
        refused,
    )
    return f"ready; {said.json()['label']} at {scores[0]:.2f} in {took:.0f} ms; refuses a text"


def probe_ui(base: str) -> str:
    """Check that the interface is well and classifies its first sample; return a summary.

    The button is pressed as Gradio's page does it: a call, then its events until the last.

    Raises:
        ProbeError: At the first answer that is not as promised.
        OSError: If no answer came.
    """
    health = ask(f"{base}/healthz")
    _expect(health.status == HTTPStatus.OK, "an interface that is well", health)
    page = ask(f"{base}/")
    shown = page.status == HTTPStatus.OK and b"gradio" in page.body
    _expect(shown, "the page of the interface", page)

    call = ask(f"{base}{CLASSIFY}", data=b'{"data": []}', kind="application/json")
    _expect(call.status == HTTPStatus.OK, "a button that can be pressed", call)
    events = ask(f"{base}{CLASSIFY}/{call.json()['event_id']}", timeout=60)
    last = events.body.decode().rpartition("event: complete\ndata: ")[2]
    rows = last.count('scope=\\"row\\"')
    if rows != CLASSES:
        raise ProbeError(f"expected {CLASSES} classes in the answer shown, found {rows}")
    return f"well; page of {len(page.body) // 1024} kB; shows {rows} classes of its first sample"


PROBES = {"api": probe_api, "ui": probe_ui}


def main(arguments: list[str]) -> int:
    """Probe a service; 0 if it is as promised, 1 if not, 2 for a wrong command line."""
    match arguments:
        case [name, base] if name in PROBES:
            pass
        case _:
            print("usage: probe.py api|ui ADDRESS", file=sys.stderr)
            return 2
    try:
        print(f"{name}: {PROBES[name](base.rstrip('/'))}")
    except (ProbeError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
