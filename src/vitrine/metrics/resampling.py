"""Bootstrap of a metric, or of a gap between two models, over images and seeds.

One engine serves one model, two models, and several trainings of each: ``resample`` takes the rows
of ``Metric.tally`` and combines them. Drawing images only changes how often each counts in a mean,
so a block of draws is one matrix product; of whole numbers where the score counts images, so that
every machine finds the same interval.

Sources: Efron, "Bootstrap Methods: Another Look at the Jackknife", doi:10.1214/aos/1176344552; for
images and seeds drawn together, Owen, "The Pigeonhole Bootstrap", arXiv:0712.1111; for few units
drawn without loss of variance, Rao and Wu, "Resampling Inference with Complex Survey Data",
doi:10.1080/01621459.1988.10478591.

Two questions have two answers. How much does a recipe's score move from one seed to the next, on
images that stay? How much would the mean over seeds move with other images? An interval for a
recipe must hold both; one from a single run, or from seeds alone, is too narrow.

Source: Bouthillier et al., "Accounting for Variance in Machine Learning Benchmarks",
arXiv:2103.03098.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from vitrine.metrics.inputs import LabelsOrProbs
from vitrine.metrics.intervals import Interval, check_share, percentile
from vitrine.metrics.metrics import Metric, Rows

__all__ = ["SeedSummary", "bootstrap", "over_runs", "over_seeds", "replicate", "resample"]


BLOCK = 4_000_000
"""Counts held at once while resampling: 32 MB."""


def bootstrap(
    y_true: Int[np.ndarray, " image"],
    y_pred: LabelsOrProbs,
    metric: Metric,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a score with its bootstrap interval over images.

    The interval says how the score would move with other test images, for this very trained model;
    it knows nothing of another seed (``over_seeds``) nor of another training set
    (``vitrine.metrics.folds``). It is a percentile interval, except for a ``Metric.norm``: see
    ``resample``.

    Args:
        y_true: True class of each image.
        y_pred: What the model said of each.
        metric: Score to estimate.
        draws: Number of resamplings.
        level: Coverage of the interval.
        seed: Seeds the resampling.

    Returns:
        The score on all images and the interval.

    Raises:
        ValueError: If the arrays, ``draws`` or ``level`` cannot be used.
    """
    tallies = [[metric.tally(y_true, y_pred)]]
    return resample(tallies, metric, draws=draws, level=level, seed=seed)


