"""Classification metrics: accuracy, F1, log-loss, Brier score, with their French names.

Every score here first writes one row of numbers an image (was it right, which class it is of and
which one was answered, how surprised the model was), averages the rows, and applies a formula to
that mean. Resampling images only changes the weights of the mean, so thousands of bootstrap
draws are one matrix product (``vitrine.metrics.resampling``), whatever the score.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.inputs import LabelsOrProbs, as_labels, as_probabilities

__all__ = [
    "Metric",
    "Rows",
    "accuracy",
    "balanced_accuracy",
    "brier",
    "log_loss",
    "macro_f1",
    "top2_accuracy",
]

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    Rows = Float[np.ndarray, "image statistic"] | csr_array
else:
    Rows = Any  # importing this module imports no SciPy
"""The numbers of each image; sparse where they are counts, nearly all zero, of many classes."""


def _only_column(means: Float[np.ndarray, "draw statistic"]) -> Float[np.ndarray, " draw"]:
    return means[:, 0]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric, called as ``metric(y_true, y_pred)``.

    Attributes:
        name: Identifier, as in a column of a table.
        french: Name on screen, in French; empty for one that no table shows.
        reads: Whether it looks at labels or at probabilities.
        rows: From ``y_true`` and ``y_pred`` to the numbers of each image; see ``tally``.
        formula: From the mean row of each draw of images to its score.
        proportion: Whether it is a share of the images, so that Wilson's interval holds.
        norm: Whether the formula is a norm of the mean row, as a sum of sizes is: it cannot fall
            below zero, noise can only lift it there, and its interval is built otherwise.
        bounds: Least and greatest values that it can take.
        higher_is_better: Direction of progress.
        unit: ``share`` (0 to 1, written as a percentage), ``nat``, or that of a cost.
        decimals: Digits written after the comma; of the percentage, for a share.
    """

    name: str
    french: str = ""
    reads: Literal["labels", "probabilities"]
    rows: Callable[[np.ndarray, np.ndarray], Rows]
    formula: Callable[[np.ndarray], np.ndarray] = _only_column
    proportion: bool = False
    norm: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)
    higher_is_better: bool = True
    unit: str = "share"
    decimals: int = 1

    @property
    def is_share(self) -> bool:
        """Whether the score is a share, which is written as a percentage."""
        return self.unit == "share"

    @property
    def heading(self) -> str:
        """French name with the unit, where the numbers are written without one."""
        return f"{self.french} (nats)" if self.unit == "nat" else self.french

    def tally(self, y_true: Int[np.ndarray, " image"], y_pred: LabelsOrProbs) -> Rows:
        """Return the numbers of each image, whose mean over images decides the score.

        Raises:
            ValueError: If the arrays are not what ``vitrine.metrics.inputs`` accepts.
        """
        read = as_labels if self.reads == "labels" else as_probabilities
        checked = read(y_true, y_pred)
        return self.rows(y_true.astype(int), checked)

    def score(self, rows: Rows) -> float:
        """Return the score of images whose ``tally`` is already made."""
        return float(self.formula(rows.sum(axis=0)[None] / rows.shape[0])[0])

    def score_draws(
        self, counts: Float[np.ndarray, "draw image"], rows: Rows
    ) -> Float[np.ndarray, " draw"]:
        """Return the score of each draw of the images.

        Args:
            counts: How often each image is drawn; each draw has as many as there are images.
            rows: What ``tally`` returned.
        """
        return self.formula(counts @ rows / rows.shape[0])

    def __call__(self, y_true: Int[np.ndarray, " image"], y_pred: LabelsOrProbs) -> float:
        """Return the score.

        Args:
            y_true: True class of each image.
            y_pred: Labels or probabilities; a metric of probabilities refuses labels.

        Returns:
            The score, in ``unit``.

        Raises:
            ValueError: If the arrays are not what ``vitrine.metrics.inputs`` accepts.
        """
        return self.score(self.tally(y_true, y_pred))


def _hit(
    y_true: Int[np.ndarray, " image"], predicted: Int[np.ndarray, " image"]
) -> Float[np.ndarray, "image 1"]:
    return (y_true == predicted)[:, None].astype(float)


