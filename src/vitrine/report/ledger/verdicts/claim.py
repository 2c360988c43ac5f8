"""A sentence of the book with what decides it, and the decisions that several subjects share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vitrine.metrics import Interval
from vitrine.metrics.settling import ALPHA, settled
from vitrine.report.ledger.values import Value

__all__ = ["ALPHA", "Claim", "Ledger", "sign", "with_recipes"]

Ledger = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence bound to the ledger.

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
    cautious: str
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
        gap = _interval(ledger, key)
        again = _interval(ledger, repeated) if repeated in ledger else None
        if not settled(gap, ledger[test].value if test else 0.0, again):
            return None
        return gap.low > 0

    return decided


def _interval(ledger: Ledger, key: str) -> Interval:
    entry = ledger[key]
    if entry.low is None or entry.high is None:
        raise ValueError(f"expected an interval for {key} in the ledger, found none")
    return Interval(entry.value, entry.low, entry.high)


def with_recipes(ledger: Ledger, key: str) -> list[str]:
    """Return the recipes of which the ledger holds the value ``key``."""
    return [name.removesuffix(f".{key}") for name in ledger if name.endswith(f".{key}")]
