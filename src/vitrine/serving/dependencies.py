"""What the routes of every protocol share: the key, a model that is ready, documented problems."""

import secrets
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from vitrine.serving.problems import MEDIA_TYPE, PROBLEMS, Language, ProblemError, language_of
from vitrine.serving.service import Service

__all__ = ["BYTES", "PHOTOS", "Ready", "Spoken", "authorised", "documented", "service_of"]

ASKED = "modele_non_pret", "arret", "non_autorise"
"""What a request meets before its route reads it."""
IMAGE = (
    *ASKED, "fichier_vide", "requete_invalide", "delai_depasse", "fichier_trop_volumineux",
    "format_non_pris_en_charge", "prediction_invalide", "prediction_trop_longue",
)  # fmt: skip
"""What a route that receives images may answer, one code at least for each status."""

BYTES = {"type": "string", "format": "binary"}
PHOTOS = {f"image/{kind}": {"schema": BYTES} for kind in ("jpeg", "png", "webp")}
"""Content of a body that is a photo, as the documentation describes it."""

Key = Annotated[
    str | None, Depends(APIKeyHeader(name="X-API-Key", auto_error=False, description="Si exigée."))
]
Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="La même clé.")),
]


def service_of(request: Request) -> Service:
    """Return the service that answers."""
    return request.app.state.service


async def authorised(request: Request, key: Key, bearer: Bearer) -> None:
    """Refuse a request that brings none of the keys, where there are some.

    Raises:
        ProblemError: ``non_autorise``.
    """
    given = (key or (bearer.credentials if bearer else "")).encode()
    wanted = [each.encode() for each in service_of(request).settings.keys]
    # Each is compared, so that the time taken does not tell which one came close.
    if wanted and not any([secrets.compare_digest(given, each) for each in wanted]):
        raise ProblemError("non_autorise", headers={"WWW-Authenticate": "ApiKey, Bearer"})


async def _ready(request: Request) -> Service:
    service = service_of(request)
    if service.pool is None:
        raise ProblemError("modele_non_pret")
    return service


async def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language", ""))


Ready = Annotated[Service, Depends(_ready)]
Spoken = Annotated[Language, Depends(_language)]


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return what the documentation says of the problems of a route."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    kinds = [PROBLEMS[code] for code in codes]
    return {kind.status: {"description": kind.title["fr"], "content": content} for kind in kinds}
