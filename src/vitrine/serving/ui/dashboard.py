"""The figures of the data set and their table: numbers of photos, sizes, proportions, weights."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.data.showcase import Showcase
from vitrine.report.figures.data import sizes as size_figure
from vitrine.report.figures.style import (
    CLASS_COLOURS,
    PART_COLOURS,
    PARTS_FR,
    SHORT,
    dress,
    log_axis,
    rounded,
    whole,
)  # fmt: skip
from vitrine.report.fr import NO_BREAK, number
from vitrine.report.palette import LIGHT

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


def counts(photos: pd.DataFrame) -> go.Figure:
    """Stack the photos of each class, by part of the split where there is one."""
    parts = [part for part in PARTS_FR if (photos.part == part).any()] or [""]
    numbers = pd.crosstab(photos.label, photos.part).reindex(index=range(len(CLASSES)))
    numbers = numbers.reindex(columns=parts).fillna(0).astype(int)
    figure = go.Figure(
        [
            go.Bar(
                name=PARTS_FR.get(part, "Photos"),
                orientation="h",
                x=numbers[part].tolist(),
                y=list(SHORT.values()),
                marker_color=PART_COLOURS.get(part, LIGHT["accent"]),
                hovertemplate="%{y}" + NO_BREAK + ": %{x} photos<extra>%{fullData.name}</extra>",
            )
            for part in parts
        ]
    )
    axes = {"legend": {"traceorder": "normal"}}
    dressed = dress(
        figure, x="Photos", height=_HEIGHT, axes=axes, barmode="stack", bargap=0.35,
        showlegend=parts != [""],
    )  # fmt: skip
    return _row_a_class(dressed)


def sizes(photos: pd.DataFrame) -> go.Figure:
    """Draw each photo at its width and its height, on logarithmic axes."""
    figure = size_figure(photos)
    for label, trace in enumerate(figure.data):
        trace.customdata = photos.image[photos.label == label].tolist()
    figure.update_layout(legend={"y": -0.3, "yanchor": "top"}, height=_HEIGHT + 60)
    return _still(figure)


def ratios(photos: pd.DataFrame) -> go.Figure:
    """Draw the distribution of the ratio of the sides of each class's photos."""
    axis = {"type": "log", "tickvals": list(_RATIOS), "ticktext": list(_RATIOS.values())}
    return _boxes(photos, "ratio", "Largeur divisée par hauteur", axis)


def weights(photos: pd.DataFrame) -> go.Figure:
    """Draw the distribution of the size of each class's files."""
    return _boxes(photos, "kb", "Taille du fichier (ko)", log_axis(_KILOBYTES))


def summary(photos: pd.DataFrame) -> str:
    """Return as HTML what the figures show: a sentence, and a table of medians a class."""
    if photos.empty:
        return '<p class="bandeau info">Aucune photo à montrer.</p>'
    middle = photos.median(numeric_only=True)
    rows = "".join(
        _row(CLASSES_FR[name], photos[photos.label == k]) for k, name in enumerate(CLASSES)
    )
    headers = ("Catégorie", "Photos", "Largeur", "Hauteur", "Rapport", "Fichier")
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    return (
        f'<p class="resume" data-annonce><strong>{whole(len(photos))}</strong> photos, de taille '
        f"médiane <strong>{middle.width:.0f}{NO_BREAK}×{NO_BREAK}{middle.height:.0f}</strong>"
        f"{NO_BREAK}pixels.{_remarks(photos)}</p>"
        "<details><summary>Les valeurs des graphiques, en tableau</summary>"
        '<div class="deroule" tabindex="0" role="region" aria-label="Valeurs des graphiques">'
        '<table class="valeurs"><caption>Nombre de photos et médianes, par catégorie</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _remarks(photos: pd.DataFrame) -> str:
    """Say what would otherwise be read into the figures."""
    said = ""
    short = photos[["width", "height"]].min(axis=1)
    usual = int(short.mode()[0])
    if (short == usual).mean() > _MOST:
        said += (
            f" Le petit côté de la plupart des photos vaut {usual}{NO_BREAK}pixels{NO_BREAK}: "
            "elles ont sans doute été réduites."
        )
    if unknown := int(photos.kb.isna().sum()):
        said += (
            f" La taille de {whole(unknown)} fichiers est inconnue{NO_BREAK}: ils ne sont pas sur "
            "cette machine."
        )
    return said


def _row(name: str, photos: pd.DataFrame) -> str:
    if photos.empty:
        return ""
    middle = photos.median(numeric_only=True)
    ratio = number(middle.ratio, 2)
    weight = "inconnu" if pd.isna(middle.kb) else f"{whole(round(middle.kb))}{NO_BREAK}ko"
    cells = (
        whole(len(photos)), f"{middle.width:.0f}{NO_BREAK}px", f"{middle.height:.0f}{NO_BREAK}px",
        ratio, weight,
    )  # fmt: skip
    said = "".join(f'<td class="nombre">{cell}</td>' for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{said}</tr>'


def _boxes(photos: pd.DataFrame, column: str, title: str, axis: dict[str, object]) -> go.Figure:
    figure = go.Figure()
    for label, name in enumerate(CLASSES):
        known = photos[photos.label == label].dropna(subset=[column])
        figure.add_box(
            name=SHORT[name],
            x=rounded(known[column]),
            customdata=known.image.tolist(),
            marker={"color": CLASS_COLOURS[name], "size": 4},
            line_width=1.5,
            hoverinfo="x+name",
        )
    axes = {"xaxis": axis | {"hoverformat": ".3~r"}}
    return _row_a_class(dress(figure, x=title, height=_HEIGHT, axes=axes, showlegend=False))


def _row_a_class(figure: go.Figure) -> go.Figure:
    """Return the figure with a row a class, downwards, of those too that have no photo.

    The room for their names is measured here: plotly's own measure is late by one drawing where
    two follow each other, and names then lie over the bars.
    """
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=list(SHORT.values()),
        range=[len(SHORT) - 0.5, -0.5], showgrid=False, ticks="", automargin=False,
    )  # fmt: skip
    longest = max(len(line) for name in SHORT.values() for line in name.split("<br>"))
    figure.update_layout(margin_l=12 + _LETTER * longest)
    return _still(figure)


def _still(figure: go.Figure) -> go.Figure:
    """Return the figure without what a finger on a phone would set off instead of scrolling."""
    figure.update_layout(dragmode=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure
