"""Write the technical note from the ledger, at most ten pages of PDF in French, with Typst.

Fonts are those that Typst embeds, and the document bears no date: the same ledger gives the same
bytes on every machine.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

from vitrine import paths
from vitrine.book.drawings import PRINT
from vitrine.book.illustrations import ILLUSTRATIONS, Drawn
from vitrine.book.ledger_view import LedgerView, read_ledger
from vitrine.report.fr import space

__all__ = ["PAGES", "NoteError", "escape", "pdf", "source", "write"]

PAGES = 10
"""A note that is longer is no note."""

_SPECIAL = re.compile(r"([\\#\[\]*_`$@<>~/'\"=+-])")

_IMAGE = re.compile(r"%image:(\w+)%")


class NoteError(ValueError):
    """A note that cannot be written from this ledger, or that is too long.

    Attributes:
        exit_code: What the command line exits with: a verification found a mismatch.
    """

    exit_code = 3


def escape(text: str) -> str:
    """Return a text that Typst prints as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def source(ledger: Mapping[str, Any]) -> str:
    """Return the note as Typst source.

    Args:
        ledger: Content of ``runs/ledger.json``.

    Raises:
        ValueError: If the text cites what the ledger does not allow.
    """
    view = LedgerView(ledger, lambda text, entry: escape(text))
    drawn = {name: draw(view, PRINT) for name, draw in ILLUSTRATIONS.items()}
    text = view.tell("note.typ", escape=escape, drawn=lambda name: drawn[name] is not None)
    # After the spaces of the prose: a path of SVG is no sentence.
    return _IMAGE.sub(lambda match: _image(drawn[match[1]]), space(text))


def pdf(ledger: Mapping[str, Any]) -> bytes:
    """Return the note as an accessible PDF (PDF/UA-1).

    Raises:
        NoteError: If it has more than ``PAGES`` pages.
        ValueError: As ``source``.
    """
    text = source(ledger).encode()
    pages = int(typst.query(text, "<pages>", field="value", one=True, ignore_system_fonts=True))
    if pages > PAGES:
        raise NoteError(
            f"expected a note of at most {PAGES} pages, found {pages}; shorten note.typ"
        )
    return typst.compile(text, ignore_system_fonts=True, pdf_standards=["ua-1"])


def write(folder: Path | None = None) -> Path:
    """Write ``note.pdf`` from the tracked ledger, under ``build`` by default; return its path."""
    path = (folder or paths.build()) / "note.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pdf(read_ledger()))
    return path


def _image(drawn: Drawn) -> str:
    svg, alt = (text.replace("\\", "\\\\").replace('"', '\\"') for text in (drawn.svg, drawn.alt))
    return f'image(bytes("{svg}"), format: "svg", width: 100%, alt: "{alt}")'
