"""The two Triton kernels of the selective scan. What runs them is in ``triton.py`` beside this.

A program owns one sequence and a block of its channels, and walks the sequence in short chunks.
Inside a chunk the recurrence is an associative scan over pairs (decay, drive), held in registers;
between chunks only the state is carried, and written where gradients will be asked for. The
backward walks the chunks from last to first and computes their states again.

Tiles are (step, state, channel), channels innermost: Triton then gives the lanes of a warp to
channels, and the scan over steps and most of the sum over states stay within a thread. What must
be summed over channels or sequences is written as partial sums: no atomics, hence gradients that
are the same bits each time.
"""

from typing import no_type_check

import triton
import triton.language as tl

__all__ = ["backward_kernel", "forward_kernel"]

LOG2E = tl.constexpr(1.4426950408889634)
LINEAR = tl.constexpr(20.0)  # Where softplus becomes the identity, as in PyTorch.


# no_type_check keeps the runtime type checks of the tests out of what Triton compiles.
@triton.jit
@no_type_check
def _compose(decay_1, drive_1, decay_2, drive_2):
    return decay_1 * decay_2, decay_2 * drive_1 + drive_2


@triton.jit
@no_type_check
def _read(pointer, row, column, width, mask, WIDE: tl.constexpr):
    at = row[:, None] * width + column[None, :]
    return tl.load(pointer + at, mask=mask, other=0.0).to(WIDE)


@triton.jit
@no_type_check
def _read_channels(pointer, c, mask, GIVEN: tl.constexpr, WIDE: tl.constexpr):
    value = tl.full(c.shape, 0.0, WIDE)
    if GIVEN:
        value = tl.load(pointer + c, mask=mask, other=0.0).to(WIDE)
    return value[None, :]


@triton.jit
@no_type_check
def _write(pointer, row, column, width, mask, value):
    at = row[:, None] * width + column[None, :]
    tl.store(pointer + at, value.to(pointer.dtype.element_ty), mask=mask)


@triton.jit
@no_type_check
def _step_size(raw, mask, SOFTPLUS: tl.constexpr):
    """Return the step, null outside the sequence: nothing decays nor enters there."""
    if SOFTPLUS:
        # log1p(z) = log(w) + (z - (w - 1)) / w with w = 1 + z as rounded, to the last digits.
        z = tl.exp(raw)
        w = z + 1.0
        raw = tl.where(raw > LINEAR, raw, tl.log(w) + (z - (w - 1.0)) / w)
    return tl.where(mask, raw, 0.0)


@triton.jit
@no_type_check
def _step_slope(raw, SOFTPLUS: tl.constexpr):
    slope = tl.full(raw.shape, 1.0, raw.dtype)
    if SOFTPLUS:
        slope = tl.where(raw > LINEAR, slope, 1.0 / (1.0 + tl.exp(-raw)))
    return slope


