import math
from dataclasses import replace

import numpy as np
import pytest

from vitrine.metrics.calibration import expected_calibration_error
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.paired import paired_bootstrap
from vitrine.metrics.resampling import bootstrap, over_seeds
from vitrine.metrics.table import recipe_gap


@pytest.fixture
def recipe(rng):
    """Answers of some seeds whose accuracies differ by ``spread`` around ``level``."""

    def sample(truth, seeds=5, level=0.75, spread=0.03):
        chances = rng.normal(level, spread, size=seeds).clip(0, 1)
        difficulty = rng.random(len(truth))
        own = 0.15 * rng.normal(size=(seeds, len(truth)))
        right = difficulty + own < np.quantile(difficulty + own, chances)[:, None]
        wrong = (truth + rng.integers(1, 7, size=len(truth))) % 7
        return [np.where(row, truth, wrong) for row in right]

    return sample


@pytest.fixture
def truth(rng):
    return rng.integers(7, size=158)


@pytest.mark.parametrize("metric", [macro_f1, expected_calibration_error])
def test_seeds_that_agree_leave_only_the_draw_of_the_images(metric, draw):
    truth, probabilities = draw()

    summary = over_seeds(truth, [probabilities] * 3, metric)
    alone = bootstrap(truth, probabilities, metric)

    assert summary.between_seeds == 0.0
    assert summary.mean.value == pytest.approx(alone.value)
    assert (summary.mean.low, summary.mean.high) == pytest.approx((alone.low, alone.high))


def test_images_that_agree_leave_only_the_draw_of_the_seeds():
    truth = np.zeros(10, dtype=int)

    summary = over_seeds(truth, [truth, truth + 1], replace(accuracy, bounds=(-math.inf, math.inf)))

    assert summary.by_seed == (1.0, 0.0)
    assert summary.between_seeds == pytest.approx(math.sqrt(1 / 2))
    # Both draws from one seed: 1/2 away from the mean, widened by sqrt(2 / 1).
    assert (summary.mean.low, summary.mean.high) == pytest.approx(
        (0.5 - math.sqrt(1 / 2), 0.5 + math.sqrt(1 / 2))
    )


def test_an_interval_over_seeds_ends_where_the_score_does_and_that_of_a_gap_does_not():
    truth = np.zeros(10, dtype=int)
    seeds = [truth, truth + 1]

    score = over_seeds(truth, seeds, accuracy).mean
    gap = recipe_gap(truth, seeds, seeds, accuracy)

    assert (score.low, score.high) == (0.0, 1.0)
    assert gap.low < -1 and gap.high > 1


def test_seeds_that_differ_widen_the_interval_of_a_calibration_error():
    truth = np.zeros(10, dtype=int)
    honest, wrong = np.tile([1.0, 0.0], (10, 1)), np.tile([0.0, 1.0], (10, 1))

    summary = over_seeds(truth, [honest, wrong], expected_calibration_error)
    boundless = replace(expected_calibration_error, bounds=(0.0, math.inf))
    wide = over_seeds(truth, [honest, wrong], boundless)

    assert summary.by_seed == (0.0, 1.0)
    assert (summary.mean.value, summary.mean.low, summary.mean.high) == (0.5, 0.0, 1.0)
    assert wide.mean.high == pytest.approx(0.5 + math.sqrt(1 / 2))


def test_the_mean_and_the_spread_of_seeds_are_those_of_their_scores(truth, recipe):
    runs = recipe(truth, seeds=4)
    scores = [accuracy(truth, run) for run in runs]

    summary = over_seeds(truth, runs, accuracy)

    assert summary.by_seed == tuple(scores)
    assert summary.mean.value == pytest.approx(np.mean(scores))
    assert summary.between_seeds == pytest.approx(np.std(scores, ddof=1))


def test_the_interval_over_seeds_is_wider_than_either_source_alone(truth, recipe):
    runs = recipe(truth, spread=0.06)
    shares = np.mean([run == truth for run in runs], axis=0)

    summary = over_seeds(truth, runs, accuracy)

    half = (summary.mean.high - summary.mean.low) / 2
    assert half > 1.96 * shares.std() / math.sqrt(158)
    assert half > 1.96 * summary.between_seeds / math.sqrt(len(runs))


def test_the_mean_over_seeds_is_held_at_least_as_often_as_said(rng, recipe):
    held = []

    for _ in range(60):
        truth = rng.integers(7, size=158)
        mean = over_seeds(truth, _redrawn(rng, recipe, truth), accuracy, draws=200).mean
        held.append(mean.low <= 0.75 <= mean.high)

    assert np.mean(held) >= 0.93


def _redrawn(rng, recipe, truth):
    """Runs on a draw of images among many, so that the images vary too."""
    everyone = np.resize(truth, 3000)
    runs = recipe(everyone)
    pick = rng.integers(3000, size=158)
    rights = [(run == everyone)[pick] for run in runs]
    return [np.where(right, truth, (truth + 1) % 7) for right in rights]


def test_a_gap_over_seeds_is_the_difference_of_the_means(truth, recipe):
    worse, better = recipe(truth, seeds=3, level=0.6), recipe(truth, seeds=4, level=0.9)

    gap = recipe_gap(truth, worse, better, accuracy)
    opposite = recipe_gap(truth, better, worse, accuracy)

    means = [np.mean([accuracy(truth, run) for run in runs]) for runs in (better, worse)]
    assert gap.value == pytest.approx(means[0] - means[1])
    assert gap.low > 0
    assert (opposite.low, opposite.high) == pytest.approx((-gap.high, -gap.low), abs=0.02)


def test_a_gap_over_seeds_that_agree_is_the_gap_of_one_pair(draw):
    truth, better = draw()
    worse = np.roll(better, 1, axis=1)

    gap = recipe_gap(truth, [worse] * 2, [better] * 2, macro_f1)
    pair = paired_bootstrap(truth, worse, better, macro_f1)

    assert (gap.value, gap.low, gap.high) == pytest.approx((pair.value, pair.low, pair.high))


def test_the_seeds_of_the_two_recipes_are_drawn_apart():
    truth = np.zeros(10, dtype=int)
    runs = [truth, truth + 1]

    gap = recipe_gap(truth, runs, runs, accuracy)

    assert gap.value == 0.0
    assert gap.high == pytest.approx(math.sqrt(2))


def test_a_single_seed_has_no_spread_and_is_refused(truth):
    with pytest.raises(ValueError, match="runs of at least two seeds, found 1; train another"):
        over_seeds(truth, [truth], accuracy)
    with pytest.raises(ValueError, match="one run of each recipe, found 2 and 0; train the one"):
        recipe_gap(truth, [truth, truth], [], accuracy)
