"""Time our scan beside those that other packages bring, at every size, to 65 536 positions."""

import contextlib
import importlib
import operator
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from vitrine.bench import plain, results
from vitrine.bench.clock import Bench
from vitrine.bench.scan import PASSES, Case, arguments, work_of
from vitrine.models.scan import selective_scan

__all__ = ["PACKAGES", "PeerError", "installed", "measure", "peer_bars"]

PACKAGES = {
    "mambapy": ("mambapy==1.2.0", "mambapy.mamba", "MambaBlock.selective_scan"),
    "mambax": ("mambax==0.4.1", "mambax.mamba", "Mamba.selective_scan"),
}
"""What pip installs, the module that holds the scan, and its name: a function, or a method."""
ABSENT = {}
"""By name, why a package cannot be installed here."""
if sys.version_info >= (3, 12):
    PACKAGES["torchmamba"] = ("torchmamba==0.1.2", "torchmamba.mamba1.core", "selective_scan_loop")
else:
    ABSENT["torchmamba"] = f"needs Python 3.12, this is {platform.python_version()}"
ALSO = ("einops==0.8.1",)
"""What they import, beside PyTorch."""
OURS, PLAIN = "ours", "plain"
LOOPS = (PLAIN, "torchmamba")
LONGEST_LOOP = 1024
"""Beyond, the backward of a scan in a loop, quadratic in the length, would take minutes."""
CASES = (
    Case(1, 64, 64), Case(1, 16, 128), Case(1, 64, 32), Case(1, 16, 64), Case(1, 196, 160),
    Case(1, 49, 320), Case(32, 196, 160), Case(32, 49, 320), Case(4, 1024, 160), Case(1, 4096, 64),
    Case(1, 16384, 64), Case(1, 65536, 64),
)  # fmt: skip
SHORTEST = 20.0
"""Milliseconds of a turn at least: the smallest scans are repeated."""
TINY = (Case(2, 12, 4, 2),)
LONG, LONG_BAR, LINEAR = 4096, 10.0, 1.3
"""A length, how many times faster than mambapy ours trains there; what a position may cost at the
longest, in units of what it costs at that length."""


class PeerError(RuntimeError):
    """Packages that could not be installed."""


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results: a row for each shape, pass and scan, and bars.

    Raises:
        PeerError: If the packages cannot be installed.
    """
    cases = TINY if bench.quick else CASES
    with installed() as scans:
        rows = [
            row for case in cases for kind in PASSES for row in _compare(case, kind, scans, bench)
        ]
    pins = [pin for pin, *_ in PACKAGES.values()]
    return {"packages": pins, "absent": ABSENT, "rows": rows, "bars": peer_bars(rows)}


def _compare(
    case: Case, kind: str, scans: dict[str, Callable[..., Tensor]], bench: Bench
) -> list[dict[str, Any]]:
    tensors = arguments(case)
    forms = {OURS: selective_scan, **scans, PLAIN: plain.selective_scan}
    if case.length > LONGEST_LOOP:
        forms = {name: scan for name, scan in forms.items() if name not in LOOPS}
    work = {name: work_of(scan, tensors, kind) for name, scan in forms.items()}
    timings = bench.time(work, least=0.0 if bench.quick else SHORTEST)
    shape = f"{case.batch}x{case.length}x{case.width}x{case.state}"
    rows = [
        {
            "shape": shape, "length": case.length, "pass": kind, "candidate": name,
            **timings.row(name, OURS), "ours_faster": timings.ratio(OURS, name),
        }
        for name in work
    ]  # fmt: skip
    for row in rows:
        bench.tell(
            f"scan {shape:16} {kind:9} {row['candidate']:8} {row['milliseconds']:9.2f} ms, ours "
            f"{row['ours_faster']:.2f}x as fast"
        )
    return rows


def peer_bars(rows: list[dict[str, Any]]) -> list[results.Bar]:
    """Return what the rows say: no peer faster, ten times mambapy when long, a linear cost."""
    bars = []
    for row in rows:
        if (name := row["candidate"]) != OURS:
            long = (name, row["length"], row["pass"]) == ("mambapy", LONG, "training")
            where = {"shape": row["shape"], "pass": row["pass"], "beside": name}
            least = LONG_BAR if long else 1.0
            bars.append(results.at_least("scan", least, row["ours_faster"], **where))
    for kind in PASSES:
        costs = {
            row["length"]: row["milliseconds"] / row["length"]
            for row in rows
            if (row["candidate"], row["pass"]) == (OURS, kind) and row["length"] >= LONG
        }
        if len(costs) > 1:
            grown = costs[max(costs)] / costs[min(costs)]
            bars.append(results.at_most("cost of a position", LINEAR, grown, **{"pass": kind}))
    return bars


@contextlib.contextmanager
def installed() -> Iterator[dict[str, Callable[..., Tensor]]]:
    """Give the scans of the packages, installed in a folder that goes afterwards.

    Each takes the arguments of ``vitrine.models.scan.selective_scan``.

    Raises:
        PeerError: If they cannot be installed.
    """
    pins = [*(pin for pin, *_ in PACKAGES.values()), *ALSO]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        done = subprocess.run([*pip, *pins], capture_output=True, check=False)
        if done.returncode:
            raise PeerError(
                f"expected pip to install {', '.join(pins)}, found that it failed; try it by hand"
            )
        sys.path.append(folder)
        try:
            importlib.invalidate_caches()
            yield {
                name: _adapted(importlib.import_module(module), path)
                for name, (_, module, path) in PACKAGES.items()
            }
        finally:
            sys.path.remove(folder)


def _adapted(module: Any, path: str) -> Callable[..., Tensor]:
    theirs = operator.attrgetter(path)(module)
    block = (None,) if "." in path else ()  # a method, that reads nothing of its block

    def scan(u: Tensor, delta: Tensor, *, delta_softplus: bool, **others: Tensor) -> Tensor:
        delta = delta + others["delta_bias"]
        delta = F.softplus(delta) if delta_softplus else delta
        y = theirs(*block, u, delta, *(others[name] for name in "ABCD"))
        return y[0] if isinstance(y, tuple) else y  # with the last state

    return scan
