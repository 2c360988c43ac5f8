"""A verdict with what decides it, and the rules of decision that several subjects share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from vitrine.metrics import Interval
from vitrine.metrics.settling import ALPHA, settled
from vitrine.report.ledger.values import Value

__all__ = [
    "ALPHA",
    "Claim",
    "Ledger",
    "by_interval",
    "settled_claim",
    "sign",
    "unanimous",
    "with_recipes",
]

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
