"""Check labels and probabilities before they are scored.

A wrong array scores as readily as a right one (logits have an argmax, a shifted label is a label),
so every public function of the package reads its arrays through this module.
"""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["SUM_TOLERANCE", "LabelsOrProbs", "as_labels", "as_probabilities"]

SUM_TOLERANCE = 1e-3
"""How far from 1 the probabilities of an image may sum: six digits are kept of each."""

LabelsOrProbs = Int[np.ndarray, " image"] | Float[np.ndarray, "image category"]
"""What a model said: one label an image, or one probability a category."""


def as_labels(
    y_true: Int[np.ndarray, " image"], y_pred: LabelsOrProbs
) -> Int[np.ndarray, " image"]:
    """Return the label answered for each image, after checking both arrays.

    Args:
        y_true: True class of each image.
        y_pred: Labels, or probabilities; of the latter the most probable class is taken, the
            first one on a tie.

    Raises:
        ValueError: If there is no image, if the lengths differ, if a label is negative or beyond
            the categories, or if the probabilities are not probabilities.
    """
    if np.ndim(y_pred) == 2:  # noqa: PLR2004  (image, category)
        return as_probabilities(y_true, y_pred).argmax(axis=1)
    _check_labels(y_true, "y_true")
    _check_labels(y_pred, "y_pred")
    _check_lengths(y_true, y_pred)
    return y_pred


def as_probabilities(
    y_true: Int[np.ndarray, " image"] | None, y_prob: LabelsOrProbs
) -> Float[np.ndarray, "image category"]:
    """Return the probabilities of each image in double precision, after checking both arrays.

    Args:
        y_true: True class of each image; ``None`` where only the probabilities matter.
        y_prob: Probabilities; they may sum to 1 within ``SUM_TOLERANCE`` and are left as they are.

    Raises:
        ValueError: If there is no image, if the lengths differ, if a label is beyond the
            categories, if a value is not in [0, 1] or if an image's values do not sum to 1.
    """
    if not _is_array(y_prob, 2, np.floating):
        raise ValueError(
            "expected probabilities as floats of shape (image, category), found "
            f"{_described(y_prob)}; pass the probabilities of the run, not its labels"
        )
    if not len(y_prob):
        raise ValueError("expected answers for at least one image, found none; check the part read")
    if y_true is not None:
        _check_labels(y_true, "y_true")
        _check_lengths(y_true, y_prob)
        _check_range(y_true, y_prob.shape[1])
    y_prob = y_prob.astype(float)
    inside = (y_prob >= 0) & (y_prob <= 1 + SUM_TOLERANCE)
    if not inside.all():  # a NaN is not inside either
        image, category = np.argwhere(~inside)[0]
        raise ValueError(
            f"expected probabilities between 0 and 1, found {y_prob[image, category]} for "
            f"image {image}; pass the output of a softmax, not logits"
        )
    totals = y_prob.sum(axis=1)
    wrong = np.flatnonzero(np.abs(totals - 1) > SUM_TOLERANCE)
    if wrong.size:
        raise ValueError(
            f"expected probabilities that sum to 1 within {SUM_TOLERANCE}, found "
            f"{totals[wrong[0]]:.6g} for image {wrong[0]}; pass all categories, after the softmax"
        )
    return y_prob


def _check_labels(labels: np.ndarray, name: str) -> None:
    if not _is_array(labels, 1, np.integer):
        raise ValueError(
            f"expected {name} as integer labels of shape (image,), found {_described(labels)}; "
            "pass positions in the list of classes"
        )
    if not labels.size:
        raise ValueError(f"expected {name} for at least one image, found none; check the part read")
    if labels.min() < 0:
        raise ValueError(
            f"expected {name} as labels of 0 or more, found {labels.min()} for image "
            f"{labels.argmin()}; pass positions in the list of classes"
        )


def _check_lengths(y_true: np.ndarray, y_pred: np.ndarray) -> None:
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"expected one answer for each of the {len(y_true)} images, found {len(y_pred)}; "
            "align both on the same images first"
        )


def _check_range(labels: np.ndarray, categories: int) -> None:
    if labels.max() >= categories:
        raise ValueError(
            f"expected labels below {categories}, the number of categories, found {labels.max()} "
            f"for image {labels.argmax()}; use the list of classes the model was trained with"
        )


def _is_array(value: object, dimensions: int, kind: type[np.generic]) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.ndim == dimensions
        and np.issubdtype(value.dtype, kind)
    )


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
