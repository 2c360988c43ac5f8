import numpy as np
import pytest

from vitrine.metrics.metrics import accuracy, log_loss, macro_f1
from vitrine.metrics.paired import holm, mcnemar, paired_bootstrap, sign_flip
from vitrine.metrics.panel import METRICS, panel
from vitrine.metrics.resampling import over_seeds
from vitrine.metrics.table import announced, leader, recipe_gap, recipe_panel


@pytest.fixture
def answered(rng):
    """Truth, and runs that are right with a given chance and as sure as that."""
    truth = rng.integers(7, size=158)

    def say(chance):
        right = rng.random(158) < chance
        labels = np.where(right, truth, (truth + rng.integers(1, 7, size=158)) % 7)
        return np.where(np.eye(7)[labels] == 1, 0.7, 0.05)

    return truth, say


def test_a_recipe_of_one_run_is_scored_as_that_run(answered):
    truth, say = answered
    run = say(0.6)

    assert recipe_panel(truth, [run]) == panel(truth, run)


def test_a_recipe_of_several_runs_is_scored_by_their_mean(answered):
    truth, say = answered
    runs = [say(0.5), say(0.7)]

    scores = recipe_panel(truth, runs)

    assert list(scores) == list(METRICS)
    assert scores["macro_f1"] == over_seeds(truth, runs, macro_f1).mean
    assert scores["accuracy"].value == pytest.approx(np.mean([accuracy(truth, r) for r in runs]))


def test_the_gap_is_that_of_the_runs_there_are(answered):
    truth, say = answered
    low, high = [say(0.4), say(0.5)], [say(0.8), say(0.9)]

    assert recipe_gap(truth, low[:1], high[:1], accuracy) == paired_bootstrap(
        truth, low[0], high[0], accuracy
    )


def test_announced_comparisons_are_tested_on_every_run_and_corrected_together(answered):
    truth, say = answered
    recipes = {"low": [say(0.4), say(0.4)], "high": [say(0.6), say(0.6)], "top": [say(0.9)]}
    pairs = [("low", "high"), ("high", "top"), ("low", "absent")]

    found = announced(truth, recipes, pairs, (macro_f1, accuracy))

    made = pairs[:2]
    tests = [sign_flip(truth, recipes[a], recipes[b]) for a, b in made]
    assert list(found) == made
    assert [gap.p_value for gap in found.values()] == tests
    assert [gap.adjusted for gap in found.values()] == pytest.approx(holm(np.array(tests)))
    assert found["low", "high"].first == mcnemar(truth, recipes["low"][0], recipes["high"][0])
    assert list(found["low", "high"].gaps) == ["macro_f1", "accuracy"]
    assert found["low", "high"].gaps["accuracy"] == recipe_gap(
        truth, recipes["low"], recipes["high"], accuracy
    )
    assert announced(truth, recipes, pairs[2:], (accuracy,)) == {}


def test_one_run_against_several_leaves_only_their_seeds_to_chance(answered):
    truth, say = answered
    probe, scratch = say(0.8), [say(0.3), say(0.6)]

    mixed = recipe_gap(truth, scratch, [probe], accuracy)
    alone = recipe_gap(truth, scratch[:1], [probe], accuracy)

    expected = accuracy(truth, probe) - np.mean([accuracy(truth, run) for run in scratch])
    assert mixed.value == pytest.approx(expected)
    assert mixed.high - mixed.low > alone.high - alone.low


@pytest.mark.parametrize("metric", [accuracy, log_loss])
def test_a_recipe_leads_where_it_beats_every_other_one(answered, metric):
    truth, say = answered
    recipes = {"poor": [say(0.3)], "good": [say(0.95), say(0.94)], "fair": [say(0.5)]}

    assert leader(truth, recipes, metric) == "good"


def test_nobody_leads_where_the_best_two_are_not_told_apart(answered):
    truth, say = answered
    recipes = {"poor": [say(0.2)], "one": [say(0.8)], "other": [say(0.78)]}

    assert leader(truth, recipes, accuracy) is None
    assert leader(truth, {"alone": [say(0.9)]}, accuracy) is None


def test_each_other_recipe_makes_it_harder_to_lead(answered):
    truth, say = answered
    base = say(0.5)
    first, second = base.copy(), base.copy()
    wrong = np.flatnonzero(base.argmax(axis=1) != truth)[:7]
    first[wrong] = np.where(np.eye(7)[truth[wrong]] == 1, 0.7, 0.05)
    second[wrong[:1]] = first[wrong[:1]]
    crowd = {f"copy {k}": [base] for k in range(40)}

    assert leader(truth, {"first": [first], "base": [base]}, accuracy) == "first"
    assert leader(truth, {"first": [first], **crowd}, accuracy) is None


def test_a_recipe_without_a_run_is_refused(answered):
    truth, say = answered

    with pytest.raises(ValueError, match="at least one run"):
        recipe_panel(truth, [])
    with pytest.raises(ValueError, match="found 0 and 1"):
        recipe_gap(truth, [], [say(0.5)], accuracy)
