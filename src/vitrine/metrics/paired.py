"""Tests of two models, or of two groups of images: bootstrap, McNemar, permutations, Holm.

What makes an image hard for both models cancels out, so a paired comparison sees gaps that two
separate intervals would hide.

Sources: McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or
Percentages", doi:10.1007/BF02295996; Dietterich, "Approximate Statistical Tests for Comparing
Supervised Classification Learning Algorithms", doi:10.1162/089976698300017197; Holm, "A Simple
Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979), 65-70;
for the flipped signs, Fisher, "The Design of Experiments" (1935), chapter 3, and Dror et al., "The
Hitchhiker's Guide to Testing Statistical Significance in NLP", doi:10.18653/v1/P18-1128.

Source: Fisher, "The Design of Experiments" (1935), for the test by permutation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import bdtr, gammaln

from vitrine.metrics.inputs import LabelsOrProbs, as_labels
from vitrine.metrics.intervals import Interval
from vitrine.metrics.metrics import Metric
from vitrine.metrics.resampling import resample

__all__ = [
    "McNemar", "easier", "flipped", "holm", "mcnemar", "mcnemar_bound", "paired_bootstrap",
    "sign_flip",
]  # fmt: skip


def paired_bootstrap(
    y_true: Int[np.ndarray, " image"],
    baseline: LabelsOrProbs,
    candidate: LabelsOrProbs,
    metric: Metric,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Estimate by how much ``candidate`` differs from ``baseline`` on the same images.

    Each draw resamples the images once and scores both models on them. As for ``bootstrap``, the
    interval reflects the draw of the images, for these two trained models.

    Args:
        y_true: True class of each image.
        baseline: What the reference model said.
        candidate: What the model under test said, of the same images in the same order.
        metric: Score to compare.
        draws: Number of resamplings.
        level: Coverage of the interval.
        seed: Seeds the resampling.

    Returns:
        ``metric(candidate) - metric(baseline)`` and its interval, in the metric's unit; for a loss,
        an error or a cost a negative gap is progress.

    Raises:
        ValueError: If the arrays, ``draws`` or ``level`` cannot be used.
    """
    sides = [[metric.tally(y_true, candidate)], [metric.tally(y_true, baseline)]]
    return resample(sides, metric, draws=draws, level=level, seed=seed)


@dataclass(frozen=True)
class McNemar:
    """Result of an exact McNemar test.

    Attributes:
        images: Images compared.
        only_baseline: Images that only the reference model classifies rightly.
        only_candidate: Images that only the model under test classifies rightly.
        p_value: Chance, were both models equally often right, of a split of the discordant images
            at least as uneven as this one.
    """

    images: int
    only_baseline: int
    only_candidate: int
    p_value: float

    @property
    def discordance(self) -> float:
        """Share of the images on which one model is right and the other wrong."""
        return (self.only_baseline + self.only_candidate) / self.images


