"""Time a whole MambaVision with our scan, with the plain one, and in ONNX Runtime."""

import copy
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import vitrine.models  # noqa: F401  (registers the models)
from vitrine.bench import plain, results
from vitrine.bench.clock import Bench, Work, inferring, peak_bytes
from vitrine.explain.exported import session
from vitrine.models.rebuilt import fill, image

__all__ = ["compare_onnx", "measure", "measure_onnx", "model_bars", "write_onnx"]

BATCHES = {"forward": 16, "training": 8}
PLAIN, JUDGED = "plain, float32", "ours, channels last"
"""What all is compared to, as mamba-ssm is used; and how ``training.torch`` lays ours in memory."""
NAME, SIDE, CLASSES = "mambavision_tiny", 224, 1000
RUNTIME_NAMES, RUNTIME_BATCHES = ("mambavision_micro", "mambavision_tiny"), (1, 16)
QUICK = "mambavision_nano"
FORWARD_TURNS = 3
"""Forward turns for one of training: their gap is a few percent, what a busy machine can blur."""
BARS = {
    ("forward", "float32"): 1.05,
    ("training", "float32"): 1.5,
    ("forward", "bfloat16"): 2.0,
    ("training", "bfloat16"): 2.6,
}
"""Times faster than the plain network in float32. Those in bfloat16 need AVX512-BF16 or AMX."""
TOLERANCE, MIB = 1e-4, 2**20
SPARED, SLOWER = 0.75, 1.10
"""What a training step that computes its scans again may hold and last, in units of another."""


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results of the model: rows of the network, of its memory, of ONNX Runtime, bars.

    A forward pass is timed ``FORWARD_TURNS`` as often as a training step. ONNX Runtime is timed on
    the CPU, where eager is too.
    """
    rows = [row for kind in BATCHES for row in _compare(kind, bench)]
    onnx: list[dict[str, Any]] = []
    if bench.device == "cpu":
        for name in (QUICK,) if bench.quick else RUNTIME_NAMES:
            small = {"side": 32, "depths": (1, 1, 2, 2)} if bench.quick else {"side": SIDE}
            onnx += measure_onnx(name, bench, **small)
    recomputed = _recompute(bench)
    bars = [*model_bars(rows, onnx), *recompute_bars(recomputed)]
    return {"rows": rows, "recomputed": recomputed, "onnx": onnx, "bars": bars}


def _compare(kind: str, bench: Bench) -> list[dict[str, Any]]:
    name, side = (QUICK, 32) if bench.quick else (NAME, SIDE)
    batch, device = 2 if bench.quick else BATCHES[kind], bench.device
    torch.manual_seed(0)
    model = fill(timm.create_model(name)).to(device).train(kind == "training")
    other = copy.deepcopy(model).to(memory_format=torch.channels_last)
    x, work = image(batch, side, side).to(device), {}
    for dtype in (torch.float32, torch.bfloat16):
        for label, scan, network in _candidates(device, model, other):
            laid = x.to(memory_format=torch.channels_last) if network is other else x
            key = f"{label}, {str(dtype).removeprefix('torch.')}"
            work[key] = _work(network, laid, dtype, scan, kind)
    turns = bench.turns * (FORWARD_TURNS if kind == "forward" and not bench.quick else 1)
    timings = bench.time(work, turns=turns)
    rows = []
    for key in work:
        label, _, dtype = key.rpartition(", ")
        row = {"model": name, "side": side, "batch": batch, "pass": kind, "candidate": label}
        row |= {"dtype": dtype, "turns": turns, **timings.row(key, PLAIN, batch)}
        row["ratio_same_dtype"] = timings.ratio(key, f"plain, {dtype}")
        rows.append(row)
        bench.tell(
            f"model {kind:9} {key:30} {row['milliseconds']:9.1f} ms "
            f"{row['images_per_second']:7.2f} img/s {row['ratio']:5.2f}x plain float32 "
            f"{row['ratio_same_dtype']:5.2f}x plain {dtype}"
        )
    return rows


def _recompute(bench: Bench) -> list[dict[str, Any]]:
    """Return a row a type: what a training step that computes its scans again holds and lasts."""
    name, side = (QUICK, 32) if bench.quick else (NAME, SIDE)
    batch, rows = 2 if bench.quick else BATCHES["training"], []
    torch.manual_seed(0)
    model = fill(timm.create_model(name)).to(bench.device, memory_format=torch.channels_last)
    thrifty = copy.deepcopy(model.train())
    thrifty.set_grad_checkpointing(keep_products=True)
    x = image(batch, side, side).to(bench.device, memory_format=torch.channels_last)
    for dtype in (torch.float32, torch.bfloat16):
        work = {
            "kept": _work(model, x, dtype, None, "training"),
            "recomputed": _work(thrifty, x, dtype, None, "training"),
        }
        held = {key: peak_bytes(step, bench.device) for key, step in work.items()}
        timings = bench.time(work)
        row = {"model": name, "side": side, "batch": batch}
        row |= {"dtype": str(dtype).removeprefix("torch."), "memory_mib": held["recomputed"] / MIB}
        row |= {"memory_share": held["recomputed"] / held["kept"]}
        row |= {"slower": timings.ratio("kept", "recomputed")}
        rows.append(row)
        bench.tell(
            f"model training, scans computed again, {row['dtype']}: {row['memory_share']:.0%} of "
            f"the memory, {row['slower']:.2f}x the time"
        )
    return rows


def recompute_bars(rows: list[dict[str, Any]]) -> list[results.Bar]:
    """Return what the rows say of the memory that is spared, and of the time that it costs."""
    bars = []
    for row in rows:
        where = {"model": row["model"], "dtype": row["dtype"]}
        bars.append(results.at_most("recomputed memory", SPARED, row["memory_share"], **where))
        bars.append(results.at_most("recomputed time", SLOWER, row["slower"], **where))
    return bars


def _candidates(
    device: str, model: nn.Module, other: nn.Module
) -> Iterator[tuple[str, Callable[..., Tensor] | None, nn.Module]]:
    yield "plain", plain.selective_scan, model
    yield "ours", None, model
    yield "ours, channels last", None, other
    if device == "cuda" and not results.mamba_ssm(device).startswith("not"):
        yield "mamba_ssm", plain.kernel_scan, model


def _work(
    model: nn.Module,
    x: Tensor,
    dtype: torch.dtype,
    scan: Callable[..., Tensor] | None,
    kind: str,
) -> Work:
    half = torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
    target = torch.arange(len(x), device=x.device) % CLASSES

    def forward() -> Tensor:
        with torch.inference_mode(), plain.scanning_with(scan), half:
            return model(x)

    def training() -> None:
        with plain.scanning_with(scan), half:
            loss = F.cross_entropy(model(x).float(), target)
        loss.backward()
        model.zero_grad()

    return forward if kind == "forward" else training


def measure_onnx(name: str, bench: Bench, *, side: int, **options: Any) -> list[dict[str, Any]]:
    """Return a row for each batch: ONNX Runtime beside eager, on one thread, and how they agree.

    Args:
        name: A name of timm's, of a MambaVision.
        bench: How it is asked for.
        side: Side of the image, in pixels.
        options: What else to say to ``timm.create_model``.
    """
    model = fill(timm.create_model(name, **options)).eval()
    return compare_onnx(name, model, bench, side=side, batches=RUNTIME_BATCHES)


def compare_onnx(
    name: str, model: nn.Module, bench: Bench, *, side: int, batches: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Return a row for each batch: ONNX Runtime beside a network as it stands.

    Args:
        name: What the rows call it.
        model: The network, in evaluation mode, on the CPU.
        bench: How it is asked for.
        side: Side of the image, in pixels.
        batches: Numbers of images.

    Raises:
        OnnxExporterError: If PyTorch cannot export the network.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        running = session(write_onnx(model, Path(folder) / "model.onnx", side))
        for batch in batches:
            rows.append(_onnx_row(name, model, running, image(batch, side, side), bench))
            row = rows[-1]
            bench.tell(
                f"onnx {name} batch {batch:2}: eager {row['eager_milliseconds']:.1f} ms, ONNX "
                f"Runtime {row['onnx_milliseconds']:.1f} ms, {row['ratio']:.2f}x, largest gap "
                f"{row['largest_gap']:.1e}"
            )
    return rows


def write_onnx(model: nn.Module, path: Path, side: int) -> Path:
    """Export a network for any batch, in one file, and return its path."""
    torch.onnx.export(
        model,
        (image(2, side, side),),
        path,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        input_names=["image"],
        output_names=["logits"],
        external_data=False,
        verbose=False,
    )
    return path


def _onnx_row(name: str, model: nn.Module, running: Any, x: Tensor, bench: Bench) -> dict[str, Any]:
    feed, eager = {"image": x.numpy()}, inferring(model, x)

    def runtime() -> Tensor:
        return torch.from_numpy(running.run(["logits"], feed)[0])

    expected, found = eager(), runtime()
    timings = bench.time({"eager": eager, "onnx": runtime})
    return {
        "model": name,
        "side": x.shape[-1],
        "batch": len(x),
        "eager_milliseconds": timings.milliseconds("eager"),
        "onnx_milliseconds": timings.milliseconds("onnx"),
        "ratio": timings.ratio("onnx", "eager"),
        "same_top1": bool(expected.argmax(1).equal(found.argmax(1))),
        "largest_gap": float((expected - found).abs().max()),
        "relative_gap": float((expected - found).abs().max() / expected.abs().max()),
    }


def model_bars(rows: list[dict[str, Any]], onnx: list[dict[str, Any]]) -> list[results.Bar]:
    """Return what the rows say of the bars set for the model and for ONNX Runtime.

    Ours is judged as training and prediction run it, channels last; the rows have the other too.
    """
    at = {(row["pass"], row["candidate"], row["dtype"]): row for row in rows}
    bars = []
    for kind, dtype in BARS:
        if row := at.get((kind, JUDGED, dtype)):
            where = {"model": row["model"], "pass": kind, "dtype": dtype}
            bars.append(results.at_least("network", BARS[kind, dtype], row["ratio"], **where))
    for (kind, candidate, dtype), row in at.items():
        if candidate == JUDGED and (theirs := at.get((kind, "mamba_ssm", dtype))):
            where = {"model": row["model"], "pass": kind, "dtype": dtype}
            faster = row["images_per_second"] / theirs["images_per_second"]
            bars.append(results.at_least("kernel", 1.0, faster, **where))
    for row in onnx:
        where = {"model": row["model"], "batch": row["batch"]}
        bars.append(results.at_least("runtime speed", 1.0, row["ratio"], **where))
        bars.append(results.at_most("runtime gap", TOLERANCE, row["largest_gap"], **where))
        bars.append(results.at_least("runtime top-1", 1.0, float(row["same_top1"]), **where))
    return bars
