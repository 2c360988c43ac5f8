"""Values of derived facts: robustness, importance of parts, embeddings, sanity checks."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import pandas as pd

from vitrine import paths
from vitrine.data import splits
from vitrine.data.corruptions import CORRUPTIONS, STRENGTHS
from vitrine.explain import importance, robustness
from vitrine.explain.facts import explained
from vitrine.metrics import Interval
from vitrine.report.ledger.values import COMPARISON, COUNT, PERCENT, Row, Value, provenance, table
from vitrine.training.runs import Run, derived
from vitrine.training.session import Session

__all__ = ["values"]

NOTEBOOK = "06_interpretabilite"
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
    for name, told in (
        ("robustness", partial(_robustness, split=split)),
        ("importance", _importance),
        ("embedding", _embedding),
        ("checks", _checks),
    ):
        for recipe, run in explained(session, name).items():
            for rows, n, notebook in told(run, labels):
                more = {"n": n, "notebook": notebook}
                keyed = {f"{recipe}.{key}": row for key, row in rows.items()}
                yield from table(keyed, **provenance([run]), **more)


Told = Iterator[tuple[dict[str, Row], int | None, str]]
"""Rows, the images they were measured on, and the chapter that shows them."""


def _robustness(run: Run, labels: pd.Series, *, split: splits.Split) -> Told:
    spoiled = derived.read(run, "robustness")
    turned = robustness.turned(spoiled, run.part("test"), split.part("test"))
    rows: dict[str, Row] = {
        "robust_none": (robustness.curve(spoiled, "noise", labels)[0], *PERCENT),
        "robust_turned": (turned, *COUNT),
        "noise_beyond_next": (_beyond_next(spoiled, labels), *PERCENT),
    }
    own = ("input", run.meta["recipe"]["image_size"])
    for corruption, strength in POINTS:
        if ((spoiled.corruption == corruption) & (spoiled.strength == strength)).any():
            reference = own if corruption == "input" else robustness.ASIS
            change = robustness.loss(spoiled, corruption, strength, labels, reference)
            rows[f"change_{corruption}_{strength}"] = (change, *PERCENT)
    yield rows, spoiled.row.nunique(), COMPARISON


def _importance(run: Run, labels: pd.Series) -> Told:
    borrowed = derived.read(run, "importance")
    rows: dict[str, Row] = {
        f"loss_{part}": (_points(importance.loss(borrowed, part, labels)), "points", 1)
        for part in importance.PARTS
    }
    for part, other in (("low", "high"), ("centre", "border")):
        gap = importance.gap(borrowed, part, other, labels)
        rows[f"loss_gap_{part}_{other}"] = (gap, *PERCENT)
    yield rows, borrowed.row.nunique(), NOTEBOOK


def _embedding(run: Run, labels: pd.Series) -> Told:
    share = derived.about(run, "embedding")["settings"]["neighbours_kept"]
    yield {"neighbours_kept": (share, "%", 0)}, None, NOTEBOOK


def _checks(run: Run, labels: pd.Series) -> Told:
    for name, values in derived.read(run, "checks").groupby("check")["value"]:
        row = ("worst_incompleteness", (values.max(), "%", 3))
        if name != "incompleteness":
            row = (name.replace("-", "_"), (values.abs().median(), "", 2))
        yield dict([row]), len(values), NOTEBOOK


def _points(share: Interval) -> Interval:
    return Interval(100 * share.value, 100 * share.low, 100 * share.high)


def _beyond_next(table: pd.DataFrame, labels: pd.Series) -> Interval:
    """Return what the strongest noise costs more than the other corruption closest to it."""
    last = STRENGTHS[-1]
    others = [(name, last) for name in CORRUPTIONS if name != "noise"]
    gaps = [robustness.loss(table, "noise", last, labels, other) for other in others]
    return max(gaps, key=lambda gap: gap.high)
