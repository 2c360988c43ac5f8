"""The rule that calls a gap settled, and its power by simulation.

The power of a test alone says too much for a rule that asks an interval as well and corrects the
test over its table. So the rule is applied to answers drawn from a simple world: two recipes, run
once or several times each, that differ on some images for good, and on others by the luck of a run.

Source of the warning: Card et al., "With Little Power Comes Great Responsibility",
arXiv:2010.06595.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool

from vitrine.metrics.intervals import Interval, percentile
from vitrine.metrics.paired import flipped
from vitrine.metrics.resampling import over_runs

__all__ = ["ALPHA", "World", "settled", "settled_share", "smallest_settled_gap"]

ALPHA = 0.05
"""Level of the tests, after correction over their table."""
EXPERIMENTS, DRAWS = 400, 500
"""Tables of answers drawn in a simulation, and resamplings of each."""


def settled(gap: Interval, p_value: float, repeated: Interval | None = None) -> bool:
    """Tell whether a gap is settled: its interval excludes zero and its test agrees.

    The interval draws the images and the seeds again; the test asks whether images of no
    preference could do it. Neither knows of other training images: an interval that does, over
    repeated folds, must be on the same side where the caller has one. A gap on every photo is given
    it where both recipes were repeated; one on the test photos alone, or in the report of a user's
    own photos, which reads one repetition, never is.

    Args:
        gap: The gap of two recipes.
        p_value: That of its test, corrected over the table of tests (``vitrine.metrics.paired``).
        repeated: Gap over repeated folds, with its corrected interval; ``None`` asks for none.
    """
    agrees = repeated is None or (repeated.excludes_zero and repeated.low * gap.low > 0)
    return gap.excludes_zero and p_value < ALPHA and agrees


@dataclass(frozen=True, kw_only=True)
class World:
    """Assumptions on two recipes under which the power of the rule is simulated.

    Attributes:
        images: Images that both answer.
        discordance: Share on which just one is right, of two runs, one of each recipe.
        runs: Runs of each recipe.
        between: Share on which two runs of one recipe are not both right or both wrong: images
            that every run answers as a coin would.
    """

    images: int
    discordance: float
    runs: int = 1
    between: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.between < self.discordance <= 1 or self.images < 1 or self.runs < 1:
            raise ValueError(
                "expected at least one image and one run, and runs of one recipe that disagree "
                f"less than those of two, found {self}; measure both on validation images"
            )

    def answers(self, gap: float, rng: np.random.Generator) -> Bool[np.ndarray, "side image run"]:
        """Draw who is right: the baseline's runs, then those of a candidate ``gap`` ahead."""
        stable = self.discordance - self.between
        shares = (stable + gap) / 2, (stable - gap) / 2, 2 * self.between
        kind = np.searchsorted(np.cumsum(shares), rng.random(self.images), side="right")
        right = np.ones((2, self.images, self.runs), dtype=bool)
        right[0, kind == 0] = False
        right[1, kind == 1] = False
        coin = kind == 2  # noqa: PLR2004  (the third share)
        right[:, coin] = rng.random((2, int(coin.sum()), self.runs)) < 1 / 2
        return right


def settled_share(gap: float, world: World, *, tests: int = 1, seed: int = 0) -> float:
    """Return how often the rule settles a gap in favour of the recipe that is ahead.

    Without a gap this is half the chance of a false alarm.

    Args:
        gap: True difference of accuracy; at most ``discordance - between``.
        world: What is supposed of the two recipes.
        tests: Tests that Holm corrects together; the gap is taken as the first in line.
        seed: Seeds the draws.
    """
    rng = np.random.default_rng(seed)
    drawn = (world.answers(gap, rng) for _ in range(EXPERIMENTS))
    return float(np.mean([_settles(right, tests, rng) for right in drawn]))


@cache
def smallest_settled_gap(world: World, *, power: float = 0.8, tests: int = 1) -> float:
    """Return the smallest gap that the rule settles with the given power, by simulation.

    Args:
        world: What is supposed of the two recipes.
        power: Chance wanted of settling the gap.
        tests: Tests that Holm corrects together; the gap is taken as the first in line.

    Raises:
        ValueError: If no gap at all can be settled so often.
    """
    low, high = 0.0, world.discordance - world.between
    if settled_share(high, world, tests=tests) < power:
        raise ValueError(
            f"expected a gap that is settled with a chance of {power}, found none in {world}; use "
            "more images"
        )
    while high - low > 1 / 1000:
        middle = (low + high) / 2
        found = settled_share(middle, world, tests=tests) >= power
        low, high = (low, middle) if found else (middle, high)
    return high


def _settles(
    right: Bool[np.ndarray, "side image run"], tests: int, rng: np.random.Generator
) -> bool:
    _, images, runs = right.shape
    before, after = right.sum(axis=2)
    p_value = min(1.0, tests * flipped(after - before))
    if p_value >= ALPHA or after.sum() <= before.sum():
        return False
    # Images alike weigh as one: their counts in a draw are those of a resampling of all images.
    code = np.hstack(list(right)) @ (1 << np.arange(2 * runs))
    _, first, counts = np.unique(code, return_index=True, return_counts=True)
    alike = np.hstack(list(right))[first]
    drawn = rng.multinomial(images, counts / images, size=DRAWS) @ alike / images
    means = [over_runs(drawn[:, side * runs : (side + 1) * runs], rng) for side in (0, 1)]
    gap = float(after.mean() - before.mean()) / runs
    return settled(percentile(gap, means[1] - means[0], level=1 - ALPHA), p_value)
