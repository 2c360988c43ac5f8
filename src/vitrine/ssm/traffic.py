"""What a scan reads from memory and writes to it, counted operator by operator.

A scan does few operations on each number: what it costs on a fast machine is the numbers it moves.
An operator is charged with every element of what it is given and of what it returns, as if nothing
stayed at hand between two of them; one that is fused is charged with its ends alone.

Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
https://arxiv.org/abs/2312.00752, section 3.3; Dao et al., "FlashAttention",
https://arxiv.org/abs/2205.14135, for the account of reads and writes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["Traffic", "compose", "count", "scan_inputs"]

Scan = Callable[..., Tensor]


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Elements moved by a computation.

    Attributes:
        read: Elements given to its operators.
        written: Elements returned by its operators.
        operators: How many operators ran.
    """

    read: int
    written: int
    operators: int

    @property
    def moved(self) -> int:
        """Elements read and written."""
        return self.read + self.written


def scan_inputs(batch: int, length: int, channels: int, state: int) -> dict[str, Tensor]:
    """Return plausible inputs of a scan, by the name of its arguments."""
    draw = torch.Generator().manual_seed(0)
    sequence, per_state = (batch, length, channels), (batch, length, state)
    return {
        "u": torch.randn(sequence, generator=draw),
        "delta": torch.rand(sequence, generator=draw),
        "A": -torch.arange(1.0, state + 1).repeat(channels, 1),
        "B": torch.randn(per_state, generator=draw),
        "C": torch.randn(per_state, generator=draw),
    }


def count(scan: Scan, inputs: dict[str, Tensor]) -> Traffic:
    """Return what a scan of these inputs moves."""
    with torch.no_grad(), _Meter() as meter:
        scan(**inputs)
    return Traffic(read=meter.read, written=meter.written, operators=meter.operators)


class _Meter(TorchDispatchMode):
    """Adds up the elements that go into operators and come out of them; views move nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.read = self.written = self.operators = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: D105
        kwargs = kwargs or {}
        returned = func(*args, **kwargs)
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        owned = {t.untyped_storage().data_ptr() for t in given}
        made = [t for t in tree_leaves(returned) if isinstance(t, Tensor) and t.numel()]
        # What shares the memory of an argument is a view, or was written in place.
        fresh = [t for t in made if t.untyped_storage().data_ptr() not in owned]
        in_place = func._schema.is_mutable
        if fresh or in_place:
            self.read += sum(map(_elements, given))
            self.written += sum(map(_elements, made if in_place else fresh))
            self.operators += 1
        return returned


def _elements(tensor: Tensor) -> int:
    """Return how many elements a tensor really has: one that is repeated by a view counts once."""
    return min(tensor.numel(), tensor.untyped_storage().nbytes() // tensor.element_size())


def compose(first: tuple[Tensor, Tensor], then: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the one step that does two: ``h -> a h + b``, then ``h -> a' h + b'``.

    It is associative: a scan may be cut anywhere, and its pieces run side by side.
    """
    (a, b), (a_then, b_then) = first, then
    return a_then * a, a_then * b + b_then
