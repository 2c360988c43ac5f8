"""Confusion matrix, scores of each class with their intervals, and top-k accuracy."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.inputs import LabelsOrProbs, as_labels
from vitrine.metrics.intervals import Interval, percentile, wilson
from vitrine.metrics.metrics import Metric, macro_f1
from vitrine.metrics.resampling import replicate

__all__ = ["ClassScores", "class_f1", "confusion", "per_class", "top"]


UNKNOWN = Interval(float("nan"), 0.0, 1.0)
"""A share of no image at all: not defined, and anything is possible."""


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class, with their intervals.

    Attributes:
        label: Its position in the list of classes.
        support: Images that belong to it.
        predicted: Images that the model put in it.
        precision: Share of ``predicted`` that belong to it, Wilson's interval.
        recall: Share of ``support`` that are found, Wilson's interval.
        f1: Harmonic mean of the two, bootstrap interval. NaN in [0, 1], as the two others, where
            there is no image to count.
    """

    label: int
    support: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval


def confusion(
    y_true: Int[np.ndarray, " image"], y_pred: LabelsOrProbs, *, categories: int
) -> Int[np.ndarray, "category category"]:
    """Count images by true class (down) and predicted class (across).

    Args:
        y_true: True class of each image.
        y_pred: Labels, or probabilities of which the largest is taken.
        categories: Number of classes, so that one without an image keeps its row.

    Raises:
        ValueError: If the arrays cannot be used or a label is not below ``categories``.
    """
    predicted = as_labels(y_true, y_pred)
    largest = max(int(y_true.max()), int(predicted.max()))
    if largest >= categories:
        raise ValueError(
            f"expected labels below {categories}, found {largest}; pass the number of classes of "
            "the data set"
        )
    cells = np.bincount(y_true.astype(int) * categories + predicted, minlength=categories**2)
    return cells.reshape(categories, categories)


def class_f1(label: int) -> Metric:
    """Return the F1 of one class as a metric, to bootstrap it or to compare two models on it.

    It is the harmonic mean of the precision and the recall of the class, ``2 TP / (2 TP + FP +
    FN)``, and NaN where the class is neither true nor predicted. Source: Macro F1 and Macro F1,
    arXiv:1911.03347.

    Args:
        label: Position in the list of classes.
    """
    return Metric(
        name=f"f1_{label}",
        reads="labels",
        rows=partial(_found, label=label),
        formula=_f1,
    )


def _found(
    y_true: Int[np.ndarray, " image"], predicted: Int[np.ndarray, " image"], label: int
) -> Float[np.ndarray, "image 2"]:
    """Return whether an image is rightly put in the class, and how often it is named of it."""
    named = (y_true == label).astype(float) + (predicted == label)
    return np.stack([named == 2, named], axis=1).astype(float)  # noqa: PLR2004  (by both)


def _f1(means: Float[np.ndarray, "draw 2"]) -> Float[np.ndarray, " draw"]:
    hits, named = means.T
    return np.divide(2 * hits, named, out=np.full(len(means), np.nan), where=named > 0)


def per_class(
    y_true: Int[np.ndarray, " image"],
    y_pred: LabelsOrProbs,
    *,
    categories: int,
) -> list[ClassScores]:
    """Score each class apart.

    Each 95 % interval is that of one class looked at alone: among seven, one table in three holds
    an interval that misses its target.

    Args:
        y_true: True class of each image.
        y_pred: Labels, or probabilities of which the largest is taken.
        categories: Number of classes.

    Returns:
        One entry a class, in the order of the labels.

    Raises:
        ValueError: If the arrays cannot be used or a label is not below ``categories``.
    """
    table = confusion(y_true, y_pred, categories=categories)

    def share(hits: int, total: int) -> Interval:
        return wilson(hits, total) if total else UNKNOWN

    scores, f1_of = [], _f1_of_each(y_true, y_pred)
    for label in range(categories):
        hits = int(table[label, label])
        support, predicted = int(table[label].sum()), int(table[:, label].sum())
        f1 = f1_of[label] if label < len(f1_of) else UNKNOWN
        scores.append(
            ClassScores(label, support, predicted, share(hits, predicted), share(hits, support), f1)
        )
    return scores


def _f1_of_each(y_true: Int[np.ndarray, " image"], y_pred: LabelsOrProbs) -> list[Interval]:
    """Return what ``bootstrap`` does of ``class_f1`` for each class, from one set of draws.

    A class that is neither true nor predicted has none; those after the last one named are left
    out.
    """
    rows = macro_f1.tally(y_true, y_pred)
    images = rows.shape[0]

    def scores(sums: Float[np.ndarray, "draw statistic"]) -> Float[np.ndarray, "draw category"]:
        hits, true, answered = np.split(sums, 3, axis=1)
        means = np.stack([hits, true + answered], axis=2) / images
        return _f1(means.reshape(-1, 2)).reshape(hits.shape)

    values = scores(rows.sum(axis=0)[None])[0]
    drawn = replicate(images, lambda counts: scores(counts @ rows))
    return [
        UNKNOWN if np.isnan(value) else percentile(float(value), each)
        for value, each in zip(values, drawn.T, strict=True)
    ]


def top(
    y_true: Int[np.ndarray, " image"], guesses: Int[np.ndarray, "image rank"], count: int
) -> float:
    """Return the top-k accuracy: the share of images whose class is among the first guesses.

    Args:
        y_true: True class of each image.
        guesses: Its most probable classes, the first one first.
        count: How many guesses count.

    Raises:
        ValueError: If there are not as many guesses.
    """
    if not 0 < count <= guesses.shape[1]:
        raise ValueError(f"expected 1 to {guesses.shape[1]} guesses to count, found {count}")
    return float((guesses[:, :count] == y_true[:, None]).any(axis=1).mean())
