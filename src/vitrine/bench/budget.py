"""Time the commands of the Makefile, from a fresh clone or from what is already built."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.bench import results

__all__ = ["BudgetError", "measure"]


class BudgetError(RuntimeError):
    """A command failed: how long it took means nothing."""


def measure(
    targets: Sequence[str], *, folder: Path | None = None, tell: Callable[[str], None] = print
) -> dict[str, Any]:
    """Run targets of the Makefile one after the other and return their durations.

    Targets whose results were already held, and that are not measured again, stay in it.

    Args:
        targets: Such as ``book`` or ``demo``.
        folder: Where its results lie; by default ``runs/bench``.
        tell: Told each result as a line.

    Raises:
        BudgetError: If a target fails.
    """
    found = results.header("vitrine bench budget", "cpu", turns=1, quick=False)
    found["clock"] = "wall clock"
    path = (folder or paths.runs() / "bench") / "budget.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    rows = {row["target"]: row for row in kept}
    for target in targets:
        rows[target] = _time(target, found["hardware"])
        tell(f"make {target}: {rows[target]['seconds']:.0f} s")
    return {**found, "rows": [rows[target] for target in sorted(rows)], "bars": []}


def _time(target: str, hardware: dict[str, Any]) -> dict[str, Any]:
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(["make", target], cwd=paths.root(), check=False)
    seconds, after = time.perf_counter() - begun, os.times()
    if done.returncode:
        raise BudgetError(
            f"expected make {target} to succeed, found exit code {done.returncode}; repair it "
            "before measuring how long it takes"
        )
    spent = after.children_user + after.children_system
    return {
        "target": target,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": seconds,
        "cpu_seconds": spent - before.children_user - before.children_system,
        "hardware": hardware | {"threads": hardware["cores"]},
    }
