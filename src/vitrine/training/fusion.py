"""Two runs that answer together: made from their tracked predictions alone, in seconds.

``mean`` averages log-probabilities; ``stacked`` weights them as suits validation best, in each fold
on the fold that validates, which neither model learned from.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from vitrine.metrics.fusion import fit_weights, fuse
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import (
    Meter,
    Predictions,
    Run,
    RunFolder,
    align,
    align_fold,
    prediction_rows,
)
from vitrine.training.runs.reading import PREDICTIONS

__all__ = ["RULES", "fit"]

RULES = ("mean", "stacked")
DIGITS = 4
"""Decimals kept of a weight in ``run.json``."""


def fit(
    recipe: Recipe,
    parts: Sequence[Run],
    *,
    seed: int = 0,
    base: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Run:
    """Put the answers of runs together as the recipe says and seal the run.

    Args:
        recipe: Its architecture begins with one of ``RULES``.
        parts: The runs, in the order of ``recipe.fused``. Folds that they share are predicted too.
        seed: Names the run; nothing is drawn at random.
        base: Folder that holds the runs; by default the project's ``runs/``.
        report: Told of the weights of the published split.

    Raises:
        RecipeError: If the rule is unknown.
        RunError: If the run is finished already, if the parts do not answer for the same images, or
            if weights are to be learned and a part kept no answer of its validation folds.
    """
    rule = recipe.architecture.partition(":")[0]
    if rule not in RULES:
        raise RecipeError(
            f"recipe {recipe.name}: expected a rule among {', '.join(RULES)}, found {rule!r}"
        )
    folder = RunFolder(recipe, seed, base)
    folder.prepare(resume=True)
    meter = Meter("cpu", asked="cpu", threads=1)

    def weigh(find: Callable[..., list[Predictions]]) -> Float[np.ndarray, " model"]:
        if rule == "mean":
            return np.full(len(parts), 1 / len(parts))
        seen = find(part="validation")
        return fit_weights(seen[0].truth, [part.probabilities for part in seen])

    find = partial(align, *parts)
    published = weigh(find)
    report(f"{folder.name}: weights {published.round(2).tolist()}")
    tables = [_rows(find(part=part), published, part) for part in ("validation", "test")]
    learned = []
    for repeat, fold in sorted(set.intersection(*(set(run.folds) for run in parts))):
        find = partial(align_fold, *parts, repeat=repeat, fold=fold)
        learned.append(weigh(find))
        tables.append(_rows(find(), learned[-1], f"repeat-{repeat}", fold))
    facts = meter.facts([], 0) | _told(parts)
    kept = {"published": published, "folds": np.array(learned)}
    facts["weights"] = {name: found.round(DIGITS).tolist() for name, found in kept.items()}
    return folder.finish(tables, facts)


def _rows(
    given: Sequence[Predictions], weights: np.ndarray, split: str, fold: int | None = None
) -> pd.DataFrame:
    frame = pd.DataFrame({"image": given[0].image, "label": given[0].truth})
    together = fuse([part.probabilities for part in given], weights)
    return prediction_rows(frame, together, split, fold)


def _told(parts: Sequence[Run]) -> dict[str, Any]:
    """Return what a fusion owes to its parts: which answers exactly, their size, their data."""
    digests = [hashlib.sha256((run.folder / PREDICTIONS).read_bytes()).hexdigest() for run in parts]
    first, *others = (run.meta.get("data", {}) for run in parts)
    return {
        "parts": [
            {"run": run.name, "predictions_sha256": digest}
            for run, digest in zip(parts, digests, strict=True)
        ],
        "parameters": sum(run.meta.get("parameters", 0) for run in parts),
        "data": {
            name: value
            for name, value in first.items()
            if all(o.get(name) == value for o in others)
        },
    }
