"""The figures of the data set and their table: numbers of photos, sizes, proportions, weights."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from vitrine.data.catalog import CLASSES
from vitrine.data.showcase import Showcase
from vitrine.report.figures.data import sizes as size_figure
from vitrine.report.figures.style import (
    CLASS_COLOURS,
    PART_COLOURS,
    dress,
    log_axis,
    rounded,
)  # fmt: skip
from vitrine.report.fr import NO_BREAK, THIN
from vitrine.report.palette import LIGHT
from vitrine.serving.speech import Speech

__all__ = ["counts", "ratios", "select", "sizes", "summary", "table", "weights"]

_HEIGHT = 420
_LETTER = 7
"""Width of a letter beside an axis, in pixels."""
_RATIOS = {0.2: "1/5", 0.5: "1/2", 1: "1", 2: "2", 5: "5"}
_MOST = 0.5
"""Share of the photos whose short sides are equal, beyond which they were brought to it."""
_KILOBYTES = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def table(shown: Showcase, folder: Path) -> pd.DataFrame:
    """Return one row a photo: ``image``, ``label`` (a number), ``part``, sides, ``ratio``, ``kb``.

    Sides, in pixels, and ``kb``, the size of the file in thousands of bytes, are those of the
    originals where the folder has their manifest, which a reduced edition has too; ``kb`` is
    missing where nothing tells it, ``part`` empty where the folder has no split.

    Args:
        shown: The data set.
        folder: Where its manifest and its split lie.
    """
    photos = shown.photos
    files = [shown.path(name) for name in photos.fichier]
    sizes = [file.stat().st_size if file.is_file() else None for file in files]
    found = {"width": photos.largeur, "height": photos.hauteur, "bytes": sizes}
    rows = pd.DataFrame({name: list(column) for name, column in found.items()}, dtype=float)
    rows.index = pd.Index(photos.fichier, name="image")
    if not shown.synthetic:
        originals = _read(folder / "manifest.csv", list(found)).reindex(rows.index)
        rows = originals.apply(pd.to_numeric, errors="coerce").fillna(rows)
    rows["label"] = [CLASSES.index(name) for name in photos["Catégorie"]]
    parts = _read(folder / "splits" / "published.csv", ["part"])
    rows["part"] = parts.part.reindex(rows.index).fillna("")
    rows["ratio"], rows["kb"] = rows.width / rows.height, rows.bytes / 1000
    return rows.reset_index()


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    """Return columns of a table by photo; without a row where the folder has no such table."""
    try:
        return pd.read_csv(path, usecols=["image", *columns], index_col="image")
    except (OSError, ValueError):
        return pd.DataFrame(columns=columns, index=pd.Index([], name="image"))


def select(photos: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the photos of some classes; of all where none is named."""
    if not classes:
        return photos
    return photos[photos.label.isin([CLASSES.index(name) for name in classes])]


def counts(say: Speech, photos: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Stack the photos of each class, by part of the split where there is one.

    Args:
        say: What has the language; as of every function here.
        photos: As ``table`` returns them; as of every function here.
        names: Name on screen of each class; as of every function here.
    """
    called = {"train": say("Entraînement"), "validation": say("Validation"), "test": say("Test")}
    parts = [part for part in called if (photos.part == part).any()] or [""]
    numbers = pd.crosstab(photos.label, photos.part).reindex(index=range(len(CLASSES)))
    numbers = numbers.reindex(columns=parts).fillna(0).astype(int)
    colon = f"{NO_BREAK}: " if say.french else ": "
    figure = go.Figure(
        [
            go.Bar(
                name=called.get(part, "Photos"),
                orientation="h",
                x=numbers[part].tolist(),
                y=_short(names),
                marker_color=PART_COLOURS.get(part, LIGHT["accent"]),
                hovertemplate="%{y}" + colon + "%{x} photos<extra>%{fullData.name}</extra>",
            )
            for part in parts
        ]
    )
    axes = {"legend": {"traceorder": "normal"}}
    dressed = dress(
        figure, x="Photos", height=_HEIGHT, axes=axes, barmode="stack", bargap=0.35,
        showlegend=parts != [""],
    )  # fmt: skip
    return _row_a_class(say, dressed, names)


def sizes(say: Speech, photos: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Draw each photo at its width and its height, on logarithmic axes."""
    figure = size_figure(photos)
    for label, (trace, name) in enumerate(zip(figure.data, names.values(), strict=True)):
        trace.customdata = photos.image[photos.label == label].tolist()
        trace.name, trace.hovertemplate = name, f"%{{x}} × %{{y}} px<extra>{name}</extra>"
    figure.update_layout(legend={"y": -0.3, "yanchor": "top"}, height=_HEIGHT + 60)
    figure.update_xaxes(title_text=say("Largeur (px)"))
    figure.update_yaxes(title_text=say("Hauteur (px)"))
    return _still(say, figure)


def ratios(say: Speech, photos: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Draw the distribution of the ratio of the sides of each class's photos."""
    axis = {"type": "log", "tickvals": list(_RATIOS), "ticktext": list(_RATIOS.values())}
    return _boxes(say, photos, names, "ratio", say("Largeur divisée par hauteur"), axis)


def weights(say: Speech, photos: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Draw the distribution of the size of each class's files."""
    axis = log_axis(_KILOBYTES)
    return _boxes(say, photos, names, "kb", say("Taille du fichier (ko)"), axis)


def summary(say: Speech, photos: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return as HTML what the figures show: a sentence, and a table of medians a class."""
    if photos.empty:
        return f'<p class="bandeau info">{say("Aucune photo à montrer.")}</p>'
    middle = photos.median(numeric_only=True)
    rows = "".join(
        _row(say, names[name], photos[photos.label == k]) for k, name in enumerate(CLASSES)
    )
    headers = (
        say("Catégorie"), "Photos", say("Largeur"), say("Hauteur"), say("Rapport"), say("Fichier")
    )  # fmt: skip
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    size = f"{middle.width:.0f}{NO_BREAK}×{NO_BREAK}{middle.height:.0f}"
    told = say(
        "{count} photos, de taille médiane {size}.",
        count=f"<strong>{say.number(len(photos))}</strong>",
        size=f"<strong>{size}</strong>{NO_BREAK}pixels",
    )
    return (
        f'<p class="resume" data-annonce>{told}{_remarks(say, photos)}</p>'
        f"<details><summary>{say('Les valeurs des graphiques, en tableau')}</summary>"
        '<div class="deroule" tabindex="0" role="region" '
        f'aria-label="{say("Valeurs des graphiques")}"><table class="valeurs">'
        f"<caption>{say('Nombre de photos et médianes, par catégorie')}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _remarks(say: Speech, photos: pd.DataFrame) -> str:
    """Say what would otherwise be read into the figures."""
    said = ""
    short = photos[["width", "height"]].min(axis=1)
    usual = int(short.mode()[0])
    if (short == usual).mean() > _MOST:
        said += " " + say(
            "Le petit côté de la plupart des photos vaut {side} : elles ont sans doute été "
            "réduites.",
            side=f"{usual}{NO_BREAK}pixels",
        )  # fmt: skip
    if unknown := int(photos.kb.isna().sum()):
        said += " " + say(
            "La taille de {count} fichiers est inconnue : ils ne sont pas sur cette machine.",
            count=say.number(unknown),
        )  # fmt: skip
    return said


def _row(say: Speech, name: str, photos: pd.DataFrame) -> str:
    if photos.empty:
        return ""
    middle = photos.median(numeric_only=True)
    ratio, kilobytes = say.number(middle.ratio, 2), middle.kb
    weight = (
        say("inconnu")
        if pd.isna(kilobytes)
        else f"{say.number(round(kilobytes))}{NO_BREAK}{say('ko')}"
    )
    sides = [f"{side:.0f}{NO_BREAK}px" for side in (middle.width, middle.height)]
    cells = (say.number(len(photos)), *sides, ratio, weight)
    said = "".join(f'<td class="nombre">{cell}</td>' for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{said}</tr>'


def _boxes(
    say: Speech,
    photos: pd.DataFrame,
    names: Mapping[str, str],
    column: str,
    title: str,
    axis: dict[str, object],
) -> go.Figure:
    figure = go.Figure()
    for label, (name, short) in enumerate(zip(names, _short(names), strict=True)):
        known = photos[photos.label == label].dropna(subset=[column])
        figure.add_box(
            name=short,
            x=rounded(known[column]),
            customdata=known.image.tolist(),
            marker={"color": CLASS_COLOURS[name], "size": 4},
            line_width=1.5,
            hoverinfo="x+name",
        )
    axes = {"xaxis": axis | {"hoverformat": ".3~r"}}
    dressed = dress(figure, x=title, height=_HEIGHT, axes=axes, showlegend=False)
    return _row_a_class(say, dressed, names)


def _short(names: Mapping[str, str]) -> list[str]:
    """Return the names of classes on two lines at most, for a narrow screen."""
    return [re.sub(" (et|de|and|&) ", r"<br>\1 ", name) for name in names.values()]


def _row_a_class(say: Speech, figure: go.Figure, names: Mapping[str, str]) -> go.Figure:
    """Return the figure with a row a class, downwards, of those too that have no photo.

    The room for their names is measured here: plotly's own measure is late by one drawing where
    two follow each other, and names then lie over the bars.
    """
    short = _short(names)
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=short,
        range=[len(short) - 0.5, -0.5], showgrid=False, ticks="", automargin=False,
    )  # fmt: skip
    longest = max(len(line) for name in short for line in name.split("<br>"))
    figure.update_layout(margin_l=12 + _LETTER * longest)
    return _still(say, figure)


def _still(say: Speech, figure: go.Figure) -> go.Figure:
    """Return the figure without what a finger on a phone would set off instead of scrolling.

    Its numbers become those of the language.
    """
    if not say.french:
        figure.update_layout(separators=".,")
        for axis in (figure.layout.xaxis, figure.layout.yaxis):
            axis.ticktext = [mark.replace(THIN, ",") for mark in axis.ticktext or ()] or None
    figure.update_layout(dragmode=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure
