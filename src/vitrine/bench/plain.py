"""A plain selective scan, the baseline of benchmarks, in the layout (batch, channel, length).

Plain loops over a selective scan write the decays and drives of all positions first, then slice
them at each step. Autograd answers each slice with a tensor of zeros of full size, so that the
backward grows with the square of the length: that, and not the recurrence, is what makes a plain
reference slow to train. Written from that description and from the paper,
https://arxiv.org/abs/2312.00752.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vitrine.models import mixers
from vitrine.models.scan.contract import without_autocast

__all__ = ["channel_first_scan", "kernel_scan", "scanning_with", "selective_scan"]


def channel_first_scan(
    u: Float[Tensor, "batch channel length"],
    delta: Float[Tensor, "batch channel length"],
    A: Float[Tensor, "channel state"],
    B: Float[Tensor, "batch state length"],
    C: Float[Tensor, "batch state length"],
    D: Float[Tensor, " channel"] | None = None,
    delta_bias: Float[Tensor, " channel"] | None = None,
    delta_softplus: bool = False,
) -> Float[Tensor, "batch channel length"]:
    """Run the scan by slices, in float32, and answer in the type of ``u``.

    The arguments are those of ``vitrine.models.scan.selective_scan``, with channels before the
    length.
    """
    kind = u.dtype
    with without_autocast(u):
        u, delta, B, C = (tensor.float() for tensor in (u, delta, B, C))
        if delta_bias is not None:
            delta = delta + delta_bias[:, None].float()
        if delta_softplus:
            delta = F.softplus(delta)
        decay = torch.exp(torch.einsum("bcl,cs->bcls", delta, A))
        drive = torch.einsum("bcl,bsl,bcl->bcls", delta, B, u)
        h = torch.zeros_like(decay[:, :, 0])
        outputs = []
        for t in range(u.shape[2]):
            h = decay[:, :, t] * h + drive[:, :, t]
            outputs.append(torch.einsum("bcs,bs->bc", h, C[:, :, t]))
        y = torch.stack(outputs, dim=2)
        return (y if D is None else y + D[:, None] * u).to(kind)


def selective_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, *more: Any, **options: Any
) -> Float[Tensor, "batch length channel"]:
    """Run the same scan with the arguments and the layout of ``vitrine.models.scan``."""
    u, delta, B, C = (tensor.transpose(1, 2) for tensor in (u, delta, B, C))
    return channel_first_scan(u, delta, A, B, C, *more, **options).transpose(1, 2)


def kernel_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, *skip: Tensor | None, **options: Any
) -> Float[Tensor, "batch length channel"]:
    """Run mamba_ssm's CUDA kernel, where it is installed, in the same way."""
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    u, delta, B, C = (tensor.to(u.dtype).transpose(1, 2) for tensor in (u, delta, B, C))
    options |= dict(zip(("D", "delta_bias"), skip, strict=False))
    floats = {name: x.float() if isinstance(x, Tensor) else x for name, x in options.items()}
    return selective_scan_fn(u, delta, A, B, C, **floats).transpose(1, 2)


@contextmanager
def scanning_with(scan: Callable[..., Tensor] | None) -> Iterator[None]:
    """Make every MambaVision of the process run another scan; None leaves ours in place."""
    ours = mixers.selective_scan
    mixers.selective_scan = scan or ours
    try:
        yield
    finally:
        mixers.selective_scan = ours
