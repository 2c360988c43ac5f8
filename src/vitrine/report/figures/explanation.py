"""Figures of explanations: robustness curves, losses by part, saliency maps, embeddings."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float, Int, UInt8
from PIL import Image
from plotly.subplots import make_subplots

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.explain import grids
from vitrine.metrics import Interval
from vitrine.report import palette
from vitrine.report.figures import plots, style
from vitrine.report.fr import THIN
from vitrine.report.names import model_name
from vitrine.report.words import WORDS

__all__ = [
    "CORRUPTIONS_FR", "MAPS_FR", "PARTS_FR", "before_and_after", "class_maps", "curves",
    "embeddings", "losses", "maps",
]  # fmt: skip

CORRUPTIONS_FR = WORDS["corruptions"]
PARTS_FR = WORDS["parts"]
MAPS_FR = {
    "occlusion": "Occlusion",
    "gradients": "Gradients intégrés",
    **{f"stage-{number}": f"Activité de l’étage {number}" for number in range(1, 6)},
    **{f"attention-{number}": f"Attention de l’étage {number}" for number in (3, 4)},
}
SIDES = ("thumbnail", "input")
"""Conditions whose strength is the side of a photo: the harder, the smaller."""
STATES_FR = {"learned": "appris", "shuffled": "mélangé"}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up")
BY_CHANCE = {"color": palette.MUTED, "dash": "dash"}
ALONE = (palette.SEQUENTIAL, palette.DIVERGING)
OVER = (palette.SEQUENTIAL_OVER, palette.DIVERGING_OVER)
"""Scales of a map without a sign and of one with, alone and over a picture."""
PANEL, ROW = 230, 62
"""Height, in pixels, of one curve and of one line of a list."""
UNDER = 20
"""Side, in pixels, of a picture under a map."""

Picture = UInt8[np.ndarray, "height width 3"]


def curves(
    scores: Mapping[str, Mapping[str, Mapping[int, Interval]]],
    *,
    highlighted: Sequence[str],
    chance: float,
) -> go.Figure:
    """Draw accuracy against a strength, one panel a corruption, one curve a model.

    Models that are not highlighted stay grey, behind, and out of the legend.

    Args:
        scores: By corruption, then by recipe, the accuracy at each strength, as a share.
        highlighted: Recipes drawn in their colour with their intervals, three at most.
        chance: Accuracy of an answer drawn at random, as a share.
    """
    names = list(scores)
    rows = -(-len(names) // 2)
    panels = make_subplots(
        rows=rows, cols=2, shared_yaxes=True, horizontal_spacing=0.06,
        vertical_spacing=0.32 / max(rows, 2),
        subplot_titles=[CORRUPTIONS_FR[name] for name in names],
    )  # fmt: skip
    for number, name in enumerate(names):
        behind_first = sorted(scores[name].items(), key=lambda item: item[0] in highlighted)
        for recipe, points in behind_first:
            panels.add_scatter(
                row=1 + number // 2, col=1 + number % 2, name=model_name(recipe),
                legendgroup=recipe, showlegend=recipe in highlighted and number == 0,
                x=list(points), y=style.rounded(100 * i.value for i in points.values()),
                hovertemplate=f"%{{x}} : %{{y:.1f}}{THIN}%",
                **_look(recipe, highlighted, points),
            )  # fmt: skip
    panels.add_hline(y=style.rounded([100 * chance])[0], line=BY_CHANCE)
    figure = style.dress(panels, height=170 + PANEL * rows, hovermode="closest")
    figure.update_layout(legend={"y": 1 + 40 / (PANEL * rows)})
    for number, name in enumerate(names):
        place = {"row": 1 + number // 2, "col": 1 + number % 2}
        if number + 2 >= len(names) or name in SIDES:  # else, it would meet the next panel's name
            figure.update_xaxes(title_text="Côté (pixels)" if name in SIDES else "Force", **place)
        if name in SIDES:
            figure.update_xaxes(autorange="reversed", **place)
    figure.update_yaxes(style.percent_axis(0.0, 100.0))
    return figure.update_yaxes(title_text="Exactitude", col=1)


def _look(
    recipe: str, highlighted: Sequence[str], points: Mapping[int, Interval]
) -> dict[str, object]:
    """Return the look of a curve: its colour and its intervals, or grey."""
    if recipe not in highlighted:
        return {"mode": "lines", "line": {"color": palette.MUTED, "width": 1}, "opacity": 0.55}
    place = list(highlighted).index(recipe)
    return {
        "mode": "lines+markers",
        "error_y": style.error([style.percent(i) for i in points.values()])
        | {"thickness": 1, "width": 2},
        "line": {"color": style.model_colour(recipe), "dash": _DASHES[place % len(_DASHES)]},
        "marker": {"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 7},
    }


def losses(scores: Mapping[str, Mapping[str, Interval]]) -> go.Figure:
    """Draw the accuracy that each model loses when each part of a photo is taken from another.

    Args:
        scores: By recipe, then by part, the loss as a share.
    """
    parts = list(dict.fromkeys(part for by_part in scores.values() for part in by_part))
    offsets = np.linspace(-0.27, 0.27, len(scores)) if len(scores) > 1 else [0.0]
    drawn = [
        plots.Series(
            name=model_name(recipe), values=list(by_part.values()),
            at=[parts.index(part) + offset for part in by_part],
            text=[PARTS_FR[part] for part in by_part], hover="%{text} : %{x:.1f} points",
            marker={"color": style.model_colour(recipe), "symbol": symbol, "size": 9},
        )
        for (recipe, by_part), offset, symbol in zip(
            scores.items(), offsets, cycle(_SYMBOLS), strict=False
        )
    ]  # fmt: skip
    names, height = [PARTS_FR[part] for part in parts], 170 + ROW * len(parts)
    figure = plots.forest(names, drawn, x="Exactitude perdue (points)", height=height, axes={})
    return figure.add_vline(x=0, line={"color": palette.INK, "width": 1.2})


_DRESS = ("title", "showgrid", "gridcolor", "zeroline", "ticks", "automargin")
"""What ``style.dress`` says of an axis, and an axis that is not drawn does without."""
_BELOW: dict[str, object] = {
    "orientation": "h", "thickness": 12, "yref": "container", "y": 0, "yanchor": "bottom",
}  # fmt: skip
"""A colour bar that takes nothing of a phone's width from the panels."""


