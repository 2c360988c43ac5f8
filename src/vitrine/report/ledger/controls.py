"""Values of the control experiments, and of the test photos that leaked."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

import numpy as np

from vitrine.metrics.metrics import accuracy
from vitrine.metrics.paired import easier
from vitrine.report.ledger import measures
from vitrine.report.ledger.context import clean
from vitrine.report.ledger.pairs import PAIRS
from vitrine.report.ledger.values import COMPARISON, COUNT, Value, provenance, table
from vitrine.training import runs
from vitrine.training.recipes import CONTROLS
from vitrine.training.runs import Run

__all__ = ["GAPS", "values"]

GAPS = PAIRS["controls"]
"""Baseline and candidate of each gap that a control shows. None is announced."""


def values() -> Iterator[tuple[str, Value]]:
    """Yield what each control scored, its gaps, and how leaked photos were answered."""
    groups = measures.published()
    yield from _leaks({name: group for name, group in groups.items() if name.endswith("-scratch")})
    controls = _controls()
    for recipe, group in controls.items():
        told = measures.scores(group, [accuracy], COMPARISON)
        told = chain(told, measures.fold_values(group[0], COMPARISON))
        yield from ((f"{recipe}.{key}", value) for key, value in told)
    groups |= controls
    for baseline, candidate in GAPS:
        if baseline in groups and candidate in groups:
            yield from measures.gaps(baseline, candidate, groups, notebook=COMPARISON)


def _controls() -> dict[str, list[Run]]:
    """Return the finished controls, by recipe, without those of the chapter of equal starts."""
    found = defaultdict(list)
    for name in runs.names():
        recipe = name.split("/")[0]
        if recipe in CONTROLS and not recipe.endswith("-short-norm"):
            found[recipe].append(runs.load(name))
    return dict(found)


def _leaks(groups: dict[str, list[Run]]) -> Iterator[tuple[str, Value]]:
    """Yield how often networks from scratch are right on the test photos that have a double."""
    asked = [run for group in groups.values() for run in group]
    parts = runs.align(*asked)
    right = np.sum([part.predicted == part.truth for part in parts], axis=0)
    leaked = ~clean(parts[0].image)
    share = right[~leaked].sum() / (len(asked) * (~leaked).sum())
    more = provenance(asked) | {"notebook": COMPARISON}
    counts = {
        "leaks.answers": (len(asked) * leaked.sum(), *COUNT),
        "leaks.right": (right[leaked].sum(), *COUNT),
        "leaks.right_elsewhere": (share, "%", 0),
    }
    yield from table(counts, **more)
    yield from table({"leaks.p": (easier(right, leaked), "", 4)}, n=len(leaked), **more)
