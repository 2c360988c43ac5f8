"""Commands of the report: run, build, check and publish it, and what one takes away of it."""

import json
from typing import Annotated, Any

import typer

from vitrine.cli.options import Steps, require_published

__all__ = ["book", "check", "figure", "ledger_command", "note", "publish", "run", "slides"]


def _parameter(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise typer.BadParameter(f"expected name=value, found {text!r}")
    if value in ("True", "False"):
        return name, value == "True"
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def run(
    notebooks: Annotated[list[str], typer.Argument(help="Names, such as 05_comparaison.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="name=value, repeatable.")
    ] = None,
    profile: Annotated[str, typer.Option(help="published or smoke.")] = "published",
    force: Annotated[bool, typer.Option(help="Execute even when fresh.")] = False,
) -> None:
    """Execute notebooks through papermill, into build/executed.

    Example: vitrine run 04_sota_pytorch -p retrain=true
    """
    from vitrine.book import runner, sources
    from vitrine.data import dataset

    own = dataset.current().own
    parameters = dict(_parameter(text) for text in parameter or [])
    for name in notebooks:  # an unknown one is told before the first is executed
        sources.find(name)
    for name in notebooks:
        typer.echo(f"{name}: executing in the profile {profile}")
        with Steps("cell") as progress:
            path = runner.execute(
                name, profile=profile, parameters=parameters, force=force, photos=own,
                progress=progress,
            )  # fmt: skip
        typer.echo(f"{name}: {path}")


def book(force: Annotated[bool, typer.Option(help="Execute every notebook.")] = False) -> None:
    """Execute the notebooks, build the book, check it, and print its first page.

    In a project of your own photos, `make book` trains the cheap models before.

    Example: vitrine book
    """
    from vitrine.book.build import build
    from vitrine.book.checks import check_prose
    from vitrine.data import dataset
    from vitrine.report import ledger, own

    if dataset.current().own:
        own.load()  # what it lacks is told before a notebook starts
    else:
        check_prose()
        ledger.check()
    with Steps("cell") as progress:
        page = build(force=force, tell=typer.echo, progress=progress)
    typer.echo(f"the book: {page}")


def publish(
    notebooks: Annotated[list[str] | None, typer.Argument(help="All by default.")] = None,
    force: Annotated[bool, typer.Option(help="Execute even when fresh.")] = False,
) -> None:
    """Bring notebooks/*.ipynb up to date with their sources, and README's table with the ledger.

    Example: vitrine publish 02_donnees
    """
    from vitrine.book import readme, runner
    from vitrine.report import ledger
    from vitrine.report.ledger import digests

    require_published()
    ledger.write()
    digests.write()
    readme.update()
    with Steps("cell") as progress:
        runner.publish(notebooks or (), force=force, tell=typer.echo, progress=progress)


def check() -> None:
    """Check what is published: the files, the ledger, the reading notes, the notebooks, the prose.

    In a project of your own photos: the photos, their split and the runs.

    Example: vitrine check
    """
    from vitrine.cli.project import check_own
    from vitrine.data import dataset

    if dataset.current().own:
        return check_own()
    return _check_published()


def _check_published() -> None:
    from datetime import UTC, datetime

    from vitrine import paths
    from vitrine.book import checks, proofreading, reading_notes
    from vitrine.report import ledger
    from vitrine.report.ledger import digests

    checks.check_prose()
    digests.check()
    ledger.check()
    for note in reading_notes.overdue(reading_notes.read(), datetime.now(UTC).date()):
        typer.echo(
            f"warning: {reading_notes.FILE}:{note.line}: expected {note.key} to be read again by "
            f"{note.review}; do so, then move its dates",
            err=True,
        )
    for name, verdict in checks.states().items():
        typer.echo(f"{name}: {verdict.state}" + (f", {verdict.reason}" if verdict.reason else ""))
    checks.check_notebooks()
    built = paths.build() / "html"
    if built.is_dir():
        checks.check_words(built, tell=typer.echo)
    findings = proofreading.proofread()
    for finding in findings:
        typer.echo(str(finding), err=True)
    if findings:
        raise checks.BookError(f"expected no fault in the prose, found {len(findings)}")
    typer.echo("the published report is consistent")


def ledger_command() -> None:
    """Compute runs/ledger.json and runs/SHA256SUMS from the tracked files.

    Example: vitrine ledger
    """
    from vitrine.report import ledger
    from vitrine.report.ledger import digests

    require_published()
    for path in (ledger.write(), digests.write()):
        typer.echo(f"written: runs/{path.name}")


def figure(
    name: Annotated[str, typer.Argument(help="Such as fig-comparaison-ecarts.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the names, by notebook.")] = False,
) -> None:
    """Write one figure or table of the published notebooks, alone.

    It writes a page, JSON and CSV under build/figures, and starts no notebook.

    Example: vitrine figure fig-comparaison-ecarts
    """
    from vitrine.book import gallery

    if list_ == bool(name):
        raise typer.BadParameter("expected a name, or --list to see them, and not both")
    require_published()
    if list_:
        for piece in gallery.pieces():
            typer.echo(f"{piece.notebook:24} {piece.name:32} {piece.title}")
        return
    for path in gallery.write(gallery.find(name)):
        typer.echo(f"written: {path}")


def note() -> None:
    """Write the technical note, at most ten pages of PDF in French, from the ledger.

    It writes build/note.pdf; the book holds the same.

    Example: vitrine note
    """
    from vitrine.book import note as document
    from vitrine.report import ledger

    require_published()
    ledger.check()
    typer.echo(f"written: {document.write()}")


def slides() -> None:
    """Write the slides for a lay public, one page of HTML in French, from the ledger.

    It writes build/slides.html, which needs no network; the book holds the same.

    Example: vitrine slides
    """
    from vitrine.book import slides as document
    from vitrine.report import ledger

    require_published()
    ledger.check()
    typer.echo(f"written: {document.write()}")
