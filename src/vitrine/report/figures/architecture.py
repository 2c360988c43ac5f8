"""Figures of a network's architecture: its stages, one block, padding of windows."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from vitrine.report.figures import style
from vitrine.report.palette import BLUE, FAINT, GREEN, GREY, VERMILION

__all__ = ["block", "padding", "stages"]

_KINDS = {
    "convolution": ("convolution", GREEN, "diamond"),
    "scan": ("balayage", VERMILION, "square"),
    "attention": ("attention", BLUE, "circle"),
}
_ENTRY = ("Image", "Réduction initiale : deux convolutions, côté ÷ 4")
_EXIT = "Moyenne de la carte, puis tête"
_PLAIN, _STAGE, _GAP, _UNIT = 0.6, 1.6, 0.5, 58
"""Heights of a plain box, of a stage and of what is between boxes; pixels of a unit of height."""
_TITLE, _COUNT = -0.5, 0.52
"""Where the two lines of a stage stand, from its middle."""
_SCANNED, _BOTH, _CONVOLVED = 0.23, 0.5, 0.7
_LANES = {_SCANNED: "branche balayée", _BOTH: "tronc commun", _CONVOLVED: "branche convoluée"}
_FLOW: tuple[tuple[str, float, int, str, tuple[int, ...]], ...] = (
    ("Normalisation", _BOTH, 0, "norm1", ()),
    ("Projection, coupée en deux", _BOTH, 1, "mixer.in_proj", (0,)),
    ("Convolution, SiLU", _SCANNED, 2, "mixer.conv1d_x", (1,)),
    ("Convolution, SiLU", _CONVOLVED, 2, "mixer.conv1d_z", (1,)),
    ("Pas, B et C", _SCANNED, 3, "mixer.x_proj", (2,)),
    ("Pas étendu", _SCANNED, 4, "mixer.dt_proj", (4,)),
    ("Balayage sélectif", _SCANNED, 5, "", (5,)),
    ("Côte à côte, projection", _BOTH, 6, "mixer.out_proj", (6, 3)),
    ("Addition à l’entrée", _BOTH, 7, "", (7,)),
    ("Normalisation", _BOTH, 8, "norm2", (8,)),
    ("Perceptron, élargi", _BOTH, 9, "mlp.fc1", (9,)),
    ("Perceptron, resserré", _BOTH, 10, "mlp.fc2", (10,)),
    ("Addition", _BOTH, 11, "", (11,)),
)
"""Steps of a block that scans: name, lane, row, module that gives the shape, steps before it."""
_DETOURS = ((-0.5, 8), (7.5, 12))
"""Passages around the mixer and around the perceptron: from a height to the step that adds."""
_EDGE, _HALF, _ROW = 0.97, 0.35, 66
"""Where detours run, half the height of a box in rows, and pixels of a row."""
_BARE = {"showticklabels": False, "showgrid": False, "showline": False, "ticks": ""}

Point = tuple[float, float]


def stages(networks: Mapping[str, Sequence[Any]], *, first: str) -> go.Figure:
    """Draw a network from its image to its head: a box a stage, a mark a block, arrows between.

    A slider chooses the network.

    Args:
        networks: By name on screen, what ``anatomy.stages`` returned.
        first: Name of the network shown first.
    """
    plans = list(networks.values())
    most = max(len(stage.blocks) for found in plans for stage in found)
    heights = [*[_PLAIN] * len(_ENTRY), *[_STAGE] * len(plans[0]), _PLAIN]
    rows = _stacked(heights)
    places = rows[len(_ENTRY) : -1]
    figure, shown = go.Figure(), {}
    for network, found in networks.items():
        traces = [*_blocks(network, found, places), _words(network, found, places)]
        shown[network] = list(range(len(figure.data), len(figure.data) + len(traces)))
        figure.add_traces(traces)
    ends = [*rows[: len(_ENTRY)], rows[-1]]
    figure.add_trace(_text([0.6] * len(ends), ends, [*_ENTRY, _EXIT], "entrée et sortie"))
    edges = [
        (round(row - height / 2, 3), round(row + height / 2, 3))
        for row, height in zip(rows, heights, strict=True)
    ]
    for top, bottom in edges:
        _box(figure, (0.2, top), (most + 0.8, bottom), GREY)
    for (_, above), (below, _) in zip(edges, edges[1:], strict=False):
        _arrow(figure, ((most + 1) / 2, above), ((most + 1) / 2, below))
    names = [*_ENTRY, *(f"Étage {i}" for i in range(1, len(places) + 1)), _EXIT]
    axes = {
        "xaxis": _BARE | {"range": [0, most + 1]},
        "yaxis": _BARE | {"range": [edges[-1][1] + 0.1, -0.1], "tickvals": rows, "ticktext": names},
    }
    height = 24 + round(_UNIT * edges[-1][1])
    style.dress(figure, height=height, axes=axes, showlegend=False, margin={"b": 8})
    return style.stepped(figure, shown, about="Réseau", first=first)


def _stacked(heights: Sequence[float]) -> list[float]:
    """Return the middles of boxes of these heights, one below the other."""
    tops = [sum(heights[:i]) + i * _GAP for i in range(len(heights))]
    return [round(top + height / 2, 3) for top, height in zip(tops, heights, strict=True)]


def _blocks(network: str, found: Sequence[Any], places: Sequence[float]) -> list[go.Scatter]:
    """Return the marks of the blocks of a network, a trace a kind."""
    traces = []
    for kind, (name, colour, symbol) in _KINDS.items():
        marks = [
            (number, place)
            for place, stage in zip(places, found, strict=True)
            for number, block_kind in enumerate(stage.blocks, start=1)
            if block_kind == kind
        ]
        traces.append(
            go.Scatter(
                x=[x for x, _ in marks], y=[y for _, y in marks], mode="markers",
                name=f"{name}, {network}",
                marker={"color": colour, "symbol": symbol, "size": 19},
                hovertemplate="bloc %{x}, " + name + "<extra></extra>",
            )
        )  # fmt: skip
    return traces


def _words(network: str, found: Sequence[Any], places: Sequence[float]) -> go.Scatter:
    """Return what each stage says above and below its marks."""
    lines, heights = [], []
    for number, (place, stage) in enumerate(zip(places, found, strict=True), start=1):
        channels, height, width = stage.shape
        lines += [f"<b>Étage {number}</b>, {height} × {width}, {channels} canaux", _count(stage)]
        heights += [place + _TITLE, place + _COUNT]
    return _text([0.6] * len(lines), heights, lines, f"étages, {network}")


def _count(stage: Any) -> str:
    """Return how many blocks of each kind a stage has, in their order, and its windows."""
    kinds = dict.fromkeys(stage.blocks)
    counts = [(stage.blocks.count(kind), _KINDS[kind][0]) for kind in kinds]
    said = " puis ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in counts)
    return f"{said}, fenêtres de {stage.window}" if stage.window else said


def _text(x: list[float], y: list[float], text: list[str], name: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="text", text=text, textposition="middle right", textfont={"size": 12},
        name=name, showlegend=False, hoverinfo="skip",
    )  # fmt: skip


def _box(figure: go.Figure, start: Point, end: Point, colour: str) -> None:
    (x0, y0), (x1, y1) = start, end
    figure.add_shape(
        type="rect", x0=x0, y0=y0, x1=x1, y1=y1, line={"color": colour, "width": 2},
        fillcolor=FAINT, layer="below",
    )  # fmt: skip


def _arrow(figure: go.Figure, start: Point, end: Point) -> None:
    (ax, ay), (x, y) = start, end
    figure.add_annotation(
        x=x, y=y, ax=ax, ay=ay, axref="x", ayref="y", text="", showarrow=True,
        arrowhead=2, arrowsize=1.2, arrowwidth=2, arrowcolor=GREY,
    )  # fmt: skip


def block(parts: Sequence[Any]) -> go.Figure:
    """Draw a block that scans, from top to bottom, with the shape of what each step returns.

    Args:
        parts: What ``anatomy.parts`` found in it.
    """
    by_name = {part.name: part for part in parts}
    figure = go.Figure()
    xs, ys = _detours(figure)
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
        textfont={"size": 12},
        customdata=[by_name[part].parameters if part else 0 for *_, part, _ in _FLOW],
        hovertemplate="%{text}<br>%{customdata} paramètres<extra></extra>",
        name="étape",
        showlegend=False,
    )
    for name, lane, row, _, before in _FLOW:
        width = 0.225 if lane != _BOTH else 0.3
        colour = VERMILION if name == "Balayage sélectif" else GREY
        _box(figure, (lane - width, row - _HALF), (lane + width, row + _HALF), colour)
        for step in before:
            _, source, above, *_ = _FLOW[step]
            _arrow(figure, (source, above + _HALF), (lane, row - _HALF))
    _arrow(figure, (_BOTH, -0.75), (_BOTH, -_HALF))
    lanes = {"tickvals": list(_LANES), "ticktext": list(_LANES.values()), "range": [0, 1]}
    last = _FLOW[-1][2]
    axes = {"xaxis": _BARE | lanes, "yaxis": _BARE | {"range": [last + 0.5, -0.8]}}
    height = 40 + _ROW * (last + 1)
    return style.dress(figure, height=height, axes=axes, margin={"b": 8})


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


def _detours(figure: go.Figure) -> tuple[list[float | None], list[float | None]]:
    """Return the lines around the steps, whose ends are arrows; a missing point lifts the pen."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for start, step in _DETOURS:
        end = float(_FLOW[step][2])
        xs += [_BOTH, _EDGE, _EDGE, None]
        ys += [start, start, end, None]
        _arrow(figure, (_EDGE, end), (_BOTH + 0.3, end))
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