def resample(
    sides: Sequence[Sequence[Rows]],
    metric: Metric,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a score, or a gap between two, with its interval over images and seeds.

    A side is one recipe: the tallies of its runs, scored by their mean. Every draw resamples the
    images once for all runs, and the runs of a side where it has several. Drawing ``n`` runs among
    ``n`` shows only ``(n - 1) / n`` of their variance, so deviations from the mean over runs are
    widened by ``sqrt(n / (n - 1))``. What is peculiar to one image in one run is drawn twice, which
    makes the interval a little cautious. That of a score ends where the metric does.

    A metric that is a norm (a calibration error) has no percentile interval worth the name: the
    noise of every bin adds up, so for a calibrated model the draws lie above the sample, which lies
    above the truth; in simulation on 158 images a 95 % percentile interval then never holds the
    truth. The triangle inequality gives one that does: score and truth differ by at most the norm
    of the noise, so the interval reaches out on both sides by the quantile, at ``level``, of that
    norm over the draws. It is cautious: in the same simulation, 98 % and more.

    Args:
        sides: One side for a score, two for a gap ``first - second``.
        metric: The one that made the tallies.
        draws: Number of resamplings.
        level: Coverage of the interval.
        seed: Seeds the resampling; the same seed draws the same images for every model.

    Raises:
        ValueError: If there is no draw, ``level`` is outside ]0, 1[, or the score is not defined.
    """
    check_share(level, "level")
    rng, images = np.random.default_rng((seed, 1)), sides[0][0].shape[0]
    means = [float(np.mean([metric.score(rows) for rows in side])) for side in sides]
    value = means[0] - sum(means[1:])
    drawn = _noise if metric.norm else _difference
    replicates = replicate(
        images, lambda counts: drawn(counts, sides, metric, rng), draws=draws, seed=seed
    )
    if metric.norm:
        reach = float(np.quantile(replicates, level))
        interval = Interval(value, value - reach, value + reach)
    else:
        interval = percentile(value, replicates, level=level)
    return interval if len(sides) > 1 else _within(interval, metric)


def _within(score: Interval, metric: Metric) -> Interval:
    least, greatest = metric.bounds
    return Interval(score.value, max(score.low, least), min(score.high, greatest))


def _difference(
    counts: Float[np.ndarray, "draw image"],
    sides: Sequence[Sequence[Rows]],
    metric: Metric,
    rng: np.random.Generator,
) -> Float[np.ndarray, " draw"]:
    total = np.zeros(len(counts))
    for sign, side in zip((1, -1), sides, strict=False):
        scores = np.stack([metric.score_draws(counts, rows) for rows in side], axis=1)
        total += sign * over_runs(scores, rng)
    return total


def _noise(
    counts: Float[np.ndarray, "draw image"],
    sides: Sequence[Sequence[Rows]],
    metric: Metric,
    rng: np.random.Generator,
) -> Float[np.ndarray, " draw"]:
    total = np.zeros(len(counts))
    for side in sides:
        centred = [rows - rows.mean(axis=0) for rows in side]
        total += np.mean([metric.score_draws(counts, rows) for rows in centred], axis=0)
        scores = np.array([metric.score(rows) for rows in side])
        drawn = over_runs(np.broadcast_to(scores, (len(counts), len(side))), rng)
        total += np.abs(drawn - scores.mean())
    return total


def over_runs(
    scores: Float[np.ndarray, "draw run"], rng: np.random.Generator
) -> Float[np.ndarray, " draw"]:
    """Return a mean over runs drawn with replacement in each row, without loss of variance."""
    draws, runs = scores.shape
    mean = scores.mean(axis=1)
    if runs == 1:
        return mean
    picks = rng.integers(runs, size=(draws, runs))
    drawn = np.take_along_axis(scores, picks, axis=1).mean(axis=1)
    return mean + np.sqrt(runs / (runs - 1)) * (drawn - mean)


def replicate(
    images: int,
    statistic: Callable[[Float[np.ndarray, "draw image"]], Float[np.ndarray, "draw ..."]],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> Float[np.ndarray, "draw ..."]:
    """Evaluate a statistic on images drawn with replacement, many times.

    Args:
        images: How many images there are, and how many each draw has.
        statistic: From how often each image is drawn to one number a draw, or a row of them. It is
            called on blocks of draws.
        draws: Number of resamplings.
        seed: Seeds the resampling.

    Raises:
        ValueError: If there is no draw.
    """
    if draws < 1:
        raise ValueError(f"expected at least one draw, found {draws}; 2000 is customary")
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK // images)
    sizes = [min(block, draws - start) for start in range(0, draws, block)]
    return np.concatenate([statistic(_counts(rng, images, size)) for size in sizes])


def _counts(rng: np.random.Generator, images: int, draws: int) -> Float[np.ndarray, "draw image"]:
    picks = rng.integers(images, size=(draws, images))
    flat = picks + images * np.arange(draws)[:, None]
    counts = np.bincount(flat.ravel(), minlength=draws * images)
    return counts.reshape(draws, images).astype(float)


@dataclass(frozen=True)
class SeedSummary:
    """A recipe's score over its seeds, in the unit of the metric.

    Attributes:
        mean: Mean over seeds; its interval draws both the images and the seeds again.
        between_seeds: Standard deviation from one seed to the next, on these very images (divisor
            ``seeds - 1``): how far a single training may fall from the mean.
        by_seed: Score of each seed, in the order given.
    """

    mean: Interval
    between_seeds: float
    by_seed: tuple[float, ...]


def over_seeds(
    y_true: Int[np.ndarray, " image"],
    runs: Sequence[LabelsOrProbs],
    metric: Metric,
    *,
    draws: int = 2000,
) -> SeedSummary:
    """Return a recipe's mean score over its seeds, with an interval over images and seeds.

    The interval is a little cautious as long as seeds move the score about as much as draws of the
    images do. With three seeds that move it four times more, it holds the truth 88 times in 100 and
    not 95 (in simulation): three numbers do not tell their own spread.

    Args:
        y_true: True class of each image.
        runs: What each seed's run said of these images, in the same order.
        metric: Score to summarise.
        draws: Number of resamplings.

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
    mean = resample([tallies], metric, draws=draws)
    return SeedSummary(mean, float(np.std(by_seed, ddof=1)), by_seed)
