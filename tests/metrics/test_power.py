import numpy as np
import pytest
from statsmodels.stats.proportion import power_proportions_2indep

from vitrine.metrics.power import smallest_unpaired_gap


def test_the_unpaired_gap_matches_the_formula_and_the_power_of_statsmodels():
    gap = smallest_unpaired_gap(images=158, accuracy=0.8)

    found = power_proportions_2indep(gap, 0.8 - gap / 2, 158, return_results=False)

    assert gap == pytest.approx((1.959964 + 0.841621) * np.sqrt(2 * 0.16 / 158), rel=1e-5)
    assert found == pytest.approx(0.8, abs=0.01)
    assert smallest_unpaired_gap(images=158) > gap


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, "at least one image, found 0"),
        ({"images": 158, "accuracy": 20.0}, "accuracy strictly between 0 and 1, found 20"),
        ({"images": 158, "power": 80.0}, "power strictly between"),
        ({"images": 158, "alpha": 0.0}, "alpha strictly between"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        smallest_unpaired_gap(**options)
