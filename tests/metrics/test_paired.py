import itertools

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from vitrine.metrics.calibration import expected_calibration_error
from vitrine.metrics.intervals import Interval
from vitrine.metrics.metrics import accuracy, log_loss, macro_f1
from vitrine.metrics.paired import (
    flipped,
    holm,
    mcnemar,
    mcnemar_bound,
    paired_bootstrap,
    sign_flip,
)
from vitrine.metrics.resampling import bootstrap


@pytest.fixture
def two_models(rng):
    """Answers of two models that find the same images hard, ``gap`` apart in accuracy."""

    def sample(images=158, gap=0.0, easy=0.7, discordance=0.2):
        truth = rng.integers(7, size=images)
        kind = rng.random(images)
        both = kind < easy
        won = (kind >= easy) & (kind < easy + (discordance + gap) / 2)
        lost = (kind >= 1 - (discordance - gap) / 2) & ~won
        wrong = (truth + rng.integers(1, 7, size=images)) % 7
        return truth, np.where(both | lost, truth, wrong), np.where(both | won, truth, wrong)

    return sample


def test_a_model_against_itself_has_no_gap_whatever_the_images(draw):
    truth, probabilities = draw()

    gap = paired_bootstrap(truth, probabilities, probabilities, macro_f1)

    assert gap == Interval(0.0, 0.0, 0.0)


@pytest.mark.parametrize("metric", [accuracy, macro_f1])
def test_the_gap_is_the_candidate_minus_the_baseline(metric, two_models):
    truth, baseline, candidate = two_models(gap=0.15)

    gap = paired_bootstrap(truth, baseline, candidate, metric)
    opposite = paired_bootstrap(truth, candidate, baseline, metric)

    assert gap.value == metric(truth, candidate) - metric(truth, baseline) > 0
    assert (opposite.low, opposite.high) == pytest.approx((-gap.high, -gap.low))


def test_pairing_sees_a_gap_that_two_separate_intervals_hide(two_models):
    truth, baseline, candidate = two_models(images=1000, gap=0.03, discordance=0.05)

    gap = paired_bootstrap(truth, baseline, candidate, accuracy)
    before, after = (bootstrap(truth, a, accuracy) for a in (baseline, candidate))

    assert gap.excludes_zero
    assert after.low < before.high


def test_the_gap_of_accuracies_spreads_as_the_discordant_images_say(two_models):
    truth, baseline, candidate = two_models(gap=0.1)
    seen = mcnemar(truth, baseline, candidate)

    gap = paired_bootstrap(truth, baseline, candidate, accuracy, draws=20_000)

    expected = 2 * 1.96 * np.sqrt((seen.discordance - gap.value**2) / 158)
    assert gap.high - gap.low == pytest.approx(expected, rel=0.05)


def test_the_interval_of_a_gap_holds_the_truth_about_as_often_as_it_says(two_models):
    held = []

    for _ in range(150):
        gap = paired_bootstrap(*two_models(gap=0.06), accuracy, draws=200)
        held.append(gap.low <= 0.06 <= gap.high)

    assert np.mean(held) == pytest.approx(0.94, abs=0.04)


def test_the_gap_of_calibration_errors_holds_the_truth(draw):
    everyone, honest = draw(60_000)
    boastful = honest**2.5 / (honest**2.5).sum(axis=1, keepdims=True)
    truth = expected_calibration_error(everyone, boastful) - expected_calibration_error(
        everyone, honest
    )
    held = []

    for start in range(0, 158 * 40, 158):
        few = slice(start, start + 158)
        gap = paired_bootstrap(
            everyone[few], honest[few], boastful[few], expected_calibration_error, draws=200
        )
        held.append(gap.low <= truth <= gap.high)

    assert truth > 0.1
    assert np.mean(held) >= 0.95


def test_a_loss_that_falls_is_a_negative_gap(draw):
    truth, better = draw()
    worse = np.full_like(better, 1 / 7)

    gap = paired_bootstrap(truth, worse, better, log_loss)

    assert gap.high < 0


def test_mcnemar_matches_seven_discordant_images_computed_by_hand():
    truth = np.zeros(20, dtype=int)
    baseline, candidate = np.zeros(20, dtype=int), np.zeros(20, dtype=int)
    baseline[:6], candidate[6:7], baseline[7:9], candidate[7:9] = 1, 1, 2, 3

    seen = mcnemar(truth, baseline, candidate)

    assert (seen.images, seen.only_baseline, seen.only_candidate) == (20, 1, 6)
    assert seen.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert seen.discordance == 7 / 20


def test_mcnemar_agrees_with_statsmodels(two_models):
    for gap in (0.0, 0.05, 0.15, -0.1):
        truth, baseline, candidate = two_models(gap=gap)
        seen = mcnemar(truth, baseline, candidate)

        table = [[0, seen.only_baseline], [seen.only_candidate, 0]]

        theirs = statsmodels_mcnemar(table, exact=True).pvalue
        assert seen.p_value == pytest.approx(theirs, rel=1e-12)


