"""Read the derived facts of published runs, or compute them for miniature runs in smoke."""

import pandas as pd

from vitrine.explain import derive
from vitrine.training import runs
from vitrine.training.recipes import RECIPES, parent
from vitrine.training.runs import Run, derived
from vitrine.training.session import Session, alone

__all__ = ["SMOKE", "explained", "labels", "read"]

SMOKE = ("efficientnet-b0-torch-scratch", "mambavision-micro-scratch", "histogram-hog")
"""Recipes trained in miniature; that of TensorFlow is not, as PyTorch is in the process."""
SMOKE_LIGHT = ("histogram-hog",)
"""Those of ``robustness``: the comparison, which reads it, loads no framework."""


def explained(session: Session, name: str) -> dict[str, Run]:
    """Return the runs that have these derived facts, by recipe, the smallest seed of each.

    In smoke, miniature runs are trained and their facts computed for real, once.

    Args:
        session: Its profile decides.
        name: Name of the facts, such as ``robustness``.
    """
    if session.smoke:
        asked = SMOKE_LIGHT if name == "robustness" else SMOKE
        made = {recipe: _made(session, recipe, name) for recipe in asked}
        return {recipe: run for recipe, run in made.items() if derived.has(run.folder, name)}
    known: dict[str, Run] = {}
    by_seed = sorted(runs.names(session.base), key=lambda run: int(run.rpartition("-")[2]))
    for full in by_seed:
        recipe = full.split("/")[0]
        if not parent(recipe) or recipe in known:
            continue
        if derived.has(session.base / full, name):  # a run that has none is not read
            known[recipe] = runs.load(full, session.base)
    order = list(RECIPES)
    return dict(sorted(known.items(), key=lambda item: (order.index(parent(item[0])), item[0])))


def _made(session: Session, recipe: str, name: str) -> Run:
    run = session.run(recipe)
    with alone(session.base, f"{run.name}/facts"):
        if not derived.has(run.folder, _last(run, name)):
            if name == "robustness":
                derive.robustness(run, session.split, session.catalog())
            else:
                derive.explain(run, session.split, session.catalog(), quick=True)
    return run


def _last(run: Run, name: str) -> str:
    """Return which facts are written last: an interrupted command leaves those before alone."""
    if name == "robustness":
        return name
    return "drawing" if run.meta["recipe"]["trainer"] == "torch" else "occlusion"


def read(session: Session, name: str) -> dict[str, pd.DataFrame]:
    """Return the facts of each explained run, by recipe."""
    return {recipe: derived.read(run, name) for recipe, run in explained(session, name).items()}


def labels(session: Session) -> pd.Series:
    """Return the class of each product, by its row."""
    return session.split.frame.set_index("row").label
