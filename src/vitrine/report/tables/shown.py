"""Show a table in a page: numbers in French and to the right, text that wraps."""

import html
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitrine.metrics import Interval
from vitrine.metrics.panel import METRICS
from vitrine.report.fr import MINUS, NO_BREAK, THIN, bracket, number

__all__ = ["Shown", "show", "with_interval"]


@dataclass(frozen=True)
class Shown:
    """A table as a page shows it: no index, numbers in French and to the right, text that wraps.

    pandas cuts long texts, and its styled tables carry a memory address that changes at each run.

    Attributes:
        frame: What is shown.
        decimals: Digits after the comma of the numbers that are not whole.
    """

    frame: pd.DataFrame
    decimals: int = 1

    def _texts(self) -> list[list[str]]:
        return [[self._text(value) for value in row] for row in self.frame.itertuples(index=False)]

    def _text(self, value: object) -> str:
        if isinstance(value, bool | np.bool_):
            return "oui" if value else "non"
        if isinstance(value, int | np.integer):
            return number(value)
        if isinstance(value, float | np.floating):
            return "" if np.isnan(value) else number(value, self.decimals)
        return str(value)

    def __repr__(self) -> str:
        rows = [list(map(str, self.frame.columns)), *self._texts()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        rows = self._texts()
        right = [
            all(re.match(rf"(<{NO_BREAK}|[+{MINUS}])?\d|$", row[i]) for row in rows)
            for i in range(self.frame.shape[1])
        ]
        styles = [' class="nombre" style="text-align: right"' if r else "" for r in right]
        head = "".join(
            f'<th scope="col"{style}>{html.escape(str(name))}</th>'
            for name, style in zip(self.frame.columns, styles, strict=True)
        )
        body = "\n".join(
            "<tr>"
            + "".join(f"<td{s}>{html.escape(c)}</td>" for s, c in zip(styles, row, strict=True))
            + "</tr>"
            for row in rows
        )
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def show(frame: pd.DataFrame, decimals: int = 1) -> Shown:
    """Return a table for the last line of a cell."""
    return Shown(frame, decimals)


def with_interval(metric: str, interval: Interval) -> str:
    """Write a score with its interval as its metric says: a share as a percentage.

    Args:
        metric: Name of the metric, in ``vitrine.metrics.panel.METRICS``.
        interval: The score.
    """
    declared = METRICS[metric]
    scale, unit = (100, f"{THIN}%") if declared.is_share else (1, "")
    value, low, high = (
        number(scale * end, declared.decimals)
        for end in (interval.value, interval.low, interval.high)
    )
    return f"{value}{unit} {bracket(low, high)}"
