"""Correct the OpenAPI document that FastAPI generates: problems, keys and bodies as they are."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from vitrine.serving import schemas, tensors
from vitrine.serving.dependencies import documented

__all__ = ["describe"]

MODELS = schemas.Problem, schemas.LegacyImage, tensors.Infer, tensors.Inferred
"""Bodies that a route reads or writes without FastAPI."""
REFERENCE = "#/components/schemas/{model}"
UNUSED = "HTTPValidationError", "ValidationError"
"""What FastAPI says that it answers to a malformed request; a problem is."""


def describe(app: FastAPI, *, key: bool) -> None:
    """Make an application tell the truth about itself.

    Args:
        app: The application, with all of its routes.
        key: Whether a key is asked for; where none is, it may be left out.
    """
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _correct(generated(), key)
        return app.openapi_schema or {}

    app.openapi = openapi


def _correct(document: dict[str, Any], key: bool) -> None:
    found = document["components"]["schemas"]
    _, ours = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template=REFERENCE
    )
    found |= ours["$defs"]
    for name in UNUSED:
        found.pop(name, None)
    malformed = {str(status): told for status, told in documented("requete_invalide").items()}
    for operation in _operations(document):
        if "422" in operation["responses"]:
            operation["responses"] |= malformed
        if "security" in operation and not key:
            operation["security"].append({})


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()
