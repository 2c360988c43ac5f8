"""Verdicts: sentences of the book, each declared with the condition that decides it.

One module a subject; :data:`CLAIMS` gathers them, and :func:`decide` words them for the ledger.
"""

from vitrine.report.ledger.verdicts import (
    comparison,
    controls,
    equal_start,
    explanation,
    folds,
    learning,
    robustness,
    service,
)
from vitrine.report.ledger.verdicts.claim import Ledger

__all__ = ["CLAIMS", "decide"]

CLAIMS = (
    *learning.CLAIMS,
    *comparison.CLAIMS,
    *folds.CLAIMS,
    *controls.CLAIMS,
    *equal_start.CLAIMS,
    *robustness.CLAIMS,
    *explanation.CLAIMS,
    *service.CLAIMS,
)
"""The sentences that prose may call with the role ``verdict``, beside that of each test."""


def decide(ledger: Ledger) -> dict[str, dict[str, str]]:
    """Return the state and the wording of each claim whose values are in the ledger."""
    verdicts = {}
    for claim in (*CLAIMS, *comparison.of_every_test(ledger)):
        if not all(key in ledger for key in claim.needs):
            continue
        held, text = claim.holds(ledger), claim.text
        if held is None:
            text = claim.cautious
        elif not held and claim.reverse:
            held, text = True, claim.reverse
        state = "undecided" if held is None else str(held).lower()
        verdicts[claim.key] = {"state": state, "text": text, "expression": claim.expression}
    return verdicts
