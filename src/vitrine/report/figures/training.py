"""Figures of training: learning curves, scores by class, confusion, reliability, seeds, gaps."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Int
from plotly.subplots import make_subplots

from vitrine.data.catalog import CLASSES
from vitrine.metrics import Interval
from vitrine.metrics.calibration import Reliability
from vitrine.metrics.classes import ClassScores
from vitrine.report.figures import plots, style
from vitrine.report.names import model_lines, model_name
from vitrine.report.palette import BLUE, INK, MUTED

__all__ = [
    "class_scores", "confusion", "curves", "gaps", "pretrainings", "reliability", "seeds",
]  # fmt: skip

CHANCE = 100 / 200
"""Accuracy of a guess among the classes of the pretraining corpus, in percent."""
MARKS = {
    "precision": ("Précision", "circle"),
    "recall": ("Rappel", "square"),
    "f1": ("F1", "diamond"),
}
PARTS = {"train": "entraînement", "val": "validation"}
ROW, CURVES_ROW = 58, 200
"""Height, in pixels, of a line of a figure that lists things, and of one of learning curves."""


def curves(histories: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Draw loss and accuracy, epoch after epoch, side by side, a recipe a line.

    Training is measured on augmented photos with a smoothed target, validation on plain ones, so
    that the two losses are not on one scale; a learning curve is read along itself. Seeds of one
    recipe share its panels.

    Args:
        histories: ``history.csv`` of each run, by the name of the run.
    """
    recipes = list(dict.fromkeys(name.partition("/")[0] for name in histories))
    rows = len(recipes)
    figure = make_subplots(
        rows=rows, cols=2, horizontal_spacing=0.08, vertical_spacing=0.4 / max(rows, 2)
    )
    for number, (name, history) in enumerate(histories.items()):
        recipe, _, seed = name.partition("/seed-")
        for part, label in PARTS.items():
            colour = MUTED if part == "train" else style.model_colour(recipe)
            dash = style.DASHES[0 if rows > 1 else number % len(style.DASHES)]
            for column, (quantity, scale) in enumerate((("loss", 1), ("accuracy", 100)), start=1):
                figure.add_scatter(
                    row=1 + recipes.index(recipe), col=column, mode="lines", showlegend=False,
                    name=f"{model_name(recipe)}, graine {seed}, {label}",
                    x=history.epoch.tolist(),
                    y=style.rounded(scale * history[f"{part}_{quantity}"]),
                    line={"color": colour, "width": 2 if part == "val" else 1.2, "dash": dash},
                    hovertemplate="époque %{x} : %{y:.3~g}",
                )  # fmt: skip
    style.dress(figure, height=110 + CURVES_ROW * rows, hovermode="closest")
    _name_ends(figure, next(iter(histories.values())))
    for row, recipe in enumerate(recipes, start=1):
        figure.add_annotation(
            row=row, col=1, text=model_name(recipe), xref="paper", yref="y domain", x=0, y=1,
            xanchor="left", yanchor="bottom", showarrow=False, font={"size": 14},
        )  # fmt: skip
        figure.update_yaxes(title_text="Perte (nats)", rangemode="tozero", row=row, col=1)
        figure.update_yaxes(
            style.percent_axis() | {"title": {"text": "Exactitude"}, "side": "right"},
            row=row,
            col=2,
        )
    return figure.update_xaxes(title_text="Époque", row=rows)


def _name_ends(figure: go.Figure, history: pd.DataFrame) -> None:
    """Write the part of each curve of the first panel at its last epoch, above it or below."""
    ends = {part: history[f"{part}_loss"].iloc[-1] for part in PARTS}
    for part, end in ends.items():
        if np.isfinite(end):
            figure.add_annotation(
                row=1, col=1, x=int(history.epoch.iloc[-1]), y=style.rounded([end])[0],
                text=PARTS[part], xanchor="right", showarrow=False,
                yanchor="bottom" if end == max(ends.values()) else "top",
            )  # fmt: skip


