"""The HTTP routes of the service."""

import asyncio
import base64
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse

from vitrine.serving import open_inference, schemas
from vitrine.serving.card import Card
from vitrine.serving.dependencies import (
    ASKED,
    BYTES,
    IMAGE,
    PHOTOS,
    Ready,
    Spoken,
    authorised,
    documented,
    service_of,
)
from vitrine.serving.problems import Language, ProblemError
from vitrine.serving.request_body import MOST_FILES, from_base64
from vitrine.serving.service import Judged, Service, reference
from vitrine.serving.speech import Speech

__all__ = ["add_routes"]

SINCE = "@1795564800"
"""The day when the earlier routes became deprecated, 2026-11-25, as RFC 9745 writes it."""


async def _named(
    request: Request,
    name: Annotated[
        str | None,
        Query(
            alias="model",
            description="Un nom de `/api/v1/models`\u00a0; le modèle servi par défaut.",
        ),
    ] = None,
) -> str | None:
    names = service_of(request).models.names
    if name not in (None, *names):
        raise ProblemError("requete_invalide", "nom", names=", ".join(names))
    return name


Named = Annotated[str | None, Depends(_named)]


async def _card(request: Request, named: Named) -> Card:
    models = service_of(request).models
    return (await asyncio.to_thread(models.of, named) if named else models.of()).card


Described = Annotated[Card, Depends(_card)]


async def _ranked(
    card: Described,
    top_k: Annotated[
        int | None,
        Query(ge=1, description="Nombre de classes, la plus probable d’abord ; toutes par défaut."),
    ] = None,
) -> int | None:
    if top_k is not None and top_k > len(card.classes):
        raise ProblemError("requete_invalide", "valeur", names="top_k")
    return top_k


TopK = Annotated[int | None, Depends(_ranked)]


def _upload(field: str, *, many: bool = False) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": [field],
        "properties": {
            field: {"type": "array", "items": BYTES, "maxItems": MOST_FILES} if many else BYTES
        },
    }
    kinds = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": kinds if many else kinds | PHOTOS}}


