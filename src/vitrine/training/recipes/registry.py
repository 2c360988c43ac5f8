"""Every recipe of the project, and how one is found by its name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from vitrine.data import dataset
from vitrine.training.recipes.distilled import distilled
from vitrine.training.recipes.explaining import EXPLAINING, INT8_PROBE
from vitrine.training.recipes.imagenet import ENSEMBLE, FINE_TUNED, FROZEN, SWEPT
from vitrine.training.recipes.recipe import Recipe, RecipeError
from vitrine.training.recipes.scratch import MIXERS, SCRATCH
from vitrine.training.recipes.text import IMAGE, TEXT

__all__ = [
    "BESIDE", "CONTROLS", "EQUAL_START", "IMAGE", "RECIPES", "find", "parent",
    "require_pretraining", "started_as",
]  # fmt: skip

_SERVED = SCRATCH | {
    "epochs": 300,
    "source": "ours: the model that the service ships; the recipe from scratch, three times longer",
}

_FINE_TUNED = {
    "weights": "imagenet",
    "epochs": 25,
    "warmup_epochs": 2,
    "learning_rate": 2e-4,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "drop_path_rate": 0.1,
    "crop_scale": 0.35,
    "flip": True,
    "jitter": 0.2,
    "source": "ours; 25 epochs as in the earlier proof of concept, to compare with it",
}

_PRETRAINED = {
    "trainer": "pretrain",
    "image_size": 64,
    "batch_size": 64,
    "epochs": 6,
    "warmup_epochs": 1,
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "drop_path_rate": 0.05,
    "crop_scale": 0.35,
    "flip": True,
    "randaugment": "rand-m3-n1",
    "mixup": 0.2,
    "cutmix": 0.2,
    "ema_decay": 0.999,
    "source": "ours: fixed before the first run, the same for every network; augmented mildly, for "
    "the few passes that two cores allow",
}
_SLOWEST, _BUDGET = "tf_efficientnet_b0", 2700.0
"""Which network's passes take longest on a core, and the seconds that they were expected to take
before the first run: the second budget. The chapter tells how long they took."""

_SHORT = SCRATCH | {
    "epochs": 20,
    "warmup_epochs": 2,
    "source": "ours: the recipe from scratch in a fifth of its passes, the budget of a transfer",
}

_TRANSFER = _SHORT | {
    "learning_rate": 3e-4,
    "source": "ours: the short recipe from scratch, with a lower rate that keeps what was learned; "
    "fixed before the first run",
}

_EQUALS = {
    "efficientnet-b0": {"architecture": "tf_efficientnet_b0", "norm_momentum": 0.01},
    "mambavision-micro": {"architecture": "mambavision_micro"},
}
"""The networks that start as equals: of the same size, a few million parameters."""

_SWAPPED = {"efficientnet-b0": 0.1, "mambavision-micro": 0.01}
"""The momentum of the other's batch normalisation: the one setting that is not common to both."""


def _equal_start(name: str, own: dict[str, Any]) -> Iterator[Recipe]:
    """Yield the pretrainings of a network, and what becomes of them on the photos.

    There are two protocols: every network sees the same images, or learns for the same seconds.
    The seconds are about those that the slowest one's passes were expected to take, so that its one
    pretraining stands in both.
    """
    at_64, at_128 = ((4, 2), (8, 4)) if name.startswith("mambavision") else ((), ())
    yield Recipe(name=f"{name}-short", trainer="torch", windows=at_128, **own, **_SHORT)
    clocks = {"": 0.0} if own["architecture"] == _SLOWEST else {"": 0.0, "-clock": _BUDGET}
    for clock, budget in clocks.items():
        learned = f"{name}-pretrain{clock}"
        yield Recipe(name=learned, windows=at_64, budget=budget, **own, **_PRETRAINED)
        start = {"weights": f"pretrain/{learned}/seed-0", "windows": at_128}
        yield Recipe(name=f"{name}-transfer{clock}", trainer="torch", **start, **own, **_TRANSFER)
        yield Recipe(
            name=f"{name}-transfer{clock}-probe", trainer="probe", backbone="frozen",
            architecture=f"timm:{own['architecture']}", image_size=128, **start,
            source="ours: the linear probe of every other frozen feature",
        )  # fmt: skip