@triton.jit
@no_type_check
def forward_kernel(
    u, delta, A, B, C, D, bias, y, heads, batch, length, channel,
    HAS_D: tl.constexpr, HAS_BIAS: tl.constexpr, SOFTPLUS: tl.constexpr, WIDE: tl.constexpr,
    STATE: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr, CHANNELS: tl.constexpr,
    KEEP: tl.constexpr,
):  # fmt: skip
    """Write ``y``, and with ``KEEP`` the state at the head of each chunk.

    ``h_t = a_t h_{t-1} + delta_t B_t u_t`` and ``y_t = C_t . h_t + D u_t``.
    """
    blocks = (channel + CHANNELS - 1) // CHANNELS
    sequence = (tl.program_id(0) // blocks).to(tl.int64)
    step = tl.arange(0, STEPS)
    n = tl.arange(0, STATES)
    c = tl.program_id(0) % blocks * CHANNELS + tl.arange(0, CHANNELS)
    in_n, in_c = n < STATE, c < channel
    in_nc = in_n[:, None] & in_c[None, :]

    A_nc = tl.load(A + c[None, :] * STATE + n[:, None], mask=in_nc, other=0.0).to(WIDE)
    rate = A_nc * tl.full((1, 1), LOG2E, WIDE)
    skip = _read_channels(D, c, in_c, HAS_D, WIDE)
    shift = _read_channels(bias, c, in_c, HAS_BIAS, WIDE)

    chunks = (length + STEPS - 1) // STEPS
    h = tl.full((STATES, CHANNELS), 0.0, WIDE)
    for k in range(0, chunks):
        t = k * STEPS + step
        row = sequence * length + t
        in_tc = (t < length)[:, None] & in_c[None, :]
        in_tn = (t < length)[:, None] & in_n[None, :]
        u_k = _read(u, row, c, channel, in_tc, WIDE)
        delta_k = _step_size(_read(delta, row, c, channel, in_tc, WIDE) + shift, in_tc, SOFTPLUS)
        B_k = _read(B, row, n, STATE, in_tn, WIDE)
        C_k = _read(C, row, n, STATE, in_tn, WIDE)

        decay = tl.exp2(delta_k[:, None, :] * rate[None, :, :])
        drive = (delta_k * u_k)[:, None, :] * B_k[:, :, None]
        through, local = tl.associative_scan((decay, drive), 0, _compose)
        if KEEP:
            _write(heads, (sequence * chunks + k) * STATE + n, c, channel, in_nc, h)
        h_k = local + through * h[None, :, :]
        h = tl.sum(tl.where((step == STEPS - 1)[:, None, None], h_k, 0.0), 0)

        y_k = tl.sum(h_k * C_k[:, :, None], 1) + skip * u_k
        _write(y, row, c, channel, in_tc, y_k)


@triton.jit
@no_type_check
def backward_kernel(
    u, delta, A, B, C, D, bias, heads, dy, du, ddelta, dA, dB, dC, dD, dbias,
    batch, length, channel,
    HAS_D: tl.constexpr, HAS_BIAS: tl.constexpr, SOFTPLUS: tl.constexpr, WIDE: tl.constexpr,
    STATE: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Write the gradients; those of B and C per block, those of A, D and the bias per sequence.

    ``g_t = C_t dy_t + a_{t+1} g_{t+1}``: the same scan, reversed, with the decays one step on. The
    states come back as ``p_t = a_t h_{t-1}``, that ``dA`` and ``ddelta`` need whole.
    """
    blocks = (channel + CHANNELS - 1) // CHANNELS
    block = tl.program_id(0) % blocks
    sequence = (tl.program_id(0) // blocks).to(tl.int64)
    step = tl.arange(0, STEPS)
    n = tl.arange(0, STATES)
    c = block * CHANNELS + tl.arange(0, CHANNELS)
    in_n, in_c = n < STATE, c < channel
    in_nc = in_n[:, None] & in_c[None, :]

    A_nc = tl.load(A + c[None, :] * STATE + n[:, None], mask=in_nc, other=0.0).to(WIDE)
    rate = A_nc * tl.full((1, 1), LOG2E, WIDE)
    skip = _read_channels(D, c, in_c, HAS_D, WIDE)
    shift = _read_channels(bias, c, in_c, HAS_BIAS, WIDE)

    chunks = (length + STEPS - 1) // STEPS
    g = tl.full((STATES, CHANNELS), 0.0, WIDE)  # Of the first state of the chunk that follows.
    dA_nc = tl.full((STATES, CHANNELS), 0.0, WIDE)
    dD_c = tl.full((CHANNELS,), 0.0, WIDE)
    dbias_c = tl.full((CHANNELS,), 0.0, WIDE)
    for i in range(0, chunks):
        k = chunks - 1 - i
        t = k * STEPS + step
        row = sequence * length + t
        in_tc = (t < length)[:, None] & in_c[None, :]
        in_tn = (t < length)[:, None] & in_n[None, :]
        u_k = _read(u, row, c, channel, in_tc, WIDE)
        raw_k = _read(delta, row, c, channel, in_tc, WIDE) + shift
        delta_k = _step_size(raw_k, in_tc, SOFTPLUS)
        B_k = _read(B, row, n, STATE, in_tn, WIDE)
        C_k = _read(C, row, n, STATE, in_tn, WIDE)
        dy_k = _read(dy, row, c, channel, in_tc, WIDE)

        decay = tl.exp2(delta_k[:, None, :] * rate[None, :, :])
        drive = (delta_k * u_k)[:, None, :] * B_k[:, :, None]
        # p_t = a_t h_{t-1}, scanned for itself: h_t minus its drive would lose it in a long step.
        t_in = (step > 0) & (t <= length)
        in_past = t_in[:, None] & in_c[None, :]
        past_k = _step_size(
            _read(delta, row - 1, c, channel, in_past, WIDE) + shift, in_past, SOFTPLUS
        )
        past_k = past_k * _read(u, row - 1, c, channel, in_past, WIDE)
        past_B = _read(B, row - 1, n, STATE, t_in[:, None] & in_n[None, :], WIDE)
        past = past_k[:, None, :] * past_B[:, :, None]
        through, local = tl.associative_scan((decay, decay * past), 0, _compose)
        head = _read(heads, (sequence * chunks + k) * STATE + n, c, channel, in_nc, WIDE)
        p_k = local + through * head[None, :, :]
        h_k = p_k + drive

        in_next = (t + 1 < length)[:, None] & in_c[None, :]
        next_k = _read(delta, row + 1, c, channel, in_next, WIDE) + shift
        next_k = _step_size(next_k, in_next, SOFTPLUS)
        decay = tl.exp2(next_k[:, None, :] * rate[None, :, :])
        through, local = tl.associative_scan(
            (decay, dy_k[:, None, :] * C_k[:, :, None]), 0, _compose, reverse=True
        )
        g_k = local + through * g[None, :, :]
        g = tl.sum(tl.where((step == 0)[:, None, None], g_k, 0.0), 0)

        v_k = delta_k * u_k
        dv_k = tl.sum(g_k * B_k[:, :, None], 1)
        partial = (block * batch + sequence) * length + t
        _write(dC, partial, n, STATE, in_tn, tl.sum(h_k * dy_k[:, None, :], 2))
        _write(dB, partial, n, STATE, in_tn, tl.sum(g_k * v_k[:, None, :], 2))
        _write(du, row, c, channel, in_tc, delta_k * dv_k + skip * dy_k)

        q_k = g_k * p_k
        draw_k = tl.sum(q_k * A_nc[None, :, :], 1) + u_k * dv_k
        draw_k = draw_k * _step_slope(raw_k, SOFTPLUS)
        _write(ddelta, row, c, channel, in_tc, draw_k)
        dA_nc += tl.sum(q_k * delta_k[:, None, :], 0)
        dD_c += tl.sum(dy_k * u_k, 0)
        dbias_c += tl.sum(draw_k, 0)

    tl.store(dA + (sequence * channel + c[None, :]) * STATE + n[:, None], dA_nc, mask=in_nc)
    tl.store(dD + sequence * channel + c, dD_c, mask=in_c)
    tl.store(dbias + sequence * channel + c, dbias_c, mask=in_c)
