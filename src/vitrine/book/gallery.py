"""Write one figure or table of the published notebooks alone: ``vitrine figure NAME``.

There is no second list of figures to keep: notebooks declare them and hold them, as JSON of plotly
or as HTML. No kernel is started, nothing is drawn again.

A figure has the name that its cell declares, such as ``fig-comparaison-ecarts``; a table, which has
none, is counted in its chapter: ``tab-comparaison-2``.
"""

import csv
import difflib
import html
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbformat import NotebookNode

from vitrine import paths
from vitrine.book import figure_data, sources
from vitrine.book.wording import parsed
from vitrine.report.palette import LIGHT

__all__ = ["PLOTLY", "GalleryError", "Piece", "find", "pieces", "plotly_script", "write"]

PLOTLY = "application/vnd.plotly.v1+json"
"""Type of the JSON that a notebook holds of a figure."""

_TABLE = "<table>\n<thead>"  # as tables.show writes it
_NEAREST = 3
_LIKE = 0.5


class GalleryError(ValueError):
    """A figure or a table that does not exist, or whose data a notebook does not hold."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A figure or a table of a published notebook.

    Attributes:
        name: As the command takes it.
        notebook: Which notebook shows it.
        title: Caption of a figure; heading that a table stands under.
        alt: What a figure looks like, for who does not see it; empty for a table.
        figure: JSON of a plotly figure; empty for a table, and for a picture, which has no data.
        table: HTML of a table; empty for a figure.
    """

    name: str
    notebook: str
    title: str
    alt: str = ""
    figure: dict[str, Any]
    table: str = ""


def pieces() -> list[Piece]:
    """Return the figures and tables of the notebooks of the book, in reading order."""
    pairs = [sources.find(name).with_suffix(".ipynb") for name in sources.names()]
    return [piece for pair in pairs if pair.is_file() for piece in _pieces(pair)]


def find(name: str) -> Piece:
    """Return a figure or a table by its name.

    Raises:
        GalleryError: If there is none, with the nearest names, or if it is a picture.
    """
    known = {piece.name: piece for piece in pieces()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=_NEAREST, cutoff=_LIKE)
        hint = f"near it are {', '.join(near)}" if near else "vitrine figure --list names them"
        raise GalleryError(f"expected a figure or a table of the book, found {name!r}; {hint}")
    piece = known[name]
    if not piece.figure and not piece.table:
        raise GalleryError(
            f"expected a figure that has data, found that {name} is a picture; see it in "
            f"notebooks/{piece.notebook}.ipynb"
        )
    return piece


def write(piece: Piece, folder: Path | None = None) -> list[Path]:
    """Write a figure or a table as a page, as JSON and as CSV, and return their paths.

    The page needs no network: plotly's script is copied beside it from the installed package.

    Args:
        piece: What to write, as ``find`` returns it.
        folder: Where to write; ``build/figures`` by default.
    """
    folder = folder or paths.build() / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    content: Any
    if piece.figure:
        content, data = piece.figure, figure_data.tabulate(piece.figure)
        table, rows = figure_data.to_html(data, most=len(data.rows)), figure_data.to_csv(data)
        shutil.copy(plotly_script(), folder)
    else:
        head, *lines = _cells(piece.table)
        content = [dict(zip(head, line, strict=True)) for line in lines]
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([head, *lines])
        table, rows = piece.table, stream.getvalue()
    figure = json.dumps(piece.figure, ensure_ascii=False, sort_keys=True).replace("</", "<\\/")
    environment = Environment(
        loader=PackageLoader("vitrine.book", "pages"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("figure.html").render(
        piece=piece, figure=Markup(figure), table=Markup(table), colours=LIGHT
    )
    dumped = json.dumps(content, ensure_ascii=False, sort_keys=bool(piece.figure), indent=1)
    written = []
    for suffix, text in ((".html", page), (".json", dumped), (".csv", rows)):
        path = folder / f"{piece.name}{suffix}"
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        written.append(path)
    return written


def plotly_script() -> Path:
    """Return where the installed package of plotly holds the script that draws figures."""
    spec = find_spec("plotly")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def _pieces(pair: Path) -> Iterator[Piece]:
    cells = nbformat.read(pair, as_version=4).cells
    heading, chapter, tables = "", _chapter(pair, cells), 0
    for cell in cells:
        if cell.cell_type != "code":
            titles = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = titles[-1] if titles else heading
            continue
        shown = {kind: data for o in cell.outputs for kind, data in o.get("data", {}).items()}
        if name := _figure(cell).get("name"):
            figure = {k: v for k, v in shown.get(PLOTLY, {}).items() if k in ("data", "layout")}
            yield Piece(
                name=name, notebook=pair.stem, title=_figure(cell)["caption"],
                alt=cell.metadata.mystnb["image"]["alt"], figure=figure,
            )  # fmt: skip
        elif (table := shown.get("text/html", "")).startswith(_TABLE):
            tables += 1
            name = f"tab-{chapter}-{tables}"
            yield Piece(name=name, notebook=pair.stem, title=heading, figure={}, table=table)


def _figure(cell: NotebookNode) -> dict[str, str]:
    return cell.metadata.get("mystnb", {}).get("figure", {})


def _chapter(pair: Path, cells: list[NotebookNode]) -> str:
    """Return the word that the figures of a notebook have in their names."""
    figures = (_figure(cell).get("name", "").split("-") for cell in cells)
    word = next((parts[1] for parts in figures if len(parts) > 1), "")
    return word or pair.stem.partition("_")[2].replace("_", "-")


def _cells(table: str) -> list[list[str | int | float]]:
    """Return the rows of a table, its head first; numbers are no longer in French."""
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[parsed(html.unescape(cell)) for cell in row] for row in cells]
