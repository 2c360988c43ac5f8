"""The commands, put together under ``vitrine``."""

import typer

from vitrine import __version__
from vitrine.cli import bench, data, pretraining, project, report, serving, training

__all__ = ["app"]

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
app.command("ledger")(report.ledger_command)
for command in (
    project.new, training.train, report.run, report.book, report.publish, report.check,
    pretraining.pretrain, pretraining.sweep, training.robustness, training.explain,
    serving.export, serving.serve, serving.ui, serving.up, report.figure, report.note,
    report.slides,
):  # fmt: skip
    app.command()(command)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(f"vitrine {__version__}")
        raise typer.Exit
