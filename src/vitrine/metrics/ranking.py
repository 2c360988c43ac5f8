"""Top-k accuracy from ranked guesses, for problems of many classes."""

import numpy as np
from jaxtyping import Int

__all__ = ["top"]


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
