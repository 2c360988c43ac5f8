"""Routes of the Open Inference Protocol, version 2: what KServe's and Triton's clients speak.

Requests share everything with ``/api/v1``: models, places, deadline, keys and limits of bodies.
Of Triton's extensions, it has binary tensors and, to serve a changed model, ``load``.

Source: https://github.com/kserve/open-inference-protocol.
"""

import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel

from vitrine import __version__
from vitrine.data.images import Photo
from vitrine.serving import schemas
from vitrine.serving.card import Card
from vitrine.serving.dependencies import (
    ASKED,
    BYTES,
    IMAGE,
    PHOTOS,
    Ready,
    authorised,
    documented,
)
from vitrine.serving.problems import ProblemError
from vitrine.serving.request_body import kind_of
from vitrine.serving.service import Judged, Service
from vitrine.serving.tensors import Infer, Metadata, described, pack, unpack

__all__ = ["PREFIX", "ROUTERS"]

PREFIX = "/v2"
TAG = "Open Inference Protocol"
HEADER = "Inference-Header-Content-Length"
BINARY = "application/octet-stream"
MODEL = "/models/{name:path}"
VERSION = MODEL + "/versions/{version}"
"""Its routes stand under those of ``MODEL``, to be tried first: a name holds slashes."""

watched = APIRouter(prefix=PREFIX, tags=[TAG])
guarded = APIRouter(
    prefix=PREFIX, tags=[TAG], dependencies=[Depends(authorised)],
    responses=documented(*ASKED, "introuvable"),
)  # fmt: skip
ROUTERS = (watched, guarded)


class Server(BaseModel):
    """What answers, and which extensions of the protocol it has."""

    name: str = "vitrine"
    version: str = __version__
    extensions: list[str] = ["binary_tensor_data", "model_repository"]


class Live(BaseModel):
    """Whether the process turns."""

    live: bool = True


class IsReady(BaseModel):
    """Whether requests are answered."""

    ready: bool = True


class ModelReady(IsReady):
    """Whether a model answers."""

    name: str


class Loaded(BaseModel):
    """A model that can be asked for, and its version."""

    name: str
    version: str
    state: str = "READY"
    reason: str = ""


def _card(service: Service, name: str, version: str | None) -> Card:
    """Return the card of a model; runs in a worker."""
    card = service.models.of(name).card if name in service.models.names else None
    if card is None or version not in (None, card.version):
        raise ProblemError("introuvable", "modele")
    return card


@watched.head("/health/live", include_in_schema=False)
@watched.get("/health/live", summary="Le processus tourne")
async def live() -> Live:
    """Répond tant que la boucle d’événements tourne, sans consulter le modèle."""
    return Live()


@watched.head("/health/ready", include_in_schema=False)
@watched.get(
    "/health/ready", summary="Les modèles sont prêts", responses=documented("modele_non_pret")
)
async def ready(_: Ready) -> IsReady:
    """Répond quand le modèle servi est chargé et a déjà répondu une fois."""
    return IsReady()


@guarded.get("", summary="Le serveur et ses extensions")
async def server() -> Server:
    """Donne le nom, la version et les extensions du serveur."""
    return Server()


@guarded.get(MODEL + "/ready", summary="Un modèle est prêt")
@guarded.get(VERSION + "/ready", include_in_schema=False)
async def model_ready(service: Ready, name: str, version: str | None = None) -> ModelReady:
    """Répond quand ce modèle peut être interrogé."""
    await service.run(lambda _: _card(service, name, version))
    return ModelReady(name=name)


@guarded.api_route(
    MODEL + "/infer", methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"], include_in_schema=False
)
async def infer_otherwise() -> None:
    """Refuse a method that ``MODEL`` would take, with ``infer`` as the end of a name."""
    raise ProblemError("methode_non_permise", headers={"Allow": "POST"})


@guarded.get(MODEL, summary="Les tenseurs d’un modèle")
@guarded.get(VERSION, include_in_schema=False)
async def model_metadata(service: Ready, name: str, version: str | None = None) -> Metadata:
    """Donne la version d’un modèle, ses entrées et ses sorties."""
    card = (await service.run(lambda _: _card(service, name, version))).result
    tensors = described(card.input_size, len(card.classes))
    return Metadata(name=name, versions=[card.version], platform="onnxruntime_onnx", **tensors)


INFER = {
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Infer"}},
                BINARY: {"schema": BYTES},
                **PHOTOS,
            },
        }
    },
    "responses": {
        **documented(*IMAGE, "introuvable"),
        200: {
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Inferred"}},
                BINARY: {"schema": BYTES},
            }
        },
    },
}


@guarded.post(MODEL + "/infer", summary="Classer des images", response_class=Response, **INFER)
@guarded.post(VERSION + "/infer", include_in_schema=False)
async def infer(
    service: Ready,
    request: Request,
    name: str,
    length: Annotated[str | None, Header(alias=HEADER, pattern=r"^\d{1,9}$")] = None,
    version: str | None = None,
) -> Response:
    """Donne les probabilités de photos (`photo`) ou d’images déjà préparées (`image`).

    Le corps peut être une photo : son type est alors `image/*`.
    """
    if length is None and kind_of(request).startswith("image/"):
        length = "0"

    def read(body: bytes) -> tuple[Infer, list[bytes | Photo], Card]:
        card = _card(service, name, version)
        return *unpack(body, length, card.input_size), card

    async with service.bodies.body(request, service.settings.max_batch_bytes) as body:
        received = time.perf_counter()
        asked, photos, card = (await service.run(lambda _: read(body))).result
        left = service.settings.predict_timeout_s - (time.perf_counter() - received)
        found, _ = await service.judge_each(photos, name, left)
    judged = [_answered(each) for each in found]
    for each in judged:
        service.count(each)
    request.state.facts["images"] = len(judged)
    told = {"model_name": name, "model_version": judged[0].card.version}
    content, head = pack(asked, _values(judged), **told)
    if head is None:
        return Response(content, media_type="application/json")
    return Response(content, media_type=BINARY, headers={HEADER: str(head)})


def _answered(found: Judged | ProblemError) -> Judged:
    if isinstance(found, ProblemError):
        raise found
    return found


def _values(judged: list[Judged]) -> dict[str, Any]:
    return {
        "probabilities": np.stack([each.answer.probabilities for each in judged]).astype("f4"),
        "label": [each.best.label for each in judged],
        "uncertain": [each.uncertain for each in judged],
        "out_of_catalogue": [each.answer.outside for each in judged],
    }


@guarded.post("/repository/index", summary="Les modèles que l’on peut interroger")
async def repository_index(service: Ready) -> list[Loaded]:
    """Donne le nom et la version de chaque modèle, celui qui répond par défaut en premier."""
    models = (await service.run(lambda _: service.available())).result
    return [Loaded(name=each.model, version=each.version) for each in models]


@guarded.post(
    "/repository" + MODEL + "/load", summary="Servir un modèle dont les fichiers ont changé",
    responses=documented("modele_refuse"),
)  # fmt: skip
async def repository_load(service: Ready, name: str) -> schemas.ModelRef:
    """Relit un modèle, l’essaie sur ses échantillons et le sert, sans perdre une requête."""

    def load(_: bool) -> schemas.ModelRef:
        _card(service, name, None)
        return service.reload(name)

    return (await service.run(load)).result
