"""What every figure shares: layout, axes, error bars, colours of models and classes."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, UInt8
from PIL import Image

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.metrics import Interval
from vitrine.report import palette
from vitrine.report.fr import NO_BREAK, THIN
from vitrine.report.fr import number as whole
from vitrine.report.names import model_lines, model_name

__all__ = [
    "BELOW", "CLASS_COLOURS", "COLOURS", "DASHES", "PART_COLOURS", "PARTS_FR",
    "PERCENT", "SHORT", "data_uri", "dress", "error", "grid", "listed", "log_axis", "model_colour",
    "model_lines", "model_name", "percent", "percent_axis", "rounded", "stepped", "whole",
]  # fmt: skip

CLASS_COLOURS = dict(zip(CLASSES, cycle(palette.CLASSES), strict=False))
"""Colour of each class; beyond the palette's length they come again."""
SHORT = {
    name: label.replace(" et ", "<br>et ").replace(" de ", "<br>de ")
    for name, label in CLASSES_FR.items()
}
"""French label of each class on two lines at most, for a narrow screen."""

PARTS_FR = {"train": "Entraînement", "validation": "Validation", "test": "Test"}
PART_COLOURS = {"train": palette.BLUE, "validation": palette.ORANGE, "test": palette.VERMILION}

DASHES = ("solid", "dash", "dot", "dashdot")
COLOURS = (palette.BLUE, palette.VERMILION, palette.GREEN, palette.PURPLE)
"""Looks of the curves of a figure that has neither models nor classes."""
PERCENT: dict[str, Any] = {"ticksuffix": f"{THIN}%"}
"""An axis of percentages of any range."""
BELOW = {"orientation": "h", "y": -0.2, "yanchor": "top"}
"""A legend under the figure."""
DIGITS = 6
HEIGHT = 420

_COLOURS = {
    "efficientnet-b0-keras": palette.VERMILION,
    "efficientnet-b0": palette.BLUE,
    "efficientnet-lite0-keras": palette.VERMILION,
    "efficientnet-lite": palette.BLUE,
    "mambavision": palette.GREEN,
    "mobilenetv2": palette.PURPLE,
    "histogram-hog": palette.ORANGE,
    "majority": palette.GREY,
}


def model_colour(recipe: str) -> str:
    """Return the colour of a recipe; sky blue for one that the book does not know yet."""
    return next((c for known, c in _COLOURS.items() if recipe.startswith(known)), palette.SKY)


def rounded(values: Iterable[float | int]) -> list[float | None]:
    """Return numbers rounded to 6 significant digits, so that two machines draw the same.

    What is not defined becomes a hole in the figure.
    """
    return [
        None if not np.isfinite(value) else float(f"{value:.{DIGITS}g}")
        for value in map(float, values)
    ]


def percent(share: Interval) -> Interval:
    """Return a share and its ends as percentages."""
    return Interval(*(100 * end for end in (share.value, share.low, share.high)))


def error(intervals: Sequence[Interval]) -> dict[str, object]:
    """Return the error bars of intervals, as ``error_x`` or ``error_y`` of a trace."""
    return {
        "type": "data",
        "symmetric": False,
        "array": rounded(i.high - i.value for i in intervals),
        "arrayminus": rounded(i.value - i.low for i in intervals),
        "thickness": 1.5,
        "width": 4,
    }


def data_uri(pixels: UInt8[np.ndarray, "height width *channel"]) -> str:
    """Return a picture inside a text; BMP, whose bytes are the same with every compressor."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    return f"data:image/bmp;base64,{base64.b64encode(file.getvalue()).decode()}"


def dress(
    figure: go.Figure,
    *,
    x: str = "",
    y: str = "",
    height: int = HEIGHT,
    axes: Mapping[str, object] | None = None,
    **layout: object,
) -> go.Figure:
    """Give a figure the look of the book and return it.

    Args:
        figure: What to dress, in place.
        x: French title of the horizontal axis, with its unit.
        y: French title of the vertical axis.
        height: Height in pixels.
        axes: What else to say of axes, by their name: ``{"xaxis": {"type": "log"}}``.
        layout: Anything else of the layout.
    """
    options = {
        "title_font_size": 14,
        "showgrid": True,
        "gridcolor": palette.LIGHT["trait"],
        "zeroline": False,
        "ticks": "outside",
    }
    figure.update_xaxes(title_text=x or None, **options)
    figure.update_yaxes(title_text=y or None, **options)
    figure.update_annotations(font_size=13)  # a panel's title is 16 px high, too wide for a phone
    figure.update_layout(
        template="none",
        height=height,
        separators=", ",
        font={"color": palette.INK, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 12, "r": 12, "t": 24, "b": 48},
        hoverlabel={"align": "left"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )
    figure.update_layout(**dict(axes or {}), **layout)
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return _settled(figure)


def _settled(figure: go.Figure) -> go.Figure:
    """Round the places of panels and titles: Python 3.12 adds up floats more exactly."""
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        if axis.domain:
            axis.domain = [_place(end) for end in axis.domain]
    for note in figure.layout.annotations:
        for side in ("x", "y"):
            if isinstance(note[side], float):
                note[side] = _place(note[side])
    return figure


def _place(share: float) -> float:
    return round(share + 1e-9, DIGITS)  # the last bit of a sum does not decide of a half


def grid(values: Float[np.ndarray, "row column"]) -> list[list[float | None]]:
    """Return a matrix rounded as ``rounded`` does."""
    return [rounded(row) for row in values]


def log_axis(marks: Sequence[int]) -> dict[str, object]:
    """Return a logarithmic axis marked at these numbers, written the French way."""
    return {"type": "log", "tickvals": list(marks), "ticktext": [whole(mark) for mark in marks]}


def percent_axis(low: float = -2.0, high: float = 102.0) -> dict[str, Any]:
    """Return an axis of percentages, of values between 0 and 100, with the French space."""
    return PERCENT | {"range": [low, high]}


def listed(names: Sequence[str]) -> dict[str, object]:
    """Return a vertical axis that lists names downwards, one a unit from 0."""
    return {
        "autorange": "reversed",
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "showgrid": False,
        "ticks": "",
    }


def stepped(
    figure: go.Figure, shown: Mapping[str, Sequence[int]], *, about: str, first: str
) -> go.Figure:
    """Give a figure a slider that shows some of its traces at a time, and return it.

    A page replaces it by a control of its own, which the keyboard reaches. Without scripts, the
    table of the figure holds all the traces: each must have a name that tells it apart.

    Args:
        figure: What to step through, in place.
        shown: By label of a step, the numbers of the traces that it shows; a trace that no step
            names is always there.
        about: What the slider sets, in French, such as « Pas ».
        first: Label of the step shown first.
    """
    changing = sorted({number for numbers in shown.values() for number in numbers})
    for number in changing:
        figure.data[number].visible = number in shown[first]
    steps = [
        {
            "label": label,
            "method": "restyle",
            "args": [{"visible": [number in numbers for number in changing]}, changing],
        }
        for label, numbers in shown.items()
    ]
    active = list(shown).index(first)
    figure.update_layout(
        sliders=[
            {
                "active": active,
                "currentvalue": {"prefix": f"{about}{NO_BREAK}: "},
                "pad": {"t": 56},
                "steps": steps,
            }
        ]
    )
    return figure
