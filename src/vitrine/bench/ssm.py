"""Measure the teaching models of the chapter on state spaces: copying learned, memory moved.

Nothing is timed. The notebook computes the same live; the ledger reads these.
"""

from typing import Any

from vitrine.bench.clock import Bench
from vitrine.models.scan import chunked, reference, two_level
from vitrine.ssm import copying, traffic

__all__ = ["SHAPE", "TRIALS", "measure"]

TRIALS = (
    ("selective", True),
    ("fixed", True),
    ("convolution", True),
    ("convolution", False),
)
"""Layers, and whether the symbols that they copy are scattered."""
LONGER = (1, 2, 4, 8)
FORMS = {"reference": reference, "two_level": two_level, "chunked": chunked}
SHAPE = (1, 196, 160)
"""Batch, length and channels of the scans whose traffic is counted: MambaVision-T's third stage."""
STATES = (1, 2, 4, 8, 16)


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results: a row a layer that learned to copy, a row a scan counted; no bar.

    Nothing depends on the device, and what is learned is the same at each turn.
    """
    rows = []
    for done, (layer, scattered) in enumerate(TRIALS, start=1):
        rows.append(_copy(layer, scattered, 3 if bench.quick else 250))
        bench.tell(f"copying {layer:12} scattered {scattered!s:5} {rows[-1]['scores']}")
        bench.progress(done, len(TRIALS))
    moved = [_moved(form, state) for form in FORMS for state in STATES]
    for row in moved:
        bench.tell(f"traffic {row['form']:10} state {row['state']:2} {row['moved']:9} elements")
    return {"copying": rows, "traffic": moved}


def _copy(layer: str, scattered: bool, steps: int) -> dict[str, Any]:
    task = copying.Task(scattered=scattered)
    model = copying.learn(task, layer, steps=steps).model
    # A convolution is as long as what it learned from.
    lengths = [task.length * n for n in (LONGER if layer != "convolution" else (1,))]
    scores = {
        length: copying.score(model, copying.Task(scattered=scattered, length=length))
        for length in lengths
    }
    return {
        "layer": layer, "scattered": scattered, "steps": steps, "seed": 0,
        "symbols": 256 * task.copied, "scores": {str(length): s for length, s in scores.items()},
    }  # fmt: skip


def _moved(form: str, state: int) -> dict[str, Any]:
    batch, length, channels = SHAPE
    inputs = traffic.scan_inputs(batch, length, channels, state)
    found = traffic.count(FORMS[form].selective_scan, inputs)
    return {
        "form": form, "length": length, "channels": channels, "state": state,
        "read": found.read, "written": found.written, "moved": found.moved,
        "operators": found.operators,
    }  # fmt: skip
