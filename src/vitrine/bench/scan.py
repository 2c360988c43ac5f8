"""Time and weigh every form of the scan beside the plain reference."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from vitrine.bench import plain, results
from vitrine.bench.clock import Bench, peak_bytes
from vitrine.bench.lengths import LENGTHS, measure_lengths
from vitrine.models.scan import chunked, reference, two_level

__all__ = ["CASES", "Case", "arguments", "measure", "scan_bars", "work_of"]

PLAIN, KERNEL = "plain", "mamba_ssm"
PASSES = ("forward", "training")
TIMES = {(196, "forward"): 2.8, (196, "training"): 28.0, (1024, "training"): 150.0}
"""Times faster than the plain scan that the chunked form has to be, by length and pass."""
SHARE = 0.3
"""Share of the plain scan's memory that it may take at length 196."""
MIB = 2**20


@dataclass(frozen=True)
class Case:
    """A shape to time at.

    Attributes:
        batch: Number of sequences.
        length: Number of positions.
        width: Number of channels.
        state: Size of the state of a channel.
    """

    batch: int
    length: int
    width: int
    state: int = 8

    @property
    def name(self) -> str:
        """What the results call it."""
        return f"L={self.length}"


CASES = (Case(32, 196, 160), Case(32, 49, 320), Case(4, 1024, 160))
"""Third and fourth stages of MambaVision-T at 224, and windows of an image of 512."""
TINY = (Case(2, 12, 4, 2), Case(2, 9, 4, 2))


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results of the scan: rows, bars, and the cost of three mixers against length."""
    cases = TINY if bench.quick else CASES
    rows = [row for case in cases for kind in PASSES for row in _compare(case, kind, bench)]
    costs = measure_lengths(bench, LENGTHS[:2] if bench.quick else LENGTHS)
    return {"rows": rows, "bars": scan_bars(rows), "lengths": costs}


def arguments(case: Case, device: str = "cpu") -> dict[str, Tensor]:
    """Return tensors such as a trained network would give, in our layout and in float32."""
    rng = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng)

    rates = torch.arange(1.0, case.state + 1) * (0.2 * normal(case.width, case.state)).exp()
    tensors = {
        "u": normal(case.batch, case.length, case.width),
        "delta": normal(case.batch, case.length, case.width),
        "A": -rates,
        "B": normal(case.batch, case.length, case.state),
        "C": normal(case.batch, case.length, case.state),
        "D": normal(case.width),
        "delta_bias": normal(case.width) - 2,
    }
    return {name: tensor.to(device).requires_grad_() for name, tensor in tensors.items()}


def _compare(case: Case, kind: str, bench: Bench) -> list[dict[str, Any]]:
    ours = arguments(case, bench.device)
    theirs = {
        name: tensor.detach().transpose(1, 2).contiguous().requires_grad_()
        if name in ("u", "delta", "B", "C")
        else tensor
        for name, tensor in ours.items()
    }
    work = {
        name: work_of(scan, theirs if name in (PLAIN, KERNEL) else ours, kind)
        for name, scan in _forms(bench.device)
    }
    timings = bench.time(work)
    memory = {name: peak_bytes(todo, bench.device) for name, todo in work.items()}
    rows = [
        {
            "case": case.name, **asdict(case), "pass": kind, "candidate": name,
            **timings.row(name, PLAIN), "memory_mib": held / MIB,
            "memory_share": held / max(memory[PLAIN], 1),
        }
        for name, held in memory.items()
    ]  # fmt: skip
    for row in rows:
        bench.tell(
            f"scan {row['case']:7} {kind:9} {row['candidate']:10} {row['milliseconds']:9.1f} ms "
            f"{row['ratio']:7.2f}x  {row['memory_mib']:7.1f} MiB {row['memory_share']:5.0%}"
        )
    return rows


def _forms(device: str) -> Iterable[tuple[str, Callable[..., Tensor]]]:
    yield PLAIN, plain.channel_first_scan
    yield "reference", reference.selective_scan
    yield "chunked", chunked.selective_scan
    yield "two_level", two_level.selective_scan
    if device == "cuda":
        from vitrine.models.scan import triton

        yield "triton", triton.selective_scan
        if not results.mamba_ssm(device).startswith("not"):
            from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

            yield KERNEL, selective_scan_fn


def work_of(
    scan: Callable[..., Tensor], tensors: dict[str, Tensor], kind: str
) -> Callable[[], object]:
    """Return what runs a pass of a scan: forward, or training with the gradients of all tensors."""
    weight = torch.ones_like(tensors["u"])

    def forward() -> Tensor:
        with torch.no_grad():
            return scan(**tensors, delta_softplus=True)

    def training() -> tuple[Tensor, ...]:
        y = scan(**tensors, delta_softplus=True)
        return torch.autograd.grad(y, list(tensors.values()), weight)

    return forward if kind == "forward" else training


def scan_bars(rows: list[dict[str, Any]]) -> list[results.Bar]:
    """Return what the rows say of the bars set for the scan; none for shapes without a bar.

    On a GPU, our kernel is compared with that of mamba_ssm wherever both are in the rows.
    """
    at = {(row["length"], row["pass"], row["candidate"]): row for row in rows}
    bars = []
    for (length, kind), times in TIMES.items():
        if row := at.get((length, kind, "chunked")):
            where = {"length": length, "pass": kind}
            bars.append(results.at_least("scan", times, row["ratio"], **where))
    for kind in PASSES:
        if row := at.get((196, kind, "chunked")):
            where = {"length": 196, "pass": kind}
            bars.append(results.at_most("memory", SHARE, row["memory_share"], **where))
    for (length, kind, candidate), row in at.items():
        if candidate == "triton" and (theirs := at.get((length, kind, KERNEL))):
            faster = theirs["milliseconds"] / max(row["milliseconds"], math.ulp(1.0))
            bars.append(results.at_least("kernel", 1.0, faster, **{"length": length, "pass": kind}))
    return bars
