"""Exact permutation test of whether a group of images is easier than the others.

Source: Fisher, "The Design of Experiments" (1935), for the test by permutation.
"""

import numpy as np
from jaxtyping import Bool, Int

__all__ = ["easier"]


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
    groups = np.zeros((size + 1, int(scores.sum()) + 1))
    groups[0, 0] = 1  # of each size, how many groups of the images so far have each sum
    for score in scores:
        groups[1:, score:] += groups[:-1, : groups.shape[1] - score].copy()
    shares, found = groups[size] / groups[size].sum(), int(scores[chosen].sum())
    return float(min(1.0, 2 * min(shares[: found + 1].sum(), shares[found:].sum())))
