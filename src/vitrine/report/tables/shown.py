"""The way a page shows a table: numbers in French, text that wraps."""

import html
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitrine.metrics import Interval

__all__ = ["NO_BREAK", "THIN", "Shown", "number", "show", "with_interval"]

THIN, MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"


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
            all(re.match(rf"[+{MINUS}]?\d|$", row[i]) for row in rows)
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


def number(value: float | int, decimals: int = 0) -> str:
    """Write a number in French: decimal comma, thousands set apart, a true minus."""
    text = f"{abs(value):,.{decimals}f}".replace(",", THIN).replace(".", ",")
    return (MINUS if value < 0 and any(c in "123456789" for c in text) else "") + text


def with_interval(metric: str, interval: Interval) -> str:
    """Write a score with the interval that goes with it, a share as a percentage."""
    share = metric not in ("log_loss", "brier")
    value, low, high = (
        number(100 * end, 1) if share else number(end, 2)
        for end in (interval.value, interval.low, interval.high)
    )
    return f"{value}{THIN + '%' if share else ''} [{low}{NO_BREAK};{NO_BREAK}{high}]"
