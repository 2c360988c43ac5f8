"""The figures of the data set and their table: numbers of photos, sizes, proportions, weights."""

from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.data.showcase import Showcase
from vitrine.report.figures.data import sizes as size_figure
from vitrine.report.figures.style import CLASS_COLOURS, SHORT, dress, log_axis, rounded, whole
from vitrine.report.fr import NO_BREAK, number

__all__ = ["counts", "ratios", "select", "sizes", "summary", "table", "weights"]

_HEIGHT = 420
_RATIOS = {0.2: "1/5", 0.5: "1/2", 1: "1", 2: "2", 5: "5"}
_MOST = 0.5
"""Share of the photos whose short sides are equal, beyond which they were brought to it."""
_KILOBYTES = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def table(shown: Showcase) -> pd.DataFrame:
    """Return one row a photo: ``label`` (its number), ``width``, ``height``, ``ratio``, ``kb``.

    ``kb`` is the size of the file in thousands of bytes, missing where the file is not on this
    machine.
    """
    photos = shown.photos
    files = [shown.path(name) for name in photos.fichier]
    return pd.DataFrame(
        {
            "label": [CLASSES.index(name) for name in photos["Catégorie"]],
            "width": photos.largeur.astype(float).to_numpy(),
            "height": photos.hauteur.astype(float).to_numpy(),
            "ratio": (photos.largeur / photos.hauteur).astype(float).to_numpy(),
            "kb": [file.stat().st_size / 1000 if file.is_file() else None for file in files],
        }
    ).astype({"label": int, "kb": float})


def select(photos: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the photos of some classes; of all where none is named."""
    if not classes:
        return photos
    return photos[photos.label.isin([CLASSES.index(name) for name in classes])]


def counts(photos: pd.DataFrame) -> go.Figure:
    """Count the photos of each class."""
    shown = _present(photos)
    numbers = [int((photos.label == CLASSES.index(name)).sum()) for name in shown]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=numbers,
            y=[SHORT[name] for name in shown],
            text=[whole(number) for number in numbers],
            textposition="outside",
            cliponaxis=False,
            marker_color=[CLASS_COLOURS[name] for name in shown],
            hovertemplate="%{y}" + NO_BREAK + ": %{x} photos<extra></extra>",
        )
    )
    room = {"xaxis": {"range": [0, 1.15 * max(numbers, default=1)]}, **_downwards()}
    return _still(dress(figure, x="Photos", height=_HEIGHT, axes=room, bargap=0.35))


def sizes(photos: pd.DataFrame) -> go.Figure:
    """Draw each photo at its width and its height, on logarithmic axes."""
    figure = size_figure(photos)
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
    rows = "".join(_row(CLASSES_FR[name], photos[photos.label == k]) for k, name in _numbered())
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
            f" C’est l’édition réduite du jeu{NO_BREAK}: le petit côté de la plupart des photos y "
            f"vaut {usual}{NO_BREAK}pixels."
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


def _numbered() -> list[tuple[int, str]]:
    return list(enumerate(CLASSES))


def _present(photos: pd.DataFrame) -> list[str]:
    return [name for k, name in _numbered() if (photos.label == k).any()]


def _boxes(photos: pd.DataFrame, column: str, title: str, axis: dict[str, object]) -> go.Figure:
    figure = go.Figure()
    for name in _present(photos):
        values = photos[column][photos.label == CLASSES.index(name)].dropna()
        figure.add_box(
            name=SHORT[name],
            x=rounded(values),
            marker={"color": CLASS_COLOURS[name], "size": 4},
            line_width=1.5,
            hoverinfo="x+name",
        )
    axes = {"xaxis": axis | {"hoverformat": ".3~r"}, **_downwards()}
    return _still(dress(figure, x=title, height=_HEIGHT, axes=axes, showlegend=False))


def _downwards() -> dict[str, dict[str, object]]:
    return {"yaxis": {"autorange": "reversed", "showgrid": False, "ticks": ""}}


def _still(figure: go.Figure) -> go.Figure:
    """Return the figure without what a finger on a phone would set off instead of scrolling."""
    figure.update_layout(dragmode=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure
