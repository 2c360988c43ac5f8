"""Which form of the selective scan runs: the one its device is best served by, or the one forced.

==================  ===========================================================
where               form
==================  ===========================================================
CPU                 ``chunked``, or ``short`` where the scan is small
meta                ``chunked``: one operator, of known shapes and FLOPs
CUDA                ``triton``
while exporting     ``two_level`` (``torch.export``, ONNX, TorchScript)
any other device    ``two_level``, said once
``VITRINE_SCAN``    the form it names, whatever the place
==================  ===========================================================

Nothing falls back in silence: where a form cannot run, an error says what to choose.
"""

import functools
import importlib.util
import logging
import os

import torch
from jaxtyping import Float
from torch import Tensor

from vitrine.models.scan import chunked, reference, short, two_level
from vitrine.models.scan.contract import SHARED, checked
from vitrine.models.scan.options import scan_with_options

__all__ = ["FORCED", "FORMS", "choose", "selective_scan"]

log = logging.getLogger(__name__)

FORCED = "VITRINE_SCAN"
FORMS = ("reference", "chunked", "short", "two_level", "triton")


@functools.partial(checked, general=True)
def selective_scan(
    u: Float[Tensor, "batch _ _"],
    delta: Float[Tensor, "batch _ _"],
    A: Float[Tensor, "channel state"],
    B: Float[Tensor, "..."],
    C: Float[Tensor, "..."],
    D: Float[Tensor, " channel"] | None = None,
    delta_bias: Float[Tensor, " channel"] | None = None,
    delta_softplus: bool = False,
    *,
    z: Float[Tensor, "batch _ _"] | None = None,
    initial_state: Float[Tensor, "batch channel state"] | None = None,
    return_last_state: bool = False,
    layout: str = "channel_last",
) -> Tensor | tuple[Tensor, Tensor]:
    """Run the state-space model of Mamba along ``length``.

    For each channel, with ``h_0`` the initial state, null if omitted::

        h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t
        y_t = (C_t . h_t + D u_t) silu(z_t)

    It is computed in float32 (float64 if the arguments are), under autocast too. A sequence may be
    scanned in pieces, each from the last state of the one before.

    Args:
        u: Input signal, (batch, length, channel). The answer has its type.
        delta: Step size, or what it is made of if there is a bias or a softplus; as ``u``.
        A: State decay, negative so that the state stays bounded.
        B: Input projection, one per position: this is what makes the scan *selective*. (batch,
            length, state); (batch, length, group, state) where equal groups of channels, in order,
            have their own; (channel, state) where it is constant.
        C: Output projection, of any of these shapes.
        D: Weight of the skip connection from ``u``; none if omitted.
        delta_bias: Added to ``delta``, before the softplus.
        delta_softplus: Whether to make ``delta`` positive by a softplus, the identity above 20.
        z: Gate of the output, before its SiLU; none if omitted. As ``u``.
        initial_state: State before the first position.
        return_last_state: Whether to return the state after the last position too.
        layout: ``channel_last``, or ``channel_first``: the length is then the last dimension of
            ``u``, ``delta``, ``B``, ``C``, ``z`` and of the answer.

    Returns:
        The output signal ``y``; with ``return_last_state``, the last state too, (batch, channel,
        state), in float32 or float64.

    Raises:
        TypeError: If an argument is no tensor, is not of a real floating type, or if only some are
            float64.
        ValueError: If a shape or a device does not fit the others, if the layout is unknown, or
            ``VITRINE_SCAN`` no form.
        RuntimeError: If the form needs Triton and it is not installed.

    Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
    https://arxiv.org/abs/2312.00752.
    """
    tensors = (u, delta, A, B, C, D, delta_bias)
    ungated = z is None and initial_state is None and not return_last_state
    if ungated and layout == "channel_last" and B.dim() == C.dim() == SHARED:
        return _scan(*tensors, delta_softplus)
    return scan_with_options(
        _scan, tensors, delta_softplus,
        z=z, initial_state=initial_state, return_last_state=return_last_state, layout=layout,
    )  # fmt: skip


def _scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """Run the form that its device is best served by."""
    forced = os.environ.get(FORCED)
    form = choose(u.device.type, forced, _is_exporting())
    if form == "chunked" and not forced and short.suits(u, A):
        return short.scan(u, delta, A, B, C, D, delta_bias, delta_softplus)
    if form == "reference":
        scan = reference.selective_scan
    elif form == "chunked":
        scan = chunked.selective_scan
    elif form == "short":
        scan = short.selective_scan
    elif form == "two_level":
        scan = two_level.selective_scan
    else:
        from vitrine.models.scan import triton  # only where it runs: a CPU needs no Triton

        scan = triton.selective_scan
    return scan(u, delta, A, B, C, D, delta_bias, delta_softplus)


def choose(device: str, forced: str | None = None, exporting: bool = False) -> str:
    """Return the name of the form to run.

    Args:
        device: Kind of device that holds the tensors, such as ``cpu`` or ``cuda``.
        forced: Value of ``VITRINE_SCAN``, if set. An empty one counts as unset.
        exporting: Whether the call is being recorded into a graph for another runtime.

    Raises:
        ValueError: If ``forced`` is no form.
        RuntimeError: If the form needs Triton and it is not installed.
    """
    if forced and forced not in FORMS:
        raise ValueError(
            f"expected {FORCED} to be one of {', '.join(FORMS)}, found {forced!r}; correct or "
            "unset it"
        )
    if forced:
        form = forced
    elif exporting:
        form = "two_level"
    elif device in ("cpu", "meta"):
        form = "chunked"
    elif device == "cuda":
        form = "triton"
    else:
        form = "two_level"
        _say_once(device)
    if form == "triton" and not _has_triton():
        raise RuntimeError(
            "expected Triton for a scan on cuda, found it not installed; install it, or set "
            f"{FORCED}=two_level, which is made of ordinary operations"
        )
    return form


# A constant, so that torch.compile does not trace a logger.
@torch.compiler.assume_constant_result
@functools.cache
def _say_once(device: str) -> None:
    log.warning("no form of the scan is made for %s: it runs two_level, in plain PyTorch", device)


# A constant, because torch.compile in 2.11 would answer the question by yes as it traces it.
@torch.compiler.assume_constant_result
def _is_exporting() -> bool:
    return torch.compiler.is_exporting() or torch.jit.is_tracing()


@torch.compiler.assume_constant_result
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None
