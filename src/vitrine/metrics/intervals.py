"""Confidence intervals: a number with its ends, Wilson's interval of a proportion, percentiles.

Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
doi:10.1080/01621459.1927.10502953.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

__all__ = ["Interval", "check_share", "percentile", "wilson", "wilson_bounds"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval, in the unit of the estimate.

    Attributes:
        value: The estimate; NaN where it is not defined.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(
                f"expected low <= high, found [{self.low}, {self.high}]; swap the ends, or look "
                "for a NaN in what was measured"
            )

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole range lies on one side of zero; an end at zero does not exclude it."""
        return self.low > 0 or self.high < 0


def wilson(successes: int, total: int, *, level: float = 0.95) -> Interval:
    """Return a proportion with Wilson's score interval, which stays honest near 0 and 1.

    Args:
        successes: Images that count, such as the right answers.
        total: Images in all.
        level: Coverage of the interval.

    Returns:
        The share and its interval, without continuity correction.

    Raises:
        ValueError: If ``total`` is below 1, ``successes`` is outside [0, total] or ``level``
            outside ]0, 1[.
    """
    if total < 1 or not 0 <= successes <= total:
        raise ValueError(
            f"expected between 0 and total successes out of at least one, found {successes} out "
            f"of {total}; count both on the same images"
        )
    low, high = wilson_bounds(np.array([float(successes)]), np.array([float(total)]), level=level)
    return Interval(successes / total, float(low[0]), float(high[0]))


def wilson_bounds(
    successes: Float[np.ndarray, " proportion"],
    totals: Float[np.ndarray, " proportion"],
    *,
    level: float = 0.95,
) -> tuple[Float[np.ndarray, " proportion"], Float[np.ndarray, " proportion"]]:
    """Return the ends of Wilson's interval for many proportions, as ``wilson`` does for one.

    Args:
        successes: What counts, in each proportion.
        totals: Out of how many; positive.
        level: Coverage of each interval, taken alone.

    Raises:
        ValueError: If ``level`` is outside ]0, 1[.
    """
    check_share(level, "level")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / totals
    centre = share + z**2 / (2 * totals)
    spread = z * np.sqrt(share * (1 - share) / totals + z**2 / (4 * totals**2))
    scale = 1 + z**2 / totals
    # At 0 and at 1 an end is that very number; rounding would leave it 1e-17 beyond.
    low = np.where(successes == 0, 0.0, (centre - spread) / scale)
    high = np.where(successes == totals, 1.0, (centre + spread) / scale)
    return low, high


def percentile(
    value: float, replicates: Float[np.ndarray, " draw"], *, level: float = 0.95
) -> Interval:
    """Return an estimate with the percentile interval of its bootstrap replicates.

    Args:
        value: Estimate on the whole sample.
        replicates: The estimate on each draw; a NaN, where a draw leaves it undefined, is ignored.
        level: Share of the replicates in the interval.

    Raises:
        ValueError: If ``level`` is outside ]0, 1[ or no replicate is defined.
    """
    check_share(level, "level")
    defined = replicates[~np.isnan(replicates)]
    if not defined.size:
        raise ValueError(
            "expected a score defined on some draw of the images, found it on none; choose a class "
            "that is present"
        )
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def check_share(value: float, name: str) -> None:
    """Refuse a number outside ]0, 1[, such as a level written as a percentage.

    Args:
        value: What was passed.
        name: What it is called there.

    Raises:
        ValueError: If it is not strictly between 0 and 1.
    """
    if not 0 < value < 1:
        raise ValueError(
            f"expected {name} strictly between 0 and 1, found {value}; write 95 % as 0.95"
        )
