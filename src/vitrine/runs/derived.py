"""Facts computed from a finished run once, tracked beside it: ``derived/<name>.csv`` and ``.json``.

The table holds answers, not scores; the JSON says which command wrote it, from which inputs (their
hashes) and with which libraries.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vitrine.runs.meter import versions
from vitrine.runs.reading import Run, RunError

__all__ = ["about", "has", "read", "write"]

DERIVED = "derived"


def _path(run: Run, name: str) -> Path:
    return run.folder / DERIVED / name


def write(run: Run, name: str, table: pd.DataFrame, facts: Mapping[str, Any]) -> Path:
    """Write a table of facts and what it was made from.

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
    table.to_csv(path, index=False, lineterminator="\n")
    told = {"run": run.name, **facts, "versions": versions()}
    path.with_suffix(".json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
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
        RunError: If it was not computed.
    """
    if not has(run.folder, name):
        raise RunError(
            f"expected {DERIVED}/{name}.csv in the run {run.name}, found none; restore it with git,"
            " or make it with `vitrine robustness` or `vitrine explain`"
        )
    return pd.read_csv(_path(run, f"{name}.csv"))


def about(run: Run, name: str) -> dict[str, Any]:
    """Return what is said of these facts: writer, hashes of the inputs, settings, versions.

    Raises:
        RunError: If they were not computed.
    """
    if not has(run.folder, name):
        read(run, name)
    return json.loads(_path(run, f"{name}.json").read_text())
