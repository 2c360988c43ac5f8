"""Temperature scaling of one model, and late fusion of several by fitted weights.

Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv:1706.04599.

Log-probabilities are weighted and added. Equal weights that sum to 1 need nothing but the answers;
fitted ones are a temperature for each model at once, and what one deserves beside the other.

Sources: Kittler et al., "On Combining Classifiers", doi:10.1109/34.667881 (the product rule);
Wolpert, "Stacked Generalization", doi:10.1016/S0893-6080(05)80023-1.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax

from vitrine.metrics.inputs import as_probabilities

__all__ = ["apply_temperature", "fit_temperature", "fit_weights", "fuse", "logits"]


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


def fuse(
    y_prob: Sequence[Float[np.ndarray, "image category"]], weights: Float[np.ndarray, " model"]
) -> Float[np.ndarray, "image category"]:
    """Return the weighted product of the probabilities of several models, ``softmax(sum w log p)``.

    Args:
        y_prob: What each model said, of the same images in the same order.
        weights: One a model, finite and not negative; ``1 / models`` each is their average.

    Raises:
        ValueError: If there is not one weight a model, if one is negative or not finite, or if
            answers are not probabilities.
    """
    if len(weights) != len(y_prob) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"expected one weight of 0 or more for each of {len(y_prob)} models, found "
            f"{weights.tolist()}; fit them with fit_weights"
        )
    return softmax(_added(_stacked(None, y_prob), weights), axis=1)


def fit_weights(
    y_true: Int[np.ndarray, " image"], y_prob: Sequence[Float[np.ndarray, "image category"]]
) -> Float[np.ndarray, " model"]:
    """Fit the weight of each model in their fusion, on validation images.

    They minimise the log-loss, which is convex in them. Fit on validation images only.

    Args:
        y_true: True class of each validation image.
        y_prob: What each model said of them.

    Returns:
        One weight a model, between 0 (ignored) and 20. Their sum is no 1: it is how much surer, or
        less, the models are together.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    stacked = _stacked(y_true, y_prob)
    right = np.arange(len(y_true)), y_true

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        added = _added(stacked, weights)
        fused = softmax(added, axis=1)
        excess = (fused * stacked).sum(axis=2) - stacked[:, *right]
        return -float(log_softmax(added, axis=1)[right].mean()), excess.mean(axis=1)

    start = np.full(len(y_prob), 1 / len(y_prob))
    return minimize(loss, start, jac=True, bounds=[(0, BOUND)] * len(y_prob)).x


def _stacked(
    y_true: np.ndarray | None, y_prob: Sequence[np.ndarray]
) -> Float[np.ndarray, "model image category"]:
    return np.stack([logits(as_probabilities(y_true, one)) for one in y_prob])


def _added(
    stacked: Float[np.ndarray, "model image category"], weights: Float[np.ndarray, " model"]
) -> Float[np.ndarray, "image category"]:
    return np.tensordot(weights, stacked, axes=1)
