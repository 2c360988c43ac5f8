"""Time candidates in turns, and measure the memory that one needs."""

import functools
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from vitrine.bench import results

__all__ = ["Bench", "Timings", "clock_of", "inferring", "measured", "peak_bytes", "side_by_side"]

Work = Callable[[], object]
Clock = Callable[[Work], float]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Timings:
    """What each candidate took at each turn.

    Attributes:
        turns: Milliseconds of each turn, by candidate, in the order in which they ran.
    """

    turns: Mapping[str, tuple[float, ...]]

    def milliseconds(self, name: str) -> float:
        """Return the median of a candidate."""
        return statistics.median(self.turns[name])

    def ratio(self, name: str, baseline: str) -> float:
        """Return how many times faster a candidate is: the median of the ratios of each turn."""
        pairs = zip(self.turns[baseline], self.turns[name], strict=True)
        return statistics.median(slow / max(fast, 1e-9) for slow, fast in pairs)

    def row(self, name: str, baseline: str, images: int | None = None) -> dict[str, float]:
        """Return what the results say of a candidate: milliseconds, images a second, ratio.

        Args:
            name: The candidate.
            baseline: What its ratio compares it to.
            images: Images of a turn, if it is one of images.
        """
        milliseconds = self.milliseconds(name)
        speed = {} if images is None else {"images_per_second": 1e3 * images / milliseconds}
        return {
            "milliseconds": milliseconds,
            "fastest": min(self.turns[name]),
            "slowest": max(self.turns[name]),
            **speed,
            "ratio": self.ratio(name, baseline),
        }


@dataclass(frozen=True, kw_only=True)
class Bench:
    """How a benchmark is asked for, and who is told of it.

    Attributes:
        turns: Times that each candidate is timed, all in turns.
        device: ``cpu`` or ``cuda``.
        quick: Whether to measure tiny shapes, for tests.
        tell: Told each result as a line.
        progress: Told of the turns done and of their number.
    """

    turns: int
    device: str = "cpu"
    quick: bool = False
    tell: Callable[[str], None] = print
    progress: Progress = lambda done, turns: None

    def require_cpu(self) -> None:
        """Refuse a device where nothing of what is measured runs."""
        if self.device != "cpu":
            raise ValueError(f"expected the device cpu, where it runs, found {self.device!r}")

    def time(self, candidates: Mapping[str, Work], **options: Any) -> Timings:
        """Time candidates as ``side_by_side`` does, with the clock of the device."""
        asked = {"turns": self.turns, "clock": clock_of(self.device), "progress": self.progress}
        return side_by_side(candidates, **asked | options)


def measured(
    command: str, measure: Callable[[Bench], dict[str, Any]], bench: Bench
) -> dict[str, Any]:
    """Return the results of a benchmark under their header; tiny shapes are held to no bar.

    Args:
        command: What follows ``vitrine bench``.
        measure: Returns the rows, and the bars if there are any.
        bench: How it is asked for.
    """
    writer = f"vitrine bench {command}"
    found = results.header(writer, bench.device, turns=bench.turns, quick=bench.quick)
    found |= measure(bench)
    return found | {"bars": [] if bench.quick else found.get("bars", [])}


def side_by_side(
    candidates: Mapping[str, Work],
    *,
    turns: int,
    clock: Clock,
    progress: Progress = lambda done, turns: None,
    least: float = 0.0,
) -> Timings:
    """Run each candidate once for nothing, then all of them in turns, and time these.

    A call of a fraction of a millisecond, made once after others, measures the caches that they
    emptied.

    Args:
        candidates: What to run, by name.
        turns: How many times each is timed.
        clock: Runs a candidate and returns the milliseconds that it took.
        progress: Told of the turns done and of their number.
        least: Milliseconds that a turn of a candidate lasts at least, by repeating the call; what
            is told is the mean of its calls.

    Raises:
        ValueError: If there is nothing to time.
    """
    if turns < 1 or not candidates:
        raise ValueError(
            f"expected at least one candidate and one turn, found {len(candidates)} and {turns}; "
            "give more"
        )
    for work in candidates.values():
        work()
    calls = {
        name: max(1, math.ceil(least / max(float(clock(work)), 1e-3))) if least else 1
        for name, work in candidates.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(turns):
        for name, work in candidates.items():
            again = functools.partial(_repeat, work, calls[name]) if calls[name] > 1 else work
            taken[name].append(float(clock(again)) / calls[name])
        progress(turn + 1, turns)
    return Timings({name: tuple(values) for name, values in taken.items()})


def _repeat(work: Work, calls: int) -> None:
    for _ in range(calls):
        work()


def clock_of(device: str) -> Clock:
    """Return the clock of a device: processor time on a CPU, CUDA's events on a GPU."""
    return _cuda_milliseconds if device == "cuda" else _processor_milliseconds


def _processor_milliseconds(work: Work) -> float:
    begun = time.process_time_ns()
    work()
    return (time.process_time_ns() - begun) / 1e6


def _cuda_milliseconds(work: Work) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end)


def inferring(network: nn.Module, x: Tensor) -> Callable[[], Tensor]:
    """Return what answers a batch once, without gradients."""

    def work() -> Tensor:
        with torch.inference_mode():
            return network(x)

    return work


def peak_bytes(work: Work, device: str) -> int:
    """Return the most bytes of tensors that a piece of work holds at once, its answer included.

    What existed before does not count.
    """
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        kept = work()
    events = cast(Any, profile.profiler).kineto_results.events()
    moves = sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns())
    held = peak = 0
    for move in moves:
        held += move.nbytes()
        peak = max(peak, held)
    del kept
    return peak
