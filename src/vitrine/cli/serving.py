"""``vitrine export``, ``serve``, ``ui``, ``up``: a run becomes a file, served with its page."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.options import known_runtime

__all__ = ["export", "serve", "ui", "up"]

Model = Annotated[
    Path | None,
    typer.Option(
        help="efficientnet-lite0, mambavision, or a run or folder that `vitrine export` wrote."
    ),
]


def export(
    run: Annotated[str, typer.Argument(help="<recipe>/seed-<n>; <recipe> alone means seed 0.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; build/models/<run>.")
    ] = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Keep weights in 8 bits, if that loses under half a point."),
    ] = False,
    profile: Annotated[str, typer.Option(help="published, or smoke for a miniature run.")] = (
        "published"
    ),
    runtime: Annotated[
        str,
        typer.Option(
            help="What will run it: onnx, onnx-int8, openvino, openvino-bf16 or openvino-int8.",
            callback=known_runtime,
        ),
    ] = "onnx",
    kept: Annotated[
        Path | None,
        typer.Option(help="A model of the run to make integers from, where its weights are gone."),
    ] = None,
) -> None:
    """Write a run as model.onnx, model.json and README.md, once it answers as the run did.

    The photos and the weights of the run must be on this machine. Where an answer differs nothing
    is written, and the exit code is 3.

    Example: vitrine export mambavision-nano-scratch --out build/models/nano
    """
    from vitrine.serving import export as exporting
    from vitrine.training import runs, session

    if int8 and runtime != "onnx":
        raise typer.BadParameter(f"expected --int8 or --runtime {runtime}, found both; choose one")
    if kept and runtime != "onnx-int8":
        raise typer.BadParameter(f"expected --runtime onnx-int8 with --kept, found {runtime}")
    begun = session.begin(profile)
    found = runs.load(run, begun.base)
    folder, card = exporting.export(
        found, begun.split, begun.catalog(), out, int8=int8, runtime=runtime, kept=kept
    )
    place, here = folder.resolve(), Path.cwd()
    told = str(place.relative_to(here) if place.is_relative_to(here) else place)
    accuracy, parity = card.metrics["accuracy"], card.parity
    typer.echo(
        f"written: {told} (version {card.version}, {card.precision}); "
        f"{parity.images} test photos answered within {parity.largest_gap:.1e} of the run, "
        f"{accuracy.value:.1%} of them rightly [{accuracy.low:.1%}, {accuracy.high:.1%}]"
    )
    typer.echo(f"to try it in a browser: {shlex.join(['vitrine', 'up', '--model', told])}")


def serve(
    model: Model = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8000.")] = None,
) -> None:
    """Answer for the trained classifier over HTTP, until Ctrl-C.

    An option left out is read from the environment: MODEL_DIR, HOST, PORT; the other settings of
    vitrine.serving.settings have no option.

    Example: vitrine serve --model mambavision --port 8001
    """
    from vitrine.serving.api import serve as run
    from vitrine.serving.settings import Settings

    chosen = {"model_dir": model, "host": host, "port": port}
    given = {name: value for name, value in chosen.items() if value is not None}
    run(Settings(**given), lambda url: typer.echo(f"{url}/docs describes the service", err=True))


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
    API_TIMEOUT_S, NOTE_PDF and PAGE_LANGUAGE have no option. The page speaks the language of the
    project, which PAGE_LANGUAGE, fr or en, can change.

    Example: vitrine ui --api-url http://127.0.0.1:8001
    """
    from vitrine.serving.ui.app import serve
    from vitrine.serving.ui.settings import Settings

    chosen = {"api_url": api_url, "data_dir": data, "host": host, "port": port}
    given = {name: value for name, value in chosen.items() if value is not None}
    serve(Settings(**given), lambda url: typer.echo(f"{url} shows the page", err=True))


def up(
    model: Model = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the page.")] = 7860,
    api_port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the service.")] = 8000,
) -> None:
    """Start the service and its page together; Ctrl-C stops both.

    A model left out is read from the environment, MODEL_DIR.

    Example: vitrine up --model mambavision --port 7861
    """
    from vitrine.serving.supervisor import run

    run(model=model, port=port, api_port=api_port, tell=lambda text: typer.echo(text, err=True))
