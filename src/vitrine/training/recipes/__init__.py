"""Recipes: everything that decides the outcome of a run, under a name.

A recipe is written once in ``registry``, passed to ``fit`` as it is, and saved beside its results
by ``runs``. To try a variation, use ``dataclasses.replace`` and give it a new name.
"""

from vitrine.training.recipes.recipe import Recipe, RecipeError, best_epoch, epoch_seed
from vitrine.training.recipes.registry import CONTROLS, EQUAL_START, RECIPES, find

__all__ = [
    "CONTROLS",
    "EQUAL_START",
    "RECIPES",
    "Recipe",
    "RecipeError",
    "best_epoch",
    "epoch_seed",
    "find",
]
