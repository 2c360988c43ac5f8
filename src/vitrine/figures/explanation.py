"""Figures of what a model looks at, and of what misleads it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float, Int
from plotly.subplots import make_subplots

from vitrine.catalog import CLASSES, CLASSES_FR
from vitrine.figures.style import (
    CLASS_COLOURS,
    INK,
    MUTED,
    SHORT,
    THIN,
    dress,
    error,
    grid,
    listed,
    model_colour,
    model_name,
    percent_axis,
    rounded,
)
from vitrine.scores import Interval

__all__ = ["CORRUPTIONS_FR", "PARTS_FR", "curves", "embedding", "losses", "maps"]

CORRUPTIONS_FR = {
    "blur": "Flou",
    "noise": "Bruit",
    "jpeg": "Compression JPEG",
    "brightness": "Éclaircissement",
    "crop": "Recadrage",
    "thumbnail": "Photo réduite",
    "input": "Côté de l’entrée",
}
PARTS_FR = {
    "red": "Canal rouge",
    "green": "Canal vert",
    "blue": "Canal bleu",
    "low": "Basses fréquences",
    "high": "Hautes fréquences",
    "centre": "Centre",
    "border": "Bord",
}
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "diamond", "square", "cross")
PANEL, ROW = 230, 62
"""Height, in pixels, of one curve and of one line of a list."""


def curves(
    scores: Mapping[str, Mapping[str, Mapping[int, Interval]]], *, x: str, chance: float
) -> go.Figure:
    """Draw accuracy against a strength, one panel a corruption, one curve a model.

    Args:
        scores: By corruption, then by recipe, the accuracy at each strength, as a share.
        x: Title of the horizontal axis, under the last panel.
        chance: Accuracy of an answer drawn at random, as a share.
    """
    names = list(scores)
    panels = make_subplots(
        rows=len(names), cols=1, vertical_spacing=0.28 / max(len(names), 2),
        subplot_titles=[CORRUPTIONS_FR[name] for name in names] if len(names) > 1 else None,
    )  # fmt: skip
    recipes = list(dict.fromkeys(recipe for by_recipe in scores.values() for recipe in by_recipe))
    for row, name in enumerate(names, start=1):
        for recipe, points in scores[name].items():
            place, bars = recipes.index(recipe), [_percent(i) for i in points.values()]
            panels.add_scatter(
                row=row, col=1, name=model_name(recipe), legendgroup=recipe, showlegend=row == 1,
                mode="lines+markers", x=list(points), y=rounded(i.value for i in bars),
                error_y=error(bars) | {"thickness": 1, "width": 2},
                line={"color": model_colour(recipe), "dash": _DASHES[place % len(_DASHES)]},
                marker={"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 8},
                hovertemplate=f"%{{x}} : %{{y:.1f}}{THIN}%<extra>{model_name(recipe)}</extra>",
            )  # fmt: skip
    panels.add_hline(y=rounded([100 * chance])[0], line={"color": MUTED, "dash": "dash"})
    figure = dress(panels, x=x, y="Exactitude", height=150 + PANEL * len(names))
    figure.update_layout(legend={"y": 1 + 40 / (PANEL * len(names))}, hovermode="closest")
    figure.update_xaxes(title_text="")  # under each, it would meet the name of the next panel
    figure.update_xaxes(title_text=x, row=len(names), col=1)
    return figure.update_yaxes(percent_axis(0.0, 100.0))


def losses(scores: Mapping[str, Mapping[str, Interval]]) -> go.Figure:
    """Draw the accuracy that each model loses when each part of a photo is taken from another.

    Args:
        scores: By recipe, then by part, the loss as a share.
    """
    parts = list(dict.fromkeys(part for by_part in scores.values() for part in by_part))
    offsets = np.linspace(-0.27, 0.27, len(scores)) if len(scores) > 1 else [0.0]
    figure = go.Figure()
    for place, (recipe, by_part) in enumerate(scores.items()):
        points = [_percent(loss) for loss in by_part.values()]
        figure.add_scatter(
            name=model_name(recipe), mode="markers", x=rounded(i.value for i in points),
            y=rounded(parts.index(part) + offsets[place] for part in by_part),
            text=[PARTS_FR[part] for part in by_part], error_x=error(points),
            marker={
                "color": model_colour(recipe), "symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 9
            },
            hovertemplate=f"%{{text}} : %{{x:.1f}} points<extra>{model_name(recipe)}</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1.2})
    axes = {"yaxis": listed([PARTS_FR[part] for part in parts])}
    x = "Exactitude perdue (points)"
    return dress(figure, x=x, height=170 + ROW * len(parts), axes=axes)


def maps(
    grids: Mapping[str, Float[np.ndarray, "rows columns"]],
    *,
    title: str,
    columns: int = 2,
    signed: bool = False,
) -> go.Figure:
    """Draw maps over a photo side by side; the darker a cell, the higher its value.

    Args:
        grids: Maps, by the title of each.
        title: What the values are, above the colour bar.
        columns: Maps a row.
        signed: Whether zero is the middle of one scale of colours for all maps; otherwise each map
            has its own, from its smallest value to its largest.
    """
    rows = -(-len(grids) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=list(grids), horizontal_spacing=0.06,
        vertical_spacing=0.3 / max(rows, 2),
    )  # fmt: skip
    reach = max(float(np.abs(each).max()) for each in grids.values()) or 1.0
    for number, (name, values) in enumerate(grids.items()):
        low, high = (-reach, reach) if signed else (float(values.min()), float(values.max()))
        figure.add_heatmap(
            row=1 + number // columns, col=1 + number % columns, name=name, z=grid(values),
            zmin=rounded([low])[0], zmax=rounded([high])[0], showscale=signed and number == 0,
            colorscale=_SIGNED if signed else _PLAIN, colorbar={"title": {"text": title}},
            hovertemplate="%{z:.3g}<extra></extra>",
        )  # fmt: skip
    dress(figure, height=60 + 250 * rows)
    figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, constrain="domain")
    figure.update_yaxes(
        showticklabels=False, ticks="", showgrid=False, autorange="reversed", constrain="domain"
    )
    for number in range(len(grids)):
        suffix = "" if number == 0 else str(number + 1)
        figure.layout[f"yaxis{suffix}"].scaleanchor = f"x{suffix}"
    return figure


def embedding(
    places: pd.DataFrame,
    truth: Int[np.ndarray, " image"],
    predicted: Int[np.ndarray, " image"],
) -> go.Figure:
    """Draw the map of the photos, coloured by class; those that the model misses are crosses.

    Args:
        places: Columns ``x`` and ``y``, a row a photo.
        truth: Class of each.
        predicted: What the model said of each.
    """
    figure = go.Figure()
    looks = ((True, "circle", "reconnue"), (False, "x", "manquée"))
    for k, name in enumerate(CLASSES):
        for right, symbol, state in looks:
            chosen = (truth == k) & ((predicted == truth) == right)
            said = [CLASSES_FR[CLASSES[p]] for p in predicted[chosen]]
            figure.add_scatter(
                name=CLASSES_FR[name] if right else f"{CLASSES_FR[name]}, manquée", mode="markers",
                legendgroup=name, showlegend=right,
                x=rounded(places.x[chosen]), y=rounded(places.y[chosen]), text=said,
                marker={
                    "color": CLASS_COLOURS[name], "symbol": symbol, "size": 9,
                    "line": {"width": 1, "color": "#ffffff"},
                },
                hovertemplate=f"{CLASSES_FR[name]}, {state}<br>réponse : %{{text}}<extra></extra>",
            )  # fmt: skip
    hidden = {"showticklabels": False, "ticks": "", "title": {"text": ""}}
    return dress(figure, height=620, axes={"xaxis": hidden, "yaxis": hidden}, hovermode="closest")


def class_titles(labels: Sequence[int]) -> list[str]:
    """Return the French name of classes, on two lines at most."""
    return [SHORT[CLASSES[k]] for k in labels]


_PLAIN = [[0, "#f2f5f4"], [0.5, "#6aa8c9"], [1, "#05466a"]]
_SIGNED = [[0, "#8a3f00"], [0.25, "#d99a5b"], [0.5, "#f7f7f5"], [0.75, "#6aa8c9"], [1, "#05466a"]]


def _percent(share: Interval) -> Interval:
    return Interval(100 * share.value, 100 * share.low, 100 * share.high)
