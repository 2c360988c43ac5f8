"""One figure or table of the book, made alone: ``vitrine figure NAME``.

There is no second list of figures to keep: the notebooks declare them, and ``slices`` takes from a
notebook the few statements that one of them needs. No kernel is started and no framework is loaded;
what needs one, such as a picture of the training pipeline, is named and refused.

A figure has the name that its cell declares, such as ``fig-comparaison-ecarts``; a table, which has
none, is counted in its chapter: ``tab-comparaison-2``.
"""

import ast
import contextlib
import difflib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from vitrine.book import imports, sources
from vitrine.book.slices import slice_of

__all__ = ["FRAMEWORKS", "GalleryError", "Piece", "find", "make", "pieces"]

FRAMEWORKS = frozenset({"lightning", "onnxruntime", "tensorflow", "timm", "torch"})
"""What takes longer to load than a figure may take to make."""

_NEAREST = 3
_LIKE = 0.5
_PUBLISHED = {"VITRINE_PROFILE": "published", "VITRINE_PHOTOS": "0"}


class GalleryError(ValueError):
    """A figure or a table that does not exist, or that only its notebook can make."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A figure or a table of a notebook.

    Attributes:
        name: As the command takes it.
        notebook: Which notebook shows it.
        title: Caption of a figure; heading that a table stands under.
        alt: What a figure looks like, for who does not see it; empty for a table.
        cells: Code of the notebook down to the cell that shows it.
    """

    name: str
    notebook: str
    title: str
    alt: str
    cells: tuple[str, ...]

    @cached_property
    def code(self) -> str:
        """Statements that make it, the last an expression, in the notebook's words."""
        kept = slice_of(self.cells, len(self.cells) - 1)
        return "\n".join(ast.unparse(statement) for statement in kept)

    @cached_property
    def frameworks(self) -> list[str]:
        """Those of ``FRAMEWORKS`` that its code loads; without any, it can be made."""
        return sorted(FRAMEWORKS & imports.loaded(self.code))


def pieces() -> list[Piece]:
    """Return the figures and tables of the notebooks of the book, in reading order."""
    found: list[Piece] = []
    for notebook in sources.names():
        source = sources.find(notebook)
        found += _pieces(source, source.stat().st_mtime_ns)
    return found


def find(name: str) -> Piece:
    """Return a figure or a table by its name.

    Raises:
        GalleryError: If there is none, with the nearest names, or if a framework must make it.
    """
    known = {piece.name: piece for piece in pieces()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=_NEAREST, cutoff=_LIKE)
        hint = f"near it are {', '.join(near)}" if near else "vitrine figure --list names them"
        raise GalleryError(f"expected a figure or a table of the book, found {name!r}; {hint}")
    piece = known[name]
    if piece.frameworks:
        raise GalleryError(
            f"expected a figure made from tracked files alone, found that {name} needs "
            f"{' and '.join(piece.frameworks)}; run its chapter: vitrine run {piece.notebook}"
        )
    return piece


def make(piece: Piece) -> Any:
    """Make a figure (plotly) or a table (``tables.Shown``) from tracked files.

    What the statements print is dropped. The published profile is used, whatever the environment
    says, and no photo is read.
    """
    *before, last = ast.parse(piece.code, filename=piece.name).body
    scope: dict[str, Any] = {"__name__": piece.name}
    with _published(), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(ast.Module(before, []), piece.name, "exec"), scope)
        return eval(compile(ast.Expression(last.value), piece.name, "eval"), scope)


@cache
def _pieces(source: Path, changed: int) -> list[Piece]:
    cells = jupytext.read(source, fmt="py:percent").cells
    code, heading, chapter, tables = [], "", _chapter(source, cells), 0
    found = []
    for cell in cells:
        if cell.cell_type != "code":
            titles = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = titles[-1] if titles else heading
            continue
        code.append(cell.source)
        if name := _figure(cell).get("name"):
            title, alt = _figure(cell)["caption"], cell.metadata.mystnb["image"]["alt"]
        elif _shows_table(cell.source):
            tables += 1
            name, title, alt = f"tab-{chapter}-{tables}", heading, ""
        else:
            continue
        shown = {"name": name, "notebook": source.stem, "title": title, "alt": alt}
        found.append(Piece(**shown, cells=tuple(code)))
    return found


def _figure(cell: NotebookNode) -> dict[str, str]:
    return cell.metadata.get("mystnb", {}).get("figure", {})


def _chapter(source: Path, cells: list[NotebookNode]) -> str:
    """Return the word that the figures of a notebook have in their names."""
    figures = (_figure(cell).get("name", "").split("-") for cell in cells)
    word = next((parts[1] for parts in figures if len(parts) > 1), "")
    return word or source.stem.partition("_")[2].replace("_", "-")


def _shows_table(code: str) -> bool:
    body = ast.parse(code).body
    last = body[-1] if body else None
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and ast.unparse(last.value.func) == "tables.show"
    )


@contextlib.contextmanager
def _published() -> Iterator[None]:
    before = {key: os.environ.get(key) for key in _PUBLISHED}
    os.environ.update(_PUBLISHED)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
