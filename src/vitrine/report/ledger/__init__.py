"""Every number that the book may cite, with its source, and every declared verdict.

The ledger is a pure function of tracked files. Every build computes it again and compares it with
``runs/ledger.json``, which the roles of the book read::

    splits, facts, runs, sheets, cited results
      -context, measures, folds, recommended, mixers, controls, derived,
       teaching, training, equal_start, service->
        values
        +-verdicts-> claims
        +-> runs/ledger.json -> {valeur}, {verdict}
"""

import json
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.data import tracked
from vitrine.report.ledger import (
    context,
    controls,
    derived,
    equal_start,
    folds,
    measures,
    mixers,
    recommended,
    service,
    teaching,
    training,
    verdicts,
)
from vitrine.report.ledger.values import Value

__all__ = ["LedgerError", "Value", "check", "compute", "write"]


class LedgerError(ValueError):
    """The tracked ledger is not what the tracked files give.

    Attributes:
        exit_code: What the command line exits with: a verification found a mismatch.
    """

    exit_code = 3


def _path() -> Path:
    return paths.runs() / "ledger.json"


def compute() -> dict[str, Any]:
    """Compute the whole ledger from tracked files, as ``runs/ledger.json`` holds it."""
    values = measures.compute()
    parts = (
        context, folds, recommended, mixers, controls, derived, teaching, training, equal_start,
        service,
    )  # fmt: skip
    for part in parts:
        values.update(part.values())
    values = dict(sorted(values.items()))
    return {
        "schema": 1,
        "values": {key: value.to_dict() for key, value in values.items()},
        "verdicts": verdicts.decide(values),
    }


def write() -> Path:
    """Write ``runs/ledger.json`` and return its path."""
    text = json.dumps(compute(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    part = _path().with_suffix(".part")
    part.write_text(text)
    part.replace(_path())
    return _path()


def check() -> None:
    """Compare the tracked ledger with the tracked files.

    Raises:
        LedgerError: If they differ; the first keys that do are in the message, with the line of the
            first one that the file has.
        TrackedError: If the tracked ledger is damaged.
    """
    fresh, path = compute(), _path()
    kept = tracked.read("runs/ledger.json", root=path.parents[1]) if path.is_file() else {}
    wrong = [
        key
        for section in ("values", "verdicts")
        for key in sorted({*fresh[section], *kept.get(section, {})})
        if not _same(fresh[section].get(key), kept.get(section, {}).get(key))
    ]
    if wrong:
        raise LedgerError(
            f"runs/ledger.json:{_line(path, wrong)}: expected what the tracked files give, found "
            f"{len(wrong)} differences ({', '.join(wrong[:4])}); run `vitrine ledger` and look at "
            "its diff"
        )


def _line(path: Path, keys: list[str]) -> int:
    """Return the line of the first key that the file has; 1 where it has none of them."""
    wanted = tuple(f'"{key}":' for key in keys)
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((n for n, line in enumerate(lines, 1) if line.strip().startswith(wanted)), 1)


def _same(a: Any, b: Any) -> bool:
    """Compare two entries; numbers may differ by a rounding of the last digits kept."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1e-3)
    return a == b
