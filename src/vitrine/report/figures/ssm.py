"""Figures of the chapter on state-space models: memory, discretisation, selection, traffic."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from vitrine.report.figures import plots, style
from vitrine.report.palette import BLUE, GREY, INTENSITY, VERMILION

__all__ = ["held", "influence", "learning", "past", "steps_chosen", "traffic", "views"]

_KINDS = {"blanc": GREY, "symbole": VERMILION, "signal": BLUE}
_BAR = {
    "title": {"text": "Influence"},
    "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
    "thickness": 12, "len": 0.6,
}  # fmt: skip
"""A scale under the panels, wherever a page stacks them."""
_DECIMALS = 4
"""Enough for an eye, and few enough that two machines round alike."""

Signal = Float[np.ndarray, " _"]


def influence(maps: Mapping[str, Float[np.ndarray, "length length"]]) -> go.Figure:
    """Draw which tokens each output depends on: a panel a mixer, the present on the diagonal.

    Args:
        maps: By mixer, how much the output of each row moves with the token of each column.
    """
    figure = make_subplots(cols=len(maps), subplot_titles=list(maps), horizontal_spacing=0.08)
    for column, (name, values) in enumerate(maps.items(), start=1):
        share = values / values.max()
        figure.add_heatmap(
            z=style.grid(np.where(share > 0, np.round(share, 3), np.nan)),
            name=name,
            coloraxis="coloraxis",
            row=1,
            col=column,
        )
    scale = {"colorscale": INTENSITY, "cmin": 0, "cmax": 1, "colorbar": _BAR}
    style.dress(figure, height=340, coloraxis=scale, margin={"b": 96}, meta={"stack": True})
    figure.update_xaxes(title_text="Jeton lu", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, title_text="Réponse")
    return figure


def held(
    times: Signal,
    answer: Signal,
    stepped: Mapping[str, tuple[Signal, Mapping[str, Signal]]],
    *,
    first: str,
) -> go.Figure:
    """Draw a continuous-time system and its discretisations, for a chosen step.

    Args:
        times: When the continuous answer is read.
        answer: That answer.
        stepped: By length of step, as it is written: the times, and the outputs by rule.
        first: Length of step shown first.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=_short(times), y=_short(answer), name="temps continu", mode="lines",
        line={"color": GREY, "width": 4},
    )  # fmt: skip
    marks = (("circle", BLUE), ("x", VERMILION))
    shown = {}
    for label, (when, outputs) in stepped.items():
        shown[label] = []
        for (rule, values), (symbol, colour) in zip(outputs.items(), marks, strict=False):
            shown[label].append(len(figure.data))
            figure.add_scatter(
                x=_short(when), y=_short(values), name=f"{rule}, pas {label}",
                mode="markers" if symbol == "circle" else "lines+markers",
                marker={"color": colour, "symbol": symbol, "size": 7},
                line={"color": colour, "width": 1, "dash": "dot"},
            )  # fmt: skip
    low, high = float(np.min(answer)), float(np.max(answer))
    room = 0.6 * (high - low)
    axes = {"yaxis": {"range": [low - room, high + room]}}
    style.dress(figure, x="Temps (s)", y="Réponse du système", axes=axes)
    return style.stepped(figure, shown, about="Pas", first=first)


