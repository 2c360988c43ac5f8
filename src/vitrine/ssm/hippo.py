"""HiPPO's scaled Legendre memory: the past of a signal in a few coefficients, step by step.

Source: Gu et al., "HiPPO: Recurrent Memory with Optimal Polynomial Projections",
https://arxiv.org/abs/2008.07669 (LegS). The system is theirs; its steps are held exactly here.
"""

import numpy as np
from jaxtyping import Float
from numpy.polynomial import legendre
from scipy.linalg import expm

__all__ = ["matrices", "project", "recall", "remember"]

Signal = Float[np.ndarray, " length"]
Coefficients = Float[np.ndarray, " state"]


def matrices(size: int) -> tuple[Float[np.ndarray, "size size"], Float[np.ndarray, " size"]]:
    """Return ``A`` and ``B`` of ``t c' = -A c + B f``, for ``size`` coefficients."""
    root = np.sqrt(2 * np.arange(size) + 1.0)
    A = np.tril(np.outer(root, root), -1) + np.diag(np.arange(size) + 1.0)
    return A, root


def remember(signal: Signal, size: int) -> Float[np.ndarray, "length size"]:
    """Return the coefficients of the past after each sample, each computed from the last alone.

    In the logarithm of time, the system does not change: a sample that is held constant gives a
    step that the exponential of one matrix computes exactly.

    Args:
        signal: Samples of the signal, evenly spaced.
        size: Numbers kept.
    """
    A, B = matrices(size)
    joined = np.zeros((size + 1, size + 1))
    joined[:size, :size], joined[:size, size] = -A, B
    c, kept = np.zeros(size), []
    c[0] = signal[0]  # a constant past is its first coefficient alone
    kept.append(c)
    for n, value in enumerate(signal[1:], start=1):
        moved = expm(np.log1p(1 / n) * joined)
        c = moved[:size, :size] @ c + moved[:size, size] * value
        kept.append(c)
    return np.array(kept)


def project(signal: Signal, size: int) -> Coefficients:
    """Return the coefficients of a past that is at hand as a whole: what ``remember`` must reach.

    The integrals of Legendre polynomials over each sample are exact.
    """
    ends = np.linspace(-1, 1, len(signal) + 1)
    coefficients = []
    for n in range(size):
        primitive = legendre.legval(ends, legendre.legint(np.eye(size)[n]))
        coefficients.append(np.sqrt(2 * n + 1) / 2 * (np.diff(primitive) @ signal))
    return np.array(coefficients)


def recall(coefficients: Coefficients, length: int) -> Signal:
    """Return the past that coefficients stand for, in the middle of each of ``length`` samples."""
    places = (np.arange(length) + 0.5) / length * 2 - 1
    root = np.sqrt(2 * np.arange(len(coefficients)) + 1.0)
    return legendre.legval(places, coefficients * root)
