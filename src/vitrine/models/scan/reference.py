"""Selective scan, the state-space recurrence of Mamba, written as the paper states it.

This is the yardstick of every faster form: sequential, exact, slow.

Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
https://arxiv.org/abs/2312.00752. Letters ``A, B, C, D`` and ``delta`` are the paper's.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vitrine.models.scan.contract import checked, in_full_precision

__all__ = ["selective_scan"]


@checked
@in_full_precision
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
    """Run the discretised state-space model along ``length``, one position after another.

    For each channel, with ``h_0 = 0``::

        h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t
        y_t = C_t . h_t + D u_t

    ``A`` is discretised by zero-order hold and ``B`` by Euler's rule, as the authors' code does.
    The arguments are those of ``vitrine.models.scan.selective_scan``.
    """
    if delta_bias is not None:
        delta = delta + delta_bias
    if delta_softplus:
        delta = F.softplus(delta)
    decay = torch.exp(torch.einsum("blc,cs->blcs", delta, A))
    drive = torch.einsum("blc,bls,blc->blcs", delta, B, u)

    h = torch.zeros_like(drive[:, 0])
    outputs = []
    for decay_t, drive_t, C_t in zip(decay.unbind(1), drive.unbind(1), C.unbind(1), strict=True):
        h = decay_t * h + drive_t
        outputs.append(torch.einsum("bcs,bs->bc", h, C_t))
    y = torch.stack(outputs, dim=1)
    return y if D is None else y + D * u