def views(inputs: Signal, kernel: Signal, output: Signal, positions: Sequence[int]) -> go.Figure:
    """Draw one output as a convolution over the past, beside the outputs of the recurrence.

    Args:
        inputs: What the system is given.
        kernel: What an impulse leaves in its output.
        output: Its output, by recurrence.
        positions: Where the sum may be looked at; the middle one is shown first.
    """
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.12)
    every = list(range(len(inputs)))
    figure.add_scatter(
        x=every, y=_short(output), name="récurrence", mode="lines",
        line={"color": BLUE}, row=2, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=every, y=_short(inputs), name="entrée", mode="lines",
        line={"color": GREY, "shape": "hvh"}, row=1, col=1,
    )  # fmt: skip
    shown = {}
    for t in positions:
        terms = inputs[: t + 1] * kernel[t::-1]
        shown[str(t)] = [len(figure.data), len(figure.data) + 1]
        figure.add_bar(
            x=every[: t + 1], y=_short(terms), name=f"termes de la somme, position {t}",
            marker={"color": VERMILION}, row=1, col=1,
        )  # fmt: skip
        figure.add_scatter(
            x=[t], y=_short([terms.sum()]), name=f"somme, position {t}", mode="markers",
            marker={"color": VERMILION, "size": 11, "symbol": "diamond"}, row=2, col=1,
        )  # fmt: skip
    style.dress(figure, height=480, bargap=0)
    figure.update_xaxes(title_text="Position", row=2)
    figure.update_xaxes(title_text=None, row=1)
    figure.update_yaxes(title_text="Entrée et termes", row=1)
    figure.update_yaxes(title_text="Sortie", row=2)
    first = str(positions[len(positions) // 2])
    return style.stepped(figure, shown, about="Position", first=first)


def past(signal: Signal, recalled: Mapping[int, Signal], last: Mapping[int, Signal]) -> go.Figure:
    """Draw a signal and what memories of several sizes recall of it.

    Args:
        signal: The signal, over its whole length.
        recalled: By size of memory, what its coefficients stand for.
        last: By size of memory, the last samples that as many numbers would hold.
    """
    figure = go.Figure()
    every = list(range(len(signal)))
    figure.add_scatter(
        x=every, y=_short(signal), name="signal", mode="lines",
        line={"color": GREY, "width": 3},
    )  # fmt: skip
    shown = {}
    for size, values in recalled.items():
        shown[str(size)] = [len(figure.data), len(figure.data) + 1]
        figure.add_scatter(
            x=every, y=_short(values), name=f"{size} coefficients", mode="lines",
            line={"color": BLUE},
        )  # fmt: skip
        figure.add_scatter(
            x=every[-size:], y=_short(last[size]), name=f"{size} derniers échantillons",
            mode="markers", marker={"color": VERMILION, "size": 5},
        )  # fmt: skip
    style.dress(figure, x="Échantillon", y="Signal")
    first = str(list(recalled)[len(recalled) // 2])
    return style.stepped(figure, shown, about="Nombres gardés", first=first)


def learning(curves: Mapping[str, Mapping[int, float]], *, chance: float) -> go.Figure:
    """Draw how well symbols are repeated as each layer learns, and what chance would give."""
    percents = {n: (c, [100 * score for score in c.values()]) for n, c in curves.items()}
    figure = plots.lines(percents, digits=_DECIMALS)
    ends = [0, max(max(curve) for curve in curves.values())]
    figure.add_scatter(
        x=ends, y=_short([100 * chance] * 2), name="hasard", mode="lines",
        line={"dash": "dash", "color": GREY, "width": 1},
    )  # fmt: skip
    axes = {"yaxis": style.percent_axis()}
    return style.dress(figure, x="Pas d’apprentissage", y="Symboles bien répétés", axes=axes)


def steps_chosen(kinds: Sequence[str], sizes: Signal) -> go.Figure:
    """Draw the step that a layer chose at each token of a sequence, coloured by kind of token.

    Args:
        kinds: ``blanc``, ``symbole`` or ``signal``, by position.
        sizes: The step, a mean over the channels.
    """
    figure = go.Figure()
    for kind, colour in _KINDS.items():
        places = [i for i, found in enumerate(kinds) if found == kind]
        figure.add_bar(
            x=places, y=_short(sizes[places]), name=kind, marker={"color": colour}, width=0.8
        )
    return style.dress(figure, x="Position", y="Pas Δ choisi", height=340)


def traffic(moved: Mapping[str, Mapping[int, float]]) -> go.Figure:
    """Draw what each form of the scan moves, against the size of its state.

    Args:
        moved: By form, the elements moved by size of state, for one element of the input.
    """
    curves = {name: (by_state, by_state.values()) for name, by_state in moved.items()}
    figure = plots.lines(curves, mode="lines+markers")
    states = list(next(iter(moved.values())))
    axes = {"xaxis": style.log_axis(states), "yaxis": {"type": "log", "dtick": 1}}
    y = "Nombres déplacés par nombre d’entrée"
    return style.dress(figure, x="Taille de l’état", y=y, axes=axes)


def _short(values: Sequence[float] | Signal) -> list[float | None]:
    return style.rounded(np.round(np.asarray(values, dtype=float), _DECIMALS))
