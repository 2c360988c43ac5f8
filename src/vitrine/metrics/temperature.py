"""Temperature scaling: recalibrate probabilities with one parameter.

Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv:1706.04599.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from vitrine.metrics.inputs import as_probabilities

__all__ = ["apply_temperature", "fit_temperature", "logits"]

BOUND = 20.0


def fit_temperature(
    y_true: Int[np.ndarray, " image"], y_prob: Float[np.ndarray, "image category"]
) -> float:
    """Fit the temperature that minimises the log-loss, on validation images.

    It minimises the log-loss of ``softmax(log p / T)``, which equals ``softmax(logits / T)``. Fit
    on validation images only: fitted on the test, it would flatter it.

    Args:
        y_true: True class of each validation image.
        y_prob: What the model said of them.

    Returns:
        ``T``, without unit: above 1 the model was too sure, below 1 not enough. It is kept between
        1/20 and 20; the lower end is reached when every answer is right, the upper one when the
        answers tell nothing.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    scores = logits(as_probabilities(y_true, y_prob))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(scores * np.exp(-log_temperature), axis=1)
        return -float(np.take_along_axis(scaled, y_true[:, None], axis=1).mean())

    end = float(np.log(BOUND))
    found = minimize_scalar(loss, bounds=(-end, end), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


def apply_temperature(
    y_prob: Float[np.ndarray, "image category"], temperature: float
) -> Float[np.ndarray, "image category"]:
    """Return ``softmax(log p / T)``: the order of the classes stays, their spread changes.

    Args:
        y_prob: What the model said.
        temperature: ``T``, positive; 1 changes nothing.

    Raises:
        ValueError: If ``temperature`` is not positive and finite, or the probabilities are not
            probabilities.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(
            f"expected a positive temperature, found {temperature}; fit it with fit_temperature"
        )
    return softmax(logits(as_probabilities(None, y_prob)) / temperature, axis=1)


def logits(
    y_prob: Float[np.ndarray, "image category"],
) -> Float[np.ndarray, "image category"]:
    """Return the logarithm of probabilities, finite where single precision lost one."""
    # A softmax in single precision underflows to 0, whose logarithm no temperature can cool.
    return np.log(y_prob.clip(min=np.finfo(np.float32).tiny))
