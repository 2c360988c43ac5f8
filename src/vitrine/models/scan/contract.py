"""What every form of the selective scan promises: checked arguments and full precision."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

__all__ = [
    "CONSTANT",
    "GROUPED",
    "SHARED",
    "Scan",
    "checked",
    "in_full_precision",
    "widened_type",
    "without_autocast",
]

Scan = Callable[..., Tensor]

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
OTHER_LAYOUT = {"channel_last": "channel_first", "channel_first": "channel_last"}
SIGNAL, CHANNELS = ("batch", "length", "channel"), ("channel",)
AXES = {
    "u": SIGNAL,
    "delta": SIGNAL,
    "A": ("channel", "state"),
    "D": CHANNELS,
    "delta_bias": CHANNELS,
    "z": SIGNAL,
    "initial_state": ("batch", "channel", "state"),
}
OPTIONAL = ("D", "delta_bias", "z", "initial_state")
CONSTANT, SHARED, GROUPED = 2, 3, 4  # Dimensions of B and C.
PROJECTIONS = {
    CONSTANT: ("channel", "state"),
    SHARED: ("batch", "length", "state"),
    GROUPED: ("batch", "length", "group", "state"),
}


def checked(scan: Scan, *, general: bool = False) -> Scan:
    """Make a form of the scan refuse arguments that it would misread.

    Args:
        scan: The form.
        general: Whether it takes a gate, an initial state, another layout, and ``B`` and ``C`` that
            are constant or grouped.

    Raises:
        TypeError: If an argument is no tensor, is not of a real floating type, or if only some are
            float64.
        ValueError: If a shape or a device does not fit the others, or if the layout is unknown.
    """

    @functools.wraps(scan)
    def entered(u, delta, A, B, C, D=None, delta_bias=None, delta_softplus=False, **options):
        if not options and _plainly_fits(u, delta, A, B, C, D, delta_bias):
            return scan(u, delta, A, B, C, D, delta_bias, delta_softplus)
        given = {"u": u, "delta": delta, "A": A, "B": B, "C": C, "D": D, "delta_bias": delta_bias}
        given |= {name: options.get(name) for name in ("z", "initial_state")}
        given = {n: t for n, t in given.items() if t is not None or n not in OPTIONAL}
        layout = options.get("layout", "channel_last")
        if layout not in OTHER_LAYOUT:
            raise ValueError(
                f"expected layout to be one of {', '.join(OTHER_LAYOUT)}, found {layout!r}"
            )
        _check_types(given)
        _check_shapes(given, layout, general)
        return scan(u, delta, A, B, C, D, delta_bias, delta_softplus, **options)

    return entered


def _plainly_fits(u: Any, delta: Any, A: Any, B: Any, C: Any, D: Any, delta_bias: Any) -> bool:
    """Return whether nothing is wrong with the usual call: one type, one device, seven shapes.

    The checks that can tell what is wrong take a third of the time of a scan of few short
    sequences.
    """
    tensors = [u, delta, A, B, C, *(t for t in (D, delta_bias) if t is not None)]
    if not all(isinstance(t, Tensor) for t in tensors):
        return False
    if u.dim() != len(SIGNAL) or A.dim() != len(AXES["A"]):
        return False
    batch, length, channel = u.shape
    state = A.shape[1]
    shapes = [u.shape, u.shape, (channel, state), (batch, length, state), (batch, length, state)]
    shapes += [(channel,)] * (len(tensors) - len(shapes))
    same = all(t.dtype == u.dtype and t.device == u.device for t in tensors)
    fits = all(t.shape == shape for t, shape in zip(tensors, shapes, strict=True))
    return same and fits and u.dtype in FLOATS and length > 0 and channel > 0 and state > 0


def _check_types(given: dict[str, Any]) -> None:
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"expected {name} to be a torch.Tensor, found {type(tensor).__name__}; "
                "convert it with torch.as_tensor"
            )
        if tensor.is_complex():
            raise TypeError(
                f"expected a real {name}, found {tensor.dtype}; this scan has real states, and a "
                "cast would drop the imaginary part: keep the library that the model was made for"
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


def _check_shapes(given: dict[str, Any], layout: str, general: bool) -> None:
    sizes = _sizes(given["u"], given["A"], layout)
    for name, tensor in given.items():
        dims, other = tensor.dim() if general else SHARED, OTHER_LAYOUT[layout]
        axes = _axes(name, layout, dims)
        if "group" in axes:
            sizes["group"] = _groups(name, tensor.shape[axes.index("group")], sizes["channel"])
        expected = tuple(sizes[axis] for axis in axes)
        found = tuple(tensor.shape)
        if found != expected:
            confused = found == tuple(sizes[axis] for axis in _axes(name, other, dims))
            raise ValueError(
                f"expected {name} of shape {_written(axes)} = {expected} to fit u and A, found "
                f"{found}{f', which is {other}' if confused else ''}; transpose, slice or expand it"
            )


def _sizes(u: Tensor, A: Tensor, layout: str) -> dict[str, int]:
    """Return the size of each axis, as ``u`` and ``A`` tell it."""
    for name, tensor in (("u", u), ("A", A)):
        axes = _axes(name, layout)
        if tensor.dim() != len(axes):
            raise ValueError(
                f"expected {name} of shape {_written(axes)}, found {tuple(tensor.shape)}; "
                f"give it {len(axes)} dimensions"
            )
    sizes = dict(zip(_axes("u", layout), u.shape, strict=True)) | {"state": A.shape[1]}
    length, channel, state = sizes["length"], sizes["channel"], sizes["state"]
    if length == 0 or channel == 0 or state == 0:
        raise ValueError(
            "expected at least one position, one channel and one state, found length "
            f"{length}, channel {channel} and state {state}; only the batch may be empty"
        )
    if A.shape[0] != channel and A.shape[0] == length:
        other = OTHER_LAYOUT[layout]
        raise ValueError(
            f"expected u of shape {_written(_axes('u', layout))} with the {length} channels of "
            f"A, found {tuple(u.shape)}, which is {other}; give layout={other!r} to "
            "vitrine.models.scan.selective_scan, or transpose"
        )
    return sizes


def _axes(name: str, layout: str, dims: int = SHARED) -> tuple[str, ...]:
    axes = PROJECTIONS.get(dims, PROJECTIONS[SHARED]) if name in ("B", "C") else AXES[name]
    if layout == "channel_first" and "length" in axes:
        return (*(axis for axis in axes if axis != "length"), "length")
    return axes


def _groups(name: str, groups: int, channel: int) -> int:
    if groups == 0 or channel % groups:
        raise ValueError(
            f"expected the groups of {name} to share the {channel} channels equally, found "
            f"{groups} groups; give a number that divides the channels"
        )
    return groups


def _written(axes: tuple[str, ...]) -> str:
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def without_autocast(tensor: Tensor) -> contextlib.AbstractContextManager:
    """Return a context in which operations keep the precision of their inputs.

    It does nothing where autocast is off already: an exported graph then holds no trace of it.
    """
    kind = tensor.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
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
