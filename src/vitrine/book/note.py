"""Write the technical note from the ledger, at most ten pages of PDF in French, with Typst.

Fonts are those that Typst embeds, and the document bears the date of the newest run that it cites:
the same ledger gives the same bytes on every machine.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

from vitrine import __version__, paths
from vitrine.book import footer, wording
from vitrine.book.drawings import PRINT
from vitrine.book.illustrations import ILLUSTRATIONS, Drawn
from vitrine.book.ledger_view import LedgerView, read_ledger
from vitrine.report.fr import space
from vitrine.report.ledger import pairs
from vitrine.report.recommended import RECOMMENDED

__all__ = ["PAGES", "NoteError", "escape", "pdf", "source", "write"]

PAGES = 10
"""A note that is longer is no note."""

_SPECIAL = re.compile(r"([\\#\[\]*_`$@<>~/'\"=+-])")

_IMAGE = re.compile(r"%image:(\w+)%")

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)

_ARXIV = re.compile(r"^( +)eprint( +)= \{(.+)\}", re.MULTILINE)

_DAY = re.compile(r"(\d+)(?:er)? (\w+) (\d+), commit ")


class NoteError(ValueError):
    """A note that cannot be written from this ledger, or that is too long.

    Attributes:
        exit_code: What the command line exits with: a verification found a mismatch.
    """

    exit_code = 3


def escape(text: str) -> str:
    """Escape the markup of Typst in a text."""
    return _SPECIAL.sub(r"\\\1", text)


def source(ledger: Mapping[str, Any]) -> str:
    """Return the note as Typst source.

    Args:
        ledger: Content of ``runs/ledger.json``.

    Raises:
        ValueError: If the text cites what the ledger does not allow.
    """
    runs: set[str] = set()

    def mark(text: str, entry: Mapping[str, Any]) -> str:
        runs.update(entry.get("runs") or ())
        return escape(text)

    view, works = LedgerView(ledger, mark), _works()
    known = set(_ENTRY.findall(works))
    drawn = cache(lambda name: ILLUSTRATIONS[name](view, PRINT))
    text = view.tell(
        "note.typ",
        escape=escape,
        deployed=f"oof.{RECOMMENDED}",
        drawn=lambda name: drawn(name) is not None,
        models=_models(view),
        work=lambda key: f"\N{NO-BREAK SPACE}#cite(<{key}>);" if key in known else "",
    )
    # After the spaces of the prose: a path of SVG is no sentence.
    body = _IMAGE.sub(lambda match: _image(drawn(match[1])), space(text))
    return _made(runs) + body + (_references(works) if known and "#cite(" in text else "")


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


def _models(view: LedgerView) -> list[str]:
    """Return the recipes with a score: fine-tuned, other readers of the photo, then of the text."""
    values, alone = view.ledger["values"], view.recipes()
    folds = [match[1] for key in values if (match := re.fullmatch(r"oof\.(.+)\.accuracy", key))]
    scores = {r: values[f"{r}.accuracy"]["value"] for r in alone}
    scores |= {r: values[f"oof.{r}.accuracy"]["value"] for r in folds}
    return sorted(scores, key=lambda recipe: (pairs.rank(recipe), -scores[recipe]))


def _made(runs: Iterable[str]) -> str:
    """Write the version and the newest of these runs, whose day is that of the document."""
    run = footer.newest(paths.root(), runs)
    made = f'#let made = (version: "{__version__}", run: "{run}")\n'
    if not (dated := _DAY.match(run)):
        return f"{made}#set document(date: none)\n"
    day, month, year = dated[1], wording.MONTHS.index(dated[2]) + 1, dated[3]
    return f"{made}#set document(date: datetime(year: {year}, month: {month}, day: {day}))\n"


def _works() -> str:
    """Return the references of the book, in BibTeX; nothing where there is no book."""
    file = paths.root() / "book" / "references.bib"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    # The style prints the address of a preprint only as a DOI.
    return _ARXIV.sub(r"\1doi\2= {10.48550/arXiv.\3}", text)


def _references(works: str) -> str:
    return f'\n#bibliography(bytes("{_quoted(works)}"), title: "Références", style: "ieee")\n'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _image(drawn: Drawn) -> str:
    svg, alt = _quoted(drawn.svg), _quoted(drawn.alt)
    return f'image(bytes("{svg}"), format: "svg", width: 85%, alt: "{alt}")'
