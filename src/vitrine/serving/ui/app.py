"""The FastAPI application of the web page: Gradio's page inside, and what Gradio lacks.

A route of health, the technical note, the language of the document, and headers that keep a browser
from asking anything of anyone else.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.data.images import ImageError
from vitrine.data.showcase import Showcase
from vitrine.report.palette import DARK, LIGHT, PAGE, declarations
from vitrine.serving import server
from vitrine.serving.speech import Speech
from vitrine.serving.ui import pictures
from vitrine.serving.ui.client import Client
from vitrine.serving.ui.offline import gradio as gr
from vitrine.serving.ui.page import build, title
from vitrine.serving.ui.settings import Settings
from vitrine.serving.ui.uploads import Uploads

__all__ = ["create_app", "serve"]

GRACE_SECONDS = 10
PHOTO = "/photos/{size}/{image:path}"
"""Route of a photo of the data set, whose name may have the folder of its class."""
_SIDES = {"vignette": 160, "photo": 640}
"""Longest side, in pixels, of a photo in a list and alone on the page."""

# Gradio's page evaluates code of its own, so scripts cannot be forbidden: asking elsewhere can.
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; connect-src 'self' blob: data:; "
    "worker-src 'self' blob:; font-src 'self' data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"content-security-policy": _POLICY.encode(),
}
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect "
    f"width='32' height='32' rx='7' fill='%23{LIGHT['accent'][1:]}'/%3E%3Cpath "
    "d='M8 9l8 15 8-15' fill='none' stroke='white' stroke-width='4' stroke-linecap='round' "
    "stroke-linejoin='round'/%3E%3C/svg%3E"
)
_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans"]
_MONOSPACE = ["ui-monospace", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]


_ANSWER = ("http.response.start", "http.response.body")


class _Dressed:
    """Adds our headers to every answer, and makes of Gradio's page one of ours."""

    def __init__(self, app: ASGIApp, say: Speech) -> None:
        self.app, self.say = app, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        home = scope["path"] == "/" and scope["method"] == "GET"
        if home:  # what is compressed could not be rewritten
            plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
            scope = {**scope, "headers": plain}
        held: list[Message] = []

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = [pair for pair in message["headers"] if pair[0].lower() not in _HEADERS]
                message["headers"] = [*known, *_HEADERS.items()]
            if not home or message["type"] not in _ANSWER:
                await send(message)
                return
            held.append(message)
            if not message.get("more_body") and message["type"] == "http.response.body":
                for each in _ours(held, self.say):
                    await send(each)

        await self.app(scope, receive, dressed)


