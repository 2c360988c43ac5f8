"""The selective scan in few steps of fixed shape, for ``torch.export`` and ONNX.

A sequence of L positions is folded into about sqrt(L) chunks of sqrt(L) steps. All chunks are
scanned side by side as if each began at rest; then the states at their ends are chained, and what
enters a chunk is added to it, decayed. That is 2 sqrt(L) sequential steps in place of L (28 for
196), made of exponentials, products, sums and a matrix product, which any runtime has.
"""

import math

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
    """Run the scan inside all chunks at once, then from chunk to chunk.

    The arguments are those of ``vitrine.models.scan.selective_scan``. An exported graph has the
    length of its example, and any batch.
    """
    if delta_bias is not None:
        delta = delta + delta_bias
    if delta_softplus:
        delta = F.softplus(delta)
    length = int(u.shape[1])  # a symbolic length becomes that of the example: it shapes the graph
    steps = math.isqrt(length - 1) + 1

    delta_k, drive_k, B_k, C_k = (_fold(x, steps) for x in (delta, delta * u, B, C))
    decay = torch.exp(delta_k[..., None, :] * A.t())
    drive = drive_k[..., None, :] * B_k[..., None]
    through, local = _scan_chunks(decay, drive)
    h = local + through * _chain(through[-1:], local[-1:])

    y = torch.matmul(C_k[..., None, :], h).squeeze(-2)
    y = y.permute(1, 2, 0, 3).flatten(1, 2)[:, :length]
    return y if D is None else y + D * u


def _fold(
    x: Float[Tensor, "batch length feature"], steps: int
) -> Float[Tensor, "step batch chunk feature"]:
    """Cut a sequence into chunks. Pad positions have a null step: they change no state."""
    padding = -x.shape[1] % steps
    if padding:
        x = F.pad(x, (0, 0, 0, padding))
    return x.unflatten(1, (-1, steps)).permute(2, 0, 1, 3)


def _scan_chunks(
    decay: Float[Tensor, "step batch chunk state channel"],
    drive: Float[Tensor, "step batch chunk state channel"],
) -> tuple[
    Float[Tensor, "step batch chunk state channel"],
    Float[Tensor, "step batch chunk state channel"],
]:
    """Return what each step keeps of the state entering its chunk, and the state without it."""
    # Split and not unbound: in a graph, an axis that leaves and comes back is two nodes a step.
    decays, drives = decay.split(1), drive.split(1)
    through, local = [decays[0]], [drives[0]]
    for decay_t, drive_t in zip(decays[1:], drives[1:], strict=True):
        through.append(decay_t * through[-1])
        local.append(decay_t * local[-1] + drive_t)
    return torch.cat(through), torch.cat(local)


def _chain(
    through: Float[Tensor, "1 batch chunk state channel"],
    local: Float[Tensor, "1 batch chunk state channel"],
) -> Float[Tensor, "1 batch chunk state channel"]:
    """Return the state that enters each chunk, from what each chunk does to a state."""
    throughs, locals_ = through.split(1, dim=2), local.split(1, dim=2)
    # Expanded: zeros of the whole size would fix the batch of a graph that TorchScript traces.
    entering = [torch.zeros_like(locals_[0][:, :1]).expand_as(locals_[0])]
    for through_k, local_k in zip(throughs[:-1], locals_[:-1], strict=True):
        entering.append(through_k * entering[-1] + local_k)
    return torch.cat(entering, dim=2)
