"""Read a file tracked by git (JSON, YAML or CSV); refuse by its name one absent or damaged."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from vitrine import paths

__all__ = ["TrackedError", "read"]


class TrackedError(ValueError):
    """A tracked file that is absent, cut or damaged; one sentence says which."""


def read(name: str, having: Iterable[str] = (), *, root: Path | None = None) -> Any:
    """Return the content of a tracked file: an object of JSON or YAML, or the table of a CSV.

    Args:
        name: Of the file from the root, such as ``runs/ledger.json``.
        having: Fields of the object, or columns of the table, that it must have.
        root: Folder that holds the file; by default the repository root.

    Raises:
        TrackedError: If the file is absent, does not parse, is cut in a line or lacks a field.
    """
    parse, noun = _KINDS[PurePosixPath(name).suffix]
    try:
        content = parse(((root or paths.root()) / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _damaged(name, "no such file") from error
    except UnicodeDecodeError as error:
        raise _damaged(name, "bytes that are no text") from error
    except ValueError as error:
        raise _damaged(name, str(error)) from error
    if missing := [field for field in having if field not in content]:
        raise _damaged(name, f"no {noun} {missing[0]}")
    return content


def _damaged(name: str, found: str) -> TrackedError:
    return TrackedError(f"expected {name} whole, found {found}; restore it with git")


def _json(text: str) -> dict[str, Any]:
    try:
        return _object(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON from line {error.lineno} on") from error


def _yaml(text: str) -> dict[str, Any]:
    import yaml  # it comes with the tools of the book, which alone has such files

    try:
        return _object(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"no YAML from line {mark.line + 1 if mark else 1} on") from error


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError("no object with fields")
    return content


def _csv(text: str) -> pd.DataFrame:
    """Parse a table; refuse a cut line or a merge mark, which pandas would fill with holes."""
    try:
        header, *rows = csv.reader(io.StringIO(text))
        table = pd.read_csv(io.StringIO(text))
    except (ValueError, csv.Error) as error:
        raise ValueError("no table") from error
    odd = [number for number, row in enumerate(rows, start=2) if len(row) != len(header)]
    if odd or not text.endswith("\n"):
        raise ValueError(f"line {[*odd, len(rows) + 1][0]} cut, or of another table")
    return table


_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    ".json": (_json, "field"),
    ".yml": (_yaml, "field"),
    ".csv": (_csv, "column"),
}
"""By suffix, the parser of a file and the noun for its parts."""
