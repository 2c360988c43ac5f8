"""The selective scan on a CUDA device: one Triton kernel forward, one backward.

The kernels (``triton_kernels.py``) leave partial sums over channels and over sequences, which
PyTorch adds up in a fixed order: gradients are deterministic.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from vitrine.models.scan import two_level
from vitrine.models.scan.contract import checked, widened_type
from vitrine.models.scan.derivatives import plain_under_transforms, register
from vitrine.models.scan.triton_kernels import backward_kernel, forward_kernel

__all__ = ["selective_scan"]

STEPS = 8  # Positions of a chunk.
CHANNELS = 16  # Channels of a program.
WARPS = 1

# Otherwise they run as NumPy on any tensor: TRITON_INTERPRET=1 when they were imported.
COMPILED = isinstance(forward_kernel, triton.JITFunction)


@checked
@plain_under_transforms(two_level.selective_scan)
def selective_scan(
    u: Float[Tensor, "batch length channel"],
    delta: Float[Tensor, "batch length channel"],
    A: Float[Tensor, "channel state"],
    B: Float[Tensor, "batch length state"],
    C: Float[Tensor, "batch length state"],
    D: Float[Tensor, " channel"] | None = None,
    delta_bias: Float[Tensor, " channel"] | None = None,
    delta_softplus: bool = False,
) -> Float[Tensor, "batch length channel"]:
    """Run the scan as one kernel, as one operator that compilers do not look into.

    The arguments are those of ``vitrine.models.scan.selective_scan``; half precision is widened as
    it is read. Gradients are deterministic, and can be differentiated again. That second derivative
    is the two-level form's, as is all that is computed in forward mode or under ``torch.func``.

    Raises:
        RuntimeError: If the tensors are not on a CUDA device and the kernels are not interpreted.
    """
    if u.device.type != "cuda" and COMPILED:
        raise RuntimeError(
            f"expected tensors on cuda for the triton form, found them on {u.device.type}; move "
            "them, unset VITRINE_SCAN, or set TRITON_INTERPRET=1 before the first scan to run the "
            "kernels interpreted"
        )
    tensors = (u, delta, A, B, C, D, delta_bias)
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
    return _scan(*tensors, delta_softplus, keep)[0]


@torch.library.custom_op("vitrine::triton_scan", mutates_args=())
def _scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
    keep: bool,
) -> tuple[Tensor, Tensor]:
    """Return the output and, if ``keep``, the state at the head of each chunk."""
    y, heads = _empty_outputs(u, A, keep)
    tensors = (u, delta, A, B, C, D, delta_bias)
    _launch(forward_kernel, tensors, delta_softplus, y, heads, KEEP=keep)
    return y, heads


@_scan.register_fake
def _(u, delta, A, B, C, D, delta_bias, delta_softplus, keep):
    return _empty_outputs(u, A, keep)


@torch.library.custom_op("vitrine::triton_scan_backward", mutates_args=())
def _scan_backward(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
    heads: Tensor,
    grad_y: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of the seven tensors, walking the chunks from last to first."""
    batch, _, channel = u.shape
    du, ddelta = u.new_empty(u.shape), delta.new_empty(delta.shape)
    dB, dC = heads.new_empty((2, -(-channel // CHANNELS), *B.shape))
    dA, (dD, dbias) = heads.new_empty((batch, *A.shape)), heads.new_empty((2, batch, channel))
    tensors = (u, delta, A, B, C, D, delta_bias)
    outputs = (du, ddelta, dA, dB, dC, dD, dbias)
    _launch(backward_kernel, tensors, delta_softplus, heads, grad_y.contiguous(), *outputs)
    dA, dB, dC, dD, dbias = (partial.sum(0) for partial in outputs[2:])
    return du, ddelta, dA.to(A.dtype), dB.to(B.dtype), dC.to(C.dtype), dD, dbias


@_scan_backward.register_fake
def _(u, delta, A, B, C, D, delta_bias, delta_softplus, heads, grad_y):
    channel = heads.new_empty(u.shape[2])
    return (*(t.new_empty(t.shape) for t in (u, delta, A, B, C)), channel, channel.clone())


register(_scan, _scan_backward, two_level.selective_scan)


def _empty_outputs(u: Tensor, A: Tensor, keep: bool) -> tuple[Tensor, Tensor]:
    batch, length, channel = u.shape
    chunks = -(-length // STEPS) if keep else 0
    shape = (batch, chunks, A.shape[1], channel)
    return u.new_empty(u.shape), u.new_empty(shape, dtype=widened_type(u))


def _launch(
    kernel: Any,
    tensors: tuple[Any, ...],
    delta_softplus: bool,
    *others: Tensor,
    **options: bool,
) -> None:
    """Run a kernel with one program for each sequence and block of channels."""
    u, _, A, _, _, D, delta_bias = tensors
    batch, length, channel = u.shape
    if batch == 0:
        return
    with torch.cuda.device_of(u):
        kernel[(batch * -(-channel // CHANNELS),)](
            *(u if t is None else t.contiguous() for t in tensors),  # an absent one is not read
            *others,
            batch,
            length,
            channel,
            **options,
            HAS_D=D is not None,
            HAS_BIAS=delta_bias is not None,
            SOFTPLUS=delta_softplus,
            WIDE=tl.float64 if widened_type(u) == torch.float64 else tl.float32,
            STATE=A.shape[1],
            STATES=triton.next_power_of_2(A.shape[1]),
            STEPS=STEPS,
            CHANNELS=CHANNELS,
            num_warps=WARPS,
            enable_fp_fusion=True,
        )
