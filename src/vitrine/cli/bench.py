"""``vitrine bench``: measure the scan, the networks and the service, on this machine."""

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrine.cli.options import Device, Steps, known_runtime

__all__ = ["app"]

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler that weighs tensors is talkative

app = typer.Typer(help="Measure speed and memory side by side.", no_args_is_help=True)

JUDGED = ("at_least", "at_most", "measured", "reached")
SHEETS = {
    "scan --peers": "scan-peers", "model --against": "model-against",
    "model --runtime": "model-runtimes", "model --folds": "model-folds",
    "serving --peers": "peers",
}  # fmt: skip
"""File of the results of a command, where it is not called as the command is."""


class _Interrupted(RuntimeError):
    """A measure was stopped: unlike a training, nothing of it is kept."""

    exit_code = 130


Turns = Annotated[int, typer.Option(min=1, help="Times that each candidate is timed.")]
Quick = Annotated[bool, typer.Option("--quick", help="Tiny shapes, to try the command.")]
Folder = Annotated[
    Path | None, typer.Option("--folder", help="Where to write; runs/bench by default.")
]


@app.command()
def scan(
    turns: Turns = 7,
    device: Device = "auto",
    quick: Quick = False,
    folder: Folder = None,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers", help="Beside other packages' scans instead, installed for the time."
        ),
    ] = False,
) -> None:
    """Time every form of the scan beside the plain reference, and three mixers against length.

    It takes about 4 minutes, and writes runs/bench/scan.json (scan-cuda.json on a GPU,
    scan-peers.json with --peers, which needs a network).

    Example: vitrine bench scan --device cpu
    """
    from vitrine.bench import scan as bench
    from vitrine.bench import scan_peers as beside

    if peers:
        device = _on_cpu(device, "--peers")
        return _run("scan --peers", beside.measure, folder, turns, device, quick)
    return _run("scan", bench.measure, folder, turns, device, quick)


@app.command()
def model(
    turns: Turns = 5,
    device: Device = "auto",
    quick: Quick = False,
    folder: Folder = None,
    against: Annotated[
        str | None,
        typer.Option(help="Beside this commit instead, networks of timm and a matrix product."),
    ] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            help="Beside ONNX Runtime instead: openvino, openvino-bf16, onnx-int8, openvino-int8.",
            callback=known_runtime,
        ),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(help="Judge 8-bit forms of the default model instead, on its folds here."),
    ] = None,
) -> None:
    """Time MambaVision-T with our scan and with the plain one, then ONNX Runtime beside eager.

    It takes about 8 minutes, and writes runs/bench/model.json (model-cuda.json on a GPU,
    model-against.json with --against, model-runtimes.json with --runtime, model-folds.json with
    --folds, that a sweep with --retrain leaves in build/retrain).

    Example: vitrine bench model --against HEAD~3 --turns 3
    """
    from vitrine.bench import against as beside
    from vitrine.bench import model as bench
    from vitrine.bench import runtimes

    todo = {
        "--against": functools.partial(beside.measure, commit=against),
        "--runtime": functools.partial(runtimes.measure, names=runtime),
        "--folds": functools.partial(runtimes.judge, folder=folds),
    }
    asked = [option for option, given in zip(todo, (against, runtime, folds), strict=True) if given]
    if not asked:
        return _run("model", bench.measure, folder, turns, device, quick)
    if asked[1:] or (folds and quick):
        found = " ".join(asked + ["--quick"] * quick)
        wanted = f"one of {', '.join(todo)}, the last without --quick"
        raise typer.BadParameter(f"expected {wanted}, found {found}")
    device = _on_cpu(device, option := asked[0])
    return _run(f"model {option}", todo[option], folder, turns, device, quick)


def _on_cpu(device: str, option: str) -> str:
    if device == "cuda":
        raise typer.BadParameter(f"expected a CPU with {option}, found cuda; choose cpu")
    return "cpu"


@app.command()
def recipes(
    turns: Turns = 5, device: Device = "cpu", quick: Quick = False, folder: Folder = None
) -> None:
    """Time the predictions of each published recipe, and count its multiply-adds.

    It takes about a minute, and writes runs/bench/recipes.json (recipes-cuda.json on a GPU, which
    the figure of costs of the comparison then shows).

    Example: vitrine bench recipes --turns 9
    """
    from vitrine.bench import recipes as bench

    _run("recipes", bench.measure, folder, turns, device, quick)


@app.command()
def training(
    turns: Turns = 3, device: Device = "cpu", quick: Quick = False, folder: Folder = None
) -> None:
    """Train the networks of the comparison for a few epochs, in turns, on drawn photos.

    It takes about 10 minutes, and writes runs/bench/training.json (training-cuda.json on a GPU).
    Leave the machine alone meanwhile.

    Example: vitrine bench training --turns 5
    """
    from vitrine.bench import training as bench

    _run("training", bench.measure, folder, turns, device, quick)


@app.command()
def backbones(
    turns: Turns = 5, device: Device = "auto", quick: Quick = False, folder: Folder = None
) -> None:
    """Time candidate backbones beside EfficientNet-B0, count their work, export them to ONNX.

    It takes about 6 minutes, and writes runs/bench/backbones.json (backbones-cuda.json on a GPU).

    Example: vitrine bench backbones --turns 9
    """
    from vitrine.bench import backbones as bench

    _run("backbones", bench.measure, folder, turns, device, quick)


