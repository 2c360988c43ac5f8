"""Write the slides for a lay public from the ledger, as one page of HTML without a network.

No framework and no network: markup, a sheet of style and a page of script of ours. Without script,
and on paper, the slides are stacked.
"""

import base64
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from vitrine import paths
from vitrine.book import pictures, wording
from vitrine.book.drawings import SCREEN
from vitrine.book.illustrations import ILLUSTRATIONS
from vitrine.book.ledger_view import LedgerView, read_ledger
from vitrine.report.fr import space
from vitrine.report.palette import DARK, LIGHT, declarations

__all__ = ["page", "write"]

_TAGS = re.compile(r"(<svg.*?</svg>|<[^>]*>)", re.DOTALL)


def page(ledger: Mapping[str, Any], *, book: str | None = None) -> str:
    """Return the slides as one page.

    Args:
        ledger: Content of ``runs/ledger.json``.
        book: Address of the book's first page from that of the slides, where they lie within it.

    Raises:
        ValueError: If the text cites what the ledger does not allow.
    """
    view = LedgerView(ledger, _data)
    drawn = {name: draw(view, SCREEN) for name, draw in ILLUSTRATIONS.items()}
    slides = view.tell("slides.html", book=book, illustration=drawn.get, photos=_photos())
    folder = files("vitrine.book") / "pages"
    shell = Environment(autoescape=True).from_string((folder / "slides_shell.html").read_text())
    parts = {name: Markup((folder / f"slides.{name}").read_text()) for name in ("css", "js")}
    colours = {"light": declarations(LIGHT), "dark": declarations(DARK)}
    return shell.render(slides=Markup(_spaced(slides)), **parts, **colours)


def write(folder: Path | None = None) -> Path:
    """Write ``slides.html`` from the tracked ledger, under ``build`` by default."""
    path = (folder or paths.build()) / "slides.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(read_ledger()), encoding="utf-8")
    return path


def _photos() -> list[dict[str, str]]:
    """Return the free photos, inside the page, with what the served model answers for each."""
    root = paths.root()
    return [
        {
            "uri": "data:image/jpeg;base64,"
            + base64.b64encode(
                (root / pictures.PLACE / f"{row['name']}.jpg").read_bytes()
            ).decode(),
            "title": row["title"],
            "said": said,
        }
        for row, said in pictures.answered(root)
        if not row.get("rendered")
    ]


def _data(text: str, entry: Mapping[str, Any]) -> Markup:
    """Mark a number as the book does: its value for machines, its origin in a tooltip."""
    origin = escape(wording.provenance(entry))
    return Markup(f'<data value="{entry["value"]!r}" title="{origin}">{escape(text)}</data>')


def _spaced(markup: str) -> str:
    """Put the spaces of French between the tags: a path of a drawing is no sentence."""
    parts = _TAGS.split(markup)
    return "".join(part if i % 2 else space(part) for i, part in enumerate(parts))
