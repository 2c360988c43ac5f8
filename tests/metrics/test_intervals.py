import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from vitrine.metrics import Interval
from vitrine.metrics.intervals import percentile, wilson

Z = 1.959963984540054


def test_wilson_of_no_success_ends_where_algebra_says():
    interval = wilson(0, 10)

    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(Z**2 / (10 + Z**2))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_wilson_agrees_with_statsmodels(level):
    for total in (1, 7, 22, 158, 1050):
        for successes in {0, 1, total // 3, total - 1, total}:
            ours = wilson(successes, total, level=level)
            theirs = proportion_confint(successes, total, alpha=1 - level, method="wilson")

            assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.7, 0.8, 0.9, 0.97])
def test_wilson_covers_the_truth_about_as_often_as_it_says_on_158_images(share):
    successes = np.arange(159)
    held = [wilson(int(k), 158).low <= share <= wilson(int(k), 158).high for k in successes]

    coverage = binom.pmf(successes, 158, share) @ held

    assert coverage == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("low", "high", "excluded"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False), (-1, 0, False)],
)
def test_an_interval_excludes_zero_when_all_of_it_lies_on_one_side(low, high, excluded):
    assert Interval(0.5, float(low), float(high)).excludes_zero is excluded


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.1), (float("nan"), 1.0), (0.0, float("nan"))])
def test_an_interval_that_is_upside_down_or_undefined_is_refused(low, high):
    with pytest.raises(ValueError, match="expected low <= high"):
        Interval(0.1, low, high)


def test_percentile_keeps_the_middle_and_ignores_draws_without_a_score():
    replicates = np.append(np.arange(101.0), [np.nan] * 50)

    interval = percentile(12.0, replicates, level=0.9)

    assert interval.value == 12.0
    assert (interval.low, interval.high) == pytest.approx((5.0, 95.0))


def test_percentile_of_no_score_at_all_is_refused():
    with pytest.raises(ValueError, match="found it on none"):
        percentile(0.0, np.array([np.nan, np.nan]))


@pytest.mark.parametrize(("successes", "total"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_counts_that_are_no_proportion(successes, total):
    with pytest.raises(ValueError, match="between 0 and total successes"):
        wilson(successes, total)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_written_as_a_percentage_is_refused(level):
    with pytest.raises(ValueError, match="write 95 % as 0.95"):
        wilson(1, 2, level=level)
