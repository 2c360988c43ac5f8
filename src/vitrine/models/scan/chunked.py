"""The selective scan on a CPU: chunks that fit the cache, and a backward that recomputes them.

What makes it fast, in order: no slice that autograd must pad back to full size (this alone makes
the backward of the plain loop quadratic in the length); exp2, three times cheaper than exp, with
log2(e) folded into ``A``; work buffers of two megabytes, channels innermost and time outermost, so
that every operation runs along contiguous memory in the cache; the state saved at the head of each
chunk only, the rest being computed again in the backward.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from vitrine.models.scan import two_level
from vitrine.models.scan.contract import checked, in_full_precision, without_autocast
from vitrine.models.scan.derivatives import plain_under_transforms, register

__all__ = ["NARROW", "States", "selective_scan", "sweep", "through_softplus"]

BUFFER = 2**19  # Elements of a work buffer: 2 MiB of float32, 5 to 10 % faster than half or twice.
NARROW = 2**12  # Elements of the states at a position up to which calls outweigh arithmetic.
LONGEST = 2**9  # Positions of a chunk of narrow states: 1.2 times as fast as twice as many.
LINEAR = 20.0  # Where softplus becomes the identity, as in torch.nn.functional.softplus.

States = Float[Tensor, "batch length state channel"]


@checked
@plain_under_transforms(two_level.selective_scan)
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
    """Run the scan chunk by chunk, as one operator that compilers do not look into.

    The arguments are those of ``vitrine.models.scan.selective_scan``. Gradients are deterministic,
    and can be differentiated again. That second derivative is the two-level form's, as is all that
    is computed in forward mode or under ``torch.func``.
    """
    tensors = (u, delta, A, B, C, D, delta_bias)
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
    return _scan(*tensors, delta_softplus, keep)[0]


@torch.library.custom_op("vitrine::chunked_scan", mutates_args=())
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
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the output and, if ``keep``, the step sizes and the state before each chunk."""
    steps, chunks = _cut(u, A)
    y, sizes = u.new_empty(u.shape), u.new_empty(u.shape if keep else 0)
    heads = u.new_empty((chunks if keep else 0, *_state_shape(u, A)))
    work = _Work(u, A, steps)
    with without_autocast(u):
        for k, (u_k, raw_k, B_k, C_k, y_k) in enumerate(_chunks(steps, u, delta, B, C, y)):
            delta_k = _step_size(raw_k, delta_bias, delta_softplus)
            if keep:
                sizes[:, k * steps : k * steps + len(u_k)] = delta_k.transpose(0, 1)
                heads[k] = work.h[0]
            h_k = work.advance(delta_k, delta_k * u_k, B_k)
            out = torch.matmul(C_k[:, :, None], h_k)[:, :, 0]
            y_k.copy_(out if D is None else out.addcmul_(D, u_k))
            work.h[0] = h_k[-1]
    return y, sizes, heads


@_scan.register_fake
def _(u, delta, A, B, C, D, delta_bias, delta_softplus, keep):
    heads = u.new_empty((_cut(u, A)[1] if keep else 0, *_state_shape(u, A)))
    return u.new_empty(u.shape), u.new_empty(u.shape if keep else 0), heads


