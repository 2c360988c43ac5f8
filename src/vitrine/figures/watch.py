"""Figures of the technology watch: what a scan remembers, and what each kind of mixing costs."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from vitrine.figures import style

__all__ = ["LENGTHS", "cost_against_length", "memory"]

LENGTHS = (49, 196, 784, 3136)
"""Sequence lengths marked: windows of 7, 14, 28 and 56 tokens a side."""

_DASHES = ("solid", "dash", "dot", "dashdot")
_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)


def memory(responses: Mapping[str, Float[np.ndarray, " length"]]) -> go.Figure:
    """Draw what remains of one impulse, step after step.

    Args:
        responses: Output of the scan after an impulse, by what makes the curve differ.
    """
    figure = go.Figure()
    for (name, values), dash, colour in zip(responses.items(), _DASHES, _COLOURS, strict=False):
        figure.add_scatter(
            x=list(range(len(values))),
            y=style.rounded(values),
            name=name,
            mode="lines",
            line={"dash": dash, "color": colour},
        )
    return style.dress(figure, x="Position dans la suite (jetons)", y="Sortie du balayage")


def cost_against_length(costs: Mapping[str, Float[np.ndarray, " length"]]) -> go.Figure:
    """Draw how many multiply-adds one mixing takes, against the length of the sequence.

    Args:
        costs: Millions of multiply-adds at each of ``LENGTHS``, by kind of mixing.
    """
    figure = go.Figure()
    for (name, values), dash, colour in zip(costs.items(), _DASHES, _COLOURS, strict=False):
        figure.add_scatter(
            x=list(LENGTHS),
            y=style.rounded(values),
            name=name,
            mode="lines+markers",
            line={"dash": dash, "color": colour},
        )
    return style.dress(
        figure,
        x="Longueur de la suite (jetons)",
        y="Multiplications et additions (millions)",
        axes={"xaxis": style.log_axis(LENGTHS), "yaxis": {"type": "log", "dtick": 1}},
    )