def _hit_in_two(
    y_true: Int[np.ndarray, " image"], y_prob: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    own = np.take_along_axis(y_prob, y_true[:, None], axis=1)
    earlier = np.arange(y_prob.shape[1]) < y_true[:, None]
    rank = ((y_prob > own) | ((y_prob == own) & earlier)).sum(axis=1)
    return (rank < 2)[:, None].astype(float)  # noqa: PLR2004  (the two of the name)


def _surprise(
    y_true: Int[np.ndarray, " image"], y_prob: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    own = np.take_along_axis(y_prob, y_true[:, None], axis=1)
    floor = np.finfo(float).eps
    return -np.log(own.clip(floor, 1 - floor))


def _squared_error(
    y_true: Int[np.ndarray, " image"], y_prob: Float[np.ndarray, "image category"]
) -> Float[np.ndarray, "image 1"]:
    target = np.eye(y_prob.shape[1])[y_true]
    return np.square(y_prob - target).sum(axis=1, keepdims=True)


def _class_counts(y_true: Int[np.ndarray, " image"], predicted: Int[np.ndarray, " image"]) -> Rows:
    """Return, in one column a class each: rightly answered, true, answered; of whole numbers."""
    from scipy.sparse import csr_array

    categories = 1 + max(int(y_true.max()), int(predicted.max()))
    answered = predicted.astype(int)  # small integers would overflow
    columns = np.stack([y_true, categories + y_true, 2 * categories + answered], axis=1)
    ones = np.ones(columns.shape)
    ones[:, 0] = y_true == predicted
    starts = np.arange(0, ones.size + 1, 3)
    return csr_array((ones.ravel(), columns.ravel(), starts), (len(y_true), 3 * categories))


def _mean_where_defined(
    numerator: Float[np.ndarray, "draw category"], denominator: Float[np.ndarray, "draw category"]
) -> Float[np.ndarray, " draw"]:
    defined = denominator > 0
    ratio = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=defined)
    return ratio.sum(axis=1) / defined.sum(axis=1)


def _mean_recall(means: Float[np.ndarray, "draw statistic"]) -> Float[np.ndarray, " draw"]:
    hits, true, _ = np.split(means, 3, axis=1)
    return _mean_where_defined(hits, true)


def _mean_f1(means: Float[np.ndarray, "draw statistic"]) -> Float[np.ndarray, " draw"]:
    hits, true, answered = np.split(means, 3, axis=1)
    return _mean_where_defined(2 * hits, true + answered)


accuracy = Metric(
    name="accuracy",
    french="Exactitude",
    reads="labels",
    rows=_hit,
    proportion=True,
)
"""Share of images whose predicted class is the true one."""

balanced_accuracy = Metric(
    name="balanced_accuracy",
    french="Exactitude équilibrée",
    reads="labels",
    rows=_class_counts,
    formula=_mean_recall,
)
"""Mean over classes of the share of a class's images that are recognised; a class without an image
is left out. Source: The Balanced Accuracy and Its Posterior Distribution,
doi:10.1109/ICPR.2010.764."""

macro_f1 = Metric(
    name="macro_f1",
    french="F1 macro",
    reads="labels",
    rows=_class_counts,
    formula=_mean_f1,
)
"""Mean over classes of the F1 of a class (harmonic mean of its precision and recall), not the F1 of
the means; 0 for a class never found, left out if neither true nor predicted. Source: Macro F1
and Macro F1, arXiv:1911.03347."""

top2_accuracy = Metric(
    name="top2_accuracy",
    french="Exactitude top-2",
    reads="probabilities",
    rows=_hit_in_two,
    proportion=True,
)
"""Share of images whose true class is one of the two most probable; on a tie the earlier class goes
first, as for the most probable one."""

log_loss = Metric(
    name="log_loss",
    french="Perte logarithmique",
    reads="probabilities",
    rows=_surprise,
    bounds=(0.0, math.inf),
    higher_is_better=False,
    unit="nat",
    decimals=2,
)
"""Mean of minus the natural logarithm of the probability given to the true class, kept at least
2.2e-16 so that one image cannot cost more than 36 nats. Source: Strictly Proper Scoring Rules,
Prediction, and Estimation, doi:10.1198/016214506000001437."""

brier = Metric(
    name="brier",
    french="Score de Brier",
    reads="probabilities",
    rows=_squared_error,
    bounds=(0.0, 2.0),
    higher_is_better=False,
    unit="squared distance",
    decimals=2,
)
"""Mean over images of the squared distance between the probabilities and the truth, summed over
classes: 0 is perfect, 2 is sure and wrong. Source: Verification of Forecasts Expressed in Terms
of Probability, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2."""
