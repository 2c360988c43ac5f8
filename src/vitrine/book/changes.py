"""Where a notebook first differs from its executed pair, as a line that an editor can open."""

import json
from itertools import takewhile
from pathlib import Path

from nbformat import NotebookNode

from vitrine.book import sources

__all__ = ["in_pair", "in_source", "is_injected", "spoken"]

_IGNORED = {"papermill", "execution", "jupyter"}


def is_injected(cell: NotebookNode) -> bool:
    """Tell whether papermill added a cell, to give parameters."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def spoken(cell: NotebookNode) -> list[object]:
    """Return what a reader is told by a cell: its kind, its text and its captions, no code."""
    metadata = {k: v for k, v in cell.metadata.items() if k not in _IGNORED}
    return [cell.cell_type, "" if cell.cell_type == "code" else cell.source, metadata]


def in_source(source: Path, now: NotebookNode, executed: NotebookNode, *, code: bool) -> int:
    """Return the line of a source where its code, or else its text, first differs.

    Args:
        source: The ``.py`` file, in py:percent format.
        now: The same file, as ``sources.read`` returns it.
        executed: Its pair.
        code: Whether to compare the code of the cells, or what they say.
    """
    starts = zip(now.cells, sources.first_lines(source), strict=True)
    of_cell = {cell["id"]: start for cell, start in starts}
    mine, theirs = _lines(now, code=code), _lines(executed, code=code)
    for place, (name, lines) in enumerate(mine):
        old = theirs[place][1] if place < len(theirs) else []
        if lines != old:
            return of_cell[name] + min(_same(lines, old), len(lines) - 1)
    return len(source.read_text(encoding="utf-8").splitlines())  # cells are gone


def in_pair(pair: Path, now: NotebookNode, executed: NotebookNode, *, code: bool) -> int:
    """Return the line of an executed ``.ipynb`` that is not what its source gave it."""
    mine, theirs = _lines(now, code=code), _lines(executed, code=code)
    for place, (_, lines) in enumerate(theirs):
        old = mine[place][1] if place < len(mine) else []
        if lines != old:
            strange = json.dumps(lines[min(_same(lines, old), len(lines) - 1)], ensure_ascii=False)
            text = pair.read_text(encoding="utf-8").splitlines()
            return next((n for n, line in enumerate(text, start=1) if strange[1:-1] in line), 1)
    return 1  # cells are gone


def _lines(notebook: NotebookNode, *, code: bool) -> list[tuple[str, list[str]]]:
    """Return the name and the lines of each cell compared; the first stands for its ``# %%``."""
    found = []
    for cell in notebook.cells:
        if is_injected(cell) or (code and (cell.cell_type != "code" or not cell.source.strip())):
            continue
        if code:
            lines = ["", *cell.source.splitlines()]
        else:
            _, text, metadata = spoken(cell)
            lines = [json.dumps(metadata, sort_keys=True), *text.splitlines()]
        found.append((cell.get("id", ""), lines))
    return found


def _same(lines: list[str], old: list[str]) -> int:
    pairs = zip(lines, old, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
