"""What every form of the selective scan promises: checked arguments and full precision."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

__all__ = ["Scan", "checked", "in_full_precision", "widened_type", "without_autocast"]

Scan = Callable[..., Tensor]

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
AXES = {
    "u": "(batch, length, channel)",
    "delta": "(batch, length, channel)",
    "A": "(channel, state)",
    "B": "(batch, length, state)",
    "C": "(batch, length, state)",
    "D": "(channel,)",
    "delta_bias": "(channel,)",
}


def checked(scan: Scan) -> Scan:
    """Make a form of the scan refuse arguments that it would misread.

    Raises:
        TypeError: If an argument is no tensor, is not of a floating type, or if only some are
            float64.
        ValueError: If a shape or a device does not fit the others.
    """

    @functools.wraps(scan)
    def entered(u, delta, A, B, C, D=None, delta_bias=None, delta_softplus=False):
        given = {"u": u, "delta": delta, "A": A, "B": B, "C": C, "D": D, "delta_bias": delta_bias}
        given = {name: tensor for name, tensor in given.items() if tensor is not None}
        _check_types(given)
        _check_shapes(given)
        return scan(u, delta, A, B, C, D, delta_bias, delta_softplus)

    return entered


def _check_types(given: dict[str, Any]) -> None:
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"expected {name} to be a torch.Tensor, found {type(tensor).__name__}; "
                "convert it with torch.as_tensor"
            )
        if tensor.dtype not in FLOATS:
            raise TypeError(
                f"expected {name} in float16, bfloat16, float32 or float64, found {tensor.dtype}; "
                "cast it, for instance with .float()"
            )
        if (tensor.dtype == torch.float64) != (given["u"].dtype == torch.float64):
            raise TypeError(
                f"expected all tensors in float64 or none, found {name} in {tensor.dtype} beside "
                f"u in {given['u'].dtype}; cast one of the two"
            )
        if tensor.device != given["u"].device:
            raise ValueError(
                f"expected {name} on the device of u, {given['u'].device}, found it on "
                f"{tensor.device}; move it with .to(u.device)"
            )


def _check_shapes(given: dict[str, Any]) -> None:
    for name in ("u", "A"):
        dims = AXES[name].count(" ") + 1
        if given[name].dim() != dims:
            raise ValueError(
                f"expected {name} of shape {AXES[name]}, found {tuple(given[name].shape)}; "
                f"give it {dims} dimensions"
            )
    batch, length, channel = given["u"].shape
    state = given["A"].shape[1]
    if length == 0 or channel == 0 or state == 0:
        raise ValueError(
            "expected at least one position, one channel and one state, found length "
            f"{length}, channel {channel} and state {state}; only the batch may be empty"
        )
    sizes = {"batch": batch, "length": length, "channel": channel, "state": state}
    for name, tensor in given.items():
        axes = AXES[name].strip("(),").split(", ")
        expected = tuple(sizes[axis] for axis in axes)
        if tuple(tensor.shape) != expected:
            raise ValueError(
                f"expected {name} of shape {AXES[name]} = {expected} to fit u and A, found "
                f"{tuple(tensor.shape)}; transpose, slice or expand it"
            )


def without_autocast(tensor: Tensor) -> contextlib.AbstractContextManager:
    """Return a context in which operations keep the precision of their inputs.

    It does nothing where autocast is off already: an exported graph then holds no trace of it.
    """
    kind = tensor.device.type
    if kind != "meta" and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return contextlib.nullcontext()


def widened_type(tensor: Tensor) -> torch.dtype:
    """Return the type to compute in: float64 for float64, float32 for the rest."""
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def _cast(tensor: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    # A cast to the same type would be nothing in eager mode, and two nodes in an exported graph.
    return tensor if tensor is None or tensor.dtype == dtype else tensor.to(dtype)


def in_full_precision(scan: Scan) -> Scan:
    """Make a form of the scan compute in float32, or float64, and answer in the type of ``u``.

    A state carried over hundreds of positions in half precision would lose what it carries.
    """

    @functools.wraps(scan)
    def widened(u, delta, A, B, C, D, delta_bias, delta_softplus):
        wide = widened_type(u)
        tensors = [_cast(t, wide) for t in (u, delta, A, B, C, D, delta_bias)]
        with without_autocast(u):
            return _cast(scan(*tensors, delta_softplus), u.dtype)

    return cast(Scan, widened)