def _ours(messages: list[Message], say: Speech) -> list[Message]:
    """Return the page with its language, and without what Gradio says of itself to other sites."""
    start = messages[0]
    body = b"".join(message.get("body", b"") for message in messages[1:]).decode()
    body = body.replace('lang="en"', f'lang="{say.language}"', 1)
    body = re.sub(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*?/>\s*', "", body)
    body = body.replace("<head>", f"<head><title>{title(say)}</title>", 1)
    needed = say("Cette page a besoin de JavaScript pour classer une photo.")
    body = body.replace("<gradio-app", f"<noscript>{needed}</noscript><gradio-app", 1)
    content = body.encode()
    headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    start["headers"] = [*headers, (b"content-length", str(len(content)).encode())]
    return [start, {"type": "http.response.body", "body": content}]


def _theme() -> gr.themes.Base:
    """Return the colours of the book, light and dark."""
    pairs = {
        "body_background_fill": PAGE["fond"],
        "body_text_color": PAGE["encre"],
        "body_text_color_subdued": PAGE["encre-douce"],
        "background_fill_primary": PAGE["fond-carte"],
        "background_fill_secondary": PAGE["fond-doux"],
        "block_background_fill": ("transparent", "transparent"),
        "block_info_text_color": PAGE["encre-douce"],
        "block_title_text_color": PAGE["encre"],
        "border_color_primary": PAGE["trait"],
        "input_background_fill": PAGE["fond-doux"],
        "input_border_color": PAGE["bord"],
        "color_accent_soft": PAGE["accent-doux"],
        "button_primary_background_fill": PAGE["accent"],
        "button_primary_background_fill_hover": PAGE["accent-survol"],
        "button_primary_text_color": PAGE["sur-accent"],
        "button_secondary_background_fill": PAGE["accent-doux"],
        "button_secondary_background_fill_hover": PAGE["accent-doux-survol"],
        "button_secondary_text_color": PAGE["sur-accent-doux"],
        "checkbox_background_color_selected": PAGE["accent-coche"],
        "checkbox_border_color": PAGE["bord-fort"],
        "checkbox_label_background_fill": PAGE["fond-doux"],
        "checkbox_label_background_fill_selected": PAGE["accent-doux"],
        "checkbox_label_text_color_selected": PAGE["encre"],
    }
    light = {name: colours[0] for name, colours in pairs.items()}
    dark = {f"{name}_dark": colours[1] for name, colours in pairs.items()}
    theme = gr.themes.Base(font=_FONTS, font_mono=_MONOSPACE, radius_size="lg")
    return theme.set(
        **light, **dark, color_accent=LIGHT["accent"], block_border_width="0px", block_padding="0px"
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the interface as an ASGI application.

    Args:
        settings: By default, those of the environment.

    Raises:
        SettingsError: If an environment variable cannot be used.
    """
    settings = Settings() if settings is None else settings
    client, say = Client(settings), Speech(settings.page_language)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        client.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_Dressed, say=say)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/note.pdf")
    def note() -> Response:
        if settings.note_pdf is None or not settings.note_pdf.is_file():
            told = say("La note n’a pas été construite.")
            return Response(told, 404, media_type="text/plain")
        return FileResponse(settings.note_pdf, media_type="application/pdf")

    uploads = Uploads(settings.max_upload_bytes, settings.body_timeout_s, say)
    app.state.stop = uploads.bodies.stop
    app.add_route("/envoi", uploads.take, methods=["POST"])
    for closed in ("upload", "process_recording"):  # they keep on the disk whatever they are sent
        app.add_api_route(f"/gradio_api/{closed}", _nothing, methods=["POST"], status_code=404)
    shown = Showcase.read(settings.data_dir)
    app.get(PHOTO)(_photos(shown, say))

    static = files("vitrine.serving.ui")
    style, script = (
        (static / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    colours = f".gradio-container {{ {declarations(LIGHT)} }}\n" + (
        f".dark .gradio-container, .dark.gradio-container {{ {declarations(DARK)} }}\n"
    )

    def mount() -> FastAPI:
        blocks = build(client, shown, settings, uploads)
        # Else Gradio takes whatever file of this machine a visitor names for one that was uploaded.
        blocks.has_launched = True
        return gr.mount_gradio_app(
            app, blocks, path="/", theme=_theme(), footer_links=[], run_history=False,
            ssr_mode=False, show_error=False, enable_monitoring=False, pwa=False, mcp_server=False,
            js=say.script(script),
            # Not as ``css``, which Gradio would rewrite rule by rule.
            head=f'<link rel="icon" href="{_ICON}"><style>{colours}{style}</style>',
        )  # fmt: skip

    return _in_a_loop(mount)


async def _nothing() -> None:
    """Answer a route of Gradio that the page closes."""


def _photos(
    shown: Showcase, say: Speech
) -> Callable[[Literal["vignette", "photo"], str], Response]:
    """Return the route of the photos of the data set, brought to the size of the page."""
    offered = {*shown.samples.image, *shown.photos.fichier}

    def photo(size: Literal["vignette", "photo"], image: str) -> Response:
        try:
            if image not in offered:  # nothing else of the disk is looked at
                raise FileNotFoundError
            content = pictures.jpeg(shown.path(image), _SIDES[size])
        except (OSError, ImageError):
            told = say("Cette photo n’est pas sur cette machine.")
            return Response(told, 404, media_type="text/plain")
        kept = {"Cache-Control": "private, max-age=3600"}
        return Response(content, media_type="image/jpeg", headers=kept)

    return photo


def _in_a_loop(make: Callable[[], FastAPI]) -> FastAPI:
    """Return what is made within an event loop, for want of which Gradio leaves several open."""

    async def within() -> FastAPI:
        return make()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(within())
    return make()


def serve(settings: Settings, announce: Callable[[str], object] = lambda _: None) -> None:
    """Show the page until told to stop.

    Args:
        settings: How to run.
        announce: Told the address once the port is held and the page made.

    Raises:
        SettingsError: If the address cannot be listened on.
    """
    options = {"log_level": "warning", "timeout_graceful_shutdown": GRACE_SECONDS}
    server.run(settings, lambda: create_app(settings), announce, **options)
