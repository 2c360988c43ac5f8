"""List the pairs of recipes to compare: those announced, then those that the runs allow.

A family of comparisons is corrected together (Holm). What was announced is a family apart, the
comparison that waits for pretrained weights included, so that no other run moves a p-value of it.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from vitrine.training.recipes import BESIDE, CONTROLS, EQUAL_START, parent, started_as

__all__ = [
    "COMPARISONS", "PAIRS", "PROMISED", "REFERENCES", "judged", "on_folds", "on_split", "rank",
]  # fmt: skip

Pair = tuple[str, str]

PAIRS: dict[str, tuple[Pair, ...]] = {
    family: tuple((baseline, candidate) for baseline, candidate in pairs)
    for family, pairs in tomllib.loads(
        Path(__file__).with_name("pairs.toml").read_text(encoding="utf-8")
    ).items()
}
"""Baseline and candidate of each compared pair, by family."""
COMPARISONS = PAIRS["comparisons"]
"""Baseline and candidate of each gap that the protocol announces."""
PROMISED = PAIRS["promised"]
"""What the protocol adds to them once pretrained weights are there."""
REFERENCES = ("efficientnet-lite0-probe", "mobilenetv2-int8-probe")
"""Frozen features that any other recipe is compared with: the first that has answers. Which one
does not follow from its score, for the best of several would be flattered."""

UNTESTED = "majority"


def judged(recipe: str) -> bool:
    """Tell whether the comparison speaks of a recipe: known, no control, no other chapter's."""
    return parent(recipe) not in (None, *CONTROLS, *EQUAL_START)


def rank(recipe: str) -> int:
    """Return the place of a recipe in a table: fine-tuned, another that sees the photo, the text.

    Args:
        recipe: Name of a known recipe.
    """
    if _reads(recipe):
        return 2
    known = started_as(recipe)
    return 0 if known.weights != "none" and known.backbone == "fine-tuned" else 1


def on_split(recipes: Sequence[str]) -> list[list[Pair]]:
    """Return the families of comparisons on the test images: the announced ones, then the others.

    Args:
        recipes: Those that have runs, but for what another chapter compares.
    """
    announced = _among(recipes, COMPARISONS + PROMISED)
    return _full([announced, _with_reference(recipes, _among(recipes, PAIRS["added"]), announced)])


def on_folds(recipes: Sequence[str]) -> list[list[Pair]]:
    """Return the families of comparisons on every photo: those of the photos, those of the text.

    Args:
        recipes: Those that have answers over folds, but for what another chapter compares.
    """
    made = _with_reference(recipes, _among(recipes, PAIRS["on-folds"]), [])
    return _full([[p for p in made if any(map(_reads, p)) == text] for text in (False, True)])


def _among(recipes: Sequence[str], pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that have runs; a run from a file of weights stands for its recipe."""
    made = {parent(name): name for name in recipes} | {name: name for name in recipes}
    return [(made[a], made[b]) for a, b in pairs if {a, b} <= made.keys()]


def _full(families: list[list[Pair]]) -> list[list[Pair]]:
    return [family for family in families if family]


def _with_reference(recipes: Sequence[str], declared: list[Pair], others: list[Pair]) -> list[Pair]:
    """Return declared pairs, then the reference with each recipe that is no candidate so far."""
    reference = next((name for name in REFERENCES if name in recipes), None)
    known = (*declared, *others)
    candidates = {reference, UNTESTED, *(candidate for _, candidate in known)}
    alone = [name for name in recipes if name not in candidates and (name, reference) not in known]
    return declared + [(reference, name) for name in alone if reference]


def _reads(recipe: str) -> bool:
    return parent(recipe) in BESIDE
