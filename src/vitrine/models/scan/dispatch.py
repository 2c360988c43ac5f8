"""Which form of the selective scan runs: the one its device is best served by, or the one forced.

==================  ===========================================================
where               form
==================  ===========================================================
CPU, meta           ``chunked``
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

from vitrine.models.scan import chunked, reference, two_level
from vitrine.models.scan.contract import checked

__all__ = ["FORCED", "FORMS", "choose", "selective_scan"]

log = logging.getLogger(__name__)

FORCED = "VITRINE_SCAN"
FORMS = ("reference", "chunked", "two_level", "triton")


@checked
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
    """Run the state-space model of Mamba along ``length``, from a state at rest.

    For each channel, with ``h_0 = 0``::

        h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t
        y_t = C_t . h_t + D u_t

    It is computed in float32 (float64 if the arguments are), under autocast too.

    Args:
        u: Input signal. The answer has its type.
        delta: Step size, or what it is made of if there is a bias or a softplus.
        A: State decay, negative so that the state stays bounded.
        B: Input projection, one per position: this is what makes the scan *selective*.
        C: Output projection, one per position.
        D: Weight of the skip connection from ``u``; none if omitted.
        delta_bias: Added to ``delta``, before the softplus.
        delta_softplus: Whether to make ``delta`` positive by a softplus, the identity above 20.

    Returns:
        The output signal ``y``.

    Raises:
        TypeError: If an argument is no tensor, is not of a floating type, or if only some are
            float64.
        ValueError: If a shape or a device does not fit the others, or ``VITRINE_SCAN`` is no form.
        RuntimeError: If the form needs Triton and it is not installed.

    Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
    https://arxiv.org/abs/2312.00752.
    """
    form = choose(u.device.type, os.environ.get(FORCED), _is_exporting())
    if form == "reference":
        scan = reference.selective_scan
    elif form == "chunked":
        scan = chunked.selective_scan
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
