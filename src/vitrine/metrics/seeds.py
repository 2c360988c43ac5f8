"""Score of a recipe over several seeds: variance between seeds, variance between test sets.

Two questions have two answers. How much does a recipe's score move from one seed to the next, on
images that stay? How much would the mean over seeds move with other images? An interval for a
recipe must hold both; one from a single run, or from seeds alone, is too narrow.

Source: Bouthillier et al., "Accounting for Variance in Machine Learning Benchmarks",
arXiv:2103.03098.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from vitrine.metrics.inputs import LabelsOrProbs
from vitrine.metrics.intervals import Interval
from vitrine.metrics.metrics import Metric
from vitrine.metrics.resampling import replicate, resample

__all__ = ["SeedSummary", "over_seeds"]


@dataclass(frozen=True)
class SeedSummary:
    """A recipe's score over its seeds, in the unit of the metric.

    Attributes:
        mean: Mean over seeds; its interval draws both the images and the seeds again.
        between_seeds: Standard deviation from one seed to the next, on these very images (divisor
            ``seeds - 1``): how far a single training may fall from the mean.
        between_draws: Standard deviation of the mean over these very seeds from one draw of test
            images to the next.
        by_seed: Score of each seed, in the order given.
    """

    mean: Interval
    between_seeds: float
    between_draws: float
    by_seed: tuple[float, ...]


def over_seeds(
    y_true: Int[np.ndarray, " image"],
    runs: Sequence[LabelsOrProbs],
    metric: Metric,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> SeedSummary:
    """Return a recipe's mean score over its seeds, with an interval over images and seeds.

    The interval is a little cautious as long as ``between_seeds`` is about ``between_draws``. With
    three seeds that differ four times more than draws of the images do, it holds the truth 88 times
    in 100 and not 95 (in simulation): three numbers do not tell their own spread.

    Args:
        y_true: True class of each image.
        runs: What each seed's run said of these images, in the same order.
        metric: Score to summarise.
        draws: Number of resamplings.
        level: Coverage of the interval of the mean.
        seed: Seeds the resampling.

    Raises:
        ValueError: If there are fewer than two runs, or arrays cannot be used.
    """
    if len(runs) < 2:  # noqa: PLR2004  (a spread needs two)
        raise ValueError(
            f"expected runs of at least two seeds, found {len(runs)}; train another seed, or use "
            "bootstrap and paired_bootstrap, which speak of one trained model"
        )
    tallies = [metric.tally(y_true, y_pred) for y_pred in runs]
    by_seed = tuple(metric.score(rows) for rows in tallies)
    means = replicate(
        len(y_true),
        lambda counts: np.mean([metric.score_draws(counts, rows) for rows in tallies], axis=0),
        draws=draws,
        seed=seed,
    )
    return SeedSummary(
        resample([tallies], metric, draws=draws, level=level, seed=seed),
        float(np.std(by_seed, ddof=1)),
        float(np.std(means)),
        by_seed,
    )