def test_mcnemar_without_a_discordant_image_has_nothing_to_say():
    truth, wrong = np.array([0, 1, 2]), np.array([0, 1, 1])

    assert mcnemar(truth, wrong, wrong).p_value == 1.0


def test_mcnemar_gives_no_more_false_alarms_than_it_says(two_models):
    alarms = [mcnemar(*two_models(gap=0.0)).p_value < 0.05 for _ in range(400)]

    assert np.mean(alarms) <= 0.05


def test_holm_matches_four_tests_adjusted_by_hand():
    adjusted = holm(np.array([0.01, 0.04, 0.03, 0.005]))

    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_agrees_with_statsmodels(rng):
    for tests in (1, 2, 10):
        p_values = rng.random(tests) ** 3

        theirs = multipletests(p_values, method="holm")[1]

        assert holm(p_values).tolist() == pytest.approx(theirs.tolist())


@pytest.mark.parametrize("p_values", [[], [0.5, 1.1], [-0.1], [float("nan")]])
def test_holm_refuses_what_is_no_p_value(p_values):
    with pytest.raises(ValueError, match="expected p-values between 0 and 1"):
        holm(np.array(p_values, dtype=float))


@pytest.mark.usefixtures("outside_tests")
def test_two_runs_that_are_not_aligned_are_refused():
    truth = np.array([0, 1, 2])

    with pytest.raises(ValueError, match="align both on the same images first"):
        mcnemar(truth, truth, truth[:2])
    with pytest.raises(ValueError, match="align both on the same images first"):
        paired_bootstrap(truth, truth[:2], truth, accuracy)


def test_the_gap_between_two_calibration_errors_may_fall_below_zero(draw):
    truth, honest = draw(sharpness=1.0)
    boastful = np.where(np.eye(7)[honest.argmax(axis=1)] == 1, 0.94, 0.01)

    gap = paired_bootstrap(truth, boastful, honest, expected_calibration_error)

    assert gap.value < 0
    assert gap.low < gap.value < gap.high
    assert gap.value - gap.low == pytest.approx(gap.high - gap.value)


@pytest.mark.parametrize("images", [1, 4, 9])
def test_the_bound_is_the_smallest_p_value_of_all_answers_with_these_counts(images):
    smallest = {}
    for both, lost, won in np.ndindex(*[images + 1] * 3):
        if both + lost + won <= images:
            baseline = np.r_[np.ones(both + lost), np.zeros(images - both - lost)].astype(int)
            candidate = np.r_[np.ones(both), np.zeros(lost), np.ones(won)]
            candidate = np.r_[candidate, np.zeros(images - len(candidate))].astype(int)
            p = mcnemar(np.ones(images, int), baseline, candidate).p_value
            counts = both + lost, both + won
            smallest[counts] = min(p, smallest.get(counts, 1.0))

    bounds = {counts: mcnemar_bound(*counts, images) for counts in smallest}

    assert len(bounds) == (images + 1) ** 2
    assert bounds == pytest.approx(smallest)


def test_five_photos_never_establish_a_gap_and_six_may():
    assert mcnemar_bound(125, 130, 158) == mcnemar_bound(130, 125, 158) == 0.0625
    assert mcnemar_bound(125, 131, 158) == 0.03125


def test_counts_that_are_no_counts_of_the_images_have_no_bound():
    with pytest.raises(ValueError, match="between 0 and 158, found 125 and 159"):
        mcnemar_bound(125, 159, 158)


@pytest.mark.parametrize("differences", [[1, -2, 3, 0, 2], [2, 2, 2, -4], [3], [0, 0], [1] * 9])
def test_flipped_signs_are_counted_exactly(differences):
    sums = [
        sum(sign * d for sign, d in zip(signs, differences, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]

    p = flipped(np.array(differences))

    assert p == pytest.approx(np.mean(np.abs(sums) >= abs(sum(differences))))


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_with_one_run_each_flipping_signs_is_the_exact_mcnemar_test(two_models, gap):
    truth, baseline, candidate = two_models(gap=gap)

    p = sign_flip(truth, [baseline], [candidate])

    assert p == pytest.approx(mcnemar(truth, baseline, candidate).p_value)
    assert sign_flip(truth, [baseline] * 3, [candidate] * 2) == pytest.approx(p)


def test_flipping_signs_counts_every_run_of_both_recipes():
    truth = np.zeros(4, dtype=int)
    baseline = [np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0])]
    candidate = [np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]), np.array([0, 0, 1, 0])]

    p = sign_flip(truth, baseline, candidate)

    # Sixths: 12 - 1, 12 + 1 and 12 + 3 reach 11, as do their opposites, out of 16 choices.
    assert p == flipped(np.array([6, 6, 1, -2])) == pytest.approx(6 / 16)
    assert sign_flip(truth, candidate, baseline) == p


def test_a_recipe_without_a_run_has_no_test():
    with pytest.raises(ValueError, match="at least one run of each recipe, found 0 and 1"):
        sign_flip(np.zeros(2, dtype=int), [], [np.zeros(2, dtype=int)])
