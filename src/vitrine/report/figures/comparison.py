"""Figures of the comparison: scores, gaps, folds, F1 by class, cited results."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.metrics import Interval
from vitrine.report.figures import plots, style, training
from vitrine.report.fr import THIN
from vitrine.report.names import gap_names, in_lines, model_lines, model_name
from vitrine.report.palette import BLUE, INK, MUTED, ORANGE

__all__ = ["announced_gaps", "cited", "class_f1", "folds", "forest"]

ROW, FOLDS_ROW, GAP_ROW = 58, 76, 84
"""Height, in pixels, of a line of a figure that lists models, their folds, their gaps."""
FEW = style.PERCENT | {"nticks": 6}
_LOOKS = ((BLUE, "circle"), (ORANGE, "diamond"), (MUTED, "square"))


def forest(
    scores: Mapping[str, Mapping[str, Interval]],
    *,
    x: str = f"Score, intervalle à 95{THIN}%",
    beside: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw scores and their intervals, a model a line, up to three series a model.

    Args:
        scores: By name of the series, the score of each recipe as a share.
        x: Title of the axis.
        beside: What is written under the name of a recipe, such as its size.
    """
    recipes = list(dict.fromkeys(name for series in scores.values() for name in series))
    offsets = np.linspace(-0.16, 0.16, len(scores)) if len(scores) > 1 else [0.0]
    drawn = [
        plots.Series(
            name=label, values=list(series.values()),
            at=[recipes.index(name) + offset for name in series],
            text=[model_name(name) for name in series],
            marker={"color": colour, "symbol": symbol, "size": 9}, hover=_hover(label),
        )
        for (label, series), offset, (colour, symbol) in zip(
            scores.items(), offsets, _LOOKS, strict=False
        )
    ]  # fmt: skip
    under = {name: f"<br>{text}" for name, text in (beside or {}).items()}
    names = [model_lines(name) + under.get(name, "") for name in recipes]
    return plots.forest(names, drawn, x=x, height=120 + ROW * len(recipes), axes={"xaxis": FEW})


def _hover(series: str) -> str:
    return f"%{{text}} : %{{x:.1f}}{THIN}%<extra>{series}</extra>"


def announced_gaps(
    gaps: Mapping[tuple[str, str], Interval], *, metric: str, smallest: float
) -> go.Figure:
    """Draw gaps with their intervals, above a band that recalls the power of the rule.

    Args:
        gaps: By baseline and candidate, the gap ``candidate - baseline`` as a share.
        metric: French title of the axis.
        smallest: Smallest true gap that the rule settles with its announced power, as a share: a
            band around zero, which no measured gap is held against.
    """
    names = [in_lines(name) for name in gap_names(gaps).values()]
    figure = training.gaps(dict(zip(names, gaps.values(), strict=True)), metric=metric)
    band = style.rounded([100 * smallest])[0] or 0.0
    figure.add_vrect(
        x0=-band, x1=band, fillcolor=MUTED, opacity=0.18, line_width=0, layer="below",
        name="Vrais écarts trop petits pour nos images", showlegend=True,
    )  # fmt: skip
    return figure.update_layout(height=150 + GAP_ROW * len(gaps))


def folds(
    scores: Mapping[str, tuple[Float[np.ndarray, " fold"], Interval, float]], *, metric: str
) -> go.Figure:
    """Draw the score of each fold, their mean with its corrected interval, and the test split's.

    Args:
        scores: By recipe: the score of each fold, the mean, and the score on the published test
            images.
        metric: French name of the score, the title of the axis.
    """
    drawn = []
    for row, (recipe, (by_fold, mean, test)) in enumerate(scores.items()):
        colour = style.model_colour(recipe)
        marks = (
            ("Un pli", by_fold, row - 0.26, "line-ns-open", 12),
            ("Moyenne des plis", [mean], float(row), "diamond", 11),
            ("Images de test publiées", [test], row + 0.26, "x-open", 9),
        )
        drawn += [
            plots.Series(
                name=label, values=list(values), at=[y] * len(values),
                text=[model_name(recipe)] * len(values), hover=_hover(label),
                marker={
                    "color": colour, "symbol": symbol, "size": size,
                    "line": {"width": 2, "color": colour},
                },
                more={"legendgroup": label, "showlegend": row == 0},
            )
            for label, values, y, symbol, size in marks
        ]  # fmt: skip
    names, height = [model_lines(name) for name in scores], 140 + FOLDS_ROW * len(scores)
    return plots.forest(names, drawn, x=metric, height=height, axes={"xaxis": FEW})


def class_f1(scores: Float[np.ndarray, "category model"], recipes: Sequence[str]) -> go.Figure:
    """Draw the F1 of each model (down) in each class (across).

    Args:
        scores: F1 as shares; NaN where a class is neither true nor predicted.
        recipes: The models, in the order of the columns of ``scores``.
    """
    heat = plots.shares(
        scores.T, x=[CLASSES_FR[name] for name in CLASSES],
        y=[model_lines(name) for name in recipes], texttemplate="%{z:.0f}",
        colorbar={"title": {"text": "F1 (%)"}},
        hovertemplate=f"%{{y}}, %{{x}} : %{{z:.1f}}{THIN}%<extra></extra>",
    )  # fmt: skip
    axes = {
        "xaxis": {"showgrid": False, "ticks": "", "tickangle": -60, "dtick": 1},
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticks": ""},
    }
    return style.dress(go.Figure(heat), x="Catégorie", y="Modèle", height=560, axes=axes)


def cited(results: pd.DataFrame, *, reference: str, smallest: float) -> go.Figure:
    """Draw the accuracies published by others, frozen then fine-tuned, around a reference.

    Args:
        results: Columns ``model``, ``backbone`` (``frozen`` or ``fine-tuned``) and
            ``test_accuracy``.
        reference: Model whose fine-tuned accuracy is the centre of the band.
        smallest: Half the width of the band: the smallest true gap that a test finds with its
            announced power from two accuracies without their answers, as a share.
    """
    table = results.pivot(index="model", columns="backbone", values="test_accuracy")
    table = table.sort_values("fine-tuned", ascending=False)
    drawn = []
    looks = (("fine-tuned", "Fine-tuning", "circle"), ("frozen", "Réseau gelé", "circle-open"))
    for state, label, symbol in looks:
        known = table[state].dropna()
        drawn.append(
            plots.Series(
                name=label, values=known.tolist(), text=list(known.index), hover=_hover(label),
                at=[table.index.get_loc(name) for name in known.index],
                marker={"color": INK, "symbol": symbol, "size": 10, "line": {"width": 2}},
            )
        )  # fmt: skip
    names = [re.sub("-(patch|imagenet)", r"<br>-\1", name) for name in table.index]
    axes = {"xaxis": FEW | {"dtick": 20}}
    height = 130 + 44 * len(table)
    figure = plots.forest(names, drawn, x="Exactitude publiée", height=height, axes=axes)
    for place, (_, row) in enumerate(table.iterrows()):
        if row.notna().all():
            figure.add_shape(
                type="line", x0=style.rounded([100 * row["frozen"]])[0],
                x1=style.rounded([100 * row["fine-tuned"]])[0], y0=place, y1=place,
                line={"color": MUTED, "width": 1}, layer="below",
            )  # fmt: skip
    centre = table.loc[reference, "fine-tuned"]
    low, high = style.rounded([100 * (centre - smallest), 100 * (centre + smallest)])
    return figure.add_vrect(
        x0=low, x1=high, fillcolor=MUTED, opacity=0.18, line_width=0, layer="below"
    )
