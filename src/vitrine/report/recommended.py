"""Calibrate the recommended model and choose the confidence below which it does not answer.

The temperature and the threshold of each fold are chosen on its validation part, then applied to
its test part, so that what is told of them was never chosen on the photos it is told of.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from vitrine.metrics.decision import TARGET, least_confidence
from vitrine.metrics.temperature import apply_temperature, fit_temperature
from vitrine.training.runs import OutOfFold, Predictions

__all__ = ["RECOMMENDED", "InService", "in_service"]

RECOMMENDED = "efficientnet-lite0-torch"


@dataclass(frozen=True)
class InService:
    """Calibrated answers of a model to every photo, and which are above its threshold.

    Attributes:
        answers: Calibrated answers, in the order of the names of the images.
        answered: Whether the model is sure enough to answer alone.
        temperatures: Temperature of each fold.
        thresholds: Least confidence at which the model of each fold answers.
    """

    answers: Predictions
    answered: Bool[np.ndarray, " image"]
    temperatures: Float[np.ndarray, " fold"]
    thresholds: Float[np.ndarray, " fold"]


def in_service(one: OutOfFold, *, accuracy: float = TARGET) -> InService:
    """Calibrate a model and choose its threshold on validation, fold by fold.

    Args:
        one: Out-of-fold answers of a recipe.
        accuracy: Share of right answers asked for among those that it gives alone.

    Raises:
        RunError: If a run kept no answer about validation.
    """
    temperatures, thresholds, parts, answered = [], [], [], []
    for validation, test in one.by_fold():
        heat = fit_temperature(validation.truth, validation.probabilities)
        chosen = apply_temperature(validation.probabilities, heat)
        least = least_confidence(validation.truth, chosen, accuracy=accuracy)
        given = apply_temperature(test.probabilities, heat)
        temperatures.append(heat)
        thresholds.append(least)
        parts.append(Predictions(test.image, test.truth, given))
        answered.append(given.max(axis=1) >= least)
    images, truth, given = (
        np.concatenate([getattr(part, field) for part in parts])
        for field in ("image", "truth", "probabilities")
    )
    order = np.argsort(images)
    return InService(
        Predictions(images[order], truth[order], given[order]),
        np.concatenate(answered)[order],
        np.array(temperatures),
        np.array(thresholds),
    )
