"""Two models that answer together, and which images only one of them gets right.

Log-probabilities are weighted and added. Equal weights that sum to 1 need nothing but the answers;
fitted ones are a temperature for each model at once, and what one deserves beside the other.

Sources: Kittler et al., "On Combining Classifiers", doi:10.1109/34.667881 (the product rule);
Wolpert, "Stacked Generalization", doi:10.1016/S0893-6080(05)80023-1.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from vitrine.metrics.inputs import Answers, as_labels, as_probabilities
from vitrine.metrics.temperature import BOUND, logits

__all__ = ["complement", "fit_weights", "fuse"]


def fuse(
    answers: Sequence[Float[np.ndarray, "image category"]], weights: Float[np.ndarray, " model"]
) -> Float[np.ndarray, "image category"]:
    """Return ``softmax(sum of w log p)``: what models say together of the same images.

    Args:
        answers: What each model said, of the same images in the same order.
        weights: One a model, finite and not negative; ``1 / models`` each is their average.

    Raises:
        ValueError: If there is not one weight a model, if one is negative or not finite, or if
            answers are not probabilities.
    """
    if len(weights) != len(answers) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"expected one weight of 0 or more for each of {len(answers)} models, found "
            f"{weights.tolist()}; fit them with fit_weights"
        )
    return softmax(_added(_stacked(None, answers), weights), axis=1)


def fit_weights(
    truth: Int[np.ndarray, " image"], answers: Sequence[Float[np.ndarray, "image category"]]
) -> Float[np.ndarray, " model"]:
    """Find the weights under which models answer best together, on validation images.

    They minimise the log-loss, which is convex in them. Fit on validation images only.

    Args:
        truth: True class of each validation image.
        answers: What each model said of them.

    Returns:
        One weight a model, between 0 (ignored) and 20. Their sum is no 1: it is how much surer, or
        less, the models are together.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    stacked = _stacked(truth, answers)
    right = np.arange(len(truth)), truth

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        added = _added(stacked, weights)
        given = softmax(added, axis=1)
        excess = (given * stacked).sum(axis=2) - stacked[:, *right]
        return -float(log_softmax(added, axis=1)[right].mean()), excess.mean(axis=1)

    start = np.full(len(answers), 1 / len(answers))
    return minimize(loss, start, jac=True, bounds=[(0, BOUND)] * len(answers)).x


def complement(
    truth: Int[np.ndarray, " image"], first: Answers, second: Answers, *, categories: int
) -> dict[str, Int[np.ndarray, " category"]]:
    """Count, in each category, the images that both models get right, only one, or neither.

    An oracle that always believed the right model would miss ``neither`` alone.

    Args:
        truth: True class of each image.
        first: What a model said.
        second: What another said, of the same images in the same order.
        categories: Number of categories.

    Returns:
        Counts by category, under ``both``, ``only_first``, ``only_second`` and ``neither``.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    a, b = (as_labels(truth, answers) == truth for answers in (first, second))
    cases = {"both": a & b, "only_first": a & ~b, "only_second": ~a & b, "neither": ~a & ~b}
    return {name: np.bincount(truth[case], minlength=categories) for name, case in cases.items()}


def _stacked(
    truth: np.ndarray | None, answers: Sequence[np.ndarray]
) -> Float[np.ndarray, "model image category"]:
    return np.stack([logits(as_probabilities(truth, given)) for given in answers])


def _added(
    stacked: Float[np.ndarray, "model image category"], weights: Float[np.ndarray, " model"]
) -> Float[np.ndarray, "image category"]:
    return np.tensordot(weights, stacked, axes=1)