@torch.library.custom_op("vitrine::chunked_scan_backward", mutates_args=())
def _scan_backward(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
    sizes: Tensor,
    heads: Tensor,
    grad_y: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of the seven tensors, walking the chunks from last to first."""
    steps, _ = _cut(u, A)
    du, ddelta, dB, dC = (t.new_empty(t.shape) for t in (u, delta, B, C))
    dA, dD, dbias = A.new_zeros(A.t().shape), u.new_zeros(u.shape[2]), u.new_zeros(u.shape[2])
    work = _Work(u, A, steps)
    rows = list(_chunks(steps, u, delta, sizes, B, C, grad_y, du, ddelta, dB, dC))
    with without_autocast(u):
        for k in reversed(range(len(rows))):
            u_k, raw_k, delta_k, B_k, C_k, dy_k, du_k, ddelta_k, dB_k, dC_k = rows[k]
            work.h[0] = heads[k]
            dv, dstep, dA_k = work.differentiate(u_k, delta_k, B_k, C_k, dy_k, dB_k, dC_k)
            dstep = through_softplus(dstep, raw_k, delta_bias, delta_softplus)
            ddelta_k.copy_(dstep)
            dv.mul_(delta_k)
            du_k.copy_(dv if D is None else dv.addcmul_(D, dy_k))
            dA += dA_k
            dD += (dy_k * u_k).sum((0, 1))
            dbias += dstep.sum((0, 1))
    return du, ddelta, dA.t().contiguous(), dB, dC, dD, dbias


@_scan_backward.register_fake
def _(u, delta, A, B, C, D, delta_bias, delta_softplus, sizes, heads, grad_y):
    channel = u.new_empty(u.shape[2])
    return (*(t.new_empty(t.shape) for t in (u, delta, A, B, C)), channel, channel.clone())


register(_scan, _scan_backward, two_level.selective_scan)


class _Work:
    """Buffers of one chunk. Their rows are unbound once: a view costs as much as a small product.

    Attributes:
        decay: ``exp(delta_t A)`` of each step.
        h: The state before the chunk, at rest to begin with, then the state after each step.
        g: The gradient of each of these states.
    """

    def __init__(self, u: Tensor, A: Tensor, steps: int) -> None:
        shape = _state_shape(u, A)
        self.A = A.t().contiguous()
        self.rate = self.A * math.log2(math.e)
        self.narrow = math.prod(shape) <= NARROW
        # A row more than there are steps: the decay after the last, that the mirrored sweep skips.
        self.decay, self.h = u.new_zeros((steps + 1, *shape)), u.new_empty((steps + 1, *shape))
        self.h[0] = 0
        self.decays, self.states = self.decay.unbind(0), self.h.unbind(0)
        self.g = self.after = None

    def advance(self, delta: Tensor, v: Tensor, B: Tensor) -> Tensor:
        """Fill the decays of a chunk, then its states, which are returned."""
        size = len(delta)
        torch.mul(delta[:, :, None], self.rate, out=self.decay[:size]).exp2_()
        torch.mul(v[:, :, None], B[..., None], out=self.h[1 : size + 1])
        if self.narrow:
            self.states[1].addcmul_(self.decays[0], self.states[0])
            sweep(self.decay[:size].transpose(0, 1), self.h[1 : size + 1].transpose(0, 1))
            return self.h[1 : size + 1]
        for t in range(size):
            self.states[t + 1].addcmul_(self.decays[t], self.states[t])
        return self.h[1 : size + 1]

    def retreat(self, dy: Tensor, C: Tensor) -> Tensor:
        """Fill the gradients of the states of a chunk, which are returned, from those after it."""
        if self.g is None:
            self.g, self.after = torch.empty_like(self.decay[1:]), torch.zeros_like(self.h[0])
            self.grads = self.g.unbind(0)
        size = len(dy)
        torch.mul(dy[:, :, None], C[..., None], out=self.g[:size])
        self.grads[size - 1].add_(self.after)
        if self.narrow:
            after = self.decay[1 : size + 1].transpose(0, 1)
            sweep(after, self.g[:size].transpose(0, 1), reverse=True)
        else:
            for t in range(size - 1, 0, -1):
                self.grads[t - 1].addcmul_(self.decays[t], self.grads[t])
        torch.mul(self.decays[0], self.grads[0], out=self.after)
        return self.g[:size]

    def differentiate(
        self,
        u: Tensor,
        delta: Tensor,
        B: Tensor,
        C: Tensor,
        dy: Tensor,
        dB: Tensor,
        dC: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Fill the gradients of B and C; return those of ``v = delta u``, of delta and of A.

        With ``a_t = exp(delta_t A)``, the gradient of the state obeys the mirrored recurrence
        ``g_t = C_t dy_t + a_{t+1} g_{t+1}``, and ``q_t = g_t a_t h_{t-1}`` is what reaches the
        exponent ``delta_t A``. The work buffers hold nothing of use afterwards.
        """
        v = delta * u
        h = self.advance(delta, v, B)
        g = self.retreat(dy, C)
        # A row times columns: the other way round, a batched product is seven times slower.
        dC.copy_(torch.matmul(dy[:, :, None], h.transpose(-1, -2))[:, :, 0])
        dB.copy_(torch.matmul(v[:, :, None], g.transpose(-1, -2))[:, :, 0])
        dv = torch.matmul(B[:, :, None], g)[:, :, 0]
        q = self.decay[: len(u)].mul_(g).mul_(self.h[: len(u)])
        ddelta = torch.mul(q, self.A, out=g).sum(2).addcmul_(u, dv)
        return dv, ddelta, q.mul_(delta[:, :, None]).sum((0, 1))


def sweep(decay: States, x: States, reverse: bool = False) -> None:
    """Add to each position of ``x`` the one before it (after it, in reverse), decayed, in place.

    The positions are folded into pieces that are swept side by side, then chained: about
    ``2 sqrt(length)`` calls in place of ``length``, and twice the arithmetic.
    """
    length = x.shape[1]
    steps = next(n for n in range(math.isqrt(length), 0, -1) if length % n == 0)
    # From the first position of a chunk to its last, and from the first chunk to the last.
    turn = slice(None, None, -1) if reverse else slice(None)
    whole, factors = x.unflatten(1, (-1, steps)), decay.unflatten(1, (-1, steps))
    through = factors.clone() if steps > 1 else factors
    local, kept = whole.unbind(2)[turn], through.unbind(2)[turn]
    for t, factor in enumerate(factors.unbind(2)[turn][1:], start=1):
        local[t].addcmul_(factor, local[t - 1])
        kept[t].mul_(kept[t - 1])
    ends, decays = local[-1].unbind(1)[turn], kept[-1].unbind(1)[turn]
    for k in range(1, len(ends)):
        ends[k].addcmul_(decays[k], ends[k - 1])
    if steps > 1:
        after, before = (slice(-1), slice(1, None)) if reverse else (slice(1, None), slice(-1))
        entering = whole[:, before, -1:] if not reverse else whole[:, before, :1]
        whole[:, after, before].addcmul_(through[:, after, before], entering)


def _cut(u: Tensor, A: Tensor) -> tuple[Any, Any]:
    """Return the steps of a chunk and the number of chunks, without guarding on a symbolic size."""
    batch, length, channel = u.shape
    size = torch.sym_max(1, batch * A.shape[1] * channel)
    steps = torch.sym_max(1, torch.sym_min(torch.sym_min(length, LONGEST), BUFFER // size))
    return steps, -(-length // steps)


def _state_shape(u: Tensor, A: Tensor) -> tuple[int, int, int]:
    return u.shape[0], A.shape[1], u.shape[2]


def _chunks(steps: int, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Cut tensors along their length into views, time first, channels next to one another."""
    rows = (t if t.stride(-1) == 1 else t.contiguous() for t in tensors)
    return zip(*(t.transpose(0, 1).split(steps) for t in rows), strict=True)


def _step_size(raw: Tensor, bias: Tensor | None, softplus: bool) -> Tensor:
    raw = raw if bias is None else raw + bias
    if not softplus:
        return raw
    # log1p(z) = log(w) + (z - (w - 1)) / w with w = 1 + z as rounded: exact to the last digits and
    # twice as fast as log1p. The maximum makes softplus the identity above its threshold.
    z = raw.clamp(max=LINEAR).exp_()
    w = z + 1
    z.sub_(w - 1).div_(w).add_(w.log_())
    return torch.maximum(z, raw, out=z)


def through_softplus(grad: Tensor, raw: Tensor, bias: Tensor | None, softplus: bool) -> Tensor:
    """Return the gradient of what the step sizes are made of, from theirs."""
    if not softplus:
        return grad
    raw = raw if bias is None else raw + bias
    return torch.ops.aten.softplus_backward(grad, raw, 1.0, LINEAR)
