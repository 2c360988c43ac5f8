"""Measure a run: commit, versions, hardware asked for and obtained, durations, memory."""

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from vitrine import paths

__all__ = ["UNKNOWN", "Meter", "code_state", "cpu_info", "machine", "versions"]

UNKNOWN = "unknown"
"""Commit of a tree of which git says nothing."""
LIBRARIES = (
    "torch", "timm", "lightning", "tensorflow", "keras", "numpy", "pillow", "scikit-learn",
)  # fmt: skip


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
