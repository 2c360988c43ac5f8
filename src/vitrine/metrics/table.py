"""Scores, gaps and announced comparisons of recipes, each trained once or several times.

A recipe with one run is scored as ``panel`` does, one with several by the mean over its seeds, so
that a table may hold both; the interval of the latter draws the seeds again as well as the images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from vitrine.metrics.inputs import LabelsOrProbs
from vitrine.metrics.intervals import Interval, wilson
from vitrine.metrics.metrics import Metric
from vitrine.metrics.paired import McNemar, holm, mcnemar, sign_flip
from vitrine.metrics.panel import METRICS
from vitrine.metrics.resampling import bootstrap, over_seeds, resample
from vitrine.metrics.settling import ALPHA, settled

__all__ = ["Announced", "announced", "leader", "recipe_gap", "recipe_panel", "recipe_score"]


@dataclass(frozen=True)
class Announced:
    """Gaps and tests of one of the comparisons that the protocol announced.

    Attributes:
        gaps: By name of score, the candidate minus the baseline; the first one decides.
        first: Exact McNemar test between the first run of each: which images one of them wins.
        p_value: That of the test of all runs (``sign_flip``).
        adjusted: The same, corrected over all that were announced (Holm).
        repeated: Gap of the deciding score over repeated folds, where both recipes have them.
    """

    gaps: Mapping[str, Interval]
    first: McNemar
    p_value: float
    adjusted: float
    repeated: Interval | None = None

    @property
    def settled(self) -> bool:
        """Whether the deciding gap is settled."""
        return settled(next(iter(self.gaps.values())), self.adjusted, self.repeated)


def recipe_score(
    y_true: Int[np.ndarray, " image"], runs: Sequence[LabelsOrProbs], metric: Metric
) -> Interval:
    """Score a recipe by one metric: its run, or the mean over its seeds.

    Args:
        y_true: True class of each image.
        runs: What each seed's run said of these images, in the same order.
        metric: Score to estimate.

    Raises:
        ValueError: If there is no run, or arrays cannot be used.
    """
    if not runs:
        raise ValueError("expected the answers of at least one run, found none; train the recipe")
    if len(runs) > 1:
        return over_seeds(y_true, runs, metric).mean
    if metric.proportion:
        return wilson(round(metric(y_true, runs[0]) * len(y_true)), len(y_true))
    return bootstrap(y_true, runs[0], metric)


def recipe_panel(
    y_true: Int[np.ndarray, " image"], runs: Sequence[LabelsOrProbs]
) -> dict[str, Interval]:
    """Score a recipe by every metric of ``METRICS``, as ``panel`` does for one run.

    Args:
        y_true: True class of each image.
        runs: Probabilities that each seed's run gave these images, in the same order.

    Raises:
        ValueError: If there is no run, or arrays cannot be used.
    """
    return {name: recipe_score(y_true, runs, metric) for name, metric in METRICS.items()}


def recipe_gap(
    y_true: Int[np.ndarray, " image"],
    baseline: Sequence[LabelsOrProbs],
    candidate: Sequence[LabelsOrProbs],
    metric: Metric,
    *,
    level: float = 0.95,
) -> Interval:
    """Estimate by how much one recipe differs from another on the same images.

    Paired on images, which each draw resamples once for every run. Seeds are drawn separately for
    the two recipes, since seed 0 of one has nothing in common with seed 0 of the other; those of a
    recipe with one run are not drawn. With one run each this is ``paired_bootstrap``.

    Args:
        y_true: True class of each image.
        baseline: What each run of the reference recipe said.
        candidate: What each run of the recipe under test said.
        metric: Score to compare.
        level: Coverage of the interval.

    Returns:
        Mean over seeds of the candidate minus that of the baseline, and its interval.

    Raises:
        ValueError: If a recipe has no run, or arrays cannot be used.
    """
    if not baseline or not candidate:
        raise ValueError(
            f"expected at least one run of each recipe, found {len(baseline)} and {len(candidate)};"
            " train the one that has none"
        )
    sides = [[metric.tally(y_true, y_pred) for y_pred in side] for side in (candidate, baseline)]
    return resample(sides, metric, level=level)


def announced(
    y_true: Int[np.ndarray, " image"],
    recipes: Mapping[str, Sequence[LabelsOrProbs]],
    pairs: Sequence[tuple[str, str]],
    metrics: Sequence[Metric],
    repeated: Mapping[tuple[str, str], Interval] | None = None,
) -> dict[tuple[str, str], Announced]:
    """Compare recipes as a protocol announced it, the p-values corrected together.

    Args:
        y_true: True class of each image.
        recipes: What the runs of each recipe said.
        pairs: Baseline and candidate of each comparison; one that lacks runs is left out.
        metrics: Scores whose gap is estimated; the first one decides.
        repeated: By pair, the gap of that one over repeated folds, where there is one.

    Raises:
        ValueError: If arrays cannot be used.
    """
    made = [pair for pair in pairs if set(pair) <= set(recipes)]
    tests = [sign_flip(y_true, recipes[a], recipes[b]) for a, b in made]
    corrected = holm(np.array(tests)) if tests else []
    return {
        (a, b): Announced(
            {m.name: recipe_gap(y_true, recipes[a], recipes[b], m) for m in metrics},
            mcnemar(y_true, recipes[a][0], recipes[b][0]),
            p,
            float(adjusted),
            (repeated or {}).get((a, b)),
        )
        for (a, b), p, adjusted in zip(made, tests, corrected, strict=True)
    }


def leader(
    y_true: Int[np.ndarray, " image"],
    recipes: Mapping[str, Sequence[LabelsOrProbs]],
    metric: Metric,
) -> str | None:
    """Return the recipe that is significantly better than every other one, if there is one.

    The one with the best score leads where its gap to each of the others leaves zero out, on the
    right side, all at once: with ``k`` others each interval is taken at ``1 - 0.05 / k``
    (Bonferroni), so that a leader is named by mistake at most once in twenty tables.

    Args:
        y_true: True class of each image.
        recipes: What the runs of each recipe said.
        metric: Score of the table.

    Returns:
        Its name; ``None`` where the best is not told apart from some other, or stands alone.

    Raises:
        ValueError: If arrays cannot be used.
    """
    sign = 1 if metric.higher_is_better else -1
    scores = {
        name: sign * np.mean([metric(y_true, y_pred) for y_pred in runs])
        for name, runs in recipes.items()
    }
    best = max(scores, key=scores.__getitem__, default=None)
    others = [name for name in recipes if name != best]
    if best is None or not others:
        return None
    shared = 1 - ALPHA / len(others)
    for other in others:
        gap = recipe_gap(y_true, recipes[other], recipes[best], metric, level=shared)
        if not (gap.low > 0 if sign > 0 else gap.high < 0):
            return None
    return best
