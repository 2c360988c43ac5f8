"""Complementarity of two runs (text and photo) over repeated folds: which products each gets right.

Every answer is out of fold. Products are named by the file of their photo, never by their text.
"""

import pandas as pd

from vitrine.data.splits import FOLDS
from vitrine.training.runs import Run, RunError, align_fold

__all__ = ["alone", "oracle", "right", "shares"]

CASES = ("both", "only_first", "only_second", "neither")


def right(first: Run, second: Run) -> pd.DataFrame:
    """Tell who is right of each product in each repetition that both runs hold.

    Args:
        first: A run, of the text for instance.
        second: Another, on the same folds.

    Returns:
        One row a product and repetition: ``image``, ``label``, ``repeat``, ``first`` and
        ``second``, whether each is right.

    Raises:
        RunError: If they share no repetition, or were not made on the same folds.
    """
    tables = []
    for repeat in sorted({r for r, _ in set(first.folds) & set(second.folds)}):
        for fold in range(FOLDS):
            a, b = align_fold(first, second, repeat=repeat, fold=fold)
            told = {"image": a.image, "label": a.truth, "repeat": repeat}
            tables.append(
                pd.DataFrame(
                    told | {"first": a.predicted == a.truth, "second": b.predicted == b.truth}
                )
            )
    if not tables:
        raise RunError(
            f"expected {first.name} and {second.name} to predict folds of one repetition, found "
            "none; make them again over folds"
        )
    return pd.concat(tables, ignore_index=True)


def shares(first: Run, second: Run) -> pd.DataFrame:
    """Count, by class, the products that both runs get right, only one, or neither.

    Returns:
        One row a class, by its position: ``products``, then ``both``, ``only_first``,
        ``only_second`` and ``neither``, in products: means over repetitions.
    """
    told = right(first, second)
    a, b = told["first"], told["second"]
    cases = pd.DataFrame(dict(zip(CASES, (a & b, a & ~b, ~a & b, ~a & ~b), strict=True)))
    repeats = told["repeat"].nunique()
    counts = (
        cases.groupby(told["label"]).sum().reindex(range(len(first.classes)), fill_value=0)
        / repeats
    )
    counts.insert(0, "products", counts.sum(axis=1).round().astype(int))
    return counts


def oracle(first: Run, second: Run) -> float:
    """Return the share of products that at least one run gets right: a bound on any fusion."""
    counts = shares(first, second)
    return 1 - float(counts["neither"].sum() / counts["products"].sum())


def alone(first: Run, second: Run) -> pd.DataFrame:
    """Return the products that only the second run gets right, in most repetitions.

    It is right of them in more than half of the repetitions, and the first one in fewer than half.

    Returns:
        One row a product, the clearest first: ``image``, ``label``, and the share of repetitions
        in which each run is right, ``first`` and ``second``.
    """
    half = 1 / 2
    told = right(first, second).groupby(["image", "label"])[["first", "second"]].mean()
    won = told[(told["first"] < half) & (told["second"] > half)].reset_index()
    clearest = (won["second"] - won["first"]).sort_values(ascending=False, kind="stable")
    return won.loc[clearest.index].reset_index(drop=True)
