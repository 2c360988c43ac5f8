"""Time exported MambaVisions in other runtimes, and judge 8-bit forms of a model over folds."""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.bench import results
from vitrine.bench.clock import Bench
from vitrine.bench.model import NAME, QUICK, RUNTIME_BATCHES, SIDE, write_onnx
from vitrine.data import images
from vitrine.explain import NAMES
from vitrine.explain.exported import predicting
from vitrine.explain.runtimes import RUNTIMES, RuntimeMissing, in_integers, made_for, opened
from vitrine.models.graph import float_graph
from vitrine.models.rebuilt import fill, image
from vitrine.report.recommended import RECOMMENDED
from vitrine.serving.evaluation import guard
from vitrine.serving.export import calibrating
from vitrine.serving.quantize import int8_graph
from vitrine.training import runs, trained
from vitrine.training.runs import RunError
from vitrine.training.session import Session, begin

__all__ = ["judge", "measure"]

BASELINE = "onnx"
CASES = ((NAME, SIDE, RUNTIME_BATCHES, {}), ("mambavision_nano", 128, (1,), {}))
"""Networks, the side of their images, sizes of batches; the bars are those of the first."""
BARS = {"openvino-bf16": 2.0, "onnx-int8": 3.0, "openvino-int8": 3.0}
"""Times faster than ONNX Runtime in float32, with AVX-512 BF16 and VNNI."""
CALIBRATION = 16
"""Drawn images that integers find their ranges from: here speed is measured, not accuracy."""
ONCE, SERVED = "int8-static", "int8-static-again"
"""Forms: integers; those of the default model, made from weights of 8 bits."""
BFLOAT16, SIGNED = "openvino-bf16", "openvino-int8"
"""Forms that OpenVINO computes."""
BESIDE = "mambavision-micro-taught"
"""The MambaVision that is judged too, where its runs are there."""
SUMMED = ("images", "right", "same", "false_alarms")
LOST = 0.5
"""Points of accuracy over folds that it may lose on float32."""


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
    cases = [(QUICK, 32, (1, 16), {"depths": (1, 1, 2, 2)})] if bench.quick else CASES
    rows = [row for case in cases for row in _timed(bench, *case, names=names)]
    bars = [
        results.at_least(
            "runtime speed", BARS[row["runtime"]], row["ratio"],
            runtime=row["runtime"], batch=row["batch"],
        )
        for row in rows
        if row["runtime"] in BARS and row["model"] == cases[0][0]
    ]  # fmt: skip
    return {"rows": rows, "bars": bars}


def _timed(
    bench: Bench,
    name: str,
    side: int,
    batches: Sequence[int],
    options: dict[str, Any],
    *,
    names: Sequence[str],
) -> Iterator[dict[str, Any]]:
    model = fill(timm.create_model(name, **options)).eval()
    drawn = np.split(image(CALIBRATION, side, side).numpy(), CALIBRATION)
    with tempfile.TemporaryDirectory() as folder:
        file = write_onnx(model, Path(folder) / "model.onnx", side).read_bytes()
    running = {
        each: opened(made_for(file, each, drawn), each)
        for each in dict.fromkeys((BASELINE, *names))
    }
    for batch in batches:
        x = image(batch, side, side).numpy()
        expected = running[BASELINE](x)[0]
        work = {each: partial(answer, x) for each, answer in running.items()}
        timings = bench.time(work)
        for each, answer in running.items():
            gap = np.abs(answer(x)[0] - expected).max() / np.abs(expected).max()
            row = {"model": name, "side": side, "batch": batch, "runtime": each}
            row |= timings.row(each, BASELINE, batch) | {"relative_gap": float(gap)}
            bench.tell(
                f"{name} batch {batch:2} {each:14} {row['milliseconds']:8.1f} ms, "
                f"{row['ratio']:.2f}x {BASELINE}, gap {gap:.1e} of the largest logit"
            )
            yield row


