import numpy as np
import pytest
from scipy.stats import binomtest, multinomial
from statsmodels.stats.proportion import power_proportions_2indep

from vitrine.metrics.power import (
    mcnemar_power,
    smallest_paired_gap,
    smallest_unpaired_gap,
)


@pytest.mark.parametrize("gap", [0.0, 0.3, -0.3, 0.5])
def test_power_is_the_chance_of_all_outcomes_that_the_test_rejects(gap):
    images, discordance = 12, 0.5
    won, lost = (discordance + gap) / 2, (discordance - gap) / 2
    outcomes = [(b, c) for b in range(13) for c in range(13 - b)]

    chances = multinomial(images, [won, lost, 1 - discordance])
    enumerated = sum(
        chances.pmf([b, c, images - b - c])
        for b, c in outcomes
        if b + c and binomtest(b, b + c).pvalue <= 0.05
    )

    power = mcnemar_power(gap, images=images, discordance=discordance)
    assert power == pytest.approx(enumerated, rel=1e-9)


@pytest.mark.parametrize("discordance", [0.05, 0.2, 0.5])
def test_the_exact_test_gives_no_more_false_alarms_than_alpha(discordance):
    assert mcnemar_power(0.0, images=158, discordance=discordance) <= 0.05


@pytest.mark.parametrize("discordance", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.9])
def test_the_smallest_gap_is_found_with_the_power_asked_for(discordance, power):
    gap = smallest_paired_gap(images=158, discordance=discordance, power=power)

    found = mcnemar_power(gap, images=158, discordance=discordance)
    assert found == pytest.approx(power, abs=1e-6)


def test_more_images_and_fewer_disagreements_show_a_smaller_gap():
    gap = smallest_paired_gap(images=158, discordance=0.2)

    assert smallest_paired_gap(images=1050, discordance=0.2) < gap / 2
    assert smallest_paired_gap(images=158, discordance=0.1) < gap


def test_the_unpaired_gap_matches_the_formula_and_the_power_of_statsmodels():
    gap = smallest_unpaired_gap(images=158, accuracy=0.8)

    found = power_proportions_2indep(gap, 0.8 - gap / 2, 158, return_results=False)

    assert gap == pytest.approx((1.959964 + 0.841621) * np.sqrt(2 * 0.16 / 158), rel=1e-5)
    assert found == pytest.approx(0.8, abs=0.01)
    assert smallest_unpaired_gap(images=158) > gap


def test_models_that_hardly_disagree_have_no_gap_to_show():
    with pytest.raises(ValueError, match="found 0.02 of 158.*use more images"):
        smallest_paired_gap(images=158, discordance=0.02)


def test_a_power_that_chance_alone_reaches_is_refused():
    with pytest.raises(ValueError, match="power above alpha = 0.5, found 0.1"):
        smallest_paired_gap(images=158, discordance=0.2, power=0.1, alpha=0.5)


def test_a_gap_beyond_the_disagreements_is_refused():
    with pytest.raises(ValueError, match="at most the discordance, 0.1, found 0.2"):
        mcnemar_power(0.2, images=158, discordance=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0, "discordance": 0.2}, "at least one image, found 0"),
        ({"images": 158, "discordance": 20.0}, "discordance strictly between 0 and 1, found 20"),
        ({"images": 158, "discordance": 0.2, "power": 80.0}, "power strictly between"),
        ({"images": 158, "discordance": 0.2, "alpha": 0.0}, "alpha strictly between"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        smallest_paired_gap(**options)
