"""Every headline score of one model in one call, each with its interval."""

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.calibration import expected_calibration_error
from vitrine.metrics.inputs import as_probabilities
from vitrine.metrics.intervals import Interval, wilson
from vitrine.metrics.metrics import (
    Metric,
    accuracy,
    balanced_accuracy,
    brier,
    log_loss,
    macro_f1,
    top2_accuracy,
)
from vitrine.metrics.resampling import bootstrap

__all__ = ["METRICS", "panel"]

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        accuracy,
        balanced_accuracy,
        macro_f1,
        top2_accuracy,
        log_loss,
        brier,
        expected_calibration_error,
    )
}
"""The headline scores by name, in the order of the tables."""

PROPORTIONS = frozenset({"accuracy", "top2_accuracy"})


def panel(
    truth: Int[np.ndarray, " image"],
    probabilities: Float[np.ndarray, "image category"],
    *,
    draws: int = 2000,
    level: float = 0.95,
    stratified: bool = False,
    seed: int = 0,
) -> dict[str, Interval]:
    """Score one trained model by every metric of ``METRICS``.

    Args:
        truth: True class of each image.
        probabilities: What the model said.
        draws: Number of resamplings.
        level: Coverage of each interval.
        stratified: Whether each draw keeps the number of images of each class; it does not concern
            the proportions.
        seed: Seeds the resampling, the same images for every metric.

    Returns:
        By name of metric, in order: Wilson's interval for accuracy and top-2 accuracy, which are
        proportions, and a bootstrap interval for the others.

    Raises:
        ValueError: If the arrays, ``draws`` or ``level`` cannot be used.
    """
    probabilities = as_probabilities(truth, probabilities)
    options = {"draws": draws, "level": level, "stratified": stratified, "seed": seed}
    return {
        name: wilson(round(metric(truth, probabilities) * len(truth)), len(truth), level=level)
        if name in PROPORTIONS
        else bootstrap(truth, probabilities, metric, **options)
        for name, metric in METRICS.items()
    }
