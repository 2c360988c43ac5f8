"""Figures of the technology watch: impulse responses, cost of mixers, departures, windows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, UInt8

from vitrine.report.figures import plots, style
from vitrine.report.fr import THIN

__all__ = ["LENGTHS", "cost_against_length", "departures", "memory", "windows"]

LENGTHS = (49, 196, 784, 3136)
"""Sequence lengths marked: windows of 7, 14, 28 and 56 tokens a side."""

_MIXERS_FR = {
    "attention": "attention",
    "scan": "balayage sélectif",
    "convolution": "convolution",
}
_UNSEEN = 1e-9
"""Relative effects below this are rounding, not a difference between two networks."""
_PERCENTS = {0.001: "0,001", 0.1: "0,1", 10.0: "10"}
_ROW = 40


def memory(responses: Mapping[str, Float[np.ndarray, " length"]]) -> go.Figure:
    """Draw the impulse responses of some scans.

    Args:
        responses: Output of the scan after an impulse, by what makes the curve differ.
    """
    figure = plots.lines({n: (range(len(y)), y) for n, y in responses.items()})
    return style.dress(figure, x="Position dans la suite (jetons)", y="Sortie du balayage")


def cost_against_length(
    costs: Mapping[str, Float[np.ndarray, " length"]] | Sequence[Mapping[str, Any]],
) -> go.Figure:
    """Draw what one mixing costs, counted or measured, against the length of the sequence.

    Args:
        costs: Millions of multiply-adds at each of ``LENGTHS``, by kind of mixing; or the
            ``lengths`` of ``runs/bench/scan.json``: rows of mixer, length and milliseconds.
    """
    counted = isinstance(costs, Mapping)
    curves = {name: (LENGTHS, y) for name, y in costs.items()} if counted else _measured(costs)
    figure = plots.lines(curves, mode="lines+markers")
    whole = {"exponentformat": "none", "separatethousands": True}  # else « 10k »
    return style.dress(
        figure,
        x="Longueur de la suite (jetons)",
        y="Multiplications et additions (millions)" if counted else "Durée (ms)",
        axes={"xaxis": style.log_axis(LENGTHS), "yaxis": {"type": "log", "dtick": 1, **whole}},
    )


def departures(effects: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Draw how far each choice, replaced by another, moves the logits: the strongest at the top.

    Args:
        effects: By image, the relative effect of each choice, 1 for logits moved by their own norm.
            A choice without effect has no bar: its scale is logarithmic.
    """
    names = list(next(iter(effects.values())))
    names.sort(key=lambda name: max(moved[name] for moved in effects.values()), reverse=True)
    figure = go.Figure()
    for (image, moved), colour in zip(effects.items(), style.COLOURS, strict=False):
        figure.add_bar(
            x=style.rounded(
                100 * moved[name] if moved[name] > _UNSEEN else np.nan for name in names
            ),
            y=list(range(len(names))),
            name=image,
            orientation="h",
            marker={"color": colour},
        )
    ticks = {"tickvals": list(_PERCENTS), "range": [-3.4, 2.4], "tickangle": 0}
    ticks["ticktext"] = [f"{text}{THIN}%" for text in _PERCENTS.values()]
    axes = {"xaxis": {"type": "log", **ticks}, "yaxis": style.listed(names)}
    height = 120 + _ROW * len(names)
    x = "Écart des logits"
    return style.dress(figure, x=x, height=height, axes=axes, bargap=0.25)


def _measured(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[list[int], list[float]]]:
    """Return the lengths and milliseconds of each mixer that was timed, in the order of a count."""
    return {
        name: (
            [row["length"] for row in rows if row["mixer"] == mixer],
            [row["milliseconds"] for row in rows if row["mixer"] == mixer],
        )
        for mixer, name in _MIXERS_FR.items()
        if any(row["mixer"] == mixer for row in rows)
    }


def windows(
    pixels: UInt8[np.ndarray, "height width 3"], *, side: int = 14, stride: int = 16
) -> go.Figure:
    """Draw a photo, the windows that cut it, and the order in which each is read.

    Args:
        pixels: The photo.
        side: Side of a window, in tokens.
        stride: Side of a token, in pixels.
    """
    height, width = pixels.shape[:2]
    whole = side * stride
    figure = go.Figure()
    corners = [(top, left) for top in range(0, height, whole) for left in range(0, width, whole)]
    for number, (top, left) in enumerate(corners, start=1):
        # A missing point after each row: the eye goes back to the left, the pen is lifted.
        row = [left + stride * (i + 0.5) for i in range(side)]
        colour = style.COLOURS[(number - 1) % len(style.COLOURS)]
        figure.add_scatter(
            x=[*row, None] * side,
            y=[y for i in range(side) for y in [top + stride * (i + 0.5)] * side + [None]],
            name=f"fenêtre {number}",
            mode="lines+markers",
            line={"color": colour, "width": 1},
            marker={"color": colour, "size": 4},
        )
        corner = {"x0": left, "x1": left + whole, "y0": top, "y1": top + whole}
        figure.add_shape(type="rect", **corner, line={"color": colour, "width": 3})
    half = np.ascontiguousarray(pixels[::2, ::2])  # enough for a page
    figure.add_layout_image(
        source=style.data_uri(half), x=0, y=0, sizex=width, sizey=height,
        xref="x", yref="y", sizing="stretch", layer="below",
    )  # fmt: skip
    right, bottom = (max(corner[i] for corner in corners) + whole for i in (1, 0))
    axes = {
        "xaxis": {"range": [-4, right + 4], "showgrid": False, "constrain": "domain"},
        "yaxis": {
            "range": [bottom + 4, -4],
            "showgrid": False,
            "scaleanchor": "x",
            "constrain": "domain",
        },
    }
    return style.dress(figure, x="Largeur (pixels)", y="Hauteur (pixels)", axes=axes)
