"""Statistical power: the smallest gap of accuracy that so many images can show.

All gaps are differences of accuracy, as shares. ``power`` is the chance of finding a gap that is
there, ``alpha`` the chance of finding one that is not.

Source: Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions",
doi:10.1002/0471445428.
"""

import math

from scipy.special import ndtri

from vitrine.metrics.intervals import check_share
from vitrine.metrics.settling import ALPHA

__all__ = ["smallest_unpaired_gap"]


def smallest_unpaired_gap(
    *, images: int, accuracy: float = 0.5, power: float = 0.8, alpha: float = ALPHA
) -> float:
    """Return the smallest gap that two models tested on different images could show.

    ``(z_a + z_b) sqrt(2 p (1 - p) / images)``: the simple bound, for a reader who has only two
    published accuracies and not the answers image by image.

    Args:
        images: Images in each of the two tests.
        accuracy: Common accuracy ``p`` around which the gap is sought; one half is the worst case.
        power: Chance wanted of finding the gap.
        alpha: Level of the test, two-sided.

    Raises:
        ValueError: If an argument is out of range.
    """
    _check(images, accuracy=accuracy, alpha=alpha, power=power)
    quantiles = float(ndtri(1 - alpha / 2) + ndtri(power))
    return quantiles * math.sqrt(2 * accuracy * (1 - accuracy) / images)


def _check(images: int, **shares: float) -> None:
    if images < 1:
        raise ValueError(f"expected at least one image, found {images}; pass the size of the test")
    for name, value in shares.items():
        check_share(value, name)
