"""``vitrine figure``, ``note``, ``slides``: write one figure, the technical note, the slides."""

from typing import Annotated

import typer

__all__ = ["figure", "note", "slides"]


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

    ledger.check()
    typer.echo(f"written: {document.write()}")


def slides() -> None:
    """Write the slides for a lay public, one page of HTML in French, from the ledger.

    It writes build/slides.html, which needs no network; the book holds the same.

    Example: vitrine slides
    """
    from vitrine.book import slides as document
    from vitrine.report import ledger

    ledger.check()
    typer.echo(f"written: {document.write()}")
