"""Read and check the sources of notebooks: ``notebooks/NN_name.py``, in py:percent format."""

import ast
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import jupytext
import nbformat
from jupytext.cell_reader import DoublePercentScriptCellReader
from jupytext.combine import map_outputs_to_inputs
from jupytext.header import header_to_metadata_and_cell
from nbformat import NotebookNode

from vitrine import paths
from vitrine.data import tracked

__all__ = ["NotebookError", "RequestError", "check", "find", "first_lines", "names", "read",
           "rewritten"]  # fmt: skip

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class NotebookError(Exception):
    """A notebook that cannot be read, run or published; one sentence says why."""


class RequestError(NotebookError):
    """A notebook, a parameter or a profile that does not exist: the request is wrong, not the file.

    Attributes:
        exit_code: What the command line exits with.
    """

    exit_code = 2


def find(name: str | Path) -> Path:
    """Return the source of a notebook, given as ``03_name``, with a suffix, or as a path.

    Raises:
        RequestError: If there is no such source; the message lists the known names.
    """
    asked = Path(name)
    source = paths.notebooks() / f"{asked.stem}.py"
    places = [(base / asked).parent.resolve() for base in (Path.cwd(), paths.root())]
    elsewhere = asked.parent != Path() and source.parent.resolve() not in places
    if elsewhere or not source.is_file():
        known = ", ".join(path.stem for path in sorted(paths.notebooks().glob("[0-9]*.py")))
        raise RequestError(
            f"expected a notebook of {paths.notebooks()}, found none named {str(name)!r}; "
            f"take one of: {known or 'none is written yet'}"
        )
    return source


def names() -> list[str]:
    """Return the names of the notebooks that the table of contents lists, in its order.

    Raises:
        TrackedError: If the table of contents is absent or damaged.
    """
    found: list[str] = []

    def visit(entry: object) -> None:
        if isinstance(entry, list):
            for item in entry:
                visit(item)
        elif isinstance(entry, dict):
            for key in ("root", "file"):
                page = Path(str(entry.get(key, "")))
                if page.parent.name == "notebooks":
                    found.append(page.stem)
            for value in entry.values():
                if isinstance(value, list):
                    visit(value)

    visit(tracked.read("_toc.yml", ("root",)))
    return found


def read(source: Path) -> NotebookNode:
    """Convert a source to a notebook without outputs, with lasting cell ids.

    Ids come from the published pair beside the source, as ``jupytext --update`` does; a new
    cell gets one from its content, so that two conversions agree.

    Raises:
        NotebookError: If the file is not a py:percent notebook of ours.
    """
    try:
        notebook = jupytext.read(source, fmt="py:percent")
        pair = source.with_suffix(".ipynb")
        published = nbformat.read(pair, as_version=4).cells if pair.is_file() else []
    except Exception as error:  # whatever two parsers may raise on a broken file
        raise NotebookError(
            f"expected {source.name} and its pair to be readable notebooks, found {error}; "
            "repair the file, or delete the .ipynb and publish again"
        ) from error
    if notebook.metadata.get("kernelspec", {}).get("name") != _KERNEL["name"]:
        raise NotebookError(
            f"expected kernelspec 'python3' in the header of {source.name}, found "
            f"{notebook.metadata.get('kernelspec')}; copy the header shown in vitrine.book"
        )
    _refuse_unmarked_code(notebook, source)
    _parse_cells(notebook, source)
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)
    notebook.metadata["kernelspec"] = dict(_KERNEL)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    _name_cells(notebook.cells, published)
    return notebook


def first_lines(source: Path) -> list[int]:
    """Return the line, from 1, that each cell of a source starts on, as jupytext divides it.

    It is that of the marker, but for what stands above the first marker, which has none.
    """
    lines = source.read_text(encoding="utf-8").splitlines()
    _, _, header, position = header_to_metadata_and_cell(lines, "#", "", ".py")
    found = [1] if header else []
    while position < len(lines):
        found.append(position + 1)
        reader = DoublePercentScriptCellReader({"extension": ".py"}, "python")
        position += reader.read(lines[position:])[1]
    return found