def pretrainings(histories: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Draw the accuracy of each pretraining against what it saw, then against the time it took.

    Args:
        histories: ``history.csv`` of each pretraining, by recipe.
    """
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.16)
    for number, (recipe, history) in enumerate(histories.items()):
        seen, minutes = history.images / 1e3, history.seconds.cumsum() / 60
        for row, (along, said) in enumerate(
            ((seen, "%{x:.0f} milliers d’images"), (minutes, "%{x:.0f} min")), start=1
        ):
            figure.add_scatter(
                row=row, col=1, mode="lines+markers", name=model_lines(recipe),
                legendgroup=recipe, showlegend=row == 1,
                x=style.rounded([0.0, *along]),
                y=style.rounded([CHANCE, *(100 * history.val_accuracy)]),
                line={
                    "color": style.model_colour(recipe), "width": 2, "dash": style.DASHES[number]
                },
                hovertemplate=f"{said} : %{{y:.1f}} %",
            )  # fmt: skip
    axes = {
        "yaxis": style.PERCENT | {"rangemode": "tozero"},
        "yaxis2": style.PERCENT | {"rangemode": "tozero"},
        "xaxis": {"title": {"text": "Images vues (milliers)"}},
        "xaxis2": {"title": {"text": "Durée d’entraînement (min)"}},
    }
    return style.dress(figure, y="Exactitude", height=640, axes=axes, hovermode="closest")


def class_scores(scores: Sequence[ClassScores]) -> go.Figure:
    """Draw precision, recall and F1 of each class with their intervals.

    Args:
        scores: One entry a class, in the order of the labels.
    """
    series = [
        plots.Series(
            name=label, values=[getattr(score, field) for score in scores],
            at=[score.label + offset for score in scores],
            text=[CLASSES[score.label] for score in scores],
            marker={"symbol": symbol, "size": 9, "color": BLUE if field == "f1" else MUTED},
            hover="%{text} : %{x:.1f} %<extra>" + label + "</extra>",
        )
        for offset, (field, (label, symbol)) in zip((-0.22, 0.0, 0.22), MARKS.items(), strict=True)
    ]  # fmt: skip
    names = [f"{style.SHORT[CLASSES[score.label]]} ({score.support})" for score in scores]
    axes = {"xaxis": style.percent_axis(), "yaxis": style.listed(names) | {"showgrid": True}}
    height = 110 + ROW * len(scores)
    return plots.forest(names, series, x="Score et intervalle à 95 %", height=height, axes=axes)


def confusion(counts: Int[np.ndarray, "category category"]) -> go.Figure:
    """Draw a confusion matrix: true class down, predicted class across.

    Args:
        counts: Images of each pair, as ``metrics.classes.confusion`` counts them.
    """
    names = [style.SHORT[name] for name in CLASSES]
    heat = plots.shares(
        counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
        x=names, y=names, text=counts.tolist(), texttemplate="%{text}", showscale=False,
        colorbar={"title": {"text": "Part de la catégorie vraie (%)"}},
        hovertemplate="%{y} → %{x} : %{text} images, %{z:.0f} % de la catégorie<extra></extra>",
    )  # fmt: skip
    axes = {
        "xaxis": {"tickangle": -60, "showgrid": False, "ticks": ""},
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticks": ""},
    }
    x, y = "Catégorie prédite", "Catégorie vraie"
    return style.dress(go.Figure(heat), x=x, y=y, height=520, axes=axes)


def reliability(curve: Reliability, recipe: str) -> go.Figure:
    """Draw a reliability diagram: accuracy against confidence, above a histogram of confidence.

    Args:
        curve: As ``scores.calibration`` returns it.
        recipe: Which model, for its name and colour.
    """
    filled = curve.count > 0
    intervals = [
        style.percent(Interval(float(v), float(low), float(high)))
        for v, low, high in zip(
            curve.accuracy[filled], curve.low[filled], curve.high[filled], strict=True
        )
    ]
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.07
    )
    figure.add_scatter(
        row=1, col=1, name="Calibration parfaite", mode="lines", x=[0, 100], y=[0, 100],
        line={"color": MUTED, "dash": "dash", "width": 1.5}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        row=1, col=1, name=model_name(recipe), mode="markers",
        x=style.rounded(100 * curve.confidence[filled]),
        y=style.rounded(i.value for i in intervals),
        error_y=style.error(intervals), customdata=curve.count[filled].tolist(),
        marker={"color": style.model_colour(recipe), "size": 9},
        hovertemplate="confiance %{x:.0f} %, exactitude %{y:.0f} % (%{customdata} images)"
        "<extra></extra>",
    )  # fmt: skip
    middles = 50 * (curve.edges[:-1] + curve.edges[1:])
    figure.add_bar(
        row=2, col=1, name="Images", showlegend=False,
        x=style.rounded(middles), y=curve.count.tolist(),
        marker_color=style.model_colour(recipe), hovertemplate="%{y} images<extra></extra>",
    )  # fmt: skip
    axes = {
        "xaxis": style.percent_axis(),
        "xaxis2": style.percent_axis() | {"title": {"text": "Confiance annoncée"}},
        "yaxis": style.percent_axis(-3.0, 103.0) | {"title": {"text": "Exactitude observée"}},
        "yaxis2": {"title": {"text": "Images"}, "rangemode": "tozero"},
    }
    return style.dress(figure, height=560, axes=axes, bargap=0.08)


def seeds(scores: Mapping[str, tuple[Sequence[float], Interval]], *, metric: str) -> go.Figure:
    """Draw the score of each seed of each recipe, and the mean with its interval.

    Args:
        scores: By recipe: the score of each seed, and their mean with its interval.
        metric: French name of the score, the title of the axis.
    """
    series = []
    for row, (recipe, (by_seed, mean)) in enumerate(scores.items()):
        colour, name = style.model_colour(recipe), model_name(recipe)
        series += [
            plots.Series(
                name=f"{name}, moyenne", values=[mean], at=[row],
                marker={"symbol": "diamond", "size": 12, "color": colour},
                hover="moyenne : %{x:.1f} %<extra></extra>",
            ),
            plots.Series(
                name=f"{name}, une graine", values=by_seed, at=[row + 0.28] * len(by_seed),
                marker={
                    "symbol": "circle-open", "size": 9, "color": colour, "line": {"width": 2}
                },
                hover="une graine : %{x:.1f} %<extra></extra>",
            ),
        ]  # fmt: skip
    names = [model_name(recipe).replace(", ", ",<br>") for recipe in scores]
    height = 120 + ROW * len(scores)
    axes = {"xaxis": style.PERCENT}
    return plots.forest(names, series, x=metric, height=height, axes=axes, showlegend=False)


def gaps(intervals: Mapping[str, Interval], *, metric: str) -> go.Figure:
    """Draw gaps between models with their intervals, around zero.

    Args:
        intervals: Gap, a share between -1 and 1, by what is compared; ``<br>`` breaks a name.
        metric: French name of the score whose gap is drawn.
    """
    names = list(intervals)
    points = plots.Series(
        values=list(intervals.values()), at=range(len(names)), text=names,
        marker={"color": BLUE, "size": 10, "symbol": "diamond"},
        hover="%{text} : %{x:+.1f} points<extra></extra>", more={"showlegend": False},
    )  # fmt: skip
    figure = plots.forest(names, [points], x=metric, height=120 + ROW * len(names), axes={})
    return figure.add_vline(x=0, line={"color": INK, "width": 1.2})
