"""Figure of candidate backbones: measured speed, in the order of their cited accuracy."""

import pandas as pd
import plotly.graph_objects as go

from vitrine.report.figures import style
from vitrine.report.fr import THIN, number
from vitrine.report.palette import BLUE, GREEN, GREY

__all__ = ["speeds"]

SPEED, NETWORK = "Images/s, un fil", "Réseau"
SCORE = "Top-1 ImageNet, cité (%)"
MARKS = (5, 10, 20, 50, 100, 200, 500)
HEIGHT = 620


def speeds(table: pd.DataFrame, baseline: str) -> go.Figure:
    """Draw the measured speed of each candidate, from the best cited score down.

    Args:
        table: What ``vitrine.report.tables.speeds.backbones`` returns.
        baseline: Name of the network that the others are compared to.
    """
    score = pd.to_numeric(table[SCORE].str.replace(",", "."), errors="coerce")
    order = table.assign(score=score).sort_values(
        ["score", SPEED], ascending=[False, True], na_position="last", ignore_index=True
    )
    names = [f"{row[NETWORK]}<br><i>{_said(row[SCORE])}</i>" for _, row in order.iterrows()]
    figure = go.Figure()
    figure.add_scatter(
        x=style.rounded(order[SPEED]),
        y=list(range(len(order))),
        mode="markers",
        marker={"size": 12, "color": [_colour(name, baseline) for name in order[NETWORK]]},
        text=[_hover(row) for _, row in order.iterrows()],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    axes = {"yaxis": style.listed(names) | {"showgrid": True}, "xaxis": style.log_axis(MARKS)}
    return style.dress(
        figure, x="Images par seconde, un fil de processeur", height=HEIGHT, axes=axes
    )


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
