import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from vitrine.metrics.intervals import Interval
from vitrine.metrics.paired import mcnemar, sign_flip
from vitrine.metrics.settling import World, settled, settled_share, smallest_settled_gap

THREE_SEEDS = World(images=158, discordance=0.2, runs=3, between=0.1)


def mcnemar_power(gap, images, discordance):
    """Return the chance that the exact McNemar test finds a gap, every outcome added up."""
    split = np.arange(images + 1)
    edge = binom.ppf(0.025, split, 0.5)
    edge = np.where(binom.cdf(edge, split, 0.5) <= 0.025, edge, edge - 1)
    win = (discordance + gap) / (2 * discordance)
    found = binom.cdf(edge, split, win) + binom.cdf(edge, split, 1 - win)
    return binom.pmf(split, images, discordance) @ found


def p_values(world, gap, repeats=300):
    """Return, for answers drawn again and again, both p-values: all runs, and the first of each."""
    rng, found = np.random.default_rng(0), []
    truth = np.zeros(world.images, dtype=int)
    for _ in range(repeats):
        before, after = (1 - world.answers(gap, rng).astype(int)).transpose(0, 2, 1)
        every = sign_flip(truth, list(before), list(after))
        found.append((every, mcnemar(truth, before[0], after[0]).p_value))
    return np.array(found).T


@pytest.mark.parametrize(
    ("interval", "p", "expected"),
    [
        ((0.01, 0.2), 0.049, True),
        ((-0.2, -0.01), 0.001, True),
        ((0.01, 0.2), 0.05, False),
        ((-0.01, 0.2), 0.001, False),
        ((0.0, 0.2), 0.001, False),
    ],
)
def test_a_gap_is_settled_where_its_interval_and_its_test_agree(interval, p, expected):
    low, high = interval

    assert settled(Interval((low + high) / 2, low, high), p) is expected


@pytest.mark.parametrize(
    ("again", "expected"),
    [((0.01, 0.1), True), ((-0.01, 0.1), False), ((-0.2, -0.1), False), ((0.0, 0.1), False)],
)
def test_a_gap_over_repeated_folds_must_be_on_the_same_side(again, expected):
    low, high = again

    said = settled(Interval(0.1, 0.05, 0.15), 0.001, Interval((low + high) / 2, low, high))

    assert said is expected
    assert settled(Interval(-0.1, -0.15, -0.05), 0.001, Interval(-0.1, -0.2, -0.01))


def test_a_world_has_the_gap_and_the_disagreements_that_it_announces():
    world = World(images=200_000, discordance=0.2, runs=2, between=0.06)

    before, after = world.answers(0.08, np.random.default_rng(0))

    assert after.mean() - before.mean() == pytest.approx(0.08, abs=0.005)
    assert (before[:, 0] != after[:, 0]).mean() == pytest.approx(0.2, abs=0.005)
    assert (before[:, 0] != before[:, 1]).mean() == pytest.approx(0.06, abs=0.005)


@pytest.mark.parametrize("world", [THREE_SEEDS, World(images=158, discordance=0.2)])
def test_without_a_gap_the_test_of_all_seeds_raises_few_false_alarms(world):
    every, _ = p_values(world, 0.0)

    assert (every < 0.05).mean() <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(every))


def test_the_test_of_all_seeds_finds_a_gap_more_often_than_that_of_the_first_ones():
    every, first = p_values(THREE_SEEDS, 0.08)

    assert (every < 0.05).mean() > (first < 0.05).mean() + 0.15


def test_with_one_run_each_the_rule_has_the_power_of_mcnemar_or_less():
    world = World(images=158, discordance=0.2)

    found = settled_share(0.1, world)

    assert found == pytest.approx(mcnemar_power(0.1, 158, 0.2), abs=0.06)
    assert settled_share(0.1, world, tests=5) < found - 0.1


def test_the_smallest_settled_gap_is_that_of_the_formula_where_there_is_one():
    world = World(images=1047, discordance=0.2)

    gap = smallest_settled_gap(world)

    exact = brentq(lambda by: mcnemar_power(by, 1047, 0.2) - 0.8, 0.0, 0.2)
    assert gap == pytest.approx(exact, abs=0.003)
    assert settled_share(gap, world) >= 0.8 > settled_share(gap - 0.01, world)


def test_seeds_that_are_averaged_settle_the_same_gap_more_often():
    alone = World(images=THREE_SEEDS.images, discordance=THREE_SEEDS.discordance)

    assert settled_share(0.08, THREE_SEEDS) > settled_share(0.08, alone) + 0.05


def test_a_world_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="runs of one recipe that disagree less than those of two"):
        World(images=158, discordance=0.2, between=0.2)
    with pytest.raises(ValueError, match="found none in World.images=20.*; use more images"):
        smallest_settled_gap(World(images=20, discordance=0.1))
