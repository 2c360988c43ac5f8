"""Values over folds: scores on every photo, answered by models that had not learned it.

Networks are trained on the folds of the first repetition, so that is where all are compared; where
both sides have every repetition, their gap fold by fold stands beside and must agree.
"""

from collections.abc import Iterator, Mapping, Sequence

from vitrine.metrics import Interval
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.settling import smallest_settled_gap
from vitrine.metrics.table import recipe_score
from vitrine.report.ledger import measures, pairs
from vitrine.report.ledger.context import on_folds, photos
from vitrine.report.ledger.measures import compared, corrected
from vitrine.report.ledger.values import PERCENT, Value, provenance, table
from vitrine.training import runs
from vitrine.training.recipes import CONTROLS, parent
from vitrine.training.runs import OutOfFold

__all__ = ["gap", "repeated", "scores", "values"]

NOTEBOOK = "05_toutes_les_photos"


def repeated(
    found: Mapping[str, Sequence[OutOfFold]], compared: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Interval]:
    """Return the gaps of accuracy over every repetition, where both recipes have them all.

    Args:
        found: Out-of-fold answers of each recipe, by seed.
        compared: Baseline and candidate of each gap.
    """
    gaps = {
        (a, b): measures.repeated_gap(found[a][0].runs[0], found[b][0].runs[0]) for a, b in compared
    }
    return {pair: gap for pair, gap in gaps.items() if gap is not None}


def values() -> Iterator[tuple[str, Value]]:
    """Yield the scores of each recipe on every photo, then the gaps of those that are compared.

    What their correction asks of a true gap comes between, for the largest family.
    """
    found = {n: group for n, group in runs.across_folds().items() if parent(n)}
    for recipe, group in found.items():
        if parent(recipe) not in CONTROLS:
            yield from scores(recipe, group, NOTEBOOK)
    families = pairs.on_folds([name for name in found if pairs.judged(name)])
    if families:
        smallest = smallest_settled_gap(on_folds(photos()), tests=max(map(len, families)))
        row = {"power.oof_smallest_gap_corrected": (100 * smallest, "points", 1)}
        yield from table(row, n=photos(), source="vitrine.metrics.settling", notebook=NOTEBOOK)
    for family in families:
        gaps = dict(one for a, b in family for one in gap(a, b, found, NOTEBOOK))
        yield from (gaps | dict(corrected(gaps))).items()


def scores(recipe: str, group: Sequence[OutOfFold], notebook: str) -> Iterator[tuple[str, Value]]:
    """Yield the scores of a recipe on every photo.

    Args:
        recipe: Its name.
        group: Its out-of-fold answers, by seed.
        notebook: Chapter that shows it.
    """
    parts = runs.align_folds(*group)
    truth, answers = parts[0].truth, [part.probabilities for part in parts]
    sources = [run for one in group for run in one.runs]
    rows = {
        f"oof.{recipe}.{metric.name}": (recipe_score(truth, answers, metric), *PERCENT)
        for metric in (accuracy, macro_f1)
    }
    yield from table(rows, n=len(truth), notebook=notebook, **provenance(sources))


def gap(
    baseline: str, candidate: str, found: Mapping[str, Sequence[OutOfFold]], notebook: str
) -> Iterator[tuple[str, Value]]:
    """Yield the gap of two recipes on every photo, with its interval and its test.

    Args:
        baseline: Recipe that the other is compared with.
        candidate: The other; a positive gap is in its favour.
        found: Out-of-fold answers of both, by recipe.
        notebook: Chapter that shows it.
    """
    sides = found[baseline], found[candidate]
    runs.align_folds(*sides[0], *sides[1])
    key = f"oof_gap.{candidate}.{baseline}"
    yield from compared(key, *sides, notebook)
    yield from measures.fold_gap(key, *(side[0].runs[0] for side in sides), notebook)
