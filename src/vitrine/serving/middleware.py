"""ASGI middleware of every request: identifier, headers, log line, and a clean end.

A client that is refused while it still sends would see its connection cut before it reads why. So
the answer goes out at once, and what the client was sending is read and thrown away for a while,
or until the service stops.
"""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.serving.request_body import BodyReader
from vitrine.serving.telemetry import LOG, Telemetry

__all__ = ["RequestMiddleware"]

DRAIN_SECONDS = 10.0
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
"""The documentation is a page with a script of its own; it too loads nothing from elsewhere."""


class RequestMiddleware:
    """An ASGI application around another.

    Args:
        app: What answers.
        telemetry: Told of each request.
        failure: Makes the answer, given its scope, to a request that raised what nobody expected.
        bodies: What reads bodies, and is told when the service stops.
        drain: Most bytes to throw away after an early answer.
        docs: Paths that serve the documentation.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        telemetry: Telemetry,
        failure: Callable[[Scope], ASGIApp],
        bodies: BodyReader,
        drain: int,
        docs: tuple[str, ...],
    ) -> None:
        self.app, self.telemetry, self.failure = app, telemetry, failure
        self.bodies, self.drain, self.docs = bodies, drain, docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, began = Headers(scope=scope), time.perf_counter()
        request_id, facts = _identify(headers), {}
        scope.setdefault("state", {}).update(request_id=request_id, facts=facts)
        exchange = _Exchange(
            receive, send, headers, self._headers(scope, request_id), self.bodies, self.drain, facts
        )
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception:
            LOG.exception("unexpected", extra={"request_id": request_id})
            facts["code"] = "interne"
            if exchange.status is None:
                await self.failure(scope)(scope, exchange.receive, exchange.send)
        route = getattr(scope.get("route"), "path", "other")
        facts |= {
            "method": scope["method"][:16],
            "route": route,
            "status": exchange.status or 0,
            "ms": round(1e3 * (time.perf_counter() - began), 1),
        }
        self.telemetry.answered(request_id, facts)

    def _headers(self, scope: Scope, request_id: str) -> dict[str, str]:
        headers = HEADERS | {"X-Request-ID": request_id}
        if scope["path"].startswith(self.docs):
            headers |= {"Content-Security-Policy": DOCS_POLICY, "Cache-Control": "max-age=3600"}
        return headers


class _Exchange:
    """One request and its answer, watched from both sides."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        headers: Headers,
        added: dict[str, str],
        bodies: BodyReader,
        drain: int,
        facts: dict[str, Any],
    ) -> None:
        self.status: int | None = None
        self._facts, self._added, self._bodies, self._drain = facts, added, bodies, drain
        self._receive, self._send = receive, send
        length = headers.get("content-length", "0")
        chunked = "transfer-encoding" in headers
        self._unread = length != "0" or chunked
        # Two lengths are how a request hides behind another: nothing more is read (RFC 9112, 6.1).
        self._ambiguous = chunked and "content-length" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._added.items():
                headers.setdefault(name, value)
            if self._unread or self._ambiguous:
                headers["Connection"] = "close"
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and self._unread:
            await self._send({**message, "more_body": True})
            if self._facts.get("code") not in ("delai_depasse", "arret"):  # time is over
                await self._throw_away()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _throw_away(self) -> None:
        left: Any = self._drain
        try:
            async with self._bodies.within(DRAIN_SECONDS):
                while self._unread and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _identify(headers: Headers) -> str:
    """Return the client's identifier where it is harmless, its trace, or a new one."""
    given = headers.get("x-request-id", "")
    if _ID.fullmatch(given):
        return given
    if trace := _TRACE.fullmatch(headers.get("traceparent", "")):
        return trace[1]
    return uuid.uuid4().hex
