"""Rules of decision that ``verdicts.toml`` names: each reads the values that a claim needs."""

from collections.abc import Callable

from vitrine.data import dataset
from vitrine.report.ledger.context import MARGIN
from vitrine.report.ledger.verdicts.claim import (
    ALPHA,
    Ledger,
    interval,
    sign,
    unanimous,
    with_recipes,
)

__all__ = ["NUMBERS", "RULES"]

ALIKE = 0.5
"""Rank correlation above which two maps of a photo are called alike."""
HALF, PROMPT = 0.5, 200.0
"""Share of the naive processor time, and milliseconds of a health probe, that were aimed at."""
CLASSES = len(dataset.current().classes)
NUMBERS: dict[str, object] = {
    "alike": ALIKE, "classes": CLASSES, "half": HALF, "margin": MARGIN, "prompt": f"{PROMPT:g}",
}  # fmt: skip
"""What the condition of a claim may quote of the numbers that decide it."""

Keys = tuple[str, ...]


def one_side(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell on which side of zero every interval lies: true above, false below."""
    return unanimous(sign(gap)(ledger) for gap in needs)


def all_but_last_above(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether the last interval alone lies below zero, where each lies on one side."""
    signs = [sign(gap)(ledger) for gap in needs]
    return None if None in signs else signs == [True] * (len(signs) - 1) + [False]


def apart(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether the first score is ahead, its interval disjoint, at no more than the budget."""
    ours, theirs = (interval(ledger, key) for key in needs[:2])
    spent, allowed = (ledger[key].value for key in needs[2:])
    if spent > allowed:
        return None
    if ours.low > theirs.high:
        return True
    return False if ours.high < theirs.low else None


def none_significant(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether no p-value is under the level."""
    return all(ledger[key].value >= ALPHA for key in needs)


def within_margin(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether an interval lies within the announced margin of zero, or wholly outside."""
    gap = interval(ledger, needs[0])
    if gap.low >= -MARGIN and gap.high <= MARGIN:
        return True
    return False if gap.low > MARGIN or gap.high < -MARGIN else None


def above_chance(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether an accuracy is above that of a draw among the classes."""
    score, chance = interval(ledger, needs[0]), 1 / CLASSES
    if score.low > chance:
        return True
    return False if score.high < chance else None


def above_majority(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether every trained model is above the constant answer."""
    trained = [r for r in with_recipes(ledger, "accuracy_clean") if r != "majority"]
    floor = interval(ledger, needs[0]).high
    return all(interval(ledger, f"{recipe}.accuracy").low > floor for recipe in trained)


def maps_alike(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether shuffled weights leave the maps alike for every network asked."""
    key = needs[0].rpartition(".")[2]
    return unanimous(ledger[f"{r}.{key}"].value > ALIKE for r in with_recipes(ledger, key))


def maps_differ(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether shuffled weights change the maps of every network asked."""
    alike = maps_alike(ledger, needs)
    return None if alike is None else not alike


def all_zero(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether every count is zero."""
    return all(ledger[key].value == 0 for key in needs)


def leaks_are_easier(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether photos with a double elsewhere are answered better, where the test says so."""
    p_value, right, answers, elsewhere = (ledger[key].value for key in needs)
    return None if p_value >= ALPHA else right / answers > elsewhere


def noise_is_worst(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether strong noise costs every model more than any other corruption does."""
    key = needs[0].rpartition(".")[2]
    beyond = [interval(ledger, f"{recipe}.{key}") for recipe in with_recipes(ledger, key)]
    if any(gap.low > 0 for gap in beyond):
        return False
    return True if all(gap.high < 0 for gap in beyond) else None


def scratch_unchanged(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether the interval of a change holds zero for every network from scratch."""
    key = needs[0].rpartition(".")[2]
    asked = [r for r in with_recipes(ledger, key) if r.endswith("-scratch")]
    changes = [interval(ledger, f"{recipe}.{key}") for recipe in asked]
    return all(change.low <= 0 <= change.high for change in changes)


def sooner(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether each wait of the first half is below its fellow of the second."""
    half = len(needs) // 2
    pairs = zip(needs[:half], needs[half:], strict=True)
    return unanimous(ledger[ours].value < ledger[theirs].value for ours, theirs in pairs)


def under_half(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether a share of the naive server's processor time is under the one aimed at."""
    return ledger[needs[0]].value < HALF


def prompt(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether every wait is under the one aimed at."""
    return all(ledger[key].value < PROMPT for key in needs)


def nothing_lost(ledger: Ledger, needs: Keys) -> bool:
    """Tell whether answers and refusals add up to the requests, for each model in turn."""
    third = len(needs) // 3
    counts = [[ledger[key].value for key in needs[i * third :][:third]] for i in range(3)]
    return all(a + r == asked for a, r, asked in zip(*counts, strict=True))


RULES: dict[str, Callable[[Ledger, Keys], bool | None]] = {
    rule.__name__: rule
    for rule in (
        one_side, all_but_last_above, apart, none_significant, within_margin, above_chance,
        above_majority, maps_alike, maps_differ, all_zero, leaks_are_easier, noise_is_worst,
        scratch_unchanged, sooner, under_half, prompt, nothing_lost,
    )
}  # fmt: skip
"""Rules by the name that ``verdicts.toml`` gives them."""
