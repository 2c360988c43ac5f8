"""Figures of the data: balance of classes, sizes, colours, duplicates, mean images."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import UInt8
from PIL import Image, ImageOps

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.report.figures import style
from vitrine.report.palette import INK, MUTED

__all__ = ["balance", "colours", "duplicates", "mean_images", "sheet", "sizes", "white_shares"]

SIDES = (100, 200, 500, 1000, 2000, 5000, 10_000)
"""Pixels marked on the axes of ``sizes``."""
STRETCHED = 4
"""Ratio of the sides beyond which a photo is drawn as elongated."""
COLUMNS, TILE = 4, 112


def balance(counts: pd.DataFrame) -> go.Figure:
    """Stack the photos of each class, by part of the split.

    Args:
        counts: One row a class, in the order of the labels; columns ``train``, ``validation``,
            ``test``.
    """
    bars = [
        go.Bar(
            name=style.PARTS_FR[part],
            orientation="h",
            x=counts[part].tolist(),
            y=[style.SHORT[name] for name in CLASSES],
            marker_color=style.PART_COLOURS[part],
            hovertemplate="%{y} : %{x} photos<extra>" + style.PARTS_FR[part] + "</extra>",
        )
        for part in style.PARTS_FR
    ]
    axes = {"yaxis": {"autorange": "reversed", "showgrid": False, "ticks": ""}}
    axes["legend"] = {"traceorder": "normal"}
    return style.dress(
        go.Figure(bars), x="Photos", height=440, axes=axes, barmode="stack", bargap=0.35
    )


def sizes(images: pd.DataFrame) -> go.Figure:
    """Place each photo by its width and height, on logarithmic axes.

    Photos of one ratio lie on one line at 45°: the square ones on the full line, those
    four times longer than wide, or wider than long, on the dotted ones.

    Args:
        images: One row a photo: ``label``, ``width`` and ``height`` in pixels; a row without a
            size is left out.
    """
    known = images.dropna(subset=["width", "height"])
    figure = go.Figure()
    for label, name in enumerate(CLASSES):
        rows = known[known.label == label]
        figure.add_scatter(
            name=CLASSES_FR[name],
            mode="markers",
            x=style.rounded(rows.width),
            y=style.rounded(rows.height),
            marker={"color": style.CLASS_COLOURS[name], "size": 6, "opacity": 0.7},
            hovertemplate="%{x} × %{y} px<extra>" + CLASSES_FR[name] + "</extra>",
        )
    low, high = SIDES[0], SIDES[-1]
    for ratio in (1 / STRETCHED, 1, STRETCHED):
        figure.add_shape(
            type="line", layer="below",
            x0=max(low, low * ratio), y0=max(low, low / ratio),
            x1=min(high, high * ratio), y1=min(high, high / ratio),
            line={"color": MUTED, "width": 1, "dash": "solid" if ratio == 1 else "dot"},
        )  # fmt: skip
    axes = {"xaxis": style.log_axis(SIDES), "yaxis": style.log_axis(SIDES)}
    return style.dress(figure, x="Largeur (px)", y="Hauteur (px)", height=560, axes=axes)


def colours(images: pd.DataFrame, medians: pd.DataFrame) -> go.Figure:
    """Place each photo by its saturation and brightness, painted with its own mean colour.

    Args:
        images: One row a photo: ``label``, ``red``, ``green``, ``blue`` (0 to 255),
            ``saturation`` and ``brightness`` (0 to 1).
        medians: ``saturation`` and ``brightness`` of each class, in the order of the labels.
    """
    means = images[["red", "green", "blue"]].to_numpy()
    figure = go.Figure()
    figure.add_scatter(
        name="Une photo",
        mode="markers",
        x=style.rounded(images.saturation),
        y=style.rounded(images.brightness),
        marker={
            # Not quite opaque: a page in dark mode would otherwise brighten dark colours.
            "color": [f"rgba({r:.0f},{g:.0f},{b:.0f},0.98)" for r, g, b in means],
            "size": 8,
            "line": {"color": MUTED, "width": 0.5},
        },
        hovertemplate="saturation %{x:.2f}, clarté %{y:.2f}<extra></extra>",
    )
    figure.add_scatter(
        name="Médiane d’une catégorie",
        mode="markers",
        x=style.rounded(medians.saturation),
        y=style.rounded(medians.brightness),
        text=list(CLASSES_FR.values()),
        marker={
            "color": list(style.CLASS_COLOURS.values()),
            "size": 15,
            "symbol": "diamond",
            "line": {"color": INK, "width": 1.5},
        },
        hovertemplate="%{text}<extra></extra>",
    )
    return style.dress(
        figure, x="Saturation moyenne (0 à 1)", y="Clarté moyenne (0 à 1)", height=480
    )


def white_shares(images: pd.DataFrame) -> go.Figure:
    """Draw how much of each photo is white, as a box a class.

    Args:
        images: One row a photo: ``label`` and ``white_share`` (0 to 1).
    """
    figure = go.Figure()
    for label, name in enumerate(CLASSES):
        figure.add_box(
            name=style.SHORT[name],
            x=style.rounded(100 * images.white_share[images.label == label]),
            marker={"color": style.CLASS_COLOURS[name], "size": 4},
            line_width=1.5,
            hoverinfo="x+name",
        )
    axes = {
        "xaxis": style.percent_axis() | {"hoverformat": ".0f"},
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticks": ""},
    }
    return style.dress(
        figure, x="Part de la photo qui est blanche", height=440, axes=axes, showlegend=False
    )


def duplicates(distances: pd.DataFrame, threshold: int) -> go.Figure:
    """Count pairs of photos by the distance of their perceptual hashes.

    Args:
        distances: ``distance`` (bits of 64) and ``pairs``, as ``vitrine.data.facts`` keeps them.
        threshold: Largest distance held for a near duplicate.
    """
    figure = go.Figure()
    sides = (
        (
            "Retenues comme quasi-doublons",
            distances.distance <= threshold,
            style.PART_COLOURS["test"],
        ),
        ("Au-delà du seuil", distances.distance > threshold, MUTED),
    )
    for name, chosen, colour in sides:
        rows = distances[chosen]
        figure.add_bar(
            name=name,
            x=rows.distance.tolist(),
            y=rows.pairs.tolist(),
            text=[style.whole(pairs) for pairs in rows.pairs],
            textposition="outside",
            cliponaxis=False,
            marker_color=colour,
            hovertemplate="%{y} paires à %{x} bits<extra></extra>",
        )
    figure.add_vline(x=threshold + 1, line={"color": INK, "width": 1.5, "dash": "dash"})
    axes = {
        "xaxis": {"dtick": 2, "showgrid": False},
        "yaxis": style.log_axis((1, 10, 100, 1000, 10_000)) | {"range": [-0.3, 4.2]},
    }
    return style.dress(
        figure,
        x="Distance (bits sur 64)",
        y="Paires (échelle logarithmique)",
        axes=axes,
        barmode="overlay",
    )


def mean_images(pictures: Mapping[str, UInt8[np.ndarray, "side side 3"]]) -> go.Figure:
    """Lay out the mean photo of each class above its name.

    Args:
        pictures: By name of class, as ``vitrine.data.facts`` keeps them.
    """
    figure = go.Figure()
    places = [divmod(i, COLUMNS) for i in range(len(pictures))]
    for (row, column), pixels in zip(places, pictures.values(), strict=True):
        figure.add_layout_image(
            source=style.data_uri(pixels), xref="x", yref="y", x=column, y=row,
            sizex=0.92, sizey=0.78,
            xanchor="center", yanchor="bottom", sizing="contain",
        )  # fmt: skip
    figure.add_scatter(
        mode="text",
        x=[column for _, column in places],
        y=[row + 0.13 for row, _ in places],
        text=[style.SHORT[name] for name in pictures],
        textfont={"size": 12},
        hoverinfo="skip",
    )
    rows = places[-1][0]
    axes = {
        "xaxis": {"range": [-0.5, COLUMNS - 0.5], "visible": False, "fixedrange": True},
        "yaxis": {"range": [rows + 0.3, -0.8], "visible": False, "fixedrange": True},
    }
    height = 40 + 160 * (rows + 1)
    return style.dress(figure, x="Colonne", y="Rangée", height=height, axes=axes, showlegend=False)


def sheet(
    pictures: Sequence[UInt8[np.ndarray, "height width 3"]],
    *,
    columns: int = 2 * COLUMNS,
    tile: int = TILE,
) -> Image.Image:
    """Lay small pictures out on one sheet, row after row.

    Photos are better sent to the page as pixels than as plotly data. The ground is transparent,
    for a page that may be dark.

    Args:
        pictures: Pictures, of any shape; each is brought to the size of a tile.
        columns: Pictures in a row.
        tile: Longest side of a picture on the sheet, in pixels.
    """
    step = tile + tile // 16
    rows = -(-len(pictures) // columns)
    size = (columns * step - tile // 16, rows * step - tile // 16)
    paper = Image.new("RGBA", size, (255, 255, 255, 0))
    for i, pixels in enumerate(pictures):
        picture = ImageOps.contain(Image.fromarray(pixels), (tile, tile), Image.Resampling.LANCZOS)
        row, column = divmod(i, columns)
        middle = [(tile - side) // 2 for side in picture.size]
        paper.paste(picture, (column * step + middle[0], row * step + middle[1]))
    return paper
