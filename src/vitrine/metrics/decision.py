"""Selective prediction, expected cost of decisions, and the Pareto front of cost and score.

Sources: Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks",
arXiv:1705.08500; Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, 973-978; Chow,
"On Optimum Recognition Error and Reject Tradeoff", doi:10.1109/TIT.1970.1054406.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.inputs import as_probabilities
from vitrine.metrics.intervals import wilson_bounds
from vitrine.metrics.metrics import Metric

__all__ = [
    "TARGET", "SelectiveCurve", "cheapest", "cost_metric", "expected_cost", "least_confidence",
    "pareto_front", "selective_curve",
]  # fmt: skip

TARGET = 0.95
"""Share of right answers asked of what a model answers alone, in the report and in service."""


@dataclass(frozen=True)
class SelectiveCurve:
    """Accuracy against coverage, as the confidence asked of an answer falls.

    Attributes:
        threshold: Least confidence at which it answers, falling; one entry a distinct confidence.
        coverage: Share of the images answered; the last is 1.
        accuracy: Share of right answers among them.
        low: Lower end of Wilson's interval of that share, at this threshold alone.
        high: Upper end of it.
    """

    threshold: Float[np.ndarray, " point"]
    coverage: Float[np.ndarray, " point"]
    accuracy: Float[np.ndarray, " point"]
    low: Float[np.ndarray, " point"]
    high: Float[np.ndarray, " point"]

    def at(self, coverage: float) -> float:
        """Return the accuracy at ``point(coverage)``."""
        return float(self.accuracy[self.point(coverage)])

    def point(self, coverage: float) -> int:
        """Return the place of the least coverage of the curve that is at least this one.

        Raises:
            ValueError: If ``coverage`` is outside ]0, 1].
        """
        if not 0 < coverage <= 1:
            raise ValueError(
                f"expected a coverage above 0 and at most 1, found {coverage}; write 80 % as 0.8"
            )
        # 0.8 of 10 images is 8 of them, whatever the last bit of 8 / 10.
        return int(np.searchsorted(self.coverage, coverage - 1e-9))


def selective_curve(
    y_true: Int[np.ndarray, " image"],
    y_prob: Float[np.ndarray, "image category"],
) -> SelectiveCurve:
    """Return accuracy against coverage as the confidence asked for falls.

    The 95 % interval at each point is of that point taken alone.

    Images of equal confidence are answered together, since no threshold parts them. A threshold
    read off the test images flatters itself: choose it on validation images.

    Args:
        y_true: True class of each image.
        y_prob: What the model said; the largest is its confidence.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    y_prob = as_probabilities(y_true, y_prob)
    confidence = y_prob.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last = np.flatnonzero(np.append(falling[1:] < falling[:-1], True))
    answered = (last + 1).astype(float)
    right = np.cumsum(y_prob.argmax(axis=1)[order] == y_true[order])[last].astype(float)
    low, high = wilson_bounds(right, answered)
    return SelectiveCurve(falling[last], answered / len(y_true), right / answered, low, high)


def least_confidence(
    y_true: Int[np.ndarray, " image"],
    y_prob: Float[np.ndarray, "image category"],
    *,
    accuracy: float,
) -> float:
    """Choose the confidence from which a model may answer alone, on validation images.

    It is the lowest one at which the images answered are right this often, so that as many as
    possible are answered. On other images the accuracy is close to the one asked for, not above it
    by construction.

    Args:
        y_true: True class of each validation image.
        y_prob: What the model said; the largest is its confidence.
        accuracy: Share of right answers asked for.

    Returns:
        The threshold; infinite where no confidence is enough.

    Raises:
        ValueError: If the arrays cannot be used.
    """
    curve = selective_curve(y_true, y_prob)
    enough = curve.threshold[curve.accuracy >= accuracy]
    return float(enough.min()) if len(enough) else float("inf")


