"""Fold the code of notebooks on their pages, and hide the cells that only check.

The notebook keeps every cell and every output, which nbval compares; its page is read without code:

==================  =======================================================================
tag ``keep-input``  the code stays in the open: it is the subject of its section
tag ``check``       nothing is shown: the cell is there to be compared
a compared answer   the same for a cell tagged ``nbval-check-output`` that prints yes or no alone
an output           the code is folded above it
no output           the code is folded with that of the next cell, whose output it prepares
==================  =======================================================================

A tag of myst-nb (``hide-output``, ``remove-cell`` …) is obeyed as it stands; ``hide-cell`` marks
the solution of an exercise.
"""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

__all__ = ["fold", "setup"]

CHECK, KEEP = "check", "keep-input"
_SOLUTION = {
    "code_prompt_show": "Montrer une solution",
    "code_prompt_hide": "Masquer la solution",
}
_ANSWERED = re.compile(r"\b(?:oui|non|True|False)\b[})\s]*$")


def fold(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as its page shows it; it is changed in place."""
    silent: list[NotebookNode] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tags = cell.metadata.get("tags", [])
        if CHECK in tags or _only_answers(cell):
            _tag(cell, "remove-cell")
        elif KEEP in tags or any(tag.startswith(("hide-", "remove-")) for tag in tags):
            silent.clear()  # what is not joined by now keeps a fold of its own
            if "hide-cell" in tags:
                cell.metadata["mystnb"] = _SOLUTION | cell.metadata.get("mystnb", {})
        else:
            _tag(cell, "hide-input")
            silent.append(cell)
            if cell.outputs:
                _join(silent)
                silent.clear()
    return notebook


def setup(app: Sphinx) -> None:
    """Fold each notebook as it is read; its file, which readers download, stays whole."""
    app.connect("source-read", _fold)


def _fold(app: Sphinx, page: str, source: list[str]) -> None:
    if Path(app.env.doc2path(page)).suffix == ".ipynb":
        source[0] = nbformat.writes(fold(nbformat.reads(source[0], as_version=4)))


def _only_answers(cell: NotebookNode) -> bool:
    """Tell whether a compared cell prints nothing but answers to yes or no."""
    if "nbval-check-output" not in cell.metadata.get("tags", []):
        return False
    lines = [line for output in cell.outputs for line in output.get("text", "?").splitlines()]
    return bool(lines) and all(_ANSWERED.search(line) for line in lines if line.strip())


def _join(cells: list[NotebookNode]) -> None:
    *before, shown = cells
    shown.source = "\n\n".join(cell.source for cell in cells)
    for cell in before:
        _tag(cell, "remove-cell")


def _tag(cell: NotebookNode, tag: str) -> None:
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
