"""Fit a cheap model on the published split and on every fold, and predict each product.

In each fold of each repetition the fold is the test part, the next one (modulo their number) is
validation and the other three train. What the model says of its validation fold is kept too:
whatever is chosen later, a temperature, a threshold, the weights of a fusion, is chosen on it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool
from sklearn.base import BaseEstimator

from vitrine.data.splits import FOLDS, PARTS, Split
from vitrine.training.runs import prediction_rows

__all__ = ["Learn", "Mask", "everywhere"]

Mask = Bool[np.ndarray, " product"]
Learn = Callable[[Mask, Mask], tuple[BaseEstimator, Any]]
"""Fits a classifier on the products of a mask, chosen on those of another; adds what it noted."""


def everywhere(
    frame: pd.DataFrame,
    features: np.ndarray,
    learn: Learn,
    folds: Split | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[list[pd.DataFrame], list[Any]]:
    """Fit a model on the published split and on each fold, and predict what it did not learn from.

    Args:
        frame: Products: ``row``, ``image``, ``label`` and ``part`` of the published split.
        features: What a model reads of each product, in the order of ``frame``.
        learn: How a model is fitted.
        folds: Repeated folds of the same products; without, the published split alone.
        report: Told of each finished repetition.

    Returns:
        Tables of predictions, and the notes of ``learn``: of the published split, then of each
        fold in order.
    """
    classes = int(frame.label.max()) + 1

    def answer(model: BaseEstimator, asked: Mask, name: str, fold: int | None) -> pd.DataFrame:
        given = np.zeros((asked.sum(), classes))
        given[:, model.classes_] = model.predict_proba(features[asked])
        return prediction_rows(frame[asked], given, name, fold)

    train, validation, test = ((frame.part == part).to_numpy() for part in PARTS)
    plans = [(train, {"validation": validation, "test": test}, None)]
    if folds is not None:
        numbered = frame.merge(folds.frame, on=["row", "image", "label"], validate="1:1")
        for repeat, fold in np.ndindex(folds.repeats, FOLDS):
            number = numbered[f"repeat_{repeat}"].to_numpy()
            tested, validation = number == fold, number == (fold + 1) % FOLDS
            asked = {f"repeat-{repeat}": tested, f"repeat-{repeat}-validation": validation}
            plans.append((~tested & ~validation, asked, fold))
    tables, notes = [], []
    for done, (train, asked, fold) in enumerate(plans):
        validation = next(mask for name, mask in asked.items() if name.endswith("validation"))
        model, note = learn(train, validation)
        notes.append(note)
        tables += [answer(model, mask, name, fold) for name, mask in asked.items()]
        if folds and done and done % FOLDS == 0:
            report(f"repetition {done // FOLDS} of {folds.repeats}")
    return tables, notes