def mcnemar(
    y_true: Int[np.ndarray, " image"], baseline: LabelsOrProbs, candidate: LabelsOrProbs
) -> McNemar:
    """Test whether two models have the same accuracy, on the same images.

    Exact, two-sided: given how many images are discordant, those won by the candidate are a draw of
    Binomial(discordant, 1/2). It never rejects more often than it says, and often less: with few
    discordant images it is cautious.

    Args:
        y_true: True class of each image.
        baseline: What the reference model said.
        candidate: What the model under test said, of the same images in the same order.

    Returns:
        The two discordant counts and the p-value; 1 where no image is discordant.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    right_before = as_labels(y_true, baseline) == y_true
    right_after = as_labels(y_true, candidate) == y_true
    lost, won = int((right_before & ~right_after).sum()), int((~right_before & right_after).sum())
    tail = float(bdtr(float(min(lost, won)), lost + won, 0.5))
    return McNemar(len(y_true), lost, won, min(1.0, 2 * tail))


def mcnemar_bound(right_baseline: int, right_candidate: int, images: int) -> float:
    """Return the smallest p-value that McNemar's test could give, from counts of right answers.

    The answers image by image are unknown, the scores are not. The test is surest of a gap where
    the images that one model classifies rightly are all among those of the other: those that make
    the gap are then the only discordant ones, all on one side. Above the level, no answers
    whatsoever would establish the gap.

    Args:
        right_baseline: Images that the reference model classifies rightly.
        right_candidate: Images that the model under test classifies rightly.
        images: Images that both classify.

    Raises:
        ValueError: If a count is not between 0 and ``images``.
    """
    if not (0 <= right_baseline <= images and 0 <= right_candidate <= images):
        raise ValueError(
            f"expected counts of right answers between 0 and {images}, found {right_baseline} and "
            f"{right_candidate}; pass counts of images, not shares"
        )
    return min(1.0, 2.0 ** (1 - abs(right_candidate - right_baseline)))


def sign_flip(
    y_true: Int[np.ndarray, " image"],
    baseline: Sequence[LabelsOrProbs],
    candidate: Sequence[LabelsOrProbs],
) -> float:
    """Test whether two recipes have the same accuracy on the same images, all their runs counted.

    The difference on an image is that of the shares of runs that are right. Were the recipes alike,
    its sign would be a coin's: the p-value is the chance that flipped signs give a sum as far from
    zero. It is exact, for shares are whole numbers once multiplied by the numbers of runs, and the
    law of their sum adds up binomial ones. With one run each it is the exact McNemar test.

    Args:
        y_true: True class of each image.
        baseline: What each run of the reference recipe said.
        candidate: What each run of the recipe under test said, of the same images.

    Returns:
        The two-sided p-value; 1 where no image tells the recipes apart.

    Raises:
        ValueError: If a recipe has no run, or arrays cannot be used.
    """
    if not baseline or not candidate:
        raise ValueError(
            f"expected at least one run of each recipe, found {len(baseline)} and {len(candidate)};"
            " train the one that has none"
        )
    before, after = (
        np.sum([as_labels(y_true, y_pred) == y_true for y_pred in side], axis=0)
        for side in (baseline, candidate)
    )
    return flipped(len(baseline) * after - len(candidate) * before)


def flipped(differences: Int[np.ndarray, " image"]) -> float:
    """Return the exact p-value of a sign-flip test on whole numbers.

    Args:
        differences: The numbers, their signs as they were found.
    """
    found = differences // max(1, int(np.gcd.reduce(differences, initial=0)))
    chances = np.ones(1)
    for step, times in zip(*np.unique(np.abs(found[found != 0]), return_counts=True), strict=True):
        ups = np.arange(times + 1)
        law = np.zeros(2 * int(step) * int(times) + 1)
        law[:: 2 * step] = np.exp(
            gammaln(times + 1) - gammaln(ups + 1) - gammaln(times - ups + 1) - times * np.log(2)
        )
        chances = np.convolve(chances, law)
    reach = len(chances) // 2
    far = np.abs(np.arange(-reach, reach + 1)) >= abs(int(found.sum()))
    return min(1.0, float(chances[far].sum()))


def holm(p_values: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Correct p-values for multiple tests by Holm's method.

    The smallest is multiplied by the number of tests, the next by one less, and so on, each kept at
    least as large as the one before and at most 1. Valid whatever the dependence of the tests.

    Args:
        p_values: One a comparison; all those made, not only those shown.

    Returns:
        The adjusted p-values in the same order, to be compared with the level for the table.

    Raises:
        ValueError: If there is none or one is outside [0, 1].
    """
    if p_values.ndim != 1 or not p_values.size or not ((p_values >= 0) & (p_values <= 1)).all():
        raise ValueError(
            f"expected p-values between 0 and 1, found {p_values.tolist()}; pass one a comparison"
        )
    order = np.argsort(p_values, kind="stable")
    stepped = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.maximum.accumulate(stepped).clip(max=1)
    return adjusted


def easier(scores: Int[np.ndarray, " image"], chosen: Bool[np.ndarray, " image"]) -> float:
    """Return the exact two-sided p-value of a permutation test on the scores of some images.

    Were the images chosen by chance, without regard to their scores, every group of that size would
    be as likely: all are counted. Answers of several models to one image stay together, in its
    score, since they are not independent.

    Args:
        scores: Of each image, how many answers are right; at least 0.
        chosen: Images of the group; neither none nor all.

    Returns:
        Twice the share of the groups whose sum lies at least as far out as this one's, on its side
        of the middle; at most 1.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    size = int(chosen.sum())
    if scores.shape != chosen.shape or not 0 < size < len(chosen) or scores.min() < 0:
        raise ValueError(
            f"expected scores of at least 0 and a group that is neither none nor all of them, found"
            f" {size} of {len(scores)} chosen; pass one score and one choice an image"
        )
    shares = np.zeros((size + 1, int(scores.sum()) + 1))
    shares[0, 0] = 1  # of each size, the share of the groups of the images so far by their sum
    taken = np.arange(1, size + 1)[:, None]
    for images, score in enumerate(scores, start=1):
        holding = np.minimum(taken / images, 1)  # of the groups of a size, those with this image
        with_it = (holding * shares[:-1])[:, : shares.shape[1] - score]
        shares[1:] *= 1 - holding
        shares[1:, score:] += with_it
    found = int(scores[chosen].sum())
    return float(min(1.0, 2 * min(shares[-1, : found + 1].sum(), shares[-1, found:].sum())))
