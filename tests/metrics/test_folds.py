import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from vitrine.metrics.folds import corrected_error, corrected_interval, corrected_p_value

TEN_FOLDS = 1 / 9


def test_two_folds_match_the_formula_written_by_hand():
    scores = np.array([0.8, 0.9])
    variance = 2 * 0.05**2

    error = corrected_error(scores, test_over_train=1.0)
    interval = corrected_interval(scores, test_over_train=1.0)

    assert error == pytest.approx(math.sqrt((1 / 2 + 1) * variance))
    assert interval.value == pytest.approx(0.85)
    assert interval.high - 0.85 == pytest.approx(12.7062047 * error)
    assert 0.85 - interval.low == pytest.approx(12.7062047 * error)


def test_without_the_correction_it_is_the_usual_t_test(rng):
    gaps = rng.normal(0.01, 0.02, size=10)
    usual = ttest_1samp(gaps, 0.0)

    interval = corrected_interval(gaps, test_over_train=1e-15)

    low, high = usual.confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert corrected_p_value(gaps, test_over_train=1e-15) == pytest.approx(usual.pvalue)


def test_repeating_folds_does_not_make_the_error_vanish(rng):
    scores = rng.normal(0.8, 0.02, size=10_000)

    error = corrected_error(scores, test_over_train=TEN_FOLDS)

    assert error == pytest.approx(0.02 * math.sqrt(TEN_FOLDS), rel=0.03)


@pytest.mark.parametrize(("folds", "repeats"), [(5, 2), (5, 10), (10, 1)])
def test_the_interval_holds_the_truth_when_folds_share_what_they_are_assumed_to(
    folds, repeats, rng
):
    shared = rng.normal(size=(600, 1)) * math.sqrt(1 / folds)
    own = rng.normal(size=(600, folds * repeats)) * math.sqrt(1 - 1 / folds)
    scores = 0.8 + 0.02 * (shared + own)

    corrected = [corrected_interval(row, test_over_train=1 / (folds - 1)) for row in scores]
    naive = [corrected_interval(row, test_over_train=1e-15) for row in scores]

    held = np.mean([interval.low <= 0.8 <= interval.high for interval in corrected])
    assert held == pytest.approx(0.95, abs=0.025)
    assert np.mean([interval.low <= 0.8 <= interval.high for interval in naive]) < 0.85


def test_the_test_and_the_interval_tell_the_same_story(rng):
    for shift in np.linspace(-0.03, 0.03, 25):
        gaps = rng.normal(shift, 0.02, size=10)

        interval = corrected_interval(gaps, test_over_train=1 / 4)
        p_value = corrected_p_value(gaps, test_over_train=1 / 4)

        assert interval.excludes_zero == (p_value < 0.05)


@pytest.mark.parametrize(("gap", "p_value"), [(0.0, 1.0), (0.25, 0.0)])
def test_gaps_that_are_all_equal_leave_no_doubt(gap, p_value):
    assert corrected_p_value(np.full(5, gap), test_over_train=1 / 4) == p_value


@pytest.mark.parametrize("scores", [[0.8], [0.8, float("nan")]])
def test_scores_without_a_spread_are_refused(scores):
    with pytest.raises(ValueError, match="finite scores of at least two splits"):
        corrected_interval(np.array(scores), test_over_train=1 / 4)


def test_a_ratio_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match=r"it is 1 / \(k - 1\) for k folds"):
        corrected_error(np.array([0.8, 0.9]), test_over_train=0.0)


def test_a_level_of_95_is_refused():
    with pytest.raises(ValueError, match="write 95 % as 0.95"):
        corrected_interval(np.array([0.8, 0.9]), test_over_train=1.0, level=95.0)
