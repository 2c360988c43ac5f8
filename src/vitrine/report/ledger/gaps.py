"""Values of the gap of two recipes on the same images: interval, test, correction over a family."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.paired import holm, mcnemar, sign_flip
from vitrine.metrics.table import recipe_gap
from vitrine.report.ledger.values import P_VALUE, PERCENT, Row, Value, provenance, table
from vitrine.training.runs import OutOfFold

__all__ = ["compared", "corrected"]


def compared(
    key: str, baseline: Sequence[OutOfFold], candidate: Sequence[OutOfFold], notebook: str
) -> Iterator[tuple[str, Value]]:
    """Yield the gaps of two recipes, the p-value of their test, and the discordant share of seed 0.

    Args:
        key: Prefix of the entries.
        baseline: Answers of each seed of the recipe that the other is compared with.
        candidate: Those of the other, about the same images in the same order; a positive gap is in
            its favour.
        notebook: Chapter that shows it.
    """
    truth = baseline[0].answers.truth
    sides = [[one.answers.probabilities for one in side] for side in (baseline, candidate)]
    every = [run for one in (*baseline, *candidate) for run in one.runs]
    first = [run for one in (baseline[0], candidate[0]) for run in one.runs]
    more = {"n": len(truth), "notebook": notebook}
    rows: dict[str, Row] = {
        f"{key}.{metric.name}": (recipe_gap(truth, *sides, metric), *PERCENT)
        for metric in (accuracy, macro_f1)
    }
    rows[f"{key}.p"] = (sign_flip(truth, *sides), *P_VALUE)
    yield from table(rows, **provenance(every), **more)
    apart = mcnemar(truth, sides[0][0], sides[1][0]).discordance
    yield from table({f"{key}.discordance": (apart, "%", 0)}, **provenance(first), **more)


def corrected(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the p-values of a family of comparisons, corrected over it (Holm)."""
    tests = [key for key in values if key.endswith(".p")]
    if tests:
        adjusted = holm(np.array([values[key].value for key in tests]))
        for key, p in zip(tests, adjusted, strict=True):
            yield f"{key.removesuffix('.p')}.holm", replace(values[key], value=float(p))
