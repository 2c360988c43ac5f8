"""Scores of one model: each is a mean over images, then a formula.

Every score here first writes one row of numbers an image (was it right, which cell of the
confusion table it falls in, how surprised the model was), averages the rows, and applies a formula
to that mean. Resampling images only changes the weights of the mean, so thousands of bootstrap
draws are one matrix product (``vitrine.metrics.resampling``), whatever the score.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.inputs import Answers, as_labels, as_probabilities

__all__ = [
    "Metric",
    "accuracy",
    "balanced_accuracy",
    "brier",
    "log_loss",
    "macro_f1",
    "top2_accuracy",
]


def _only_column(means: Float[np.ndarray, "draw statistic"]) -> Float[np.ndarray, " draw"]:
    return means[:, 0]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A score, called as ``metric(truth, answers)``.

    Attributes:
        name: Identifier, as in a column of a table.
        meaning: What the number says, with its range and its conventions.
        source: Title and identifier of the paper it comes from.
        reads: Whether it looks at labels or at probabilities.
        rows: From truth and answers to the numbers of each image; see ``tally``.
        formula: From the mean row of each draw of images to its score.
        norm: Whether the formula is a norm of the mean row, as a sum of sizes is: it cannot fall
            below zero, noise can only lift it there, and its interval is built otherwise.
        bounds: Least and greatest values that it can take.
        higher_is_better: Direction of progress.
        unit: ``share`` (0 to 1), ``nat``, or that of a cost.
    """

    name: str
    meaning: str
    source: str
    reads: Literal["labels", "probabilities"]
    rows: Callable[[np.ndarray, np.ndarray], np.ndarray]
    formula: Callable[[np.ndarray], np.ndarray] = _only_column
    norm: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)
    higher_is_better: bool = True
    unit: str = "share"

    def tally(
        self, truth: Int[np.ndarray, " image"], answers: Answers
    ) -> Float[np.ndarray, "image statistic"]:
        """Return the numbers of each image, whose mean over images decides the score.

        Raises:
            ValueError: If the arrays are not what ``vitrine.metrics.inputs`` accepts.
        """
        read = as_labels if self.reads == "labels" else as_probabilities
        checked = read(truth, answers)
        return self.rows(truth.astype(int), checked)

    def score(self, rows: Float[np.ndarray, "image statistic"]) -> float:
        """Return the score of images whose ``tally`` is already made."""
        return float(self.formula(rows.mean(axis=0, keepdims=True))[0])

    def score_draws(
        self,
        counts: Float[np.ndarray, "draw image"],
        rows: Float[np.ndarray, "image statistic"],
    ) -> Float[np.ndarray, " draw"]:
        """Return the score of each draw of the images.

        Args:
            counts: How often each image is drawn; each draw has as many as there are images.
            rows: What ``tally`` returned.
        """
        return self.formula(counts @ rows / len(rows))

    def __call__(self, truth: Int[np.ndarray, " image"], answers: Answers) -> float:
        """Score the answers.

        Args:
            truth: True class of each image.
            answers: Labels or probabilities; a metric of probabilities refuses labels.

        Returns:
            The score, in ``unit``.

        Raises:
            ValueError: If the arrays are not what ``vitrine.metrics.inputs`` accepts.
        """
        return self.score(self.tally(truth, answers))


def _hit(
    truth: Int[np.ndarray, " image"], predicted: Int[np.ndarray, " image"]
) -> Float[np.ndarray, "image 1"]:
    return (truth == predicted)[:, None].astype(float)


