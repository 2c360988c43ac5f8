"""Right answers among the first guesses, for problems of many classes."""

import pandas as pd

__all__ = ["top"]


def top(table: pd.DataFrame, count: int) -> float:
    """Return the share of images whose class is among the ``count`` most probable ones.

    Args:
        table: ``predictions.csv`` of a pretraining: ``label``, then ``top_1``, ``top_2`` and so on.
        count: How many guesses count.

    Raises:
        ValueError: If the table does not hold as many.
    """
    columns = [f"top_{k + 1}" for k in range(count)]
    if missing := [name for name in columns if name not in table]:
        raise ValueError(f"expected {count} guesses for each image, found no column {missing[0]}")
    return float(table[columns].eq(table.label, axis=0).any(axis=1).mean())
