"""Read every recipe of ``recipes.toml``, and find one by its name."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vitrine.data import dataset
from vitrine.training.recipes.recipe import Recipe, RecipeError

__all__ = [
    "BESIDE", "CONTROLS", "EQUAL_START", "MIXERS", "RECIPES", "find", "known", "parent",
    "require_pretraining", "started_as",
]  # fmt: skip


def _declared() -> Iterator[tuple[Recipe, str]]:
    """Yield each recipe of ``recipes.toml``, and the tables that it stands in apart, or none."""
    file = Path(__file__).with_name("recipes.toml")
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    known: dict[str, dict[str, Any]] = told["settings"]
    for own in told["recipe"]:
        apart = own.pop("apart", "")
        settings: dict[str, Any] = {}
        for shared in own.pop("like", ()):
            settings |= known[shared]
        known[own["name"]] = settings = settings | own
        yield Recipe(**settings | {"windows": tuple(settings.get("windows", ()))}), apart


_EVERY = tuple(_declared())

RECIPES = {recipe.name: recipe for recipe, _ in _EVERY}
"""Every recipe by name."""

EQUAL_START = tuple(recipe.name for recipe, apart in _EVERY if apart == "equal start")
"""Recipes of the chapter where every network starts from the same images: a comparison apart."""

CONTROLS = tuple(recipe.name for recipe, apart in _EVERY if apart == "control")
"""Recipes that change one setting of another, to tell what it weighs: in no table of results."""

BESIDE = tuple(recipe.name for recipe, apart in _EVERY if apart == "beside")
"""Recipes that read the text of a product, with its photo or without: a comparison apart."""

MIXERS = tuple(recipe for recipe in RECIPES.values() if recipe.mixer)
"""One network, one recipe, four mixers where it scans: the first is the network as it is."""


def known() -> set[str]:
    """Return the names of the package's recipes, and of those of the project at hand."""
    return {*RECIPES, *(each["name"] for each in dataset.current().variations)}


def find(name: str) -> Recipe:
    """Return the recipe of that name.

    It is one of ``RECIPES``, or one that the ``vitrine.toml`` of a project makes of them.

    Raises:
        RecipeError: If there is none; the message lists the nearest names.
    """
    if name in RECIPES:
        return RECIPES[name]
    own = {each["name"]: each for each in dataset.current().variations}
    if name in own:
        return _varied(own[name])
    near = get_close_matches(name, [*RECIPES, *own], n=3, cutoff=0.0)
    raise RecipeError(
        f"expected a recipe of vitrine.training.recipes{' or of vitrine.toml' if own else ''}, "
        f"found {name!r}; the nearest are {', '.join(near)}"
    )


def _varied(told: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a ``[[recipe]]`` of ``vitrine.toml`` makes of its base."""
    name, base = told["name"], find(told["base"]) if told["base"] in RECIPES else None
    if base is None or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        raise RecipeError(
            f"expected the recipe {name!r} of vitrine.toml to have a name of small letters, digits "
            f"and hyphens, and a base among the package's recipes, found {told['base']!r}"
        )
    changed = {key: _tupled(value) for key, value in told.items() if key not in ("name", "base")}
    kinds = {field.name: type(getattr(base, field.name)) for field in fields(base)}
    for key, value in changed.items():
        if key in ("trainer", "architecture") or key not in kinds:
            fault = "a setting of a recipe, and one that its base leaves free"
        elif type(value) is kinds[key] or (type(value), kinds[key]) == (int, float):
            continue
        else:
            fault = f"a value of type {kinds[key].__name__}"
        raise RecipeError(
            f"recipe {name} of vitrine.toml: expected {fault}, found {key} = {value!r}; correct it"
        )
    return replace(base, **{"source": f"vitrine.toml, from {base.name}"} | changed | {"name": name})


def _tupled(value: Any) -> Any:
    """Return a TOML array of whole numbers as the tuple that a recipe holds."""
    whole = isinstance(value, list) and all(type(each) is int for each in value)
    return tuple(value) if whole else value


def parent(name: str) -> str | None:
    """Return the registered recipe that a run was made by, ``None`` if there is none.

    It is the run's own name, or what ``train --weights FILE`` added the file to: then the longest
    registered name that it begins with.

    Args:
        name: A run's name without its seed, such as ``mambavision-tiny-mambavision_t-1a2b3c4d``.
    """
    if name in RECIPES:
        return name
    return max((known for known in RECIPES if name.startswith(f"{known}-")), key=len, default=None)


def started_as(name: str) -> Recipe:
    """Return the recipe that a run was made by, with the weights that its name tells.

    Raises:
        RecipeError: If no registered recipe made it.
    """
    known = parent(name)
    if known in (name, None):
        return find(name)
    return replace(RECIPES[known], name=name, weights=name.removeprefix(f"{known}-"))


def require_pretraining(recipe: Recipe) -> None:
    """Refuse a recipe that does not learn the corpus of small images.

    Raises:
        RecipeError: If it learns the photos.
    """
    if recipe.trainer != "pretrain":
        raise RecipeError(
            f"recipe {recipe.name}: expected one for `vitrine pretrain`, found one for the photos; "
            "start it with `vitrine train`"
        )
