"""Recipes: everything that decides the outcome of a run, under a name.

A recipe is written once in ``recipes.toml``, passed to ``fit`` as it is, and saved beside its
results by ``runs``. To try a variation, use ``dataclasses.replace`` and give it a new name.
"""

from vitrine.training.recipes.recipe import Recipe, RecipeError, best_epoch, epoch_seed
from vitrine.training.recipes.registry import (
    BESIDE,
    CONTROLS,
    EQUAL_START,
    MIXERS,
    RECIPES,
    find,
    known,
    parent,
    require_pretraining,
    started_as,
)

__all__ = [
    "BESIDE", "CONTROLS", "EQUAL_START", "MIXERS", "RECIPES", "Recipe", "RecipeError", "best_epoch",
    "epoch_seed", "find", "known", "parent", "require_pretraining", "started_as",
]  # fmt: skip
