"""Values of MambaVision micro in other ways: another mixer than its scan, a teacher, larger photos.

Every photo answers, over the folds of the first repetition. Arms without runs are left out.
"""

from collections.abc import Iterator, Sequence

from vitrine.report.ledger import folds
from vitrine.report.ledger.measures import corrected
from vitrine.report.ledger.pairs import PAIRS
from vitrine.report.ledger.values import Value, provenance, table
from vitrine.training import recipes, runs
from vitrine.training.runs import OutOfFold

__all__ = ["ARMS", "COMPARISONS", "DISTILLED", "arms", "against_scan", "values"]

NOTEBOOK = "07_a_armes_egales"
ARMS = tuple(recipe.name for recipe in recipes.MIXERS if recipe.weights == "none")
"""One mixer each, the scan first, in a network that learned nothing before."""
DISTILLED = tuple(recipe.name for recipe in recipes.MIXERS if recipe.weights != "none")
"""The same in the distilled network, where each mixer begins anew and the rest had a teacher."""


def against_scan(among: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return each other arm with the scan's, which is first: a positive gap is in its favour."""
    return tuple((other, among[0]) for other in among[1:])


COMPARISONS = against_scan(ARMS)
"""What stands in the place of the scan, and the scan."""
FAMILIES = (COMPARISONS, against_scan(DISTILLED), PAIRS["taught"], PAIRS["stronger-student"])
"""What is tested, each family corrected apart."""


def arms(among: Sequence[str] = ARMS) -> dict[str, list[OutOfFold]]:
    """Return the out-of-fold answers of each mixer that was trained on every fold, scan first.

    Args:
        among: ``ARMS`` or ``DISTILLED``.
    """
    found = runs.across_folds(only=among)
    return {recipe: found[recipe] for recipe in among if recipe in found}


def values() -> Iterator[tuple[str, Value]]:
    """Yield the score and the size of each arm, then what a scan, a teacher and a side add."""
    asked = dict.fromkeys(name for family in FAMILIES for pair in family for name in pair)
    found = runs.across_folds(only=tuple(asked))
    for recipe in (name for name in found if name in recipes.CONTROLS):
        yield from folds.scores(recipe, found[recipe], NOTEBOOK)  # the others have their own page
        first = found[recipe][0].runs[0]
        row = {f"oof.{recipe}.parameters": (first.meta["parameters"] / 1e6, "M", 2)}
        yield from table(row, notebook=NOTEBOOK, **provenance([first]))
    for family in FAMILIES:
        made = [pair for pair in family if set(pair) <= set(found)]
        gaps = dict(gap for pair in made for gap in folds.gap(*pair, found, NOTEBOOK))
        yield from (gaps | dict(corrected(gaps))).items()
