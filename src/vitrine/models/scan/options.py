"""What the selective scan takes beyond its forms, brought to what every form does.

A gate multiplies the answer. Groups of ``B`` and ``C`` are as many scans of fewer channels, and
constant ones as many scans of a single state. A state is read by positions added at the end, whose
step is null, and set by positions added at the start, whose step is too short for anything to
decay: in floating point both are exact, gradients too.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vitrine.models.scan.contract import CONSTANT, GROUPED, Scan, widened_type, without_autocast

__all__ = ["scan_with_options"]

# A power of two, so that dividing by it and multiplying again is exact.
SHORT_STEP = 2.0**-70


class _Inputs(NamedTuple):
    """What is scanned, channels last, in full precision."""

    u: Tensor
    delta: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor | None
    delta_bias: Tensor | None
    initial_state: Tensor | None


# Returns the output and, if it is asked for, the last state.
_Run = Callable[[_Inputs], tuple[Tensor, Tensor | None]]


def scan_with_options(
    scan: Scan,
    tensors: tuple[Any, ...],
    delta_softplus: bool,
    *,
    z: Tensor | None,
    initial_state: Tensor | None,
    return_last_state: bool,
    layout: str,
) -> Tensor | tuple[Tensor, Tensor]:
    """Run a form of the scan with all the options of ``vitrine.models.scan.selective_scan``.

    Args:
        scan: The form: channels last, ``B`` and ``C`` of three dimensions.
        tensors: The seven tensors, in order and in ``layout``.
        delta_softplus: As the form takes it.
        z: As documented there, and those that follow.
        initial_state: See there.
        return_last_state: See there.
        layout: See there.
    """
    u, delta, A, B, C, D, delta_bias = tensors
    dtype, wide = u.dtype, widened_type(u)
    if layout == "channel_first":
        u, delta, B, C, z = (_channel_last(t) for t in (u, delta, B, C, z))
    given = (u, delta, A, B, C, D, delta_bias, initial_state)

    run = functools.partial(_scan_between_states, scan, delta_softplus, return_last_state)
    with without_autocast(u):
        x = _Inputs(*(t if t is None else t.to(wide) for t in given))
        y, last_state = _scan_groups(run, x)
        if z is not None:
            y = y * F.silu(z.to(wide))
        y = y.to(dtype)
    y = y.movedim(1, -1) if layout == "channel_first" else y
    return y if last_state is None else (y, last_state)


def _channel_last(tensor: Tensor | None) -> Tensor | None:
    """Move the length of a channel-first tensor to where the forms have it."""
    if tensor is None or tensor.dim() == CONSTANT:
        return tensor
    return tensor.movedim(-1, 1)


def _scan_groups(run: _Run, x: _Inputs) -> tuple[Tensor, Tensor | None]:
    """Scan the channels of each group by themselves."""
    counts = [t.shape[2] for t in (x.B, x.C) if t.dim() == GROUPED]
    # The least common multiple: torch.compile does not trace the function of math.
    groups = next(n for n in range(1, x.u.shape[2] + 1) if not any(n % count for count in counts))
    size = x.u.shape[2] // groups
    ys, states = [], []
    for group in range(groups):
        own = slice(group * size, (group + 1) * size)
        B, C = (_of_group(t, own, group, groups) for t in (x.B, x.C))
        D, bias = (None if t is None else t[own] for t in (x.D, x.delta_bias))
        start = None if x.initial_state is None else x.initial_state[:, own]
        inputs = _Inputs(x.u[..., own], x.delta[..., own], x.A[own], B, C, D, bias, start)
        y, state = _scan_constants(run, inputs)
        ys.append(y)
        states.append(state)
    return torch.cat(ys, 2), None if states[0] is None else torch.cat(states, 1)


def _of_group(projection: Tensor, own: slice, group: int, groups: int) -> Tensor:
    """Return the part of ``B`` or of ``C`` that the channels ``own`` are projected by."""
    if projection.dim() == CONSTANT:
        return projection[own]
    if projection.dim() == GROUPED:
        return projection[:, :, group * projection.shape[2] // groups]
    return projection


def _scan_constants(run: _Run, x: _Inputs) -> tuple[Tensor, Tensor | None]:
    """Scan each state by itself where ``B`` or ``C`` is constant: it then scales ``u`` or ``y``."""
    fixed_B, fixed_C = (t.dim() == CONSTANT for t in (x.B, x.C))
    if not fixed_B and not fixed_C:
        return run(x)
    ones = x.u.new_ones(*x.u.shape[:2], 1)
    total, states = torch.zeros_like(x.u) if x.D is None else x.D * x.u, []
    for n in range(x.A.shape[1]):
        one = slice(n, n + 1)
        inputs = x._replace(
            u=x.u * x.B[:, n] if fixed_B else x.u,
            A=x.A[:, one],
            B=ones if fixed_B else x.B[..., one],
            C=ones if fixed_C else x.C[..., one],
            D=None,
            initial_state=None if x.initial_state is None else x.initial_state[..., one],
        )
        y, state = run(inputs)
        total = total + (y * x.C[:, n] if fixed_C else y)
        states.append(state)
    return total, None if states[0] is None else torch.cat(states, 2)


def _scan_between_states(
    scan: Scan, delta_softplus: bool, return_last_state: bool, x: _Inputs
) -> tuple[Tensor, Tensor | None]:
    """Scan from the initial state, if there is one, to the last, if it is asked for."""
    if x.initial_state is None and not return_last_state:
        return scan(*x[:-1], delta_softplus), None
    delta = x.delta if x.delta_bias is None else x.delta + x.delta_bias
    delta = F.softplus(delta) if delta_softplus else delta
    # One position a state; each projects to a state of its own, or to none.
    state = x.A.shape[1]
    each = torch.eye(state, dtype=x.u.dtype, device=x.u.device).expand(len(x.u), -1, -1)
    none = torch.zeros_like(each)
    still = x.u.new_zeros(x.u.shape[0], state, x.u.shape[2])
    pieces = [(x.u, delta, x.B, x.C)]
    if x.initial_state is not None:
        start = x.initial_state.transpose(1, 2) / SHORT_STEP
        pieces.insert(0, (start, still + SHORT_STEP, each, none))
    if return_last_state:
        pieces.append((still, still, none, each))
    u, delta, B, C = (torch.cat(parts, 1) for parts in zip(*pieces, strict=True))
    y = scan(u, delta, x.A, B, C)
    begin = 0 if x.initial_state is None else state
    end = begin + x.u.shape[1]
    last_state = y[:, end:].transpose(1, 2) if return_last_state else None
    y = y[:, begin:end]
    return y if x.D is None else y + x.D * x.u, last_state
