"""Figures of a network's architecture: stages, one block, padding of windows."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from vitrine.report.figures import style
from vitrine.report.palette import BLUE, GREEN, GREY, VERMILION

__all__ = ["block", "padding", "stages"]

_KINDS = {
    "convolution": ("convolution", GREEN, "diamond"),
    "scan": ("balayage", VERMILION, "square"),
    "attention": ("attention", BLUE, "circle"),
}
_SCANNED, _BOTH, _CONVOLVED = 0.23, 0.5, 0.7
_LANES = {_SCANNED: "branche balayée", _BOTH: "tronc commun", _CONVOLVED: "branche convoluée"}
_FLOW: tuple[tuple[str, float, int, str, tuple[int, ...]], ...] = (
    ("Normalisation", _BOTH, 0, "norm1", ()),
    ("Projection, puis coupe en deux", _BOTH, 1, "mixer.in_proj", (0,)),
    ("Convolution et SiLU", _SCANNED, 2, "mixer.conv1d_x", (1,)),
    ("Convolution et SiLU", _CONVOLVED, 2, "mixer.conv1d_z", (1,)),
    ("Pas, B et C", _SCANNED, 3, "mixer.x_proj", (2,)),
    ("Pas étendu", _SCANNED, 4, "mixer.dt_proj", (4,)),
    ("Balayage sélectif", _SCANNED, 5, "", (5,)),
    ("Côte à côte, puis projection", _BOTH, 6, "mixer.out_proj", (6, 3)),
    ("Addition à l’entrée du bloc", _BOTH, 7, "", (7,)),
    ("Normalisation", _BOTH, 8, "norm2", (8,)),
    ("Perceptron, élargi", _BOTH, 9, "mlp.fc1", (9,)),
    ("Perceptron, resserré", _BOTH, 10, "mlp.fc2", (10,)),
    ("Addition", _BOTH, 11, "", (11,)),
)
"""Steps of a block that scans: name, lane, row, module that gives the shape, steps before it."""
_DETOURS = ((-0.5, 8), (7.5, 12))
"""Passages around the mixer and around the perceptron: from a height to the step that adds."""
_EDGE, _HALF, _ROW = 0.97, 0.36, 52
"""Where detours run, half the height of a box in rows, and pixels of a row."""


def stages(networks: Mapping[str, Sequence[Any]], *, first: str) -> go.Figure:
    """Draw the stages of some networks, a mark a block; a slider chooses the network.

    Args:
        networks: By name on screen, what ``anatomy.stages`` returned.
        first: Name of the network shown first.
    """
    figure, shown = go.Figure(), {}
    most = max(len(stage.blocks) for found in networks.values() for stage in found)
    for network, found in networks.items():
        shown[network] = []
        for kind, (name, colour, symbol) in _KINDS.items():
            places = [
                (number, row)
                for row, stage in enumerate(found)
                for number, block_kind in enumerate(stage.blocks, start=1)
                if block_kind == kind
            ]
            shown[network].append(len(figure.data))
            figure.add_scatter(
                x=[x for x, _ in places],
                y=[y for _, y in places],
                mode="markers",
                name=f"{name}, {network}",
                marker={"color": colour, "symbol": symbol, "size": 15},
                hovertemplate="bloc %{x}, " + name + "<extra></extra>",
            )
        shown[network].append(len(figure.data))
        figure.add_scatter(
            x=[0.6] * len(found), y=[row - 0.38 for row in range(len(found))], mode="text",
            text=[_described(stage) for stage in found], textposition="middle right",
            textfont={"size": 11}, name=f"étages, {network}", showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    rows = [f"Étage {row}" for row in range(1, len(next(iter(networks.values()))) + 1)]
    axes = {
        "xaxis": {"range": [0.4, most + 0.6], "dtick": 2, "tick0": 1, "showgrid": False},
        "yaxis": style.listed(rows) | {"range": [len(rows) - 0.6, -0.7], "autorange": False},
    }
    style.dress(figure, x="Bloc", height=380, axes=axes)
    return style.stepped(figure, shown, about="Réseau", first=first)


def _described(stage: Any) -> str:
    channels, height, width = stage.shape
    window = f", fenêtres de {stage.window}" if stage.window else ""
    return f"{height} × {width}, {channels} canaux{window}"


def block(parts: Sequence[Any]) -> go.Figure:
    """Draw a block that scans, from top to bottom, with the shape of what each step returns.

    Args:
        parts: What ``anatomy.parts`` found in it.
    """
    by_name = {part.name: part for part in parts}
    figure = go.Figure()
    xs, ys = _passages()
    figure.add_scatter(
        x=xs, y=ys, mode="lines", line={"color": GREY, "width": 2}, name="passage",
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    shapes = _shapes(by_name)
    figure.add_scatter(
        x=[lane for _, lane, *_ in _FLOW],
        y=[row for _, _, row, *_ in _FLOW],
        mode="text",
        text=[f"{step[0]}<br>{shape}" for step, shape in zip(_FLOW, shapes, strict=True)],
        textfont={"size": 11},
        customdata=[by_name[part].parameters if part else 0 for *_, part, _ in _FLOW],
        hovertemplate="%{text}<br>%{customdata} paramètres<extra></extra>",
        name="étape",
        showlegend=False,
    )
    for name, lane, row, *_ in _FLOW:
        width = 0.225 if lane != _BOTH else 0.3
        colour = VERMILION if name == "Balayage sélectif" else GREY
        figure.add_shape(
            type="rect", x0=lane - width, x1=lane + width, y0=row - _HALF, y1=row + _HALF,
            line={"color": colour, "width": 2}, layer="below",
        )  # fmt: skip
    bare = {"showticklabels": False, "showgrid": False, "showline": False, "ticks": ""}
    lanes = {"tickvals": list(_LANES), "ticktext": list(_LANES.values()), "range": [0, 1]}
    last = _FLOW[-1][2]
    axes = {"xaxis": bare | lanes, "yaxis": bare | {"range": [last + 0.6, -0.7]}}
    return style.dress(figure, height=80 + _ROW * (last + 1), axes=axes)


def _shapes(by_name: Mapping[str, Any]) -> list[str]:
    """Return the shape after each step; a step without a module keeps the one that it is given."""
    texts: list[str] = []
    for name, _, _, part, before in _FLOW:
        if not part:
            # The scan answers in the shape of its input, which the convolution gave.
            texts.append(texts[2 if name == "Balayage sélectif" else before[0]])
            continue
        shape = by_name[part].shape
        # A convolution has its channels before its tokens.
        tokens, channels = shape[::-1] if by_name[part].kind == "Conv1d" else shape
        texts.append(f"{tokens} jetons × {channels}")
    return texts


def _passages() -> tuple[list[float | None], list[float | None]]:
    """Return the passages between steps; a missing point lifts the pen."""
    xs: list[float | None] = []
    ys: list[float | None] = []

    def draw(*points: tuple[float, float]) -> None:
        xs.extend([*(x for x, _ in points), None])
        ys.extend([*(y for _, y in points), None])

    for _, lane, row, _, before in _FLOW:
        for step in before:
            _, source, above, *_ = _FLOW[step]
            draw((source, above + _HALF), (lane, row - _HALF))
    draw((_BOTH, -0.6), (_BOTH, -_HALF))
    for start, step in _DETOURS:
        end = float(_FLOW[step][2])
        draw((_BOTH, start), (_EDGE, start), (_EDGE, end), (_BOTH + 0.3, end))
    return xs, ys


def padding(shares: Mapping[str, Mapping[int, float]]) -> go.Figure:
    """Draw the share of the tokens that are padding, against the side of the image.

    Args:
        shares: By stage, the share between 0 and 1 by side of the image, in pixels.
    """
    figure = go.Figure()
    dashes = (("solid", BLUE), ("dash", VERMILION))
    for (name, by_side), (dash, colour) in zip(shares.items(), dashes, strict=False):
        figure.add_scatter(
            x=list(by_side), y=style.rounded(100 * share for share in by_side.values()), name=name,
            mode="lines+markers", line={"dash": dash, "color": colour},
        )  # fmt: skip
    axes = {"yaxis": style.percent_axis()}
    y = "Jetons de remplissage"
    return style.dress(figure, x="Côté de l’image (pixels)", y=y, axes=axes)
