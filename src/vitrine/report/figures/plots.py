"""Kinds of figure that several chapters draw: forest plots, curves, tables of shares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from vitrine.metrics import Interval
from vitrine.report.figures import style
from vitrine.report.palette import ON_PALE, PALE

__all__ = ["Series", "forest", "lines", "shares"]

Number = float | int


@dataclass(frozen=True, kw_only=True)
class Series:
    """Marks of one look on the rows of a forest plot.

    Attributes:
        name: What the legend calls it.
        values: Shares, with their intervals where bars are drawn.
        at: Row of each value, counted from 0 downwards; a fraction sets it apart.
        marker: Look of the marks, as plotly takes it.
        hover: Template of what a pointer reads.
        text: What ``hover`` calls each value.
        more: Other options of the trace.
    """

    name: str | None = None
    values: Sequence[Interval | Number]
    at: Sequence[Number]
    marker: Mapping[str, object]
    hover: str
    text: Sequence[str] | None = None
    more: Mapping[str, object] = field(default_factory=dict)


def forest(
    rows: Sequence[str], series: Iterable[Series], *, axes: Mapping[str, object], **layout: object
) -> go.Figure:
    """Draw values and their intervals in percent, on rows that have names.

    Args:
        rows: Names, from top to bottom; ``<br>`` breaks one.
        series: What is drawn on them.
        axes: As ``dress``.
        layout: As ``dress``, with the titles and the height.
    """
    figure = go.Figure()
    for one in series:
        intervals = [style.percent(value) for value in one.values if isinstance(value, Interval)]
        bare = [100 * value for value in one.values if not isinstance(value, Interval)]
        x = [i.value for i in intervals] or bare
        figure.add_scatter(
            name=one.name, mode="markers", x=style.rounded(x), y=style.rounded(one.at),
            error_x=style.error(intervals) if intervals else None, text=one.text,
            marker=dict(one.marker), hovertemplate=one.hover, **one.more,
        )  # fmt: skip
    return style.dress(figure, axes={"yaxis": style.listed(rows)} | dict(axes), **layout)


def lines(
    curves: Mapping[str, tuple[Iterable[Number], Iterable[Number]]],
    *,
    mode: str = "lines",
    digits: int | None = None,
) -> go.Figure:
    """Draw curves that dashes tell apart as well as colours.

    Args:
        curves: By name, the places and the values.
        mode: ``lines``, or ``lines+markers``.
        digits: Decimals kept of the values; by default, as ``rounded``.
    """
    figure = go.Figure()
    looks = zip(style.DASHES, style.COLOURS, strict=True)
    for (name, (x, y)), (dash, colour) in zip(curves.items(), looks, strict=False):
        kept = y if digits is None else np.round(np.asarray(list(y), dtype=float), digits)
        line = {"dash": dash, "color": colour}
        figure.add_scatter(x=list(x), y=style.rounded(kept), name=name, mode=mode, line=line)
    return figure


def shares(values: Float[np.ndarray, "row column"], **options: object) -> go.Heatmap:
    """Return a table of shares as coloured cells, in percent, whose numbers are in dark ink.

    Args:
        values: Shares; NaN leaves a hole.
        options: Other options of the trace.
    """
    return go.Heatmap(
        z=style.grid(100 * values), colorscale=PALE, zmin=0, zmax=100, xgap=1, ygap=1,
        textfont={"color": ON_PALE}, **options,
    )  # fmt: skip
