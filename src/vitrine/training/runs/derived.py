"""Facts computed from a finished run once, tracked beside it: ``derived/<name>.csv`` and ``.json``.

The table holds answers, not scores; the JSON says which command wrote it, from which inputs (their
hashes) and with which libraries.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vitrine.data import tracked
from vitrine.training.runs.meter import versions
from vitrine.training.runs.reading import Run, RunError

__all__ = ["about", "has", "read", "write"]

DERIVED = "derived"
_AGAIN = "make it with `vitrine robustness` or `vitrine explain`"


def _path(run: Run, name: str) -> Path:
    return run.folder / DERIVED / name


def write(run: Run, name: str, table: pd.DataFrame, facts: Mapping[str, Any]) -> Path:
    """Write a table of facts and what it was made from.

    The table comes last: facts that are there (``has``) are whole.

    Args:
        run: The run it is derived from.
        name: Name of the facts, such as ``robustness``.
        table: Their content.
        facts: Writer, hashes of the inputs, settings.

    Returns:
        Where the table lies.
    """
    path = _path(run, f"{name}.csv")
    path.parent.mkdir(exist_ok=True)
    told = {"run": run.name, **facts, "versions": versions()}
    parts = _path(run, f"{name}.json.part"), _path(run, f"{name}.csv.part")
    parts[0].write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    table.to_csv(parts[1], index=False, lineterminator="\n")
    for part in parts:
        part.replace(part.with_suffix(""))
    return path


def has(folder: Path, name: str) -> bool:
    """Tell whether these facts were computed for the run in a folder.

    The folders are listed, which the stamp of a notebook notes: facts that come later make it
    stale, where a question by name would leave no trace.
    """
    if DERIVED not in {path.name for path in folder.iterdir()}:
        return False
    return f"{name}.csv" in {path.name for path in (folder / DERIVED).iterdir()}


def read(run: Run, name: str) -> pd.DataFrame:
    """Return a table of facts derived from a run.

    Raises:
        RunError: If it was not computed, or if its file is damaged.
    """
    if not has(run.folder, name):
        raise RunError(
            f"expected {DERIVED}/{name}.csv in the run {run.name}, found none; restore it with git,"
            f" or {_AGAIN}"
        )
    return _whole(run, f"{name}.csv")


def about(run: Run, name: str) -> dict[str, Any]:
    """Return what is said of these facts: writer, hashes of the inputs, settings, versions.

    Raises:
        RunError: If they were not computed, or if the file is absent or damaged.
    """
    if not has(run.folder, name):
        read(run, name)
    return _whole(run, f"{name}.json")


def _whole(run: Run, file: str) -> Any:
    try:
        return tracked.read(f"{DERIVED}/{file}", root=run.folder)
    except tracked.TrackedError as error:
        raise RunError(f"run {run.name}: {error}, or {_AGAIN}") from error
