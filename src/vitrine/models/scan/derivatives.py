"""Derivatives of the scans that are operators of our own: gradients, transforms, FLOPs."""

import functools
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.library import CustomOpDef
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula

from vitrine.models.scan.contract import Scan

__all__ = [
    "differentiate",
    "flops_outside_scans",
    "is_transformed",
    "plain_under_transforms",
    "register",
]

# Operations for each position, channel and state. Forward: the exponent, its exponential, what
# drives the state, and two multiply-adds. Backward: all but the last again, then seven sums of
# products and a product.
FORWARD, BACKWARD = 7, 20
_counted: set[torch._ops.OpOverloadPacket] = set()


def plain_under_transforms(plain: Scan) -> Callable[[Scan], Scan]:
    """Make a form of the scan give way to ``plain`` in forward mode and inside ``torch.func``.

    An operator of our own would drop tangents without a word, and has no rule for ``vmap``.

    Args:
        plain: A form made of ordinary operations, that every transform can follow.
    """

    def decorate(scan: Scan) -> Scan:
        @functools.wraps(scan)
        def followed(*arguments):
            return (plain if is_transformed(arguments) else scan)(*arguments)

        return followed

    return decorate


def is_transformed(arguments: Iterable[Any]) -> bool:
    """Return whether a transform of ``torch.func`` or forward mode is at work on the arguments."""
    if torch._C._are_functorch_transforms_active():
        return True
    tensors = (x for x in arguments if isinstance(x, Tensor))
    dual = forward_ad._current_level >= 0  # without a level no tensor has a tangent
    return dual and any(forward_ad.unpack_dual(t).tangent is not None for t in tensors)


def register(forward: CustomOpDef, backward: CustomOpDef, plain: Scan) -> None:
    """Give an operator that scans its gradients, and its FLOPs to ``FlopCounterMode``.

    The gradients can be differentiated again.

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
        if torch.is_grad_enabled() or is_transformed((*tensors, grad_y)):
            grads = differentiate(plain, tensors, ctx.delta_softplus, grad_y)
        else:
            if not ctx.kept:
                _, *kept = forward(*tensors, ctx.delta_softplus, True)
            grads = backward(*tensors, ctx.delta_softplus, *kept, grad_y)
            pairs = zip(tensors, grads, strict=True)
            grads = [None if t is None else grad.to(t.dtype) for t, grad in pairs]
        return *grads, None, None

    forward.register_autograd(derive, setup_context=setup_context)
    for operator, operations in ((forward, FORWARD), (backward, BACKWARD)):
        _register_flops(getattr(torch.ops.vitrine, operator._name), operations)


def _register_flops(operator: torch._ops.OpOverloadPacket, operations: int) -> None:
    @register_flop_formula(operator)
    def flops(u_shape, delta_shape, A_shape, *_, **__):
        return operations * prod(u_shape) * A_shape[1]

    _counted.add(operator)


def flops_outside_scans(counter: FlopCounterMode) -> int:
    """Return what a counter counted, less the scans: the convention of published figures."""
    counts = counter.flop_counts["Global"]
    return sum(flops for operator, flops in counts.items() if operator not in _counted)


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
