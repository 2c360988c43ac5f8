"""Estimate the energy of a run from its ``run.json``; nothing here was measured at a plug."""

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["CORE_WATTS", "GIB_WATTS", "watt_hours"]

CORE_WATTS = 12.0
"""Power of one busy core of a server's processor, in watts (source: see ``watt_hours``)."""
GIB_WATTS = 0.3725
"""Power of one gibibyte of memory, in watts (same source)."""
_GPU_WATTS = {"H100": 700.0, "H200": 700.0, "A100": 400.0, "L4": 72.0, "T4": 70.0}
"""Board power of a GPU by a part of its name, from its maker's data sheet."""


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
    watts = next((w for name, w in _GPU_WATTS.items() if name in hardware["gpu"]), None)
    return None if watts is None else energy + watts * timing["training_seconds"] / 3600
