"""Measure a run: commit, versions, hardware, durations, memory; estimate its energy."""

import math
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from vitrine import paths

__all__ = [
    "CORE_WATTS", "GIB_WATTS", "UNKNOWN", "Meter", "code_state", "cpu_info", "first_process",
    "machine", "versions", "watt_hours",
]  # fmt: skip


UNKNOWN = "unknown"
"""Commit of a tree of which git says nothing."""
LIBRARIES = (
    "torch", "timm", "lightning", "tensorflow", "keras", "numpy", "pillow", "scikit-learn",
)  # fmt: skip


def first_process() -> bool:
    """Tell whether this process writes the run and speaks; the others of a training compute."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", 0))) == 0


def _git(*arguments: str) -> str | None:
    """Return what git answers, or ``None`` where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=paths.root(), capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def code_state() -> dict[str, Any]:
    """Return the commit that runs, and whether the package or the locks may differ from it.

    Where git does not answer, the commit is ``UNKNOWN`` and nothing says that the tree is clean.
    """
    changes = _git("status", "--porcelain", "--", "src", "requirements")
    return {"commit": _git("rev-parse", "HEAD") or UNKNOWN, "dirty": changes != ""}


def versions() -> dict[str, str]:
    """Return the version of Python and of each library that can change a result."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return the processor of this machine, its cores, its memory in GiB, and its load."""
    return {
        "cpu": cpu_info().get("model name") or platform.processor() or platform.machine(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_at_start": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def cpu_info() -> dict[str, str]:
    """Return what Linux says of its first processor; nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


class Meter:
    """Measure a run: hardware, durations, throughput, peak memory.

    Args:
        device: Device obtained, such as ``cpu`` or ``cuda``.
        asked: Device asked for.
        gpu: Name of the GPU; ``None`` on a CPU.
        threads: Threads that the framework computes with.
    """

    def __init__(self, device: str, *, asked: str, gpu: str | None = None, threads: int) -> None:
        self.hardware = {
            "asked": asked,
            "device": device,
            "gpu": gpu,
            "driver": _driver() if gpu else None,
            "threads": threads,
            **machine(),
        }
        self.started = datetime.now(UTC)
        self._clock, self._cpu_clock = time.perf_counter(), time.process_time()

    def facts(
        self, history: list[dict[str, float | int]], images: float | int, **more: Any
    ) -> dict[str, Any]:
        """Return what ``run.json`` says of the machine and of time.

        Args:
            history: Epochs of the run, those of earlier attempts included.
            images: Images seen in one epoch, on average.
            more: Anything else measured.
        """
        training = sum(row["seconds"] for row in history)
        return {
            "hardware": self.hardware,
            "timing": {
                "started": self.started.isoformat(timespec="seconds"),
                "seconds": round(time.perf_counter() - self._clock, 1),
                "cpu_seconds": round(time.process_time() - self._cpu_clock, 1),
                "training_seconds": round(training, 1),
                "images_per_second": round(images * len(history) / training, 2)
                if training
                else None,
                "peak_memory_mib": _peak_memory(),
                **more,
            },
        }


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 2**20 if platform.system() == "Darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def _driver() -> str | None:
    """Return the version of NVIDIA's driver, where its own tool tells it."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout.strip() else None


CORE_WATTS = 12.0
"""Power of one busy core of a server's processor, in watts (source: see ``watt_hours``)."""
GIB_WATTS = 0.3725
"""Power of one gibibyte of memory, in watts (same source)."""
_GPU_WATTS = {"H100": 700.0, "H200": 700.0, "A100": 400.0, "L4": 72.0, "T4": 70.0}
"""Board power of a GPU by a word of its name, from its maker's data sheet."""


def watt_hours(meta: Mapping[str, Any]) -> float | None:
    """Return the energy of the processor, the memory and the GPU of a run, in watt-hours.

    The method is that of Lannelongue, Grealey and Inouye, Green Algorithms (2021), doi
    10.1002/advs.202100707, with a power usage effectiveness of 1: seconds of processor times the
    power of a core, plus peak memory and, on a GPU, its board power over the time of training. Time
    spent before an interruption is counted in proportion, unless the run then ended at once.

    Args:
        meta: Content of ``run.json``.

    Returns:
        The estimate, or ``None`` where the run's GPU has no known power.
    """
    hardware, timing = meta["hardware"], meta["timing"]
    resumed = max(1.0, timing["training_seconds"] / (timing["seconds"] or math.inf))
    busy = timing["cpu_seconds"] * resumed / 3600
    hours = timing["seconds"] * resumed / 3600
    energy = CORE_WATTS * busy + GIB_WATTS * (timing["peak_memory_mib"] or 0) / 1024 * hours
    if hardware["gpu"] is None:
        return energy
    words = re.findall(r"\w+", hardware["gpu"])
    watts = next((w for name, w in _GPU_WATTS.items() if name in words), None)
    return None if watts is None else energy + watts * timing["training_seconds"] / 3600
