"""Figures of decisions: selective prediction, expected cost, efficiency, images missed."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float, Int
from plotly.subplots import make_subplots

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.metrics import Interval
from vitrine.metrics.decision import SelectiveCurve, pareto_front
from vitrine.report.figures import style
from vitrine.report.fr import THIN
from vitrine.report.names import model_name
from vitrine.report.palette import INK, MUTED

__all__ = ["efficiency", "expected_costs", "missed", "selective"]

LEAST_COVERAGE = 0.1
"""Below this share of the images, an accuracy rests on too few of them to be drawn."""
POINTS = 24
"""Points of a curve of abstention: every one of them weighs on the page."""
UNMEASURED = "non mesuré"
_BREAKS = ("solid", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "triangle-down", "star", "x")


def selective(curves: Mapping[str, SelectiveCurve]) -> go.Figure:
    """Draw accuracy against coverage, the share of the images that a model answers.

    Args:
        curves: By recipe, as ``metrics.decision`` returns them.
    """
    figure, lines = go.Figure(), _lines(curves)
    for recipe, curve in curves.items():
        answered = np.flatnonzero(curve.coverage >= LEAST_COVERAGE)
        shown = answered[np.unique(np.linspace(0, len(answered) - 1, POINTS).round().astype(int))]
        figure.add_scatter(
            name=model_name(recipe), mode="lines",
            x=(100 * curve.coverage[shown]).round(1).tolist(),
            y=(100 * curve.accuracy[shown]).round(2).tolist(),
            customdata=(100 * curve.threshold[shown]).round().astype(int).tolist(),
            line=lines[recipe],
            hovertemplate=f"%{{x:.0f}}{THIN}% des photos, exactitude %{{y:.1f}}{THIN}%, "
            f"confiance d’au moins %{{customdata:.0f}}{THIN}%",
        )  # fmt: skip
    axes = {
        "xaxis": style.PERCENT | {"range": [101, 100 * LEAST_COVERAGE - 1]},
        "yaxis": style.percent_axis(0.0),
        "legend": style.BELOW,
    }
    x, y = "Couverture (part des photos)", "Exactitude sur ces photos"
    return style.dress(figure, x=x, y=y, height=520, axes=axes)


def expected_costs(
    prices: Float[np.ndarray, " price"],
    costs: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    about: str,
    first: str,
) -> go.Figure:
    """Draw what a photo costs on average, as the price of a person's look goes up.

    Args:
        prices: Price of a look, in units of an ordinary error.
        costs: By label of a cost matrix, then by recipe, the mean cost of a photo at each price; a
            slider chooses the matrix.
        about: What the slider sets, in French.
        first: Label of the matrix shown first.
    """
    figure, shown = go.Figure(), {}
    figure.add_scatter(
        name="Tout confier à une personne", mode="lines",
        x=style.rounded(prices), y=style.rounded(prices),
        line={"color": MUTED, "dash": "dash", "width": 1.5},
        hovertemplate="%{y:.2f}",
    )  # fmt: skip
    lines = _lines(costs[first])
    for label, by_recipe in costs.items():
        shown[label] = range(len(figure.data), len(figure.data) + len(by_recipe))
        for recipe, values in by_recipe.items():
            figure.add_scatter(
                name=f"{model_name(recipe)}, {label}", mode="lines",
                x=style.rounded(prices), y=np.round(values, 3).tolist(),
                line=lines[recipe],
                hovertemplate="prix %{x:.2f}, coût %{y:.3f}",
            )  # fmt: skip
    highest = max(max(values) for by_recipe in costs.values() for values in by_recipe.values())
    axes = {
        "xaxis": {"tickformat": ".1f"},
        "yaxis": {"range": [0, round(1.05 * max(highest, *prices), 2)], "tickformat": ".1f"},
    }
    x, y = "Prix d’un regard humain (en erreurs)", "Coût moyen par photo (en erreurs)"
    style.dress(figure, x=x, y=y, height=600, axes=axes)
    return style.stepped(figure, shown, about=about, first=first)


def _lines(recipes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the line of each recipe: its colour, broken where a recipe before has the same."""
    lines: dict[str, dict[str, Any]] = {}
    for recipe in recipes:
        colour = style.model_colour(recipe)
        before = sum(line["color"] == colour for line in lines.values())
        lines[recipe] = {"color": colour, "width": 2} | (
            {"dash": _BREAKS[before]} if before else {}
        )
    return lines


