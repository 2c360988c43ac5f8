"""Figures of the service: path of a request, waits under load."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from vitrine.report.figures import style
from vitrine.report.palette import BLUE, FAINT, GREY, VERMILION

__all__ = ["REFUSALS", "path", "waits"]

_STEPS = (
    ("Le navigateur", "une photo", 0),
    ("La page", "exemples, tableau de bord", 1),
    ("L’accueil", "clé, taille, durée d’envoi", 2),
    ("Une place", "ou un refus immédiat", 2),
    ("Le décodage", "l’en-tête, puis les pixels", 3),
    ("Le réseau", "ONNX Runtime, un fil", 3),
    ("La réponse", "catégorie, doute, carte", 2),
)
"""Name, detail, and place of each step, from top to bottom."""
_PLACES = ("visiteur", "page", "service,<br>boucle", "service,<br>ouvriers")
REFUSALS = {2: ("401", "408", "413"), 3: ("503",), 4: ("413", "415", "422")}
"""Statuses with which a request ends at a step, by the number of the step."""
_ASIDE = ("Sondes", "et compteurs")
"""What the loop answers by itself, whatever the workers do."""
_TRUNK, _SIDE, _HALF, _ROW = 0.31, 0.83, 0.36, 62
_WIDE, _NARROW = 0.3, 0.16

_SERVERS = {
    "ours": ("le nôtre", BLUE, "circle"),
    "naive": ("le naïf", VERMILION, "square"),
}
_QUANTILES = {
    "p50": ("médiane", "solid"),
    "p99": ("p99", "dot"),
}
_MARKS = (10, 30, 100, 300, 1000, 3000)


def path() -> go.Figure:
    """Draw what a request goes through, where, and where it may be refused."""
    figure = go.Figure()
    boxes = [(_TRUNK, row, name, detail) for row, (name, detail, _) in enumerate(_STEPS)]
    refused = [(_SIDE, row, "Refus", ", ".join(codes)) for row, codes in REFUSALS.items()]
    xs, ys = _passages(len(boxes))
    figure.add_scatter(
        x=xs, y=ys, mode="lines", line={"color": GREY, "width": 2}, name="passage",
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    aside = (_SIDE, len(_STEPS) - 1, *_ASIDE)
    drawn = [*boxes, *refused, aside]
    figure.add_scatter(
        x=[x for x, *_ in drawn], y=[row for _, row, *_ in drawn], mode="text",
        text=[f"<b>{name}</b><br>{detail}" for *_, name, detail in drawn],
        textfont={"size": 11}, hoverinfo="skip", name="étape", showlegend=False,
    )  # fmt: skip
    for x, row, name, _ in drawn:
        wide = _WIDE if x == _TRUNK else _NARROW
        ends = {"color": VERMILION, "dash": "dash"} if name == "Refus" else {"color": GREY}
        figure.add_shape(
            type="rect", x0=x - wide, x1=x + wide, y0=row - _HALF, y1=row + _HALF,
            line={"width": 2} | ends, layer="below",
        )  # fmt: skip
    margin = {"l": 12, "r": 12, "t": 8, "b": 8}
    height = 16 + _ROW * len(boxes)
    return style.dress(figure, height=height, axes=_places(figure), margin=margin)


def _places(figure: go.Figure) -> dict[str, object]:
    """Shade every other place, and return axes that name each beside its steps."""
    rows: list[list[int]] = []
    for row, (_, _, place) in enumerate(_STEPS):
        if row and _STEPS[row - 1][2] == place:
            rows[-1].append(row)
        else:
            rows.append([row])
    for number, held in enumerate(rows):
        if number % 2:
            figure.add_shape(
                type="rect", xref="paper", x0=0, x1=1, y0=held[0] - 0.5, y1=held[-1] + 0.5,
                line={"width": 0}, fillcolor=FAINT, layer="below",
            )  # fmt: skip
    bare = {"showgrid": False, "showline": False, "ticks": "", "zeroline": False}
    names = [_PLACES[_STEPS[held[0]][2]] for held in rows]
    middles = [(held[0] + held[-1]) / 2 for held in rows]
    return {
        "xaxis": bare | {"range": [0, 1], "showticklabels": False, "fixedrange": True},
        "yaxis": bare
        | {"range": [len(_STEPS) - 0.5, -0.5], "tickvals": middles, "ticktext": names,
           "fixedrange": True},
    }  # fmt: skip


def _passages(steps: int) -> tuple[list[float | None], list[float | None]]:
    """Return the passages from step to step and to the refusals; a missing point lifts the pen."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for row in range(1, steps):
        xs += [_TRUNK, _TRUNK, None]
        ys += [row - 1 + _HALF, row - _HALF, None]
    for row in REFUSALS:
        xs += [_TRUNK + _WIDE, _SIDE - _NARROW, None]
        ys += [float(row), float(row), None]
    return xs, ys


def waits(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw how long clients waited for each server, against how many they were.

    Args:
        rows: Of one model, the ``rows`` of ``runs/bench/serving.json``.
    """
    figure = go.Figure()
    for server, (name, colour, symbol) in _SERVERS.items():
        found = sorted(
            (row for row in rows if row["server"] == server), key=lambda row: row["clients"]
        )
        for key, (quantile, dash) in _QUANTILES.items():
            figure.add_scatter(
                x=[f"{row['clients']}" for row in found],
                y=style.rounded(row[key] for row in found),
                name=f"{name}, {quantile}",
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                marker={"color": colour, "symbol": symbol, "size": 9},
            )
    axes = {"xaxis": {"type": "category"}, "yaxis": style.log_axis(_MARKS)}
    return style.dress(figure, x="Clients à la fois", y="Attente d’une réponse (ms)", axes=axes)
