"""Draw values and their intervals as SVG, for the PDF of the note and for the slides.

Nothing but lines, marks and text, laid out here; the same numbers give the same bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from vitrine.report.fr import THIN, number
from vitrine.report.palette import BLUE, INK, MUTED, VERMILION

__all__ = ["PRINT", "SCREEN", "Palette", "Row", "intervals"]

_WIDTH, _MARGIN, _LINE, _ROW, _FOOT = 640.0, 12.0, 17.0, 34.0, 46.0
_TICKS = 6


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours and font of a drawing, as CSS values.

    Attributes:
        ink: Colour of text.
        muted: Colour of what stays behind.
        series: Colours of the first and of the second series.
        font: Family of the text.
        letter: Width of a letter, on average, in the units of the drawing.
    """

    ink: str
    muted: str
    series: tuple[str, str]
    font: str
    letter: float


PRINT = Palette(
    ink=INK,
    muted=MUTED,
    series=(BLUE, VERMILION),
    font="Libertinus Serif",
    letter=6.3,
)
SCREEN = Palette(
    ink="var(--encre)",
    muted="var(--encre-douce)",
    series=("var(--serie-1)", "var(--serie-2)"),
    font="inherit",
    letter=7.8,
)
"""Colours that the page decides, in light and in dark."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a drawing.

    Attributes:
        label: What it is about; a line break cuts it.
        points: Value, lower and upper end, in the unit of the axis, for each series; the ends are
            ``None`` where there is no interval.
    """

    label: str
    points: tuple[tuple[float, float | None, float | None], ...]


def intervals(
    rows: Sequence[Row],
    *,
    axis: str,
    palette: Palette,
    alt: str,
    unit: str = f"{THIN}%",
    names: Sequence[str] = (),
    band: tuple[float, float] | None = None,
    zero: bool = False,
) -> str:
    """Draw values and their intervals, one line each, against a common axis.

    Args:
        rows: From top to bottom.
        axis: Title of the axis.
        palette: Colours and font.
        alt: What it shows, for who does not see it.
        unit: Written after each mark of the axis.
        names: Names of the series, where there are two.
        band: Values to shade.
        zero: Whether to mark zero, and write the signs.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not rows:
        raise ValueError("expected at least one line to draw, found none")
    ends = [end for row in rows for point in row.points for end in point if end is not None]
    ends += [*(band or ()), *([0.0] if zero else [])]
    ticks = _ticks(min(ends), max(ends))
    lines = [row.label.split("\n") for row in rows]
    left = _MARGIN + palette.letter * max(len(line) for label in lines for line in label) + 10
    right, top = _WIDTH - 24, 28.0 if names else 8.0
    heights = [max(_ROW, _LINE * len(label) + 8) for label in lines]
    bottom = top + sum(heights)

    def x(value: float) -> float:
        return left + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (right - left)

    drawn = [_legend(names, left, palette)] if names else []
    if band:
        low, high = map(x, band)
        drawn.append(
            f'<rect x="{low:.1f}" y="{top:.1f}" width="{high - low:.1f}" '
            f'height="{bottom - top:.1f}" style="fill:{palette.muted};opacity:0.2"/>'
        )
    for tick in ticks:
        strong = zero and tick == 0
        drawn.append(_rule(x(tick), top, bottom, palette.ink if strong else palette.muted, strong))
        text = number(tick, 0 if tick == round(tick) else 1, sign=zero) + unit
        drawn.append(_text(x(tick), bottom + 18, text, palette.ink, anchor="middle"))
    middle = top
    for row, label, height in zip(rows, lines, heights, strict=True):
        middle += height / 2
        first = middle - _LINE * (len(label) - 1) / 2 + 4.5
        drawn += [
            _text(left - 12, first + _LINE * i, line, palette.ink, anchor="end")
            for i, line in enumerate(label)
        ]
        shifts = (0.0,) if len(row.points) == 1 else (-6.0, 6.0)
        for series, (point, shift) in enumerate(zip(row.points, shifts, strict=True)):
            places = [None if end is None else x(end) for end in point]
            drawn.append(_point(places, middle + shift, series, palette))
        middle += height / 2
    drawn.append(_text((left + right) / 2, bottom + 38, axis, palette.ink, anchor="middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {bottom + _FOOT:.0f}" '
        f'width="{_WIDTH:.0f}" height="{bottom + _FOOT:.0f}" role="img" '
        f'aria-label="{escape(alt)}" style="font-family:{palette.font};font-size:13px">'
        f"{''.join(drawn)}</svg>"
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers, evenly apart, from below ``low`` to above ``high``."""
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(m * power for m in (1, 2, 5, 10, 20) if span / (m * power) <= _TICKS)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 9) for i in range(first, max(last, first + 1) + 1)]


def _rule(x: float, top: float, bottom: float, colour: str, strong: bool) -> str:
    width = 1.4 if strong else 0.6
    return (
        f'<path d="M{x:.1f} {top:.1f}V{bottom + 4:.1f}" '
        f'style="stroke:{colour};stroke-width:{width};opacity:{1 if strong else 0.6}"/>'
    )


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} style="fill:{colour}">{escape(text)}</text>'


def _point(places: list[float | None], y: float, series: int, palette: Palette) -> str:
    value, low, high = places
    colour = palette.series[series]
    bar = ""
    if low is not None and high is not None:
        ends = "".join(f"M{end:.1f} {y - 4:.1f}v8" for end in (low, high))
        bar = (
            f'<path d="M{low:.1f} {y:.1f}H{high:.1f}{ends}" '
            f'style="stroke:{colour};stroke-width:1.6;fill:none"/>'
        )
    return bar + _mark(value or 0.0, y, series, colour)


def _mark(x: float, y: float, series: int, colour: str) -> str:
    if series == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" style="fill:{colour}"/>'
    return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" style="fill:{colour}"/>'


def _legend(names: Sequence[str], left: float, palette: Palette) -> str:
    drawn, x = [], left
    for series, name in enumerate(names):
        drawn.append(_mark(x + 6, 12.0, series, palette.series[series]))
        drawn.append(_text(x + 18, 16.5, name, palette.ink))
        x += 36 + palette.letter * len(name)
    return "".join(drawn)
