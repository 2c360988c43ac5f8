"""Receive visitors' photos and keep them in memory for a while.

Gradio's own route leaves every photo on the disk, and for good what a visitor stops halfway or a
full disk cuts: a few visitors would fill it for all the others.
"""

import asyncio
import logging
import secrets
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vitrine.report.fr import significant, space
from vitrine.serving.ui.client import ServiceError
from vitrine.serving.ui.offline import gradio as gr

__all__ = ["KEPT_S", "Uploads"]

RECEIVED_S = 30.0
"""Seconds that a visitor has to send a photo, as many as the service leaves."""
KEPT_S = 1800
"""How long a photo is kept, to be classed again: under an hour, as the book says."""
_ROOM, _MOST_KEPT = 128_000_000, 1000
"""Bytes, and photos, beyond which the oldest leave."""
_COMING = 128_000_000
"""Bytes of the photos that are being received, all together."""
_AROUND = 65_536
"""Bytes that a form may have around its file."""
_TOO_LARGE, _NO_ROOM = "trop-lourde", "sans-place"
"""Names of what was not kept, in place of a photo's."""
_FULL = (
    "plus_de_place",
    "Plus de place",
    "La page n’a plus la place de recevoir une photo. Envoyez-la de nouveau dans un instant.",
)
_SLOW = "La photo n’est pas arrivée en entier à temps. Envoyez-la de nouveau."
_GONE = ("photo_perdue", "Photo introuvable", "La photo n’est plus là. Envoyez-la de nouveau.")
_log = logging.getLogger(__name__)


class Uploads:
    """The photos that visitors sent.

    Args:
        most: Largest photo, in bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._coming = 0
        self._kept: dict[str, tuple[bytes, asyncio.TimerHandle]] = {}

    def read(self, path: Path) -> bytes:
        """Return a photo; any thread may ask.

        Args:
            path: Where ``take`` said that it lies.

        Raises:
            ServiceError: If it was not taken in, or is no longer kept.
        """
        if path.name == _TOO_LARGE:
            raise ServiceError("fichier_trop_volumineux", "Fichier trop volumineux", self._limit())
        if path.name == _NO_ROOM:
            raise ServiceError(*_FULL)
        if (kept := self._kept.get(path.name)) is None:
            raise ServiceError(*_GONE)
        return kept[0]

    async def take(self, request: Request) -> Response:
        """Take in the photo that Gradio's page sends, and answer where it would lie on the disk.

        One that is refused gets a place too: ``read`` tells why, on the page and in French, where
        Gradio would show the status of HTTP.
        """
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > self.most + 1 + _AROUND:
            return PlainTextResponse(self._limit(), 413)
        if self._coming + int(length) > _COMING:
            return self._place(_NO_ROOM)
        self._coming += int(length)
        try:
            async with asyncio.timeout(RECEIVED_S), request.form(max_files=1) as form:
                sent = form.get("files")
                if not isinstance(sent, UploadFile):
                    return PlainTextResponse(
                        "Une photo est attendue, nommée «\u00a0files\u00a0».", 400
                    )
                photo = await sent.read()
            name = self._keep(photo) if len(photo) <= self.most else _TOO_LARGE
        except ClientDisconnect:
            return Response(status_code=400)
        except TimeoutError:
            return PlainTextResponse(_SLOW, 408, {"Connection": "close"})
        except OSError as error:
            _log.warning("expected room on the disk for a photo, found %s; free some", error)
            name = _NO_ROOM
        finally:
            self._coming -= int(length)
        return self._place(name)

    def _place(self, name: str) -> Response:
        folder = gr.utils.get_upload_folder()  # pyright: ignore[reportAttributeAccessIssue]
        return JSONResponse([str(Path(folder) / name)])

    def _limit(self) -> str:
        most = significant(self.most / 1e6)
        return space(f"Une photo pèse au plus {most} Mo. Réduisez-la.")

    def _keep(self, photo: bytes) -> str:
        name = secrets.token_hex(16)
        timer = asyncio.get_running_loop().call_later(KEPT_S, self._drop, name)
        self._kept[name] = photo, timer
        while len(self._kept) > 1 and self._overflows():
            self._drop(next(iter(self._kept)))
        return name

    def _overflows(self) -> bool:
        held = sum(len(photo) for photo, _ in self._kept.values())
        return held > _ROOM or len(self._kept) > _MOST_KEPT

    def _drop(self, name: str) -> None:
        self._kept.pop(name)[1].cancel()
