from itertools import combinations

import numpy as np
import pytest
from scipy.stats import hypergeom

from vitrine.metrics.paired import easier


@pytest.mark.parametrize("seed", range(5))
def test_the_chance_of_a_group_is_counted_over_every_group_of_its_size(seed):
    rng = np.random.default_rng(seed)
    scores, chosen = rng.integers(0, 4, 8), np.arange(8) < 3
    sums = np.array([sum(group) for group in combinations(scores.tolist(), 3)])
    found = scores[chosen].sum()

    p = easier(scores, chosen)

    assert p == pytest.approx(min(1, 2 * min((sums <= found).mean(), (sums >= found).mean())))


def test_the_other_images_tell_the_same():
    scores = np.random.default_rng(0).integers(0, 12, 30)
    chosen = np.arange(30) < 6

    assert easier(scores, chosen) == pytest.approx(easier(scores, ~chosen))


def test_groups_beyond_what_a_float_counts_are_weighed_all_the_same():
    right, chosen = np.arange(1047) % 50 == 0, np.arange(1047) % 2 == 0

    p = easier(right.astype(int), chosen)

    law, found = hypergeom(1047, right.sum(), chosen.sum()), (right & chosen).sum()
    assert p == pytest.approx(min(1, 2 * min(law.cdf(found), law.sf(found - 1))))


@pytest.mark.parametrize("chosen", [[False, False], [True, True]])
def test_a_group_of_none_or_of_all_is_refused(chosen):
    with pytest.raises(ValueError, match="neither none nor all"):
        easier(np.array([1, 2]), np.array(chosen))