_ALL = (
    Recipe(
        name="efficientnet-b0-keras-scratch",
        trainer="keras",
        architecture="EfficientNetB0",
        **SCRATCH,
    ),
    Recipe(
        name="efficientnet-b0-torch-scratch",
        trainer="torch",
        architecture="tf_efficientnet_b0",
        norm_momentum=0.01,
        **SCRATCH,
    ),
    Recipe(
        name="efficientnet-b0-keras",
        trainer="keras",
        architecture="EfficientNetB0",
        head_epochs=5,
        **_FINE_TUNED,
    ),
    Recipe(
        name="efficientnet-b0-torch",
        trainer="torch",
        architecture="tf_efficientnet_b0.aa_in1k",  # as in keras.applications
        norm_momentum=0.01,
        head_epochs=5,
        **_FINE_TUNED,
    ),
    Recipe(
        name="mambavision-micro-scratch",
        trainer="torch",
        architecture="mambavision_micro",
        windows=(8, 4),
        **SCRATCH,
    ),
    Recipe(
        name="mambavision-tiny-scratch",
        trainer="torch",
        architecture="mambavision_tiny",
        windows=(8, 4),
        precision="bfloat16",  # on a CPU too: seven times micro's size, for half the time
        **SCRATCH,
    ),
    Recipe(
        name="mambavision-nano-scratch",
        trainer="torch",
        architecture="mambavision_nano",
        windows=(8, 4),
        **_SERVED,
    ),
    Recipe(
        name="mambavision-tiny",
        trainer="torch",
        architecture="mambavision_tiny.nv_in1k",
        head_epochs=5,
        **_FINE_TUNED,
    ),
    Recipe(
        name="mambavision-tiny-frozen",
        trainer="torch",
        architecture="mambavision_tiny.nv_in1k",
        backbone="frozen",
        **_FINE_TUNED,
    ),
    INT8_PROBE,
    Recipe(
        name="histogram-hog",
        trainer="probe",
        architecture="histogram+hog",
        image_size=128,
        source="ours; Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, "
        "CVPR 2005, doi 10.1109/CVPR.2005.177",
    ),
    Recipe(
        name="majority",
        trainer="probe",
        architecture="majority",
        image_size=8,
        source="the smallest baseline: the shares of the classes in the training part, whatever "
        "the photo; its answer is always the most frequent class",
    ),
)

_FROM_EQUAL_START = (
    *(recipe for name, own in _EQUALS.items() for recipe in _equal_start(name, own)),
    Recipe(
        name="efficientnet-b0-keras-transfer",
        trainer="keras",
        architecture="EfficientNetB0",
        weights="pretrain/efficientnet-b0-pretrain/seed-0",
        **_TRANSFER,
    ),
)

_BY_NAME = {recipe.name: recipe for recipe in _FROM_EQUAL_START}
_DISTILLED = tuple(
    recipe
    for name in _EQUALS
    for recipe in distilled(name, _BY_NAME[f"{name}-pretrain"], _BY_NAME[f"{name}-transfer"])
)

EQUAL_START = tuple(recipe.name for recipe in _FROM_EQUAL_START)
"""Recipes of the chapter where every network starts from the same images: a comparison apart."""

_CONTROLS = tuple(
    replace(recipe, name=f"{recipe.name}-norm", norm_momentum=_SWAPPED[name])
    for recipe in _FROM_EQUAL_START
    if (name := recipe.name.removesuffix("-short")) in _SWAPPED
)

CONTROLS = tuple(recipe.name for recipe in (*_CONTROLS, *EXPLAINING, *SWEPT, *MIXERS))
"""Recipes that change one setting of another, to tell what it weighs: in no table of results."""

BESIDE = tuple(recipe.name for recipe in TEXT)
"""Recipes that read the text of a product, with its photo or without: a comparison apart."""

_EVERY = (
    *_ALL, *FINE_TUNED, *FROZEN, ENSEMBLE, *_FROM_EQUAL_START, *_CONTROLS, *EXPLAINING, *SWEPT,
    *_DISTILLED, *MIXERS, *TEXT,
)  # fmt: skip

RECIPES = {recipe.name: recipe for recipe in _EVERY}
"""Every recipe by name."""


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
    changed = {key: value for key, value in told.items() if key not in ("name", "base")}
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
