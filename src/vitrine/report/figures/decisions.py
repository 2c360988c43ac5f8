"""Figures of decisions: selective prediction, expected cost, efficiency."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from vitrine.metrics import Interval
from vitrine.metrics.decision import SelectiveCurve, pareto_front
from vitrine.report.figures import style
from vitrine.report.fr import THIN
from vitrine.report.names import model_name
from vitrine.report.palette import MUTED

__all__ = ["efficiency", "expected_costs", "selective"]

LEAST_COVERAGE = 0.1
"""Below this share of the images, an accuracy rests on too few of them to be drawn."""
POINTS = 24
"""Points of a curve of abstention: every one of them weighs on the page."""
MARKS = 4
"""Decades that an axis of half a figure has room to name one by one."""
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
            column for each cost; one that is not known or not positive leaves no point.
        costs: Title of the axis of each cost, by column; one known of no model has no panel.
    """
    known = {
        column: models[column].astype(float).where(lambda cost: cost > 0).to_numpy()
        for column in costs
    }
    drawn = [column for column, values in known.items() if np.isfinite(values).any()]
    rows = -(-len(drawn) // 2)
    figure = make_subplots(
        rows=rows, cols=2, shared_yaxes=True, horizontal_spacing=0.08, vertical_spacing=0.2
    )
    named: set[str] = set()
    for number, column in enumerate(drawn):
        place = {"row": 1 + number // 2, "col": 1 + number % 2}
        _front(figure, known[column], models.value.to_numpy(float), place, first=not named)
        for symbol, cost, model in zip(
            cycle(_SYMBOLS), known[column], models.itertuples(), strict=False
        ):
            if np.isnan(cost):
                continue
            score = Interval(*(round(100 * end, 2) for end in (model.value, model.low, model.high)))
            figure.add_scatter(
                **place, name=model_name(model.recipe), legendgroup=model.recipe,
                showlegend=model.recipe not in named, mode="markers",
                x=style.rounded([cost]), y=style.rounded([score.value]),
                error_y=style.error([score]),
                marker={"color": style.model_colour(model.recipe), "symbol": symbol, "size": 10},
                hovertemplate=f"%{{x:.3~s}}, exactitude %{{y:.1f}}{THIN}%",
            )  # fmt: skip
            named.add(model.recipe)
        figure.update_xaxes(_decades(known[column]), **place)
    style.dress(figure, height=150 + 320 * rows, legend=style.BELOW | {"y": -0.14})
    for number, column in enumerate(drawn):
        place = {"row": 1 + number // 2, "col": 1 + number % 2}
        figure.update_xaxes(title_text=costs[column], **place)
    figure.update_yaxes(style.PERCENT)
    return figure.update_yaxes(title_text="Exactitude", col=1)


def _front(
    figure: go.Figure,
    costs: Float[np.ndarray, " model"],
    scores: Float[np.ndarray, " model"],
    place: Mapping[str, int],
    *,
    first: bool,
) -> None:
    front = pareto_front(costs, scores)
    figure.add_scatter(
        **place, name="Front de Pareto", legendgroup="front", mode="lines", showlegend=first,
        hoverinfo="skip", x=style.rounded(costs[front]), y=style.rounded(100 * scores[front]),
        line={"color": MUTED, "width": 1, "shape": "hv", "dash": "dot"},
    )  # fmt: skip


def _decades(costs: Float[np.ndarray, " model"]) -> dict[str, object]:
    """Return a logarithmic axis with a mark at each end, even where all costs are of one decade."""
    ends = np.log10([np.nanmin(costs) / 1.2, np.nanmax(costs) * 1.2])
    low, high = np.floor(ends[0]), np.ceil(ends[1])
    room = 0.05 * (high - low)  # for the names of these marks
    return {
        "type": "log",
        "dtick": 1 if high - low <= MARKS else 2,
        "exponentformat": "power",
        "range": style.rounded([low - room, high + room]),
    }
