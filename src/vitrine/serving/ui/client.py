"""An HTTP client of the service, whose errors are sentences for the visitor.

What comes back is checked before it is shown: an address that answers something else than the
service gives a sentence, not a broken page.
"""

import logging
import time
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
)  # fmt: skip

from vitrine.serving.card import Offered, Words
from vitrine.serving.speech import Speech
from vitrine.serving.ui.settings import Settings

__all__ = ["Answer", "Client", "Model", "Named", "ServiceError"]

LOG = logging.getLogger(__name__)
IDLE_S = 2.0
"""Seconds that a connection is kept for the next request: the service forgets it after five."""
_TOLD_S = 2.0
"""Seconds left to the service to say what it is, before the page tells that it is away."""
PATIENCE_S = 1.0
"""Longest wait before the one retry, whatever the service asks for."""

Body = TypeVar("Body", bound=BaseModel)


class ServiceError(Exception):
    """The service gave no answer.

    Attributes:
        code: The service's own, or ``injoignable``, ``trop_lent``, ``reponse_illisible``.
        title: What happened, in a few words.
        detail: A sentence for the visitor.
        request_id: What to look for in the logs of the service; empty when it did not answer.
    """

    def __init__(self, code: str, title: str, detail: str, request_id: str = "") -> None:
        super().__init__(detail)
        self.code, self.title, self.detail, self.request_id = code, title, detail, request_id

    @property
    def away(self) -> bool:
        """Whether nothing can be asked of the service for now."""
        return self.code in ("injoignable", "trop_lent", "reponse_illisible", "modele_non_pret")

    @property
    def passing(self) -> bool:
        """Whether the same photo may be answered a moment later."""
        return self.away or self.code in ("arret", "surcharge", "prediction_trop_longue", "interne")


def _pairs(predictions: Any) -> Any:
    """Return the name on screen and the probability of each prediction of a body."""
    return [
        (each["name"], each["score"]) if isinstance(each, dict) else each for each in predictions
    ]


def _names(classes: Any) -> Any:
    """Return the name on screen of each class of a body, by its name in the data set."""
    if isinstance(classes, dict):
        return classes
    return {each["label"]: each["name"] for each in classes}


def _interval(score: Any) -> Any:
    return [score[end] for end in ("value", "low", "high")] if isinstance(score, dict) else score


def _rectangular(rows: Any) -> Any:
    if not rows or not rows[0] or len({len(row) for row in rows}) != 1:
        raise ValueError("expected a rectangular map")
    return rows