def rewritten(root: Path) -> list[str]:
    """Return the markers of cells that a save from JupyterLab rewrote, each with file and line.

    jupytext escapes accents in metadata, where no one can read or proofread a caption any more,
    and Lab may sort their keys.
    """
    found = []
    for source in sorted((root / "notebooks").glob("[0-9]*.py")):
        lines = source.read_text(encoding="utf-8").splitlines()
        for cell, start in zip(read(source).cells, first_lines(source), strict=True):
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            escaped = re.search(r"\\u[0-9a-f]{4}", lines[start - 1]) if cell.metadata else None
            if escaped or ("name" in figure and next(iter(figure)) != "name"):
                what = f"{escaped[0]} in its metadata" if escaped else "the keys of a figure sorted"
                name = source.relative_to(root).as_posix()
                found.append(
                    f"{name}:{start}: expected a marker as it is written by hand, found {what}, by "
                    f"a jupytext save; put the line back with git checkout -p {name}"
                )
    return found


def _refuse_unmarked_code(notebook: NotebookNode, source: Path) -> None:
    """Refuse code that a missing marker makes a part of the text above it."""
    lines = source.read_text(encoding="utf-8").splitlines()
    starts = first_lines(source)
    for cell, start, end in zip(notebook.cells, starts, [*starts[1:], None], strict=True):
        for number, line in enumerate(lines[start : end and end - 1], start=start + 1):
            if cell.cell_type == "markdown" and line.strip() and not line.startswith("#"):
                raise NotebookError(
                    f"{source.name}:{number}: expected text after # in a [markdown] cell, found "
                    f"{line!r}; write # %% above it if it is code, # before it if it is text"
                )


def _parse_cells(notebook: NotebookNode, source: Path) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            raise NotebookError(
                f"expected plain Python in cell {number} of {source.name}, found {error.msg}: "
                f"{(error.text or '').strip()!r}; correct it, without magics"
            ) from error


def _name_cells(cells: list[NotebookNode], published: list[NotebookNode]) -> None:
    taken: set[str] = set()
    for cell, match in zip(cells, map_outputs_to_inputs(cells, published), strict=True):
        base = "" if match is None else published[match].get("id", "")
        base = base or hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        name, copies = base, 1
        while name in taken:
            copies += 1
            name = f"{base}-{copies}"
        taken.add(name)
        cell["id"] = name


def check(notebook: NotebookNode, name: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the declared parameters and their defaults, after comparing them with those given.

    papermill only warns about an unknown parameter and exits 0, and it misses some annotated ones:
    2.7.0 sees ``a: int = 3``, not ``a: int | None = 3``.

    Raises:
        NotebookError: If the ``parameters`` cell is missing, doubled or not made of plain literals.
        RequestError: If a given parameter is not among the declared ones, or of another type.
    """
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise NotebookError(
            f"expected one cell tagged 'parameters' in {name}, found {len(cells)}; "
            'write it as # %% tags=["parameters"]'
        )
    known: dict[str, object] = {}
    for statement in ast.parse(cells[0].source).body:
        try:
            (target,) = statement.targets
            known[target.id] = ast.literal_eval(statement.value)
        except (AttributeError, ValueError) as error:
            raise NotebookError(
                f"expected plain literals, such as seed = 0, in the parameters cell of {name}, "
                f"found {ast.unparse(statement)!r}; move what is derived to the next cell"
            ) from error
    if unknown := sorted(set(parameters) - set(known)):
        raise RequestError(
            f"expected parameters of {name} among {', '.join(known)}, found {', '.join(unknown)}; "
            "correct the name or declare it in the parameters cell"
        )
    for given, value in parameters.items():
        wanted = type(known[given])
        if known[given] is not None and type(value) is not wanted:
            raise RequestError(
                f"expected {given} of {name} to be of type {wanted.__name__}, such as "
                f"{known[given]!r}, found {value!r}; correct the value"
            )
    return known
