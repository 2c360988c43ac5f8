"""Receive visitors' photos as the service does, and keep them in memory for a while.

Gradio's own route leaves every photo on the disk, and for good what a visitor stops halfway or a
full disk cuts: a few visitors would fill it for all the others.
"""

import asyncio
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse

from vitrine.report.fr import NO_BREAK
from vitrine.serving.problems import ProblemError
from vitrine.serving.request_body import BodyReader
from vitrine.serving.speech import Speech
from vitrine.serving.ui.client import ServiceError

__all__ = ["KEPT_S", "REFUSED", "SENT", "Uploads"]

KEPT_S = 1800
"""How long a photo is kept, to be classed again: under an hour, as the book says."""
SENT, REFUSED = "envoi:", "refus:"
"""What begins the key of a photo that was sent, and of one that was not taken in."""
_ROOM, _MOST_KEPT = 128_000_000, 1000
"""Bytes, and photos, beyond which the oldest leave."""
_COMING = 128_000_000
"""Bytes of the photos that are being received, all together."""


class Uploads:
    """The photos that visitors sent.

    Args:
        most: Largest photo, in bytes.
        timeout: Seconds that a visitor has to send one.
        say: What tells why a photo is refused.
    """

    def __init__(self, most: int, timeout: float, say: Speech | None = None) -> None:
        self.most, self.bodies, self._say = most, BodyReader(_COMING, timeout), say or Speech()
        self._kept: dict[str, tuple[bytes, asyncio.TimerHandle]] = {}

    async def take(self, request: Request) -> JSONResponse:
        """Take in the photo that is the body of a request; answer its key, or why it has none.

        A photo that is refused has a key too, for which ``read`` tells why.
        """
        try:
            async with self.bodies.body(request, self.most) as photo:
                return JSONResponse({"key": self._keep(photo)})
        except ProblemError as problem:  # the rest of the body is not read: nothing may follow it
            headers = problem.headers | {"Connection": "close"}
            return JSONResponse({"key": REFUSED + problem.code}, problem.status, headers)

    def read(self, key: str) -> bytes:
        """Return a photo; any thread may ask.

        Args:
            key: As ``take`` answered it.

        Raises:
            ServiceError: If it was not taken in, or is no longer kept.
        """
        if key.startswith(REFUSED):
            raise self._refusal(key.removeprefix(REFUSED))
        if (kept := self._kept.get(key)) is None:
            detail = self._say("La photo n’est plus là. Envoyez-la de nouveau.")
            raise ServiceError("photo_perdue", self._say("Photo introuvable"), detail)
        return kept[0]

    def _refusal(self, code: str) -> ServiceError:
        say = self._say
        most = f"{say.significant(self.most / 1e6)}{NO_BREAK}{say('Mo')}"
        reasons = {
            "fichier_trop_volumineux": (
                say("Fichier trop volumineux"),
                say("Une photo pèse au plus {most}. Réduisez-la.", most=most),
            ),
            "delai_depasse": (
                say("Envoi trop lent"),
                say("La photo n’est pas arrivée en entier à temps. Envoyez-la de nouveau."),
            ),
            "surcharge": (
                say("Plus de place"),
                say("La page n’a plus la place de recevoir une photo. Envoyez-la de nouveau."),
            ),
        }
        cut = (
            say("Envoi interrompu"),
            say("La photo n’est pas arrivée jusqu’à la page. Envoyez-la de nouveau."),
        )
        return ServiceError("envoi_refuse", *reasons.get(code, cut))

    def _keep(self, photo: bytes) -> str:
        key = SENT + secrets.token_hex(16)
        timer = asyncio.get_running_loop().call_later(KEPT_S, self._drop, key)
        self._kept[key] = photo, timer
        while len(self._kept) > 1 and self._overflows():
            self._drop(next(iter(self._kept)))
        return key

    def _overflows(self) -> bool:
        held = sum(len(photo) for photo, _ in self._kept.values())
        return held > _ROOM or len(self._kept) > _MOST_KEPT

    def _drop(self, key: str) -> None:
        self._kept.pop(key)[1].cancel()
