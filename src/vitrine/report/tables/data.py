"""Tables of the photos: split by class, duplicates across parts, errors of models."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vitrine.data import dataset
from vitrine.data.splits import PARTS, Split

__all__ = ["PARTS_FR", "errors", "leaks", "parts"]

PARTS_FR = dict(zip(PARTS, ("Entraînement", "Validation", "Test"), strict=True))
SHOWN_OF_NAME = 8
"""Characters shown of the name of a photo."""


def parts(split: Split) -> pd.DataFrame:
    """Count the photos of each class in each part of a split, with a last row for the whole."""
    counts = pd.crosstab(split.frame.label, split.frame.part).reindex(columns=list(PARTS))
    table = counts.rename(columns=PARTS_FR).reset_index(drop=True)
    table.insert(0, "Catégorie", dataset.current().classes.values())
    table["Total"] = counts.sum(axis=1).to_numpy()
    table.loc[len(table)] = ["Ensemble", *counts.sum(), counts.to_numpy().sum()]
    return table


def leaks(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count duplicate pairs by the parts that their two photos fall in.

    Args:
        pairs: One row a pair: ``part_a``, ``part_b``, ``exact``.
    """
    sides = [
        tuple(sorted(couple, key=PARTS.index))
        for couple in zip(pairs.part_a, pairs.part_b, strict=True)
    ]
    rows = []
    for i, first in enumerate(PARTS):
        for second in PARTS[i:]:
            chosen = np.array([side == (first, second) for side in sides], dtype=bool)
            exact = int(pairs.exact.to_numpy(dtype=bool)[chosen].sum())
            rows.append(
                {
                    "Parties": PARTS_FR[first]
                    if first == second
                    else f"{PARTS_FR[first]} et {PARTS_FR[second].lower()}",
                    "Fuite": first != second,
                    "Doublons exacts": exact,
                    "Quasi-doublons": int(chosen.sum()) - exact,
                }
            )
    return pd.DataFrame(rows).sort_values("Fuite", kind="stable", ignore_index=True)


def errors(
    images: Sequence[str], truth: Sequence[int], answers: Mapping[str, Sequence[int]]
) -> pd.DataFrame:
    """List images with their class and what each model says of them.

    Args:
        images: File names, of which the beginning is shown: enough to find the file.
        truth: True class of each.
        answers: By name of model, the class it predicts for each.
    """
    names = list(dataset.current().classes.values())
    files = [f"{name[:SHOWN_OF_NAME]}…" for name in images]
    table = pd.DataFrame({"Fichier": files, "Catégorie vraie": [names[k] for k in truth]})
    for model, predicted in answers.items():
        table[model] = [
            "juste" if k == true else names[k] for k, true in zip(predicted, truth, strict=True)
        ]
    return table
