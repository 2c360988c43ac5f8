"""Every metric of the comparison for one model, each with its interval."""

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics import calibration, metrics
from vitrine.metrics.inputs import as_probabilities
from vitrine.metrics.intervals import Interval, wilson
from vitrine.metrics.metrics import Metric
from vitrine.metrics.resampling import bootstrap

__all__ = ["METRICS", "panel"]

METRICS: dict[str, Metric] = {
    declared.name: declared
    for module in (metrics, calibration)
    for declared in vars(module).values()
    if isinstance(declared, Metric) and declared.french
}
"""The metrics of the comparison by name, in the order of the tables: those that have a French name,
as they are declared."""


def panel(
    y_true: Int[np.ndarray, " image"],
    y_prob: Float[np.ndarray, "image category"],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Score one trained model by every metric of ``METRICS``.

    Args:
        y_true: True class of each image.
        y_prob: What the model said.
        draws: Number of resamplings.
        level: Coverage of each interval.
        seed: Seeds the resampling, the same images for every metric.

    Returns:
        By name of metric, in order: Wilson's interval for accuracy and top-2 accuracy, which are
        proportions, and a bootstrap interval for the others.

    Raises:
        ValueError: If the arrays, ``draws`` or ``level`` cannot be used.
    """
    y_prob = as_probabilities(y_true, y_prob)
    options = {"draws": draws, "level": level, "seed": seed}
    return {
        name: wilson(round(metric(y_true, y_prob) * len(y_true)), len(y_true), level=level)
        if metric.proportion
        else bootstrap(y_true, y_prob, metric, **options)
        for name, metric in METRICS.items()
    }
