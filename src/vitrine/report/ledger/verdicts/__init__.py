"""Verdicts: sentences of the book, each declared with the condition that decides it.

``verdicts.toml`` declares them; :func:`decide` words them for the ledger.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from vitrine.report.ledger.verdicts import rules
from vitrine.report.ledger.verdicts.rules import Claim, Ledger
from vitrine.report.names import model_name

__all__ = ["CLAIMS", "decide", "of_every_test"]


def _declared() -> Iterator[Claim]:
    """Yield each claim of ``verdicts.toml``."""
    text = Path(__file__).with_name("verdicts.toml").read_text(encoding="utf-8")
    for name, told in tomllib.loads(text).items():
        always = told.pop("always", False)
        claim = _claim(name, told)
        yield _cautious_without_values(claim) if always else claim


def _claim(name: str, told: dict[str, Any]) -> Claim:
    """Return a claim: of a compared pair, of one value, or of a rule by its name."""
    if "settled" in told:
        return rules.settled_claim(name, told.pop("settled"), **told)
    if "interval" in told:
        return rules.by_interval(name, told.pop("interval"), **told)
    needs = tuple(told.pop("needs"))
    condition = told.pop("expression").format(**rules.NUMBERS)
    rule = rules.RULES[told.pop("rule")]

    def holds(ledger: Ledger) -> bool | None:
        return rule(ledger, needs)

    return Claim(key=name, expression=condition, needs=needs, holds=holds, **told)


def _cautious_without_values(claim: Claim) -> Claim:
    """Return a claim that is undecided where the ledger lacks its values.

    Without runs nothing is established either: the cautious sentence is then true as it is, so that
    a page may call the claim before the runs are there.
    """

    def holds(ledger: Ledger) -> bool | None:
        return claim.holds(ledger) if set(claim.needs) <= set(ledger) else None

    return replace(claim, needs=(), holds=holds)


CLAIMS = tuple(_declared())
"""The sentences that prose may call with the role ``verdict``, beside that of each test."""


def of_every_test(ledger: Ledger) -> Iterator[Claim]:
    """Yield a claim for each comparison of the ledger that has a test, whoever the recipes are."""
    places = {"gap": "sur les images de test", "oof_gap": "sur toutes les photos"}
    for key in ledger:
        gap, _, end = key.rpartition(".")
        if end == "holm" and f"{gap}.accuracy" in ledger:
            kind, candidate, baseline = gap.split(".")
            a, b = (f"« {model_name(name)} »" for name in (candidate, baseline))
            where = places[kind]
            yield rules.settled_claim(
                gap,
                gap,
                text=f"{where}, {a} fait mieux que {b}",
                cautious=f"{where}, aucune différence détectable entre {a} et {b}",
                reverse=f"{where}, {a} fait moins bien que {b}",
            )


def decide(ledger: Ledger) -> dict[str, dict[str, str]]:
    """Return the state and the wording of each claim whose values are in the ledger."""
    verdicts = {}
    for claim in (*CLAIMS, *of_every_test(ledger)):
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