@app.command()
def budget(
    targets: Annotated[list[str], typer.Argument(help="Targets of the Makefile: book, demo …")],
    folder: Folder = None,
) -> None:
    """Run targets of the Makefile and keep how long each took, for README and the book.

    Leave the machine alone meanwhile. It writes runs/bench/budget.json and README's table.

    Example: vitrine bench budget book demo lint test
    """
    from vitrine.bench import budget as bench
    from vitrine.bench import results
    from vitrine.book import readme

    path = results.write("budget", bench.measure(targets, folder=folder, tell=typer.echo), folder)
    if folder is None:
        readme.update()
    typer.echo(f"written: {path.name}")


@app.command()
def serving(
    turns: Annotated[
        int | None, typer.Option(min=1, help="Times each photo is sent (10), rounds of peers (3).")
    ] = None,
    quick: Quick = False,
    folder: Folder = None,
    peers: Annotated[
        Path | None,
        typer.Option(
            help="Compare with LitServe and BentoML, in this environment, made if absent."
        ),
    ] = None,
) -> None:
    """Load our service and a naive one with the same photos, in turns, on this machine alone.

    Processor time a request, durations at 1, 8 and 32 clients, health probes, memory, overload. It
    takes about 5 minutes, and writes runs/bench/serving.json. Leave the machine alone meanwhile.
    With --peers, LitServe and BentoML at pinned versions instead of the naive one, then ordinary
    photos beside hostile batches, in 5 minutes again: runs/bench/peers.json.

    Example: vitrine bench serving --turns 20
    """
    from vitrine.bench import serving as bench
    from vitrine.bench import serving_peers as beside

    if peers is None:
        return _run("serving", bench.measure, folder, turns or 10, quick=quick)
    compared = functools.partial(beside.measure, folder=peers)
    return _run("serving --peers", compared, folder, turns or 3, quick=quick)


@app.command()
def pictures(folder: Folder = None) -> None:
    """Ask the served model about the free pictures, and keep its answers.

    It takes a few seconds, and writes runs/bench/pictures.json, whose counts the book states.

    Example: vitrine bench pictures
    """
    from vitrine.bench import pictures as bench

    typer.echo(f"written: {bench.measure(folder).name}")


@app.command()
def ssm(quick: Quick = False, folder: Folder = None) -> None:
    """Learn selective copying with each layer, and count what each form of the scan moves.

    It takes half a minute, and writes runs/bench/ssm.json.

    Example: vitrine bench ssm
    """
    from vitrine.bench import ssm as bench

    _run("ssm", bench.measure, folder, quick=quick)


def _run(
    command: str,
    measure: Callable[..., dict[str, Any]],
    folder: Path | None,
    turns: int = 1,
    device: str = "cpu",
    quick: bool = False,
) -> None:
    import torch

    from vitrine.bench import results
    from vitrine.bench.clock import Bench, measured
    from vitrine.training import children

    if device == "cuda" and not torch.cuda.is_available():
        raise typer.BadParameter("expected a CUDA device, found none; choose cpu")
    if quick and folder is None:
        raise typer.BadParameter("expected --folder with --quick: its numbers mean nothing")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    _require_room(folder or results.published())
    try:
        with children.interruptible(), Steps("turn") as progress:
            asked = {"turns": turns, "device": device, "quick": quick}
            bench = Bench(**asked, tell=typer.echo, progress=progress)
            found = measured(command, measure, bench)
    except KeyboardInterrupt:
        raise _Interrupted(
            "interrupted; nothing was written, the last measures stand: run the same command again"
        ) from None
    for line in _summary(found):
        typer.echo(line)
    name = SHEETS.get(command, command)
    path = results.write(name if device == "cpu" else f"{name}-{device}", found, folder)
    typer.echo(f"written: {path.name}")


def _require_room(folder: Path) -> None:
    """Refuse, before minutes of measures, a folder where they could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise typer.BadParameter(
            f"expected a folder to write in, found {folder} ({error.strerror}); give another"
        ) from error


def _summary(found: dict[str, Any]) -> list[str]:
    hardware = found["hardware"]
    flags = ", ".join(hardware["flags"]) or "none listed"
    lines = [
        f"machine: {hardware['gpu'] or hardware['cpu']}; {flags}; {hardware['threads']} thread",
        "versions: " + ", ".join(f"{name} {v}" for name, v in found["versions"].items()),
        f"mamba_ssm: {found['mamba_ssm']}",
    ]
    for bar in found["bars"]:
        sign, limit = (">=", "at_least") if "at_least" in bar else ("<=", "at_most")
        state = "reached" if bar["reached"] else "MISSED"
        where = (str(value) for key, value in bar.items() if key not in JUDGED)
        lines.append(f"{state}: {', '.join(where)}: {bar['measured']:.3g} ({sign} {bar[limit]:g})")
    halved = any({"bfloat16", "openvino-bf16"}.intersection(bar.values()) for bar in found["bars"])
    computes = {"avx512_bf16", "amx_bf16", "bf16"}.intersection(hardware["flags"])
    if halved and not hardware["gpu"] and not computes:
        lines.append("bars in bfloat16 are for a processor that computes in it: this one does not")
    return lines