def cost_metric(cost: Float[np.ndarray, "category decision"], *, unit: str = "cost") -> Metric:
    """Return the mean cost per image as a metric, to bootstrap it or to compare two models on it.

    It is the mean over images of the cost of the decision taken, given the true class. Source: The
    Foundations of Cost-Sensitive Learning, IJCAI 2001, 973-978.

    Args:
        cost: What it costs, for each true class (down), to take each decision (across). There may
            be more decisions than classes: a last column can be "ask a person".
        unit: What a cost is counted in.

    Raises:
        ValueError: If there are fewer decisions than classes or a cost is not finite.
    """
    _check_cost(cost)
    return Metric(
        name="expected_cost",
        reads="labels",
        rows=partial(_paid, cost=cost),
        bounds=(float(cost.min()), float(cost.max())),
        higher_is_better=False,
        unit=unit,
    )


def _paid(
    y_true: Int[np.ndarray, " image"],
    decided: Int[np.ndarray, " image"],
    cost: Float[np.ndarray, "category decision"],
) -> Float[np.ndarray, "image 1"]:
    categories, decisions = cost.shape
    if y_true.max() >= categories or decided.max() >= decisions:
        raise ValueError(
            f"expected classes below {categories} and decisions below {decisions}, found "
            f"{y_true.max()} and {decided.max()}; add the missing rows or columns to the costs"
        )
    return cost[y_true, decided][:, None].astype(float)


def expected_cost(
    y_true: Int[np.ndarray, " image"],
    decided: Int[np.ndarray, " image"],
    cost: Float[np.ndarray, "category decision"],
) -> float:
    """Return the mean cost per image of some decisions, in the unit of ``cost``.

    Args:
        y_true: True class of each image.
        decided: Decision taken for each: a predicted class, or the column of another decision.
        cost: As for ``cost_metric``.

    Raises:
        ValueError: If the arrays cannot be used together.
    """
    return cost_metric(cost)(y_true, decided)


def cheapest(
    y_prob: Float[np.ndarray, "image category"],
    cost: Float[np.ndarray, "category decision"],
) -> Int[np.ndarray, " image"]:
    """Choose for each image the decision of least expected cost.

    With costs of 0 on the diagonal and 1 elsewhere this is the most probable class. The decision is
    only as good as the probabilities are calibrated.

    Args:
        y_prob: What the model said.
        cost: As for ``cost_metric``.

    Returns:
        The column of the cheapest decision, the first one on a tie.

    Raises:
        ValueError: If the arrays cannot be used together.
    """
    _check_cost(cost)
    y_prob = as_probabilities(None, y_prob)
    if y_prob.shape[1] != cost.shape[0]:
        raise ValueError(
            f"expected one row of costs for each of the {y_prob.shape[1]} categories, found "
            f"{cost.shape[0]}; use the list of classes the model was trained with"
        )
    return (y_prob @ cost).argmin(axis=1)


def _check_cost(cost: np.ndarray) -> None:
    square = np.ndim(cost) == 2 and cost.shape[1] >= cost.shape[0] >= 1  # noqa: PLR2004
    if not square or not np.isfinite(cost).all():
        raise ValueError(
            "expected finite costs with a row for each class and a column for each decision, at "
            f"least as many, found shape {np.shape(cost)}; put the true classes down"
        )


def pareto_front(
    costs: Float[np.ndarray, " model"], scores: Float[np.ndarray, " model"]
) -> list[int]:
    """Return the Pareto front: models that no other beats on both cost and score, cheapest first.

    A model is out when another costs no more and scores no less, one of the two strictly. Models
    whose cost or score is not a number are left out.

    Args:
        costs: Cost of each model, the lower the better.
        scores: Score of each, the higher the better.
    """
    known = np.flatnonzero(np.isfinite(costs) & np.isfinite(scores))
    front = [
        int(i)
        for i in known
        if not any(
            costs[j] <= costs[i]
            and scores[j] >= scores[i]
            and (costs[j] < costs[i] or scores[j] > scores[i])
            for j in known
        )
    ]
    return sorted(front, key=lambda i: (costs[i], i))