def _json(model: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
    return {"requestBody": {"required": True, "content": content}}


watched = APIRouter(tags=["exploitation"])
api = APIRouter(
    prefix="/api/v1",
    tags=["classification"],
    dependencies=[Depends(authorised)],
    responses=documented(*ASKED),
)
earlier = APIRouter(
    tags=["formes antérieures"], dependencies=[Depends(authorised)], responses=documented(*IMAGE)
)


def add_routes(app: FastAPI) -> None:
    """Give an application every route of the service."""
    for router in (watched, api, *open_inference.ROUTERS, earlier):
        app.include_router(router)


@watched.head("/healthz", include_in_schema=False)
@watched.get("/healthz", summary="Le processus tourne")
async def healthz() -> schemas.Health:
    """Répond tant que la boucle d’événements tourne, sans consulter le modèle."""
    return schemas.Health(status="ok")


@watched.head("/readyz", include_in_schema=False)
@watched.get("/readyz", summary="Le modèle est prêt", responses=documented("modele_non_pret"))
async def readyz(_: Ready) -> schemas.Health:
    """Répond quand le modèle est chargé et a déjà servi une fois."""
    return schemas.Health(status="ok")


@watched.get(
    "/metrics",
    summary="Mesures, au format de Prometheus",
    response_class=PlainTextResponse,
    responses=documented("introuvable"),
)
async def metrics(request: Request) -> Response:
    """Compte les requêtes, les refus, les réponses par classe, et mesure les durées."""
    service = service_of(request)
    if not service.settings.metrics:
        raise ProblemError("introuvable")
    return Response(service.telemetry.text(), media_type="text/plain; version=0.0.4")


@api.get("/model", summary="Le modèle servi")
async def model(card: Described, language: Spoken) -> schemas.Model:
    """Décrit le modèle : version, classes, prétraitement, résultats sur les images de test."""
    say = Speech(language)
    facts = card.model_dump(include=set(schemas.Model.model_fields) - {"classes"})
    facts["licence"] = say(card.licence)
    facts["words"] = {name: say(word) for name, word in card.words}
    return schemas.Model(**facts, classes=_classes(card, language))


@api.get("/models", summary="Les modèles que l’on peut interroger")
async def models(service: Ready) -> list[schemas.Available]:
    """Donne le nom et la version de chaque modèle, celui qui répond par défaut en premier."""
    return (await service.run(lambda _: service.available())).result


@api.get("/classes", summary="Les classes")
async def classes(card: Described, language: Spoken) -> list[schemas.Class]:
    """Donne les classes dans l’ordre du modèle, en anglais et en français."""
    return _classes(card, language)


def _classes(card: Card, language: Language) -> list[schemas.Class]:
    return [
        schemas.Class(**label.model_dump(), name=card.shown(label, language))
        for label in card.classes
    ]


async def _judge(
    service: Service, request: Request, top_k: int | None, named: str | None, language: Language
) -> tuple[Judged, schemas.Prediction]:
    began = time.perf_counter()
    limit = service.settings.max_upload_bytes
    async with service.bodies.files(request, "file", most=1, limit=limit) as (data,):
        done = await service.run(lambda large: service.judge(data, named, large))
    judged = done.result
    clocks = {"queued": done.queued, "began": began}
    prediction = service.prediction(judged, request.state.request_id, top_k, language, **clocks)
    request.state.facts.update(
        label=prediction.label,
        score=round(prediction.score, 4),
        width=judged.photo.width,
        height=judged.photo.height,
        bytes=judged.size,
    )
    return judged, prediction


@api.post(
    "/predict", summary="Classer une image", openapi_extra=_upload("file"),
    responses=documented(*IMAGE),
)  # fmt: skip
async def predict(
    service: Ready, request: Request, language: Spoken, top_k: TopK, named: Named
) -> schemas.Prediction:
    """Donne la classe d’une photo et la probabilité de chaque classe."""
    _, prediction = await _judge(service, request, top_k, named, language)
    return prediction


@api.post(
    "/explain", summary="Classer une image et dire où le modèle a regardé",
    openapi_extra=_upload("file"), responses=documented(*IMAGE),
)  # fmt: skip
async def explain(
    service: Ready, request: Request, language: Spoken, top_k: TopK, named: Named
) -> schemas.Explanation:
    """Ajoute à la réponse la carte d’activation de la classe donnée, sur toute l’image."""
    judged, prediction = await _judge(service, request, top_k, named, language)
    return service.explanation(judged, prediction)


@api.post(
    "/predict/batch", summary="Classer jusqu’à 16 images",
    openapi_extra=_upload("files", many=True),
    responses=documented(*IMAGE),
)  # fmt: skip
async def predict_batch(
    service: Ready, request: Request, language: Spoken, top_k: TopK, named: Named, card: Described
) -> schemas.Batch:
    """Répond image par image, dans l’ordre d’envoi ; une image refusée n’arrête pas les autres."""
    began, limit = time.perf_counter(), service.settings.max_batch_bytes
    form = service.bodies.files(request, "files", most=MOST_FILES, limit=limit)
    async with form as files:
        judged, waits = await service.judge_each(files, named)
    request_id = request.state.request_id
    items = [
        service.batch_item(index, found, request_id, top_k, language, queued=queued, began=began)
        for index, (found, queued) in enumerate(zip(judged, waits, strict=True))
    ]
    request.state.facts["images"] = len(items)
    return schemas.Batch(items=items, model=reference(card), request_id=request_id)


@api.post(
    "/preprocess", summary="L’image telle que le modèle la reçoit", response_class=Response,
    openapi_extra=_upload("file"),
    responses={**documented(*IMAGE), 200: {"content": {"image/png": {}}}},
)  # fmt: skip
async def preprocess(service: Ready, request: Request, named: Named) -> Response:
    """Redresse l’image, la met sur fond blanc et la ramène à un carré, au format PNG."""
    limit = service.settings.max_upload_bytes
    async with service.bodies.files(request, "file", most=1, limit=limit) as (data,):
        done = await service.run(lambda large: service.prepare(data, named, large))
    return Response(done.result, media_type="image/png")


async def _earlier(service: Service, request: Request, response: Response, work: Any) -> Any:
    response.headers["Deprecation"] = SINCE
    limit = service.settings.max_upload_bytes * 4 // 3 + 65_536

    def image(body: bytes, large: bool) -> Any:
        try:
            data = from_base64(schemas.LegacyImage.model_validate_json(body).image)
        except ValueError as error:  # pydantic's errors and binascii's are some
            raise ProblemError("requete_invalide", "base64") from error
        if len(data) > service.settings.max_upload_bytes:
            raise ProblemError("fichier_trop_volumineux")
        return work(data, large=large)

    async with service.bodies.body(request, limit) as body:
        return await service.run(lambda large: image(body, large))


@earlier.post(
    "/predict/", deprecated=True, summary="Classer une image en base64",
    openapi_extra=_json("LegacyImage"),
)  # fmt: skip
async def predict_base64(
    service: Ready, request: Request, response: Response
) -> schemas.LegacyPrediction:
    """Forme du service antérieur ; préférez `/api/v1/predict`."""
    began = time.perf_counter()
    response.headers["Link"] = '</api/v1/predict>; rel="successor-version"'
    done = await _earlier(service, request, response, service.judge)
    clocks = {"queued": done.queued, "began": began}
    found = service.prediction(done.result, request.state.request_id, None, **clocks)
    scores = {score.label: score.score for score in found.predictions}
    return schemas.LegacyPrediction(predicted_label=found.label, probabilities=scores)


@earlier.post(
    "/normalize/", deprecated=True, summary="Prétraiter une image en base64",
    openapi_extra=_json("LegacyImage"),
)  # fmt: skip
async def normalize_base64(
    service: Ready, request: Request, response: Response
) -> schemas.LegacyNormalised:
    """Forme du service antérieur ; préférez `/api/v1/preprocess`."""
    response.headers["Link"] = '</api/v1/preprocess>; rel="successor-version"'
    done = await _earlier(service, request, response, service.prepare)
    image = base64.b64encode(done.result).decode()
    return schemas.LegacyNormalised(image_normalized=image)
