"""Right answers among the first guesses, for problems of many classes."""

import numpy as np
from jaxtyping import Int

__all__ = ["top"]


def top(
    labels: Int[np.ndarray, " image"], guesses: Int[np.ndarray, "image rank"], count: int
) -> float:
    """Return the share of images whose class is among the ``count`` most probable ones.

    Args:
        labels: True class of each image.
        guesses: Its most probable classes, the first one first.
        count: How many guesses count.

    Raises:
        ValueError: If there are not as many guesses.
    """
    if not 0 < count <= guesses.shape[1]:
        raise ValueError(f"expected 1 to {guesses.shape[1]} guesses to count, found {count}")
    return float((guesses[:, :count] == labels[:, None]).any(axis=1).mean())