def maps(
    grids: Mapping[str, Float[np.ndarray, "rows columns"]],
    *,
    title: str,
    columns: int = 2,
    signed: bool = False,
    under: Mapping[str, Picture] | None = None,
) -> go.Figure:
    """Draw saliency maps side by side; the darker a cell, the higher its value.

    Args:
        grids: Maps, by the title of each.
        title: What the values are, above the colour bar.
        columns: Maps a row.
        signed: Whether zero is the middle of one scale of colours for all maps; otherwise each map
            has its own, from its smallest value to its largest.
        under: Pictures that the maps are laid over, by the same titles; shown pale and grey, seen
            through the cells near zero.
    """
    rows = -(-len(grids) // columns)
    scales = OVER if under else ALONE
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=list(grids), horizontal_spacing=0.06,
        vertical_spacing=0.3 / max(rows, 2),
    )  # fmt: skip
    reach = max(float(np.abs(each).max()) for each in grids.values()) or 1.0
    bar = _BELOW | {"title": {"text": title, "font": {"size": 13}}}
    for number, (name, values) in enumerate(grids.items()):
        low, high = (-reach, reach) if signed else (float(values.min()), float(values.max()))
        figure.add_heatmap(
            row=1 + number // columns, col=1 + number % columns, name=name, z=_shades(values),
            zmin=style.rounded([low])[0], zmax=style.rounded([high])[0],
            showscale=signed and number == 0, colorscale=scales[signed],
            colorbar=bar if signed and number == 0 else None,
            hovertemplate="%{z:.3g}<extra></extra>",
        )  # fmt: skip
    lines = max(name.count("<br>") for name in grids)
    below = 56 * signed
    margins = {"margin_t": 24 + 20 * lines, "margin_b": 16 + below}
    style.dress(figure, height=60 + 250 * rows + below, **margins)
    bare = {"visible": False, "constrain": "domain", **dict.fromkeys(_DRESS)}  # half the weight
    figure.update_xaxes(bare)
    figure.update_yaxes(bare | {"autorange": "reversed"})
    for number, (name, values) in enumerate(grids.items()):
        suffix = "" if number == 0 else str(number + 1)
        figure.layout[f"yaxis{suffix}"].scaleanchor = f"x{suffix}"
        if under:
            height, width = values.shape
            figure.add_layout_image(
                source=style.data_uri(_pale(under[name])), layer="below", sizing="stretch",
                xref=f"x{suffix}", yref=f"y{suffix}", x=-0.5, y=-0.5, sizex=width, sizey=height,
            )  # fmt: skip
    return figure


