"""Values on the calibration of a recipe."""

from collections.abc import Iterator

from vitrine.metrics.calibration import (
    calibrated_error,
    expected_calibration_error,
    overconfidence,
)
from vitrine.metrics.table import recipe_score
from vitrine.report.ledger.values import PERCENT, Value, provenance, table
from vitrine.training.runs import Run, align

__all__ = ["values"]


def values(group: list[Run], notebook: str) -> Iterator[tuple[str, Value]]:
    """Yield the calibration of a recipe: its error in one run, its direction over all of them.

    The error cannot be negative and is large by chance alone, so that it comes with what honest
    probabilities would show; the direction is a plain mean, which every seed makes sharper.

    Args:
        group: Runs of the recipe, by seed.
        notebook: Chapter that shows them.
    """
    parts = align(*group)
    truth, first = parts[0].truth, parts[0].probabilities
    more = {"n": len(truth), "notebook": notebook}
    observed, honest = expected_calibration_error(truth, first), calibrated_error(first)
    one_run = {
        "calibration_error_one_run": (observed, *PERCENT),
        "calibration_error_if_honest": (honest, *PERCENT),
    }
    yield from table(one_run, **provenance(group[:1]), **more)
    excess = recipe_score(truth, [part.probabilities for part in parts], overconfidence)
    yield from table({"overconfidence": (excess, *PERCENT)}, **provenance(group), **more)
