"""Read and write the file of a benchmark: its numbers, the machine, the versions, the bars."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata, util
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.training.runs.meter import code_state, cpu_info, machine, versions

__all__ = ["at_least", "at_most", "header", "mamba_ssm", "published", "read", "write"]

LIBRARIES = ("onnx", "onnxruntime", "onnxscript", "openvino", "triton", "mamba-ssm")
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile", "sve", "bf16")
"""Instructions that change what is fast, listed where the processor has them."""

Bar = dict[str, Any]


def header(writer: str, device: str, *, turns: int, quick: bool) -> dict[str, Any]:
    """Return the head of a file of results: who wrote it, when, from what code, on what machine.

    Args:
        writer: The command.
        device: ``cpu`` or ``cuda``.
        turns: Times that each candidate is timed.
        quick: Whether shapes are tiny, and the numbers without meaning.
    """
    libraries = {name: _version(name) for name in LIBRARIES}
    return {
        "writer": writer,
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "turns": turns,
        "clock": "CUDA events" if device == "cuda" else "processor time of one thread",
        "code": code_state(),
        "versions": versions() | {name: found for name, found in libraries.items() if found},
        "hardware": _hardware(device),
        "mamba_ssm": mamba_ssm(device),
    }


def mamba_ssm(device: str) -> str:
    """Return the version of the CUDA kernel to compare with, or why there is none."""
    if device != "cuda":
        return "not compared: it needs a CUDA device"
    if util.find_spec("mamba_ssm") is None:
        return "not compared: mamba_ssm is not installed"
    return _version("mamba-ssm") or "unknown"


def at_least(about: str, bar: float, measured: float, **where: object) -> Bar:
    """Return a bar that a measure must reach.

    Args:
        about: What is measured: ``scan``, ``kernel``, ``network``, ``runtime`` …
        bar: The limit.
        measured: What was found.
        where: What else says which measure it is: length, pass, batch …
    """
    reached = bool(measured >= bar)
    return {"about": about, **where, "at_least": bar, "measured": measured, "reached": reached}


def at_most(about: str, bar: float, measured: float, **where: object) -> Bar:
    """Return a bar that a measure must not exceed; the arguments are those of ``at_least``."""
    reached = bool(measured <= bar)
    return {"about": about, **where, "at_most": bar, "measured": measured, "reached": reached}


def published() -> Path:
    """Return the folder of the results that the book reads, ``runs/bench``."""
    return paths.runs() / "bench"


def read(name: str) -> dict[str, Any] | None:
    """Return the results of ``runs/bench``, or ``None`` where nobody measured it.

    Args:
        name: Of the file, without its suffix: ``scan``, or ``scan-cuda`` for a graphics card.
    """
    try:
        return json.loads((published() / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write(name: str, content: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Write results and return their path; a file written in part is never left behind.

    Args:
        name: Of the file, without its suffix.
        content: What to write.
        folder: Where; by default ``runs/bench``.
    """
    folder = folder or published()
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / f"{name}.json", folder / f"{name}.json.part"
    text = json.dumps(_rounded(content), indent=1, ensure_ascii=False, allow_nan=False)
    part.write_text(text + "\n", encoding="utf-8")
    return part.replace(path)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(item) for item in value]
    return value


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _hardware(device: str) -> dict[str, Any]:
    import torch  # those who read results do without

    flags = cpu_info().get("flags", "").split()
    return {
        "device": device,
        "gpu": torch.cuda.get_device_name() if device == "cuda" else None,
        "flags": [flag for flag in FLAGS if flag in flags],
        "threads": torch.get_num_threads(),
        **machine(),
    }