def judge(bench: Bench, *, folder: Path, here: Session | None = None) -> dict[str, Any]:
    """Return what 8-bit forms of the recommended model answer to every photo, over five folds.

    Ranges of activations are found on photos that the model of the fold learned. A MambaVision is
    judged beside it where its runs are there too.

    Args:
        bench: How it is asked for, on the CPU.
        folder: Of its runs made again on every fold, with their weights.
        here: The data; by default those of the report.

    Raises:
        RunError: If a fold is absent there, or has no weights.
    """
    here = here or begin()
    folds, catalog = here.folds(), here.catalog()
    found = runs.across_folds(base=folder, folds=folds, only={RECOMMENDED, BESIDE})
    if RECOMMENDED not in found:
        raise RunError(
            f"expected a run of {RECOMMENDED} on each fold in {folder}, found fewer; make them "
            f"with `vitrine sweep {RECOMMENDED} --folds 0.0,0.1,0.2,0.3,0.4 --retrain`"
        )
    rows, totals, bars = [], [], []
    for name in (name for name in (RECOMMENDED, BESIDE) if name in found):
        own = []
        for fold, run in enumerate(found[name][0].runs):
            split, recipe = folds.fold(0, fold), run.recipe
            test, chosen = run.part("test"), run.part("validation")
            network = trained.load(run, split, catalog).network
            whole = float_graph(network, recipe.image_size, names=NAMES)
            learned = list(calibrating(split, catalog, recipe.image_size))
            pixels, known = (
                images.cached(catalog, part.image.tolist(), recipe.image_size)
                for part in (test, chosen)
            )
            told = _forms(bench, whole, learned, pixels, test.truth, known)
            own += [{"recipe": name, "fold": fold} | row for row in told]
        rows += own
        totals += (added := [{"recipe": name} | row for row in _totals(own)])
        bars += list(_bars(name, {row["form"]: row for row in added}))
        for row in added:
            bench.tell(
                f"{name} {row['form']:19} {row['right']:4} right of {row['images']}, {row['same']} "
                f"as in float32, {row['false_alarms']} false alarms, "
                f"{row['milliseconds']:.1f} ms, {row['megabytes']:.2f} MB"
            )
    return {"recipe": RECOMMENDED, "totals": totals, "rows": rows, "bars": bars}


def _bars(recipe: str, totals: dict[str, dict[str, Any]]) -> Iterator[results.Bar]:
    """Yield what the integers of a recipe may lose, and that bfloat16 changes no first class."""
    for form in (SERVED if recipe == RECOMMENDED else ONCE, SIGNED):
        lost = totals[form]["points_lost"]
        yield results.at_most("points of accuracy lost", LOST, lost, recipe=recipe, form=form)
    if recipe != RECOMMENDED:
        same = totals[BFLOAT16]["same"] / totals[BFLOAT16]["images"]
        yield results.at_least("same first class", 1.0, same, recipe=recipe, form=BFLOAT16)


def _forms(
    bench: Bench,
    whole: bytes,
    learned: Sequence[np.ndarray],
    pixels: np.ndarray,
    truth: np.ndarray,
    known: np.ndarray,
) -> list[dict[str, Any]]:
    """Return a row for each form of a network: how many photos it is right on, and how fast.

    The photos that the guard, fitted on ``known``, takes for none of the classes are counted too.
    """
    small = int8_graph(whole)
    files = {
        "float32": whole,
        "int8": small,
        "int8-static-whole": in_integers(whole, learned, "whole"),
        "int8-static-halved": in_integers(whole, learned, "halved"),
        ONCE: in_integers(whole, learned),
        SERVED: in_integers(small, learned),
        BFLOAT16: whole,
        SIGNED: made_for(whole, SIGNED, learned),
    }
    forms = {
        form: opened(file, form if form in RUNTIMES else BASELINE) for form, file in files.items()
    }
    timings = bench.time({form: partial(answer, pixels[:1]) for form, answer in forms.items()})
    exact, rows = predicting(forms["float32"])(pixels), []
    for form, answer in forms.items():
        told = predicting(answer)(pixels)
        fitted = guard(answer, known, pixels)
        rows.append(
            {
                "form": form,
                "images": len(truth),
                "right": int((told.argmax(axis=1) == truth).sum()),
                "same": int((told.argmax(axis=1) == exact.argmax(axis=1)).sum()),
                "false_alarms": round(fitted.false_alarms.value * len(truth)) if fitted else 0,
                "largest_gap": float(np.abs(told - exact).max()),
                "mean_gap": float(np.abs(told - exact).mean()),
                "megabytes": len(files[form]) / 1e6,
                "milliseconds": timings.milliseconds(form),
                "ratio": timings.ratio(form, "float32"),
            }
        )
    return rows


def _totals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the folds tell together of each form: sums of photos, means of the rest."""
    totals = []
    for form in dict.fromkeys(row["form"] for row in rows):
        of = [row for row in rows if row["form"] == form]
        added = {key: sum(row[key] for row in of) for key in SUMMED}
        meant = {
            key: float(np.mean([row[key] for row in of]))
            for key in ("mean_gap", "megabytes", "milliseconds", "ratio")
        }
        exact = totals[0]["right"] if totals else added["right"]
        lost = 100 * (exact - added["right"]) / added["images"]
        totals.append({"form": form, **added, "points_lost": lost, **meant})
    return totals
