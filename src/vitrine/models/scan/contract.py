"""What every form of the selective scan promises: checked arguments, precision, derivatives."""

import contextlib
import functools
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.library import CustomOpDef

__all__ = [
    "checked",
    "differentiate",
    "in_full_precision",
    "plain_under_transforms",
    "register_derivatives",
    "widened_type",
    "without_autocast",
]

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


def plain_under_transforms(plain: Scan) -> Callable[[Scan], Scan]:
    """Make a form of the scan give way to ``plain`` in forward mode and inside ``torch.func``.

    An operator of our own would drop tangents without a word, and has no rule for ``vmap``.

    Args:
        plain: A form made of ordinary operations, that every transform can follow.
    """

    def decorate(scan: Scan) -> Scan:
        @functools.wraps(scan)
        def followed(*arguments):
            return (plain if _is_transformed(arguments) else scan)(*arguments)

        return followed

    return decorate


def _is_transformed(arguments: Iterable[Any]) -> bool:
    tensors = (x for x in arguments if isinstance(x, Tensor))
    return torch._C._are_functorch_transforms_active() or any(
        forward_ad.unpack_dual(t).tangent is not None for t in tensors
    )


def register_derivatives(forward: CustomOpDef, backward: CustomOpDef, plain: Scan) -> None:
    """Give an operator that scans its gradients, which can themselves be differentiated.

    Args:
        forward: From the seven tensors, ``delta_softplus`` and ``keep``, returns the output, then
            what ``backward`` needs: empty unless ``keep``.
        backward: From the seven tensors, ``delta_softplus``, what was kept and the gradient of the
            output, returns the gradients of the seven tensors.
        plain: A form made of ordinary operations, for what is differentiated again.
    """

    def setup_context(ctx, inputs, output):
        *tensors, ctx.delta_softplus, ctx.kept = inputs
        ctx.save_for_backward(*tensors, *output[1:])
        ctx.set_materialize_grads(False)

    def derive(ctx, grad_y, *_):
        if grad_y is None:
            return (None,) * 9
        saved = ctx.saved_tensors  # checkpointing lets them be read once
        tensors, kept = saved[:7], saved[7:]
        if torch.is_grad_enabled() or _is_transformed((*tensors, grad_y)):
            grads = differentiate(plain, tensors, ctx.delta_softplus, grad_y)
        else:
            if not ctx.kept:
                _, *kept = forward(*tensors, ctx.delta_softplus, True)
            grads = backward(*tensors, ctx.delta_softplus, *kept, grad_y)
            pairs = zip(tensors, grads, strict=True)
            grads = [None if t is None else grad.to(t.dtype) for t, grad in pairs]
        return *grads, None, None

    forward.register_autograd(derive, setup_context=setup_context)


def differentiate(
    scan: Scan, tensors: tuple[Tensor | None, ...], delta_softplus: bool, grad_y: Tensor
) -> tuple[Tensor | None, ...]:
    """Return the gradients of a form made of plain operations, differentiable in grad mode.

    The fast forms answer a second derivative with it: their own backward is opaque to autograd.

    Args:
        scan: A form that autograd can follow.
        tensors: The seven tensors that the form takes, in order.
        delta_softplus: As the form takes it.
        grad_y: Gradient of the output.

    Returns:
        One gradient for each of ``tensors``, ``None`` where none is wanted.
    """
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        # Aliases, because the arguments may depend on one another (delta is computed from u):
        # the gradient wanted is the one through the scan alone.
        aliases = [None if t is None else t.view_as(t) for t in tensors]
        wanted = [t for t in aliases if t is not None and t.requires_grad]
        y = scan(*aliases, delta_softplus)
        found = iter(torch.autograd.grad(y, wanted, grad_y, create_graph=again))
    return tuple(next(found) if t is not None and t.requires_grad else None for t in aliases)
