"""Tables of scores: of one model, of all of them, of the gaps between two."""

from collections.abc import Mapping

import pandas as pd

from vitrine.metrics import Interval
from vitrine.metrics.panel import METRICS
from vitrine.metrics.table import Announced
from vitrine.report.fr import NO_BREAK, THIN, bracket, number
from vitrine.report.tables.shown import with_interval

__all__ = ["SMALLEST_P", "announced", "comparison", "scores"]

SMALLEST_P = 0.001
"""The smallest p-value that is written out."""


def scores(panels: Mapping[str, Mapping[str, Interval]]) -> pd.DataFrame:
    """List scores with their 95 % intervals: a row a score, a column a model.

    Args:
        panels: By name of model, what ``metrics.panel`` returned.
    """
    first = next(iter(panels.values()))
    table = pd.DataFrame({"Mesure": [METRICS[name].heading for name in first]})
    for model, panel in panels.items():
        table[model] = [with_interval(name, interval) for name, interval in panel.items()]
    return table


def comparison(
    panels: Mapping[str, Mapping[str, Interval]],
    *,
    seeds: Mapping[str, int],
    leaders: Mapping[str, str | None],
) -> pd.DataFrame:
    """List models with the scores that are compared: a row a model, a column a score.

    Args:
        panels: By name of model, what ``metrics.table.recipe_panel`` returned.
        seeds: By name of model, the runs that its scores are a mean of.
        leaders: By score shown, the model that leads where one does; its cell gets a star.
    """
    rows = []
    for model, panel in panels.items():
        row = {"Modèle": model, "Graines": seeds[model]}
        for name, led_by in leaders.items():
            star = f"{THIN}★" if led_by == model else ""
            row[METRICS[name].heading] = with_interval(name, panel[name]) + star
        rows.append(row)
    return pd.DataFrame(rows)


def announced(compared: Mapping[str, Announced]) -> pd.DataFrame:
    """List the announced comparisons: gaps, discordant pairs, tests, and whether a gap is settled.

    The p-value is Holm's, which decides; a page has no room for the raw one.

    Args:
        compared: By what is compared, what ``metrics.table.announced`` returned.
    """
    rows = []
    for name, found in compared.items():
        row = {"Comparaison": name}
        for metric, gap in found.gaps.items():
            row[f"{METRICS[metric].heading} (points)"] = _points(gap)
        if any(other.repeated for other in compared.values()):
            row["Répétitions (points)"] = _points(found.repeated) if found.repeated else ""
        first = found.first
        row["Paires discordantes (b, c)"] = f"{first.only_candidate}, {first.only_baseline}"
        row["p (Holm)"] = _p_value(found.adjusted)
        row["Établi"] = found.settled
        rows.append(row)
    return pd.DataFrame(rows)


def _points(gap: Interval) -> str:
    value, low, high = (number(100 * end, 1, sign=True) for end in (gap.value, gap.low, gap.high))
    return f"{value} {bracket(low, high)}"


def _p_value(p: float) -> str:
    return f"<{NO_BREAK}{number(SMALLEST_P, 3)}" if p < SMALLEST_P else number(p, 3)
