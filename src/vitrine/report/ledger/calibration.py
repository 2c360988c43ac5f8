"""Numbers on the probabilities of a recipe: whether they mean what they say."""

from collections.abc import Iterator

from vitrine.metrics.calibration import (
    calibrated_error,
    expected_calibration_error,
    overconfidence,
)
from vitrine.metrics.table import recipe_score
from vitrine.report.ledger.values import Value, from_runs
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
    more = {"unit": "%", "decimals": 1, "n": len(truth), "notebook": notebook}
    observed = expected_calibration_error(truth, first)
    yield "calibration_error_one_run", from_runs(observed, group[:1], **more)
    yield "calibration_error_if_honest", from_runs(calibrated_error(first), group[:1], **more)
    excess = recipe_score(truth, [part.probabilities for part in parts], overconfidence)
    yield "overconfidence", from_runs(excess, group, **more)
