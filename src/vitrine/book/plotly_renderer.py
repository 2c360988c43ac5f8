"""Render plotly figures as light HTML: JSON of the figure, drawn by one script that pages share.

A plotly figure leaves a notebook as ``application/vnd.plotly.v1+json``, which myst-nb drops without
a word. ``PlotlyRenderer`` is found through the entry point group ``myst_nb.mime_renderers``.

The directive ``{dessin}`` draws a figure by code, where no cell does: with plotly, or as an SVG
that moves. It takes the name of a drawing, an alternative text, a name to cite it by, a caption::

    ```{dessin} attentes
    :name: fig-service-attentes
    :alt: Quatre courbes...
    Attente d’une réponse, selon le nombre de clients.
    ```
"""

import html
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import plotly.graph_objects as go
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from vitrine.book.animation import scan_beside_attention
from vitrine.book.figure_data import tabulate, to_csv, to_html
from vitrine.book.roles import LEDGER
from vitrine.metrics import Interval
from vitrine.report.figures import comparison, service
from vitrine.report.ledger.service import SHEET

__all__ = [
    "ANIMATIONS", "DRAWINGS", "FIGURE_CLASS", "PlotlyRenderer", "data_of", "drawing", "setup",
]  # fmt: skip

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
    images = layout.get("images") or []
    pictures = list(dict.fromkeys(image["source"] for image in images))  # each travels once
    if images:
        layout["images"] = [image | {"source": pictures.index(image["source"])} for image in images]
    content = {
        "data": figure.get("data", []), "layout": _prune(layout, figure), "pictures": pictures,
    }  # fmt: skip
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


def _waits(root: Path) -> go.Figure:
    rows = json.loads((root / SHEET).read_text(encoding="utf-8"))["rows"]
    return service.waits([row for row in rows if row["model"] == "efficientnet_b0"])


_SHOWN = (
    "efficientnet-lite0-torch", "efficientnet-lite0-keras", "efficientnet-lite012-probe",
    "efficientnet-lite0-probe", "mobilenetv2-int8-probe", "mambavision-micro-distilled-transfer",
    "mambavision-micro-distilled-probe", "histogram-hog", "mambavision-micro-transfer-probe",
    "efficientnet-b0-transfer-probe", "text-title-description",
)  # fmt: skip
"""Recipes of the first page's figure, of those that judge every photo: fine-tuned ones first."""


def _models(root: Path) -> go.Figure:
    values = json.loads((root / LEDGER).read_text(encoding="utf-8"))["values"]
    found = ((name, values.get(f"oof.{name}.accuracy")) for name in _SHOWN)
    scores = {
        name: Interval(*(entry[end] for end in ("value", "low", "high")))
        for name, entry in found
        if entry
    }
    return comparison.forest({"Exactitude": scores}, x="Exactitude sur toutes les photos")


DRAWINGS: dict[str, Callable[[Path], go.Figure]] = {
    "attentes": _waits,
    "modeles": _models,
    "trajet": lambda _: service.path(),
}
"""What plotly may draw, from the root of the repository."""
ANIMATIONS: dict[str, Callable[[str], str]] = {"balayage": scan_beside_attention}
"""What may move, as HTML, from its alternative text."""


class Drawing(SphinxDirective):
    """Draw a figure under its caption, with its data beside it."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the figure."""
        name = self.arguments[0]
        if name not in {*DRAWINGS, *ANIMATIONS}:
            known = ", ".join(sorted({*DRAWINGS, *ANIMATIONS}))
            raise self.error(f"expected one of the drawings {known}, found {name!r}")
        if missing := {"alt", "name"} - self.options.keys():
            raise self.error(f"expected the options alt and name, found no {min(missing)}")
        if not self.content:
            raise self.error("expected a caption below the options, found none")
        holder = nodes.figure("", *self._drawn(name), nodes.caption("", "", *self._caption()))
        self.set_source_info(holder)
        self.add_name(holder)
        return [holder]

    def _drawn(self, name: str) -> list[nodes.Node]:
        alt = self.options["alt"]
        if name in ANIMATIONS:
            return [nodes.raw("", ANIMATIONS[name](alt), format="html")]
        for file in (SHEET, LEDGER):
            self.env.note_dependency(file)
        figure = json.loads(DRAWINGS[name](Path(self.env.srcdir)).to_json())
        return [drawing(figure, alt), data_of(figure, self._write(figure))]

    def _caption(self) -> list[nodes.Node]:
        held = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, held)
        return list(held[0].children)

    def _write(self, figure: dict) -> str:
        """Write the data of a figure beside those of notebooks, and return its address."""
        folder = Path(self.env.app.outdir).parent / "jupyter_execute" / "figures"
        path = folder / self.env.docname / f"{self.options['name']}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_csv(tabulate(figure)), encoding="utf-8")
        return "/" + os.path.relpath(path, self.env.srcdir)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("dessin", Drawing)
