"""``selective_scan_fn`` of ``mamba_ssm``, under its name and with its arguments, on any device.

A model written for it runs on this package once its import reads::

    from vitrine.models.scan.compat import selective_scan_fn

in place of ``from mamba_ssm.ops.selective_scan_interface import selective_scan_fn``. It differs in
two ways: a complex ``A`` is refused, and the last state has a gradient.
"""

from jaxtyping import Float
from torch import Tensor

from vitrine.models.scan.dispatch import selective_scan

__all__ = ["selective_scan_fn"]


def selective_scan_fn(
    u: Float[Tensor, "batch channel length"],
    delta: Float[Tensor, "batch channel length"],
    A: Float[Tensor, "channel state"],
    B: Float[Tensor, "..."],
    C: Float[Tensor, "..."],
    D: Float[Tensor, " channel"] | None = None,
    z: Float[Tensor, "batch channel length"] | None = None,
    delta_bias: Float[Tensor, " channel"] | None = None,
    delta_softplus: bool = False,
    return_last_state: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Run the selective scan on tensors whose channels come before their length.

    Args:
        u: Input signal. The answer has its type.
        delta: Step size.
        A: State decay, real.
        B: Input projection: (channel, state), (batch, state, length) or (batch, group, state,
            length).
        C: Output projection, of any of these shapes.
        D: Weight of the skip connection; none if omitted.
        z: Gate: the answer is multiplied by its SiLU; none if omitted.
        delta_bias: Added to ``delta``, before the softplus.
        delta_softplus: Whether to make ``delta`` positive by a softplus.
        return_last_state: Whether to return the last state too.

    Returns:
        The output signal, (batch, channel, length); with ``return_last_state``, the state after the
        last position too, (batch, channel, state), in float32 or float64.

    Raises:
        TypeError, ValueError: As ``vitrine.models.scan.selective_scan`` does.
    """
    return selective_scan(
        u, delta, A, B, C, D, delta_bias, delta_softplus,
        z=z, return_last_state=return_last_state, layout="channel_first",
    )  # fmt: skip
