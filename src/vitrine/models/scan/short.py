"""The selective scan of few short sequences on a CPU, where calls cost more than arithmetic.

All the states fit the cache, so that nothing is computed twice and nothing is cut: what
``chunked`` does for one of its chunks, for the whole sequence.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from vitrine.models.scan import chunked, two_level
from vitrine.models.scan.chunked import States, sweep, through_softplus
from vitrine.models.scan.contract import checked, in_full_precision
from vitrine.models.scan.derivatives import differentiate, is_transformed, plain_under_transforms

__all__ = ["scan", "selective_scan", "suits"]

LARGEST = 2**20
"""Elements of the states of all positions from which they leave the cache, and pages cost more than
calls and arithmetic."""


def suits(u: Tensor, A: Tensor) -> bool:
    """Return whether a scan is so small that this form is the fastest, and eager.

    Compilers, counters of FLOPs and other modes are left the operator of ``chunked``.
    """
    plain = type(u) in (Tensor, torch.nn.Parameter) and u.device.type == "cpu"
    watched = torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0
    step = u.shape[0] * A.numel()
    return plain and not watched and 0 < step <= chunked.NARROW and step * u.shape[1] < LARGEST


@plain_under_transforms(two_level.selective_scan)
@in_full_precision
def scan(
    u: Float[Tensor, "batch length channel"],
    delta: Float[Tensor, "batch length channel"],
    A: Float[Tensor, "channel state"],
    B: Float[Tensor, "batch length state"],
    C: Float[Tensor, "batch length state"],
    D: Float[Tensor, " channel"] | None = None,
    delta_bias: Float[Tensor, " channel"] | None = None,
    delta_softplus: bool = False,
) -> Float[Tensor, "batch length channel"]:
    """Run the scan on whole sequences, in place, of arguments that were checked.

    They are those of ``vitrine.models.scan.selective_scan``. Second derivatives, forward
    mode and ``torch.func`` are answered by the two-level form, as with ``chunked``.
    """
    tensors = (u, delta, A, B, C, D, delta_bias)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        return _Scan.apply(*tensors, delta_softplus)
    return _forward(*tensors, delta_softplus)[0]


selective_scan = checked(scan)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        *tensors, ctx.delta_softplus = arguments
        y, *kept = _forward(*arguments)
        ctx.save_for_backward(*tensors, *kept)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # checkpointing lets them be read once
        tensors, kept = saved[:7], saved[7:]
        if torch.is_grad_enabled() or is_transformed((*tensors, *grads)):
            found = differentiate(two_level.selective_scan, tensors, ctx.delta_softplus, *grads)
        elif is_legacy_batchedtensor(grads[0]):  # an operator takes many at once
            _, *kept = chunked._scan(*tensors, ctx.delta_softplus, True)
            found = chunked._scan_backward(*tensors, ctx.delta_softplus, *kept, *grads)
        else:
            found = _backward(*tensors, ctx.delta_softplus, *kept, *grads)
        pairs = zip(found, tensors, strict=True)
        return *(None if tensor is None else grad for grad, tensor in pairs), None


def _forward(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
) -> tuple[Tensor, Tensor, States, States]:
    """Return the output, the step sizes, the decays and the states."""
    delta = delta if delta_bias is None else delta + delta_bias
    delta = F.softplus(delta) if delta_softplus else delta
    rate = A.t().contiguous() * math.log2(math.e)
    decay = torch.mul(delta[:, :, None], rate).exp2_()
    h = (delta * u)[:, :, None] * B[..., None]
    sweep(decay, h)
    y = torch.matmul(C[:, :, None], h)[:, :, 0]
    return y if D is None else y.addcmul_(D, u), delta, decay, h


def _backward(
    u: Tensor,
    raw: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
    delta: Tensor,
    decay: States,
    h: States,
    dy: Tensor,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of the seven tensors; ``chunked`` has their formulas."""
    g = dy[:, :, None] * C[..., None]
    sweep(F.pad(decay[:, 1:], (0, 0, 0, 0, 0, 1)), g, reverse=True)
    dC = torch.matmul(dy[:, :, None], h.transpose(-1, -2))[:, :, 0]
    dB = torch.matmul((delta * u)[:, :, None], g.transpose(-1, -2))[:, :, 0]
    dv = torch.matmul(B[:, :, None], g)[:, :, 0]
    q = g.mul_(decay)
    q[:, 1:].mul_(h[:, :-1])
    q[:, 0].zero_()
    ddelta = (q * A.t()).sum(2).addcmul_(u, dv)
    ddelta = through_softplus(ddelta, raw, delta_bias, delta_softplus)
    dA = q.mul_(delta[:, :, None]).sum((0, 1)).t()
    du = dv.mul_(delta)
    dD = None if D is None else (dy * u).sum((0, 1))
    dbias = None if delta_bias is None else ddelta.sum((0, 1))
    return du if D is None else du.addcmul_(D, dy), ddelta, dA, dB, dC, dD, dbias
