"""Statistical power: the smallest gap of accuracy that so many images can show.

All gaps are differences of accuracy, as shares. ``power`` is the chance of finding a gap that is
there, ``alpha`` the chance of finding one that is not.

Sources: Card et al., "With Little Power Comes Great Responsibility", arXiv:2010.06595;
Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions", doi:10.1002/0471445428.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import binom

from vitrine.metrics.intervals import check_share
from vitrine.metrics.settling import ALPHA

__all__ = ["mcnemar_power", "smallest_paired_gap", "smallest_unpaired_gap"]


def mcnemar_power(gap: float, *, images: int, discordance: float, alpha: float = ALPHA) -> float:
    """Return the chance that the exact McNemar test finds a gap, by adding up every outcome.

    The number of discordant images is Binomial(images, discordance); of those, the candidate wins
    each with chance ``(discordance + gap) / (2 discordance)``.

    Args:
        gap: True difference of accuracy between the two models.
        images: Images that both classify.
        discordance: Share of images on which just one of the two is right.
        alpha: Level of the test, two-sided.

    Raises:
        ValueError: If the gap exceeds the discordance, or an argument is out of range.
    """
    _check(images, discordance=discordance, alpha=alpha)
    if abs(gap) > discordance:
        raise ValueError(
            f"expected a gap of at most the discordance, {discordance}, found {gap}; two models "
            "cannot differ in accuracy by more than the images they disagree on"
        )
    discordant = np.arange(images + 1)
    edge = binom.ppf(alpha / 2, discordant, 0.5)
    edge = np.where(binom.cdf(edge, discordant, 0.5) <= alpha / 2, edge, edge - 1)
    win = (discordance + gap) / (2 * discordance)
    found = binom.cdf(edge, discordant, win) + binom.cdf(edge, discordant, 1 - win)
    return float(binom.pmf(discordant, images, discordance) @ found)


def smallest_paired_gap(
    *, images: int, discordance: float, power: float = 0.8, alpha: float = ALPHA
) -> float:
    """Return the smallest gap that the exact McNemar test finds with the given power.

    Args:
        images: Images that both models classify.
        discordance: Share of images on which just one of the two is right; measure it on
            validation images (``McNemar.discordance``), or state the range you allow.
        power: Chance wanted of finding the gap.
        alpha: Level of the test, two-sided.

    Raises:
        ValueError: If an argument is out of range, or no gap at all can be found: the models
            disagree on too few images.
    """
    _check(images, discordance=discordance, alpha=alpha, power=power)

    def shortfall(gap: float) -> float:
        return mcnemar_power(gap, images=images, discordance=discordance, alpha=alpha) - power

    if shortfall(0.0) >= 0:
        raise ValueError(f"expected power above alpha = {alpha}, found {power}; 0.8 is customary")
    if shortfall(discordance) < 0:
        raise ValueError(
            f"expected models that disagree on enough images, found {discordance:.3g} of {images}, "
            f"with which no gap has a chance of {power} to be found; use more images"
        )
    return float(brentq(shortfall, 0.0, discordance, xtol=1e-9))


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