def _hit_in_two(
    truth: Int[np.ndarray, " image"], probabilities: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    own = np.take_along_axis(probabilities, truth[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < truth[:, None]
    rank = ((probabilities > own) | ((probabilities == own) & earlier)).sum(axis=1)
    return (rank < 2)[:, None].astype(float)  # noqa: PLR2004  (the two of the name)


def _surprise(
    truth: Int[np.ndarray, " image"], probabilities: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    own = np.take_along_axis(probabilities, truth[:, None], axis=1)
    floor = np.finfo(float).eps
    return -np.log(own.clip(floor, 1 - floor))


def _squared_error(
    truth: Int[np.ndarray, " image"], probabilities: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    target = np.eye(probabilities.shape[1])[truth]
    return np.square(probabilities - target).sum(axis=1, keepdims=True)


def confusion_cell(
    truth: Int[np.ndarray, " image"], predicted: Int[np.ndarray, " image"]
) -> Float[np.ndarray, "image cell"]:
    """Return 1 in the cell of the confusion table where each image falls, 0 elsewhere."""
    categories = 1 + max(int(truth.max()), int(predicted.max()))
    cells = np.zeros((len(truth), categories**2))
    cells[np.arange(len(truth)), truth * categories + predicted] = 1.0
    return cells


def unfold(means: Float[np.ndarray, "draw cell"]) -> Float[np.ndarray, "draw category category"]:
    """Return mean rows of ``confusion_cell`` as tables: true class down, predicted across."""
    categories = round(means.shape[1] ** 0.5)
    return means.reshape(-1, categories, categories)


def _mean_where_defined(
    numerator: Float[np.ndarray, "draw category"], denominator: Float[np.ndarray, "draw category"]
) -> Float[np.ndarray, " draw"]:
    defined = denominator > 0
    ratio = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=defined)
    return ratio.sum(axis=1) / defined.sum(axis=1)


def _mean_recall(means: Float[np.ndarray, "draw cell"]) -> Float[np.ndarray, " draw"]:
    table = unfold(means)
    hits = np.diagonal(table, axis1=1, axis2=2)
    return _mean_where_defined(hits, table.sum(axis=2))


def _mean_f1(means: Float[np.ndarray, "draw cell"]) -> Float[np.ndarray, " draw"]:
    table = unfold(means)
    hits = np.diagonal(table, axis1=1, axis2=2)
    return _mean_where_defined(2 * hits, table.sum(axis=1) + table.sum(axis=2))


accuracy = Metric(
    name="accuracy",
    meaning="Share of images whose predicted class is the true one.",
    source="definition",
    reads="labels",
    rows=_hit,
)

balanced_accuracy = Metric(
    name="balanced_accuracy",
    meaning=(
        "Mean over classes of the share of a class's images that are recognised; a class without "
        "an image is left out."
    ),
    source="The Balanced Accuracy and Its Posterior Distribution, doi:10.1109/ICPR.2010.764",
    reads="labels",
    rows=confusion_cell,
    formula=_mean_recall,
)

macro_f1 = Metric(
    name="macro_f1",
    meaning=(
        "Mean over classes of the F1 of a class (harmonic mean of its precision and recall), not "
        "the F1 of the means; 0 for a class never found, left out if neither true nor predicted."
    ),
    source="Macro F1 and Macro F1, arXiv:1911.03347",
    reads="labels",
    rows=confusion_cell,
    formula=_mean_f1,
)

top2_accuracy = Metric(
    name="top2_accuracy",
    meaning=(
        "Share of images whose true class is one of the two most probable; on a tie the earlier "
        "class goes first, as for the most probable one."
    ),
    source="definition",
    reads="probabilities",
    rows=_hit_in_two,
)

log_loss = Metric(
    name="log_loss",
    meaning=(
        "Mean of minus the natural logarithm of the probability given to the true class, kept at "
        "least 2.2e-16 so that one image cannot cost more than 36 nats."
    ),
    source="Strictly Proper Scoring Rules, Prediction, and Estimation, "
    "doi:10.1198/016214506000001437",
    reads="probabilities",
    rows=_surprise,
    bounds=(0.0, math.inf),
    higher_is_better=False,
    unit="nat",
)

brier = Metric(
    name="brier",
    meaning=(
        "Mean over images of the squared distance between the probabilities and the truth, summed "
        "over classes: 0 is perfect, 2 is sure and wrong."
    ),
    source="Verification of Forecasts Expressed in Terms of Probability, "
    "doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    reads="probabilities",
    rows=_squared_error,
    bounds=(0.0, 2.0),
    higher_is_better=False,
    unit="squared distance",
)
