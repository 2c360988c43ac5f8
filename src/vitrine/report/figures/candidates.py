"""Figure of candidate backbones: cited accuracy against measured speed."""

import pandas as pd
import plotly.graph_objects as go

from vitrine.report.figures import style
from vitrine.report.fr import THIN, number
from vitrine.report.palette import BLUE, GREEN, GREY

__all__ = ["speeds"]

SPEED, NETWORK = "Images/s, un fil", "Réseau"
SCORE = "Top-1 ImageNet, cité (%)"
MARKS = (5, 10, 20, 50, 100, 200, 500)
HEIGHT = 520
CLOSE = 0.45
"""Points of accuracy under which two names on one side would touch."""


def speeds(table: pd.DataFrame, baseline: str) -> go.Figure:
    """Draw the cited accuracy of each candidate against its measured speed.

    A network without a published score has no point.

    Args:
        table: What ``vitrine.report.tables.speeds.backbones`` returns.
        baseline: Name of the network that the others are compared to.
    """
    score = pd.to_numeric(table[SCORE].str.replace(",", "."), errors="coerce")
    known = table.assign(score=score).dropna(subset="score")
    order = known.sort_values("score", ascending=False, ignore_index=True)
    figure = go.Figure()
    figure.add_scatter(
        x=style.rounded(order[SPEED]), y=style.rounded(order.score), mode="markers+text",
        text=order[NETWORK].tolist(), textposition=_sides(order.score.tolist()),
        marker={"size": 11, "color": [_colour(name, baseline) for name in order[NETWORK]]},
        customdata=[_hover(row) for _, row in order.iterrows()], cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>", showlegend=False,
    )  # fmt: skip
    room = {"range": [0.3, 2.48]}  # for the names beside the first points and the last
    axes = {"xaxis": style.log_axis(MARKS) | room, "yaxis": style.PERCENT}
    x, y = "Images par seconde, un fil", "Top-1 ImageNet, cité"
    return style.dress(figure, x=x, y=y, height=HEIGHT, axes=axes)


def _sides(scores: list[float]) -> list[str]:
    """Return where each name stands, best score first: to the left of one too close above."""
    sides: list[str] = []
    for place, score in enumerate(scores):
        crowded = place > 0 and scores[place - 1] - score < CLOSE and sides[-1] == "middle right"
        sides.append("middle left" if crowded else "middle right")
    return sides


def _colour(name: str, baseline: str) -> str:
    if name == baseline:
        return BLUE
    return GREEN if name.startswith("MambaVision") else GREY


def _said(score: str) -> str:
    return f"{score}{THIN}%" if score[:1].isdigit() else score


def _hover(row: pd.Series) -> str:
    return "<br>".join(
        [
            f"<b>{row[NETWORK]}</b>",
            f"exactitude citée : {_said(row[SCORE])}",
            f"{number(row['Paramètres (M)'], 1)} M de paramètres",
            f"{number(row['Multiplications (G)'], 2)} G de multiplications",
            f"{number(row[SPEED], 1)} images/s",
            f"licence des poids : {row['Licence des poids']}",
        ]
    )
