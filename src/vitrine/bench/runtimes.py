"""Time an exported MambaVision-T in other runtimes beside ONNX Runtime in float32."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.bench import results
from vitrine.bench.clock import Bench
from vitrine.bench.model import NAME, QUICK, RUNTIME_BATCHES, SIDE, write_onnx
from vitrine.explain.runtimes import RUNTIMES, RuntimeMissing, opened
from vitrine.models.rebuilt import fill, image

__all__ = ["measure"]

BASELINE = "onnx"
BARS = {"openvino-bf16": 2.0, "onnx-int8": 3.0}
"""Times faster than ONNX Runtime in float32, with AVX-512 BF16 and VNNI."""
CALIBRATION = 16
"""Drawn images that integers find their ranges from: here speed is measured, not accuracy."""


def measure(bench: Bench, *, names: Sequence[str]) -> dict[str, Any]:
    """Return the results: a row for each runtime and batch, and bars.

    Args:
        bench: How it is asked for, on the CPU.
        names: Of the runtimes, beside ``onnx``.

    Raises:
        RuntimeMissing: If a runtime is unknown, or not installed.
    """
    if unknown := sorted(set(names) - set(RUNTIMES)):
        raise RuntimeMissing(
            f"expected runtimes among {', '.join(RUNTIMES)}, found {', '.join(unknown)}"
        )
    name, side, small = (QUICK, 32, {"depths": (1, 1, 2, 2)}) if bench.quick else (NAME, SIDE, {})
    model = fill(timm.create_model(name, **small)).eval()
    drawn = np.split(image(CALIBRATION, side, side).numpy(), CALIBRATION)
    with tempfile.TemporaryDirectory() as folder:
        file = write_onnx(model, Path(folder) / "model.onnx", side).read_bytes()
    running = {each: opened(file, each, drawn) for each in dict.fromkeys((BASELINE, *names))}
    rows = []
    for batch in RUNTIME_BATCHES:
        x = image(batch, side, side).numpy()
        expected = running[BASELINE](x)[0]
        work = {each: partial(answer, x) for each, answer in running.items()}
        timings = bench.time(work)
        for each, answer in running.items():
            gap = np.abs(answer(x)[0] - expected).max() / np.abs(expected).max()
            row = {"model": name, "side": side, "batch": batch, "runtime": each}
            row |= timings.row(each, BASELINE, batch) | {"relative_gap": float(gap)}
            rows.append(row)
            bench.tell(
                f"{name} batch {batch:2} {each:14} {row['milliseconds']:8.1f} ms, "
                f"{row['ratio']:.2f}x {BASELINE}, gap {gap:.1e} of the largest logit"
            )
    bars = [
        results.at_least(
            "runtime speed", BARS[row["runtime"]], row["ratio"],
            runtime=row["runtime"], batch=row["batch"],
        )
        for row in rows
        if row["runtime"] in BARS
    ]  # fmt: skip
    return {"rows": rows, "bars": bars}
