"""Time an exported MambaVision-T in other runtimes beside ONNX Runtime in float32."""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.bench import results
from vitrine.bench.clock import Progress, clock_of, side_by_side
from vitrine.bench.model import NAME, QUICK, RUNTIME_BATCHES, SIDE, write_onnx
from vitrine.explain.runtimes import RUNTIMES, RuntimeMissing, opened
from vitrine.models.rebuilt import fill, image

__all__ = ["measure"]

BASELINE = "onnx"
BARS = {"openvino-bf16": 2.0, "onnx-int8": 3.0}
"""Times faster than ONNX Runtime in float32, with AVX-512 BF16 and VNNI."""
CALIBRATION = 16
"""Drawn images that integers find their ranges from: here speed is measured, not accuracy."""


def measure(
    *,
    names: Sequence[str] = RUNTIMES[1:],
    device: str = "cpu",
    turns: int = 5,
    quick: bool = False,
    tell: Callable[[str], None] = print,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the results: a row for each runtime and batch, and bars.

    Args:
        names: Of the runtimes, beside ``onnx``.
        device: ``cpu``.
        turns: Times that each is timed, all in turns.
        quick: Whether to use the smallest network on tiny images, for tests.
        tell: Told each result as a line.
        progress: Told of the turns done and of their number.

    Raises:
        RuntimeMissing: If a runtime is unknown, or not installed.
    """
    if unknown := sorted(set(names) - set(RUNTIMES)):
        raise RuntimeMissing(
            f"expected runtimes among {', '.join(RUNTIMES)}, found {', '.join(unknown)}"
        )
    found = results.header("vitrine bench model --runtime", device, turns=turns, quick=quick)
    name, side = (QUICK, 32) if quick else (NAME, SIDE)
    model = fill(timm.create_model(name, **({"depths": (1, 1, 2, 2)} if quick else {}))).eval()
    drawn = np.split(image(CALIBRATION, side, side).numpy(), CALIBRATION)
    with tempfile.TemporaryDirectory() as folder:
        file = write_onnx(model, Path(folder) / "model.onnx", side).read_bytes()
    running = {each: opened(file, each, drawn) for each in dict.fromkeys((BASELINE, *names))}
    rows = []
    for batch in RUNTIME_BATCHES:
        x = image(batch, side, side).numpy()
        expected = running[BASELINE](x)[0]
        work = {each: partial(answer, x) for each, answer in running.items()}
        timings = side_by_side(work, turns=turns, clock=clock_of(device), progress=progress)
        for each, answer in running.items():
            gap = np.abs(answer(x)[0] - expected).max() / np.abs(expected).max()
            row = {"model": name, "side": side, "batch": batch, "runtime": each}
            row |= timings.row(each, BASELINE, batch) | {"relative_gap": float(gap)}
            rows.append(row)
            tell(
                f"{name} batch {batch:2} {each:14} {row['milliseconds']:8.1f} ms, "
                f"{row['ratio']:.2f}x {BASELINE}, gap {gap:.1e} of the largest logit"
            )
    bars = [
        results.at_least(
            "runtime speed", BARS[row["runtime"]], row["ratio"],
            runtime=row["runtime"], batch=row["batch"],
        )
        for row in rows
        if row["runtime"] in BARS and not quick
    ]  # fmt: skip
    return {**found, "rows": rows, "bars": bars}
