"""``vitrine ui``, ``vitrine up``: the page to try the classifier, alone or with its service."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ui", "up"]


def ui(
    api_url: Annotated[
        str | None, typer.Option(help="Address of the service; http://127.0.0.1:8000.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set; data/.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 7860.")] = None,
) -> None:
    """Show the page to try the classifier and to explore the data set, until Ctrl-C.

    An option left out is read from the environment: API_URL, DATA_DIR, HOST, PORT; API_KEY,
    API_TIMEOUT_S and NOTE_PDF have no option.

    Example: vitrine ui --api-url http://127.0.0.1:8001
    """
    from vitrine.serving.ui.app import serve
    from vitrine.serving.ui.settings import Settings

    chosen = {"api_url": api_url, "data_dir": data, "host": host, "port": port}
    given = {name: value for name, value in chosen.items() if value is not None}
    serve(Settings(**given), lambda url: typer.echo(f"{url} shows the page", err=True))


def up(
    port: Annotated[int, typer.Option(help="Port of the page.")] = 7860,
    api_port: Annotated[int, typer.Option(help="Port of the service.")] = 8000,
) -> None:
    """Start the service and its page together; Ctrl-C stops both.

    Example: vitrine up --port 7861
    """
    from vitrine.serving.supervisor import run

    run(port=port, api_port=api_port, tell=lambda text: typer.echo(text, err=True))
