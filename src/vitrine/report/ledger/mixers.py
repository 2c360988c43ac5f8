"""Values of MambaVision micro from scratch: with another mixer than its scan, with a teacher.

Every photo answers, over the folds of the first repetition. Arms without runs are left out.
"""

from collections.abc import Iterator

from vitrine.report.ledger import folds
from vitrine.report.ledger.measures import corrected
from vitrine.report.ledger.values import Value, provenance, table
from vitrine.training import recipes, runs
from vitrine.training.runs import OutOfFold

__all__ = ["COMPARISONS", "arms", "values"]

NOTEBOOK = "07_a_armes_egales"
ARMS = tuple(recipe.name for recipe in recipes.MIXERS)
COMPARISONS = tuple((other, ARMS[0]) for other in ARMS[1:])
"""What stands in the place of the scan, and the scan: a positive gap is in its favour."""
TAUGHT = ((ARMS[0], "mambavision-micro-taught"),)
"""The same network and passes, without a teacher, then with one: a family apart."""


def arms() -> dict[str, list[OutOfFold]]:
    """Return the out-of-fold answers of each mixer that was trained on every fold, scan first."""
    found = runs.across_folds(only=ARMS)
    return {recipe: found[recipe] for recipe in ARMS if recipe in found}


def values() -> Iterator[tuple[str, Value]]:
    """Yield the score and the size of each arm, then what the scan and what a teacher add."""
    found = runs.across_folds(only=(*ARMS, TAUGHT[0][1]))
    for recipe, group in found.items():
        yield from folds.scores(recipe, group, NOTEBOOK)
        first = group[0].runs[0]
        row = {f"oof.{recipe}.parameters": (first.meta["parameters"] / 1e6, "M", 2)}
        yield from table(row, notebook=NOTEBOOK, **provenance([first]))
    for family in (COMPARISONS, TAUGHT):
        made = [pair for pair in family if set(pair) <= set(found)]
        gaps = dict(gap for pair in made for gap in folds.gap(*pair, found, NOTEBOOK))
        yield from (gaps | dict(corrected(gaps))).items()
