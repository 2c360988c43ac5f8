"""The command line: one thin command a capability, each calls one function of the package.

Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 verification mismatch, 130 interrupted.
An error is one sentence on stderr; ``VITRINE_TRACEBACK=1`` shows where it was raised.
"""

import errno
import logging
import os
import sys

import typer
from rich.console import Console

from vitrine import __version__
from vitrine.cli import (
    bench,
    data,
    explaining,
    interface,
    pretraining,
    report,
    serving,
    takeaway,
    training,
)

__all__ = ["app", "main"]

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    help="An executable report: does MambaVision beat EfficientNet-B0 at sorting product photos?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")
app.add_typer(training.runs_app, name="runs")
for command in (training.train, report.run, report.book, report.publish, report.check):
    app.command()(command)
app.command("ledger")(report.ledger_command)
for command in (pretraining.pretrain, pretraining.sweep):
    app.command()(command)
for command in (explaining.robustness, explaining.explain):
    app.command()(command)
for command in (serving.export, serving.serve, interface.ui, interface.up):
    app.command()(command)
for command in (takeaway.figure, takeaway.note, takeaway.slides):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(f"vitrine {__version__}")
        raise typer.Exit


def _code(error: Exception) -> int:
    """Return the exit code of an error that the package raises on purpose."""
    usage = BAD_INPUT if isinstance(error, ValueError | FileNotFoundError) else FAILED
    return getattr(error, "exit_code", usage)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"expected room on the disk, found it full ({error.strerror or error}); make room and "
            "run the same command again, what was finished is kept"
        )
    if isinstance(error, PermissionError) or getattr(error, "errno", 0) == errno.EROFS:
        return (
            f"expected to be allowed to use {error.filename or 'a file'}, found it refused "
            f"({error.strerror or error}); change its permissions, or work in a clone of your own"
        )
    if isinstance(error, OSError) and error.filename and error.strerror:
        return (
            f"expected a path that can be used, found {error.filename} ({error.strerror}); "
            "correct it, or give another"
        )
    return str(error) or type(error).__name__


def main() -> None:
    """Run the command line and exit with its code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow talks of CUDA at each start
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("vitrine").setLevel(logging.INFO)
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # it tells each retry, twice
    errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as stop:  # typer makes the second of the first
        if isinstance(stop, SystemExit) and stop.code != INTERRUPTED:
            raise
        errors.print(
            "interrupted; what was finished is kept: run the same command again, a training with "
            "--resume"
        )
        sys.exit(INTERRUPTED)
    except Exception as error:  # the last door: nothing but a sentence leaves it
        if os.environ.get("VITRINE_TRACEBACK") == "1":
            raise
        errors.print(f"vitrine: {_sentence(error)}")
        sys.exit(_code(error))
