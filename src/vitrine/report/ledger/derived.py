"""Numbers of derived facts: how models hold on spoiled photos, and what they look at."""

from collections.abc import Iterator
from itertools import product

import pandas as pd

from vitrine import paths
from vitrine.data import splits
from vitrine.data.corruptions import CORRUPTIONS, STRENGTHS
from vitrine.explain import importance, robustness
from vitrine.explain.facts import explained
from vitrine.metrics import Interval
from vitrine.report.ledger.values import Value, from_runs
from vitrine.training.runs import Run, derived
from vitrine.training.session import Session

__all__ = ["values"]

COMPARISON, NOTEBOOK = "05_comparaison", "06_interpretabilite"
POINTS = (
    *product(CORRUPTIONS, (3, 5)),
    *(("thumbnail", side) for side in robustness.THUMBNAILS),
    *(("input", side) for side in robustness.INPUT_SIDES),
)
"""Conditions whose change of accuracy the prose may cite."""


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of every run that has derived facts: robustness, importance, checks."""
    split = splits.load()
    session = Session("published", split, paths.runs(), photos=False)
    labels = split.frame.set_index("row").label
    for recipe, run in explained(session, "robustness").items():
        table = derived.read(run, "robustness")
        more = {"unit": "%", "decimals": 1, "n": table.row.nunique(), "notebook": COMPARISON}
        plain = robustness.curve(table, "noise", labels)[0]
        yield f"{recipe}.robust_none", from_runs(plain, [run], **more)
        turned = robustness.turned(table, run.part("test"), split.part("test"))
        count = more | {"unit": "count", "decimals": 0}
        yield f"{recipe}.robust_turned", from_runs(turned, [run], **count)
        for corruption, strength in POINTS:
            if ((table.corruption == corruption) & (table.strength == strength)).any():
                own = ("input", run.meta["recipe"]["image_size"])
                reference = own if corruption == "input" else robustness.ASIS
                change = robustness.loss(table, corruption, strength, labels, reference)
                key = f"{recipe}.change_{corruption}_{strength}"
                yield key, from_runs(change, [run], **more)
        yield f"{recipe}.noise_beyond_next", from_runs(_beyond_next(table, labels), [run], **more)
    for recipe, run in explained(session, "importance").items():
        table = derived.read(run, "importance")
        more = {"decimals": 1, "n": table.row.nunique(), "notebook": NOTEBOOK}
        for part in importance.PARTS:
            loss = importance.loss(table, part, labels)
            yield f"{recipe}.loss_{part}", from_runs(_points(loss), [run], **more, unit="points")
        for part, other in (("low", "high"), ("centre", "border")):
            gap = importance.gap(table, part, other, labels)
            yield f"{recipe}.loss_gap_{part}_{other}", from_runs(gap, [run], **more, unit="%")
    for recipe, run in explained(session, "embedding").items():
        share = derived.about(run, "embedding")["settings"]["neighbours_kept"]
        more = {"unit": "%", "decimals": 0, "notebook": NOTEBOOK}
        yield f"{recipe}.neighbours_kept", from_runs(share, [run], **more)
    for recipe, run in explained(session, "checks").items():
        yield from ((f"{recipe}.{key}", value) for key, value in _checks(run))


def _points(share: Interval) -> Interval:
    return Interval(100 * share.value, 100 * share.low, 100 * share.high)


def _beyond_next(table: pd.DataFrame, labels: pd.Series) -> Interval:
    """Return what the strongest noise costs more than the other corruption closest to it."""
    last = STRENGTHS[-1]
    others = [(name, last) for name in CORRUPTIONS if name != "noise"]
    gaps = [robustness.loss(table, "noise", last, labels, other) for other in others]
    return max(gaps, key=lambda gap: gap.high)


def _checks(run: Run) -> Iterator[tuple[str, Value]]:
    table = derived.read(run, "checks")
    for name, found in table.groupby("check")["value"]:
        more = {"n": len(found), "notebook": NOTEBOOK}
        if name == "incompleteness":
            worst = from_runs(found.max(), [run], unit="%", decimals=3, **more)
            yield "worst_incompleteness", worst
        else:
            typical = from_runs(found.abs().median(), [run], unit="", decimals=2, **more)
            yield name.replace("-", "_"), typical
