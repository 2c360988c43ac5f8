"""``vitrine serve``: answer for the trained classifier over HTTP."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    model: Annotated[
        Path | None,
        typer.Option("--model", help="Folder that `vitrine export` wrote; the packaged model."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8000.")] = None,
) -> None:
    """Answer for the trained classifier over HTTP, until Ctrl-C.

    An option left out is read from the environment: MODEL_DIR, HOST, PORT; the other settings of
    vitrine.serving.settings have no option.

    Example: vitrine serve --port 8001
    """
    from vitrine.serving.api import serve as run
    from vitrine.serving.settings import Settings

    chosen = {"model_dir": str(model) if model else None, "host": host, "port": port}
    given = {name: value for name, value in chosen.items() if value is not None}
    settings = replace(Settings.from_environment(), **given)
    typer.echo(f"http://{settings.host}:{settings.port}/docs describes the service", err=True)
    run(settings)
