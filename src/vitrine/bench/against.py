"""Time a MambaVision beside that of another commit, networks of timm, and a product of matrices."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch

from vitrine import paths
from vitrine.bench import results, step
from vitrine.bench.backbones import multiply_adds
from vitrine.bench.clock import Bench

__all__ = ["CommitError", "at_commit", "measure"]

OURS, COMMIT, PRODUCT = "mambavision_tiny", "commit", "product"
PEERS = (
    "swin_tiny_patch4_window7_224",
    "convnext_tiny",
    "mambaout_tiny",
    "vit_small_patch16_224",
)
BATCH, SIDE, EDGE = 8, 224, 1024
"""Images and their side; sides of the matrices whose product is the peak."""
PASSES = {"forward": 2, "training": 6}
"""Operations for each multiply-add of a forward pass: a backward pass is two of them."""
BAR = 1.3
"""Times faster than the other commit that a training step in bfloat16 has to be."""


class CommitError(ValueError):
    """A commit that this repository lacks, or that cannot run the network."""


def measure(bench: Bench, *, commit: str) -> dict[str, Any]:
    """Return the results: a row for each network, pass and type, and bars.

    Args:
        bench: How it is asked for, on the CPU.
        commit: What ``git archive`` takes, whose ``src`` is run from a temporary folder.

    Raises:
        CommitError: If the commit is unknown, or cannot run the network.
    """
    ours = "mambavision_nano" if bench.quick else OURS
    peers, batch, side = (("resnet10t",), 2, 32) if bench.quick else (PEERS, BATCH, SIDE)
    rows = []
    with at_commit(commit) as there:
        for kind in PASSES:
            for dtype in ("float32", "bfloat16"):
                asked = {"kind": kind, "dtype": dtype, "batch": batch, "side": side}
                work = {name: step.timed(name, **asked) for name in (ours, *peers)}
                work |= {COMMIT: partial(there, name=ours, **asked), PRODUCT: _product(dtype)}
                timings = bench.time(work, clock=_own)
                peak = 2 * EDGE**3 / timings.milliseconds(PRODUCT)
                for name in (ours, COMMIT, *peers):
                    done = _operations(ours if name == COMMIT else name, kind, batch, side)
                    row = {"candidate": name, **asked, **timings.row(name, COMMIT, batch)}
                    row |= {"share_of_peak": done / timings.milliseconds(name) / peak}
                    row |= {"ours_faster": timings.ratio(ours, name)}
                    rows.append(row)
                    bench.tell(
                        f"{kind:9} {dtype:8} {name:28} {row['milliseconds'] / batch:8.1f} ms an "
                        f"image, {row['share_of_peak']:4.0%} of the peak, ours "
                        f"{row['ours_faster']:.2f}x as fast"
                    )
    return {"commit": commit, "rows": rows, "bars": against_bars(rows)}


def against_bars(rows: list[dict[str, Any]]) -> list[results.Bar]:
    """Return what the rows say of the training step in bfloat16."""
    return [
        results.at_least(
            "training", BAR if row["candidate"] == COMMIT else 1.0, row["ours_faster"],
            dtype=row["dtype"], beside=row["candidate"],
        )
        for row in rows
        if (row["kind"], row["dtype"]) == ("training", "bfloat16") and row["candidate"] != OURS
    ]  # fmt: skip


@contextlib.contextmanager
def at_commit(commit: str) -> Iterator[Callable[..., float]]:
    """Give ``step.timed(...)()`` as the code of another commit runs it, in a program of its own.

    Args:
        commit: What ``git archive`` takes.

    Raises:
        CommitError: If the commit is unknown, or cannot run the network.
    """
    made = subprocess.run(
        ["git", "archive", commit, "src"], cwd=paths.root(), capture_output=True, check=False
    )
    if made.returncode:
        raise CommitError(
            f"expected a commit of this repository, found {commit!r}; git log lists them"
        )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
            archive.extractall(folder, filter="data")
        environment = {**os.environ, "PYTHONPATH": str(Path(folder) / "src")}
        program = subprocess.Popen(
            [sys.executable, "-W", "ignore", step.__file__],
            env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield partial(_asked, program, commit)
        finally:
            program.kill()
            program.communicate()


def _asked(program: subprocess.Popen[str], commit: str, **question: object) -> float:
    try:
        print(json.dumps(question), file=program.stdin, flush=True)
    except BrokenPipeError:
        pass  # it said why it ended on the standard error
    else:
        if answer := program.stdout.readline() if program.stdout else "":
            return float(answer)
    raise CommitError(
        f"expected the code of {commit} to run {question['name']}, found that it ended; choose a "
        "commit that has the network"
    )


def _own(work: Callable[[], float]) -> float:
    return work()  # each tells its own milliseconds: another program's are not those of this one


def _product(dtype: str) -> Callable[[], float]:
    left, right = torch.randn(2, EDGE, EDGE).to(getattr(torch, dtype))

    def run() -> float:
        begun = time.process_time_ns()
        torch.mm(left, right)
        return (time.process_time_ns() - begun) / 1e6

    return run


def _operations(name: str, kind: str, batch: int, side: int) -> float:
    network = timm.create_model(name).eval()
    return PASSES[kind] * batch * multiply_adds(network, side)
