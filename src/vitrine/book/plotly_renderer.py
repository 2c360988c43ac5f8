"""Plotly figures of notebooks as light HTML: the JSON of the figure, drawn by one shared script.

A plotly figure leaves a notebook as ``application/vnd.plotly.v1+json``, which myst-nb drops without
a word. ``PlotlyRenderer`` is found through the entry point group ``myst_nb.mime_renderers``.
"""

import html
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from docutils import nodes
from sphinx.addnodes import download_reference

from vitrine.book.figure_data import tabulate, to_csv, to_html

__all__ = ["FIGURE_CLASS", "PlotlyRenderer", "data_of", "drawing"]

FIGURE_CLASS = "vitrine-figure"
"""Class of the element that holds a figure, and attribute of its node."""

_MIME = "application/vnd.plotly.v1+json"
# Set by the page: its size, its colours, its language.
_OURS = ("width", "autosize", "paper_bgcolor", "plot_bgcolor", "separators", "title")


class PlotlyRenderer:
    """A mime renderer of myst-nb for plotly figures.

    The page gets the figure, a ``noscript`` table and a link to its data as CSV. The alternative
    text and the caption come from the metadata of the cell; a figure without them is a warning,
    which a strict build refuses.
    """

    mime_priority_overrides: ClassVar = [("*", _MIME, 1)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Node] | None:
        """Return the nodes of a figure, or None for what is no plotly figure.

        Args:
            renderer: The ``NbElementRenderer`` at work.
            data: ``MimeData``: content and metadata of an output.
            inline: Whether it would stand inside a line, which no figure can.
        """
        if data.mime_type != _MIME or inline:
            return None
        figure = data.content if isinstance(data.content, Mapping) else json.loads(data.content)
        options = {
            key: renderer.renderer.get_cell_level_config(
                f"render_{key}_options", data.cell_metadata, line=data.line
            )
            or {}
            for key in ("image", "figure")
        }
        alt, caption = options["image"].get("alt", ""), options["figure"].get("caption", "")
        if not alt or not caption:
            renderer.logger.warning(
                "expected a caption and an alt text for the figure of cell "
                f"{data.cell_index + 1}, found {'no alt text' if caption else 'no caption'}; "
                "declare both in the mystnb metadata of the cell",
                subtype="figure",
                line=data.line,
            )
        name = options["figure"].get("name") or f"figure-{data.cell_index}-{data.output_index}"
        page = renderer.renderer.sphinx_env.docname
        path = ["figures", *page.split("/"), f"{name}.csv"]
        rows = to_csv(tabulate(figure)).encode("utf-8")
        return [
            drawing(figure, alt),
            data_of(figure, renderer.write_file(path, rows, overwrite=True)),
        ]


def drawing(figure: Mapping, alt: str) -> nodes.Node:
    """Return what a page draws a figure from.

    Args:
        figure: JSON of a plotly figure.
        alt: What it shows, for who does not see it.
    """
    layout = {k: v for k, v in (figure.get("layout") or {}).items() if k not in _OURS}
    content = {"data": figure.get("data", []), "layout": _prune(layout, figure)}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    text = text.replace("</", "<\\/").replace("<!--", "<\\u0021--")
    height = int(layout.get("height") or 420)
    return nodes.raw(
        "",
        f'<div class="{FIGURE_CLASS}" role="group" aria-label="{html.escape(alt)}">'
        f'<div class="vitrine-plot" style="min-height:{height}px"></div>'
        f'<script type="application/json">{text}</script></div>',
        format="html",
        **{FIGURE_CLASS: True},
    )


def _prune(layout: dict, figure: Mapping) -> dict:
    """Keep from the template what concerns the kinds of traces that the figure has."""
    template = layout.get("template")
    if not isinstance(template, Mapping) or "data" not in template:
        return layout
    kinds = {trace.get("type", "scatter") for trace in figure.get("data", [])}
    data = {kind: value for kind, value in template["data"].items() if kind in kinds}
    return layout | {"template": dict(template) | {"data": data}}


def data_of(figure: Mapping, uri: str) -> nodes.Node:
    """Return the data of a figure: a table for who has no scripts, a link to all of them.

    Args:
        figure: JSON of a plotly figure.
        uri: Where they were written as CSV, from the root of the sources.
    """
    link = download_reference("", "", reftarget=uri, classes=["vitrine-csv"])
    link += nodes.inline("", "Données (CSV)")
    return nodes.container(
        "",
        nodes.raw("", f"<noscript>{to_html(tabulate(figure))}</noscript>", format="html"),
        nodes.paragraph("", "", link),
        classes=["vitrine-donnees"],
    )
