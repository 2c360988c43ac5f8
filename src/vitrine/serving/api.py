"""The FastAPI application of the service: ``create_app`` makes it, ``serve`` runs it.

A front proxy is expected before it in the open: it ends TLS and bounds the time of request headers,
which uvicorn does not. Everything else that a client may do wrong is answered here.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from vitrine import __version__
from vitrine.report.fr import spelled
from vitrine.serving import open_inference, openapi, server
from vitrine.serving.middleware import RequestMiddleware
from vitrine.serving.problems import MEDIA_TYPE, ProblemError, language_of
from vitrine.serving.routes import add_routes
from vitrine.serving.service import Service
from vitrine.serving.settings import Settings
from vitrine.serving.telemetry import LOG, WATCHED, log_as_json

__all__ = ["UVICORN", "create_app", "serve"]

DOCS, STATIC = "/docs", "/static-offline-docs"
UVICORN = {"http": "h11", "ws": "none", "log_config": None, "timeout_graceful_shutdown": 20}
"""A parser whose limits are known, the log of the service, seconds to finish what was accepted."""
DESCRIPTION = (
    "Classe une {photo} dans l’une de {classes} catégories. Le modèle tourne sur "
    "le processeur, par ONNX Runtime. Les erreurs suivent la RFC 9457 et portent un `code` stable."
)
TRACES: TelemetryConfig = {
    "auto_configure": True,  # sends where OTEL_EXPORTER_OTLP_ENDPOINT says, if it says
    "exclude": lambda scope: scope["path"] in WATCHED,
    "operation_spans": False,
    "metrics": False,  # those of Prometheus are ours
    "logs": False,  # what is told of an exception may hold what a client sent
}
CODES = {400: "requete_invalide", 404: "introuvable", 405: "methode_non_permise"}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application, its model loaded and checked; it is ready once started.

    Args:
        settings: How to run; by default from the environment.

    Raises:
        SettingsError: If the environment holds a value that cannot be used.
        ModelError: If the model cannot be served.
    """
    settings = Settings() if settings is None else settings
    service = Service(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.open()
        LOG.info("ready", extra={"facts": {"model": service.card.name, **_sizes(settings)}})
        yield
        await asyncio.to_thread(service.close)

    app = FastAPIOffline(
        title="Vitrine",
        version=__version__,
        description=DESCRIPTION.format(
            photo=service.card.words.photo, classes=spelled(len(service.card.classes))
        ),
        docs_url=DOCS,
        redoc_url=None,
        static_url=STATIC,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        telemetry=TRACES,
    )
    app.state.service, app.state.stop = service, service.bodies.stop
    add_routes(app)
    _answer_with_problems(app)
    openapi.describe(app, key=bool(settings.keys))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "X-API-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Deprecation", "Link"],
        )
    app.add_middleware(
        RequestMiddleware,
        telemetry=service.telemetry,
        failure=lambda scope: _answer(Request(scope), ProblemError("interne"), service),
        bodies=service.bodies,
        drain=4 * settings.max_upload_bytes,
        docs=(DOCS, STATIC),
    )
    return app


def _sizes(settings: Settings) -> dict[str, int]:
    return {"workers": settings.workers, "places": settings.places}


def _answer(request: Request, problem: ProblemError, service: Service) -> JSONResponse:
    """Return a problem as its client reads it: in its language, and in the form of its protocol."""
    language = language_of(request.headers.get("accept-language", ""))
    body = service.sentences.body_of(problem, request.state.request_id, language)
    if request.url.path.startswith(open_inference.PREFIX):
        body["error"] = body["detail"]
    headers = {"Content-Language": language} | problem.headers
    return JSONResponse(body, problem.status, headers, media_type=MEDIA_TYPE)


def _answer_with_problems(app: FastAPI) -> None:
    """Turn whatever a route refuses into a problem."""

    def answer(request: Request, problem: ProblemError) -> JSONResponse:
        request.state.facts["code"] = problem.code
        return _answer(request, problem, app.state.service)

    async def refused(request: Request, problem: ProblemError) -> JSONResponse:
        return answer(request, problem)

    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        names = ", ".join(str(fault["loc"][-1]) for fault in error.errors())
        return answer(request, ProblemError("requete_invalide", "valeur", names=names))

    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = CODES.get(error.status_code, "interne")
        problem = ProblemError(code, status=error.status_code, headers=error.headers)
        return answer(request, problem)

    app.add_exception_handler(ProblemError, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, http)


def serve(settings: Settings, announce: Callable[[str], object] = lambda _: None) -> None:
    """Answer until told to stop, then finish what was accepted.

    Args:
        settings: How to run.
        announce: Told the address once the port is held and the model checked.

    Raises:
        SettingsError: If the address cannot be listened on.
        ModelError: If the model cannot be served.
    """
    log_as_json(settings.log_level)
    server.run(settings, lambda: create_app(settings), announce, **UVICORN)
