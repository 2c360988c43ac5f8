"""Interval and test of a mean over repeated cross-validation (corrected resampled t-test).

Two folds train on mostly the same images, so their scores are not independent and the usual
standard error of their mean is far too small. Nadeau and Bengio's correction replaces ``1 / J`` by
``1 / J + test / train`` in the variance of the mean of ``J`` scores; for ``k`` folds repeated ``r``
times, ``J = k r`` and ``test / train = 1 / (k - 1)``, or ``1 / (k - 2)`` where one more fold only
validates. No repetition makes the second term vanish.

Sources: Nadeau and Bengio, "Inference for the Generalization Error", doi:10.1023/A:1024068626366;
for repeated k-fold, Bouckaert and Frank, "Evaluating the Replicability of Significance Tests for
Comparing Learning Algorithms", doi:10.1007/978-3-540-24775-3_3.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import stdtr, stdtrit

from vitrine.metrics.intervals import Interval, check_share

__all__ = ["corrected_error", "corrected_interval", "corrected_p_value"]


def corrected_error(scores: Float[np.ndarray, " split"], *, test_over_train: float) -> float:
    """Return the corrected standard error of a mean over splits, in the unit of the scores.

    Args:
        scores: Score, or gap between two models, on each split's test part.
        test_over_train: Images tested over images trained on, in a split: ``1 / (k - 1)`` for
            ``k`` folds, repeated or not; validation is not trained on.

    Raises:
        ValueError: If there are fewer than two scores, one is not finite, or the ratio is not
            positive.
    """
    if scores.ndim != 1 or len(scores) < 2 or not np.isfinite(scores).all():  # noqa: PLR2004
        raise ValueError(
            f"expected the finite scores of at least two splits, found {scores.tolist()}; pass one "
            "score a fold of each repetition"
        )
    if not test_over_train > 0:
        raise ValueError(
            f"expected test_over_train above 0, found {test_over_train}; it is 1 / (k - 1) for k "
            "folds"
        )
    return math.sqrt((1 / len(scores) + test_over_train) * float(scores.var(ddof=1)))


def corrected_interval(
    scores: Float[np.ndarray, " split"], *, test_over_train: float, level: float = 0.95
) -> Interval:
    """Return the mean over splits with a corrected Student interval.

    It covers the draw of the training images as well as that of the tested ones: it speaks of the
    recipe, on data sets of this size, not of one trained model.

    Args:
        scores: Score on each split; or gap between two models, fold by fold on the same folds.
        test_over_train: As for ``corrected_error``.
        level: Coverage of the interval.

    Returns:
        The mean and ``mean +- t * corrected_error``, with ``splits - 1`` degrees of freedom; an
        end may leave the range of the metric.

    Raises:
        ValueError: As ``corrected_error``, or if ``level`` is outside ]0, 1[.
    """
    check_share(level, "level")
    error = corrected_error(scores, test_over_train=test_over_train)
    mean = float(scores.mean())
    spread = float(stdtrit(len(scores) - 1, (1 + level) / 2)) * error
    return Interval(mean, mean - spread, mean + spread)


def corrected_p_value(gaps: Float[np.ndarray, " split"], *, test_over_train: float) -> float:
    """Test whether two models differ, from their gap on each split: the corrected t-test.

    Args:
        gaps: ``candidate - baseline`` on each split, both trained and tested on the same images.
        test_over_train: As for ``corrected_error``.

    Returns:
        The two-sided p-value; where all gaps are equal, 1 if they are zero and 0 otherwise.

    Raises:
        ValueError: As ``corrected_error``.
    """
    error = corrected_error(gaps, test_over_train=test_over_train)
    mean = float(gaps.mean())
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stdtr(len(gaps) - 1, -abs(mean) / error))