def efficiency(models: pd.DataFrame, costs: Mapping[str, str]) -> go.Figure:
    """Draw accuracy against each cost of a model, and the front of those that none beats on both.

    Args:
        models: A row a recipe: ``recipe``, ``value``, ``low``, ``high`` of the accuracy, and a
            column for each cost; one that is not known or not positive leaves no point, and a cost
            known of no model a panel that says so.
        costs: Title of the axis of each cost, by column.
    """
    gap = 0.36 / max(len(costs), 2)
    figure = make_subplots(rows=len(costs), cols=1, vertical_spacing=gap, shared_yaxes=True)
    axes: dict[str, Any] = {"legend": style.BELOW | {"y": -0.36 / max(len(costs), 2)}}
    for place, (column, title) in enumerate(costs.items(), start=1):
        known = models[column].astype(float).where(lambda cost: cost > 0).to_numpy()
        front = pareto_front(known, models.value.to_numpy(float))
        figure.add_scatter(
            row=place, col=1, name="Ce qu’aucun autre ne bat", legendgroup="front", mode="lines",
            showlegend=place == 1, hoverinfo="skip",
            # A trace without a point at all would leave the axes of its panel without a place.
            x=style.rounded(known[front]) or [None],
            y=style.rounded(100 * models.value.to_numpy(float)[front]) or [None],
            line={"color": MUTED, "width": 1, "shape": "hv", "dash": "dot"},
        )  # fmt: skip
        for symbol, cost, row in zip(cycle(_SYMBOLS), known, models.itertuples(), strict=False):
            if place > 1 and np.isnan(cost):
                continue  # the first panel names every model
            score = Interval(*(round(100 * end, 2) for end in (row.value, row.low, row.high)))
            figure.add_scatter(
                row=place, col=1, name=model_name(row.recipe), legendgroup=row.recipe,
                showlegend=place == 1, mode="markers",
                x=style.rounded([cost]), y=style.rounded([score.value]),
                error_y=style.error([score]),
                marker={"color": style.model_colour(row.recipe), "symbol": symbol, "size": 11},
                hovertemplate=f"%{{x:.3~s}}, exactitude %{{y:.1f}}{THIN}%",
            )  # fmt: skip
        number = "" if place == 1 else str(place)
        axes[f"xaxis{number}"] = {
            "type": "log", "dtick": 1, "exponentformat": "power", "title": {"text": title},
        }  # fmt: skip
        axes[f"yaxis{number}"] = style.PERCENT | {"title": {"text": "Exactitude"}}
        if place > 1:  # one scale for all, the empty ones too
            axes[f"yaxis{number}"]["matches"] = "y"
        if np.isfinite(known).any():  # a mark at each end, even where all costs are of one decade
            ends = np.log10([np.nanmin(known) / 1.2, np.nanmax(known) * 1.2])
            low, high = np.floor(ends[0]), np.ceil(ends[1])
            room = 0.05 * (high - low)  # for the names of these marks
            axes[f"xaxis{number}"]["range"] = style.rounded([low - room, high + room])
        else:
            axes[f"xaxis{number}"] |= {"showticklabels": False, "showgrid": False, "ticks": ""}
            figure.add_annotation(
                row=place, col=1, xref="x domain", yref="y domain", x=0.5, y=0.5, text=UNMEASURED,
                showarrow=False, font={"color": INK, "size": 16},
            )  # fmt: skip
    return style.dress(figure, height=120 + 310 * len(costs), axes=axes)


def missed(
    truth: Int[np.ndarray, " image"], misses: Int[np.ndarray, " image"], models: int
) -> go.Figure:
    """Draw how many test images are missed by no model, one, or all of them, by class.

    Args:
        truth: True class of each image.
        misses: Models that miss it.
        models: Models asked.
    """
    figure = go.Figure()
    for label, name in enumerate(CLASSES):
        counts = np.bincount(misses[truth == label], minlength=models + 1)
        figure.add_bar(
            name=CLASSES_FR[name], x=list(range(models + 1)), y=counts.tolist(),
            marker_color=style.CLASS_COLOURS[name], hovertemplate="%{y} images",
        )  # fmt: skip
    axes = {
        "xaxis": {"dtick": 1, "showgrid": False},
        "legend": style.BELOW,
    }
    x = "Modèles qui se trompent"
    return style.dress(figure, x=x, y="Images de test", height=480, axes=axes, barmode="stack")
