"""A verdict with what decides it, and the rules of decision that ``verdicts.toml`` names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from vitrine.data import dataset
from vitrine.metrics import Interval
from vitrine.metrics.settling import ALPHA, settled
from vitrine.report.ledger.context import MARGIN
from vitrine.report.ledger.values import Value

__all__ = ["NUMBERS", "RULES", "Claim", "Ledger", "by_interval", "settled_claim"]

Ledger = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A verdict as it is declared: its wordings and the condition that chooses one.

    Attributes:
        key: Name under which prose calls it.
        text: What is said when it is true, in French, without a number.
        cautious: What is said when the data cannot tell (the interval holds zero).
        reverse: What is said when it is false; without it, a false claim stops the build.
        expression: The condition in words, shown in the tooltip.
        needs: Keys that must be in the ledger; without them the claim is left out.
        holds: True, false, or ``None`` when undecided.
    """

    key: str
    text: str
    cautious: str = ""
    reverse: str | None = None
    expression: str
    needs: tuple[str, ...]
    holds: Callable[[Ledger], bool | None]


def sign(
    key: str, test: str | None = None, repeated: str | None = None
) -> Callable[[Ledger], bool | None]:
    """Return a decision: true if the whole interval is above zero, false if below, else undecided.

    Args:
        key: Gap, with its interval.
        test: Corrected p-value that must agree; without it the interval decides alone.
        repeated: The same gap over repeated folds, which must agree where the ledger has it.
    """

    def decided(ledger: Ledger) -> bool | None:
        gap = interval(ledger, key)
        again = interval(ledger, repeated) if repeated and repeated in ledger else None
        if not settled(gap, ledger[test].value if test else 0.0, again):
            return None
        return gap.low > 0

    return decided


def by_interval(
    name: str, gap: str, *, corrected: bool = False, note: str = "", **wordings: str
) -> Claim:
    """Return a claim that the interval of one value decides: on which side of zero it lies.

    Args:
        name: Key of the claim.
        gap: Key of the value.
        corrected: Whether its interval is the corrected one, over repeated folds.
        note: What the interval leaves out, told after the condition.
        wordings: ``text``, ``cautious`` and ``reverse``, as ``Claim``.
    """
    interval = "intervalle corrigé à 95 %" if corrected else "intervalle à 95 %"
    return Claim(
        key=name,
        expression=f"{interval} de {gap} d’un seul côté de zéro ; indécis sinon{note}",
        needs=(gap,),
        holds=sign(gap),
        **wordings,
    )


def settled_claim(name: str, gap: str, **wordings: str) -> Claim:
    """Return a claim that the rule of settled gaps decides (``vitrine.metrics.settling``).

    On every photo, the gap over all repetitions must agree too, where there is one.

    Args:
        name: Key of the claim.
        gap: Prefix of the comparison in the ledger.
        wordings: ``text``, ``cautious`` and ``reverse``, as ``Claim``.
    """
    repeated = f"{gap}.cv_accuracy" if gap.startswith("oof_gap.") else None
    return Claim(
        key=name,
        expression=f"intervalle à 95 % de {gap}.accuracy d’un seul côté de zéro"
        + (f", comme {gap}.cv_accuracy là où il y en a un" if repeated else "")
        + ", et test des signes permutés, corrigé (Holm), sous 0,05 ; indécis sinon",
        needs=(f"{gap}.accuracy", f"{gap}.holm"),
        holds=sign(f"{gap}.accuracy", f"{gap}.holm", repeated),
        **wordings,
    )


def unanimous(answers: Iterable[bool | None]) -> bool | None:
    """Return what all answers say, and ``None`` where they differ or there is none."""
    said = set(answers)
    return said.pop() if len(said) == 1 else None


def interval(ledger: Ledger, key: str) -> Interval:
    """Return a value with its interval.

    Raises:
        ValueError: If it has none.
    """
    entry = ledger[key]
    if entry.low is None or entry.high is None:
        raise ValueError(f"expected an interval for {key} in the ledger, found none")
    return Interval(entry.value, entry.low, entry.high)


def with_recipes(ledger: Ledger, key: str) -> list[str]:
    """Return the recipes of which the ledger holds the value ``key``."""
    return [name.removesuffix(f".{key}") for name in ledger if name.endswith(f".{key}")]


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


def any_settled(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether a gap is settled, whichever its side: true, or else undecided.

    ``needs`` names the accuracy and the corrected p-value of each gap in turn.
    """
    gaps = zip(needs[::2], needs[1::2], strict=True)
    return any(sign(gap, test)(ledger) is not None for gap, test in gaps) or None


def all_but_last_above(ledger: Ledger, needs: Keys) -> bool | None:
    """Tell whether the last interval lies below zero and the others above, or all on one side."""
    signs = [sign(gap)(ledger) for gap in needs]
    if signs == [True] * (len(signs) - 1) + [False]:
        return True
    return False if None not in signs and len(set(signs)) == 1 else None


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
        one_side, any_settled, all_but_last_above, apart, none_significant, within_margin,
        above_chance, above_majority, maps_alike, maps_differ, all_zero, leaks_are_easier,
        noise_is_worst, scratch_unchanged, sooner, under_half, prompt, nothing_lost,
    )
}  # fmt: skip
"""Rules by the name that ``verdicts.toml`` gives them."""
