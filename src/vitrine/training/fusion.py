"""Late fusion: a run whose predictions are those of finished runs, averaged or weighted.

``mean`` averages log-probabilities; ``stacked`` weights them as suits validation best, in each fold
on the fold that validates, which neither model learned from.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from vitrine.data.splits import FOLDS, REPEATS
from vitrine.metrics.temperature import fit_weights, fuse
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import (
    Meter,
    Predictions,
    Run,
    RunFolder,
    folds,
    load,
    names,
    prediction_rows,
)
from vitrine.training.runs.reading import PREDICTIONS, aligned

__all__ = ["RULES", "fit"]

Place = tuple[int, int] | None

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
        parts: The runs, in the order of ``recipe.fused``. Whole repetitions of the folds that they
            share are predicted too: those of the run, or of runs made once a fold beside it, under
            ``folds/``.
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
    places = [_places(run) for run in parts]

    def find(place: Place, part: str) -> list[Predictions]:
        given = [found[place](part) for found in places]
        return aligned(
            [(run.name, one) for run, one in zip(parts, given, strict=True)], f"part {part!r}"
        )

    def weigh(place: Place) -> Float[np.ndarray, " model"]:
        if rule == "mean":
            return np.full(len(parts), 1 / len(parts))
        seen = find(place, "validation")
        return fit_weights(seen[0].truth, [part.probabilities for part in seen])

    published = weigh(None)
    report(f"{folder.name}: weights {published.round(2).tolist()}")
    tables = [_rows(find(None, part), published, part) for part in ("validation", "test")]
    learned = []
    for repeat, fold in _shared(places):
        learned.append(weigh((repeat, fold)))
        given = find((repeat, fold), "test")
        tables.append(_rows(given, learned[-1], f"repeat-{repeat}", fold))
    facts = meter.facts([], 0) | _told(parts)
    kept = {"published": published, "folds": np.array(learned)}
    facts["weights"] = {name: found.round(DIGITS).tolist() for name, found in kept.items()}
    return folder.finish(tables, facts)


def _folds(run: Run) -> dict[tuple[int, int], Run]:
    """Return the runs of a recipe that was trained once a fold, by repetition and fold."""
    bases = {at: run.folder.parents[1] / folds.place(*at) for at in np.ndindex(REPEATS, FOLDS)}
    return {at: load(run.name, base) for at, base in bases.items() if run.name in names(base)}


def _places(run: Run) -> Mapping[Place, Callable[[str], Predictions]]:
    """Return what reads the answers of a run: of the published split (``None``), of each fold."""
    trained = {at: one.part for at, one in _folds(run).items()}
    inside = {at: partial(run.fold, *at) for at in run.folds}
    return {None: run.part, **trained, **inside}


def _shared(places: Sequence[Mapping[Place, Any]]) -> list[tuple[int, int]]:
    """Return the folds that all runs answered for, in order, of whole repetitions alone."""
    every = set.intersection(*(set(found) for found in places)) - {None}
    whole = [r for r in range(REPEATS) if all((r, fold) in every for fold in range(FOLDS))]
    return [(repeat, fold) for repeat in whole for fold in range(FOLDS)]


def _rows(
    given: Sequence[Predictions], weights: np.ndarray, split: str, fold: int | None = None
) -> pd.DataFrame:
    frame = pd.DataFrame({"image": given[0].image, "label": given[0].truth})
    together = fuse([part.probabilities for part in given], weights)
    return prediction_rows(frame, together, split, fold)


def _told(parts: Sequence[Run]) -> dict[str, Any]:
    """Return what a fusion owes to its parts: which answers exactly, their size, their data."""
    made_of = {part.name: part for part in parts}
    for part in parts:
        made_of |= {f"{folds.place(*at)}/{part.name}": one for at, one in _folds(part).items()}
    data = [run.meta.get("data", {}) for run in parts]
    return {
        "parts": [
            {"run": name, "predictions_sha256": _digest(run)} for name, run in made_of.items()
        ],
        "parameters": sum(run.meta.get("parameters", 0) for run in parts),
        "data": {
            key: told
            for one in data
            for key, told in one.items()
            if all(other.get(key, told) == told for other in data)
        },
    }


def _digest(run: Run) -> str:
    return hashlib.sha256((run.folder / PREDICTIONS).read_bytes()).hexdigest()