Names = Annotated[dict[str, str], BeforeValidator(_names)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Body(BaseModel):
    """What is read of a JSON body of the service; the rest of it is left."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True)


class Answer(_Body):
    """What the service says of a photo.

    Attributes:
        label: The class, as the data set names it.
        name: What it is called on screen.
        score: Its probability.
        uncertain: Whether the probability is under the model's threshold.
        outside: Whether the photo is probably of none of the classes.
        scores: Name on screen and probability of each class, the most probable first.
        names: Name on screen of each class of the model, by its name in the data set.
        evidence: Where the evidence for the class lies, row by row, from 0 to 1.
        version: Of the model.
        width: Of the photo, in pixels, as it was sent.
        height: Of the photo, in pixels.
        milliseconds: Between reception and answer, in the service.
    """

    label: str
    name: str
    score: Share
    uncertain: bool
    outside: bool = Field(False, alias="out_of_catalogue")
    scores: Annotated[tuple[tuple[str, Share], ...], BeforeValidator(_pairs)] = Field(
        alias="predictions", min_length=1
    )
    names: Names = Field(alias="predictions")
    evidence: Annotated[tuple[tuple[Share, ...], ...], AfterValidator(_rectangular)] = Field(
        validation_alias=AliasPath("map", "values")
    )
    version: str = Field(validation_alias=AliasPath("model", "version"))
    width: int = Field(validation_alias=AliasPath("image", "width"))
    height: int = Field(validation_alias=AliasPath("image", "height"))
    milliseconds: float = Field(validation_alias=AliasPath("timings_ms", "total"))


class Model(_Body):
    """What the service says of its model.

    Attributes:
        name: The run it comes from.
        version: Its version.
        framework: What trained it.
        input_size: Side of the square photo that it receives, in pixels.
        test_images: Photos that its accuracy was measured on.
        accuracy: Share of them that it classes well, and its 95 % interval; ``None`` if not told.
        licence: Of its weights.
        classes: Name on screen of each class, by its name in the data set.
        offered: Photos that it can be tried on, if they are here.
        words: What its photos and their classes are called.
    """

    name: str
    version: str
    framework: str
    input_size: int
    test_images: int
    accuracy: Annotated[tuple[Share, Share, Share] | None, BeforeValidator(_interval)] = Field(
        None, validation_alias=AliasPath("metrics", "accuracy")
    )
    licence: str
    classes: Names
    offered: tuple[Offered, ...] = ()
    words: Words = Words()


class Named(_Body):
    """A model that can be asked for.

    Attributes:
        model: What the service calls it.
        name: The run it comes from.
    """

    model: str
    name: str


class _Models(RootModel[tuple[Named, ...]]):
    pass


class Client:
    """Asks the service; safe to share between threads.

    Args:
        settings: Where the service is, its key, and how long to wait.
        transport: How requests travel; tests give their own.
    """

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"X-API-Key": settings.keys[0]} if settings.keys else {}
        headers["Accept-Language"] = settings.page_language
        self._say = Speech(settings.page_language)
        self._http = httpx.Client(
            base_url=settings.api_url,
            headers=headers | {"Accept": "application/json, image/png"},
            timeout=settings.api_timeout_s,
            limits=httpx.Limits(keepalive_expiry=IDLE_S),
            transport=transport,
            trust_env=False,  # a proxy of the machine is not on the way to its own service
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def model(self) -> Model:
        """Return what the service says of its model.

        Raises:
            ServiceError: If it does not answer, or not as it should.
        """
        once = {"Connection": "close"}  # a page that starts asks nothing more for now
        return self._read(self._ask("GET", "/api/v1/model", timeout=_TOLD_S, headers=once), Model)

    def models(self) -> tuple[Named, ...]:
        """Return the models that can be asked for, the default one first.

        Raises:
            ServiceError: As ``model``.
        """
        return self._read(self._ask("GET", "/api/v1/models"), _Models).root

    def classify(self, photo: bytes, model: str | None = None) -> Answer:
        """Ask for the class of a photo and where the evidence for it lies, in one request.

        Args:
            photo: The file.
            model: Which model answers; by default the one that is served.

        Raises:
            ServiceError: If the photo is refused, or the service does not answer as it should.
        """
        asked = {"params": {"model": model}} if model else {}
        return self._read(self._ask("POST", "/api/v1/explain", photo, **asked), Answer)

    def preprocess(self, photo: bytes) -> bytes:
        """Return the PNG image that the model would receive.

        Raises:
            ServiceError: As ``classify``.
        """
        answer = self._ask("POST", "/api/v1/preprocess", photo)
        if not answer.content.startswith(b"\x89PNG\r\n\x1a\n"):
            raise self._unread()
        return answer.content

    def _ask(
        self, method: str, path: str, photo: bytes | None = None, **options: Any
    ) -> httpx.Response:
        if photo is not None:
            # The visitor's file name stays here: the content alone decides.
            options["files"] = {"file": ("photo", photo, "application/octet-stream")}
        try:
            answer = self._once_more(lambda: self._http.request(method, path, **options))
        except httpx.TimeoutException as error:
            detail = self._say(
                "Le service de classement met trop de temps à répondre. Réessayez dans un instant."
            )
            raise ServiceError("trop_lent", self._say("Service trop lent"), detail) from error
        except httpx.HTTPError as error:
            detail = self._say("Le service de classement ne répond pas. Réessayez dans un instant.")
            raise ServiceError("injoignable", self._say("Service injoignable"), detail) from error
        if answer.status_code != httpx.codes.OK:
            raise self._problem(answer)
        return answer

    @staticmethod
    def _once_more(send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send, and once again after a connection refused or cut, or a service overloaded."""
        try:
            answer = send()
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            asked = answer.headers.get("Retry-After", "")
            wait = min(float(asked) if asked.isdecimal() else PATIENCE_S, PATIENCE_S)
        except (httpx.NetworkError, httpx.RemoteProtocolError):  # classing twice harms nobody
            wait = PATIENCE_S / 4
        time.sleep(wait)
        return send()

    def _problem(self, answer: httpx.Response) -> ServiceError:
        """Return the problem that a body tells (RFC 9457)."""
        try:
            body = answer.json()
            code, title = str(body["code"]), str(body["title"])
            detail = str(body.get("detail") or title)
            if answer.status_code == httpx.codes.UNAUTHORIZED:  # the service speaks to developers
                LOG.warning(
                    "expected API_KEY to open %s, found it refused; give the page a key of the "
                    "service", self._http.base_url
                )  # fmt: skip
                detail = self._say(
                    "Le service de classement demande une clé que cette page n’a pas. Prévenez la "
                    "personne qui l’a installée."
                )
            return ServiceError(code, title, detail, str(body["request_id"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            return self._unread()

    def _unread(self) -> ServiceError:
        detail = self._say(
            "Le service de classement a donné une réponse que cette page ne sait pas lire."
        )
        return ServiceError("reponse_illisible", self._say("Réponse illisible"), detail)

    def _read(self, answer: httpx.Response, kind: type[Body]) -> Body:
        try:
            return kind.model_validate_json(answer.content)
        except (ValueError, TypeError, KeyError) as error:  # pydantic's errors are values
            raise self._unread() from error