def _shades(values: Float[np.ndarray, "rows columns"]) -> list[list[float]]:
    """Return a map to three significant digits: more than an eye tells apart, half the weight."""
    return [[float(f"{value:.3g}") for value in row] for row in values]


def _pale(picture: Picture) -> UInt8[np.ndarray, "side side"]:
    """Return a small grey picture, pale enough for the colours of a map to stand out."""
    grey = Image.fromarray(picture).convert("L").resize((UNDER, UNDER), Image.Resampling.BOX)
    values = np.asarray(grey, dtype=float)
    spread = np.ptp(values) or 1.0
    return (255 - 60 * (values.max() - values) / spread).round().astype(np.uint8)


def class_maps(
    tables: Mapping[str, pd.DataFrame],
    *,
    title: str,
    under: Mapping[str, Picture],
    signed: bool = False,
) -> go.Figure:
    """Draw the map of each class over a picture of it, a class a row and a model a column.

    Args:
        tables: By recipe, rows ``label``, ``y``, ``x`` and ``value``.
        title: As ``maps``.
        under: Picture of each class, by its name, such as its mean photo.
        signed: As ``maps``.
    """
    labels = sorted({int(label) for table in tables.values() for label in table.label})
    drawn, pictures = {}, {}
    for label in labels:
        for recipe, table in tables.items():
            name = f"{CLASSES_FR[CLASSES[label]]}<br>{_family(recipe)}"
            drawn[name] = grids.read(table[table.label == label])
            pictures[name] = under[CLASSES[label]]
    return maps(drawn, title=title, columns=len(tables), signed=signed, under=pictures)


def before_and_after(sketch: pd.DataFrame, picture: Picture) -> go.Figure:
    """Draw every map of one picture by the trained network, each beside that of shuffled weights.

    Args:
        sketch: Rows ``map``, ``network`` (``learned`` or ``shuffled``), ``y``, ``x``, ``value``.
        picture: What the networks looked at, which the maps are laid over.
    """
    found = sketch.set_index(["map", "network"])
    drawn = {
        f"{title},<br>{said}": np.abs(grids.read(found.loc[(name, state)]))
        for name, title in MAPS_FR.items()
        if name in set(sketch["map"])
        for state, said in STATES_FR.items()
    }
    return maps(drawn, title="Valeur", under=dict.fromkeys(drawn, picture))


def embeddings(
    planes: Mapping[str, pd.DataFrame],
    truth: Int[np.ndarray, " image"],
    answers: Mapping[str, Int[np.ndarray, " image"]],
) -> go.Figure:
    """Draw the map that each model makes of the photos, coloured by class.

    Photos that the model misses are crosses.

    Args:
        planes: By recipe, columns ``x`` and ``y``, a row a photo.
        truth: Class of each photo.
        answers: By recipe, what the model said of each.
    """
    figure = make_subplots(
        rows=len(planes), cols=1, vertical_spacing=0.16 / max(len(planes), 2),
        subplot_titles=[model_name(recipe) for recipe in planes],
    )  # fmt: skip
    looks = ((True, "circle", "reconnue"), (False, "x", "manquée"))
    for row, (recipe, places) in enumerate(planes.items(), start=1):
        predicted = answers[recipe]
        for k, name in enumerate(CLASSES):
            for right, symbol, state in looks:
                chosen = (truth == k) & ((predicted == truth) == right)
                said = [f"réponse : {CLASSES_FR[CLASSES[p]]}" for p in predicted[chosen]]
                figure.add_scatter(
                    row=row, col=1, mode="markers",
                    name=CLASSES_FR[name] if right else f"{CLASSES_FR[name]}, manquée",
                    legendgroup=name, showlegend=right and row == 1,
                    x=style.rounded(places.x[chosen]), y=style.rounded(places.y[chosen]), text=said,
                    marker={
                        "color": style.CLASS_COLOURS[name], "symbol": symbol, "size": 9,
                        "line": {"width": 1, "color": palette.WHITE},
                    },
                    hovertemplate=f"{CLASSES_FR[name]}, {state}<br>%{{text}}<extra></extra>",
                )  # fmt: skip
    style.dress(figure, height=140 + 480 * len(planes), hovermode="closest")
    hidden = {"showticklabels": False, "ticks": "", "showgrid": False, "title": {"text": ""}}
    figure.update_layout(legend={"y": 1 + 40 / (480 * len(planes))})
    return figure.update_xaxes(hidden).update_yaxes(hidden)


def _family(recipe: str) -> str:
    """Return the first word of a model's name: two of them stand side by side."""
    return model_name(recipe).split(",")[0].split(" (")[0]
