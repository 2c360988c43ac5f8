"""The directive ``{dessin}``: a figure that code draws, on a page that is no notebook.

It takes the name of a drawing, an alternative text, a name to cite it by, and a caption::

    ```{dessin} attentes
    :name: fig-service-attentes
    :alt: Quatre courbes...
    Attente d’une réponse, selon le nombre de clients.
    ```
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from vitrine.book import plotly_renderer
from vitrine.book.figure_data import tabulate, to_csv
from vitrine.report.figures import service
from vitrine.report.ledger.service import SHEET

__all__ = ["DRAWINGS", "setup"]


def _waits(root: Path) -> go.Figure:
    rows = json.loads((root / SHEET).read_text(encoding="utf-8"))["rows"]
    return service.waits([row for row in rows if row["model"] == "efficientnet_b0"])


DRAWINGS: dict[str, Callable[[Path], go.Figure]] = {
    "attentes": _waits,
    "trajet": lambda _: service.path(),
}
"""What may be drawn, from the root of the repository."""


class Drawing(SphinxDirective):
    """Draw a figure under its caption, with its data beside it."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the figure."""
        name = self.arguments[0]
        if name not in DRAWINGS:
            raise self.error(
                f"expected one of the drawings {', '.join(sorted(DRAWINGS))}, found {name!r}"
            )
        if missing := {"alt", "name"} - self.options.keys():
            raise self.error(f"expected the options alt and name, found no {min(missing)}")
        if not self.content:
            raise self.error("expected a caption below the options, found none")
        self.env.note_dependency(SHEET)
        figure = json.loads(DRAWINGS[name](Path(self.env.srcdir)).to_json())
        holder = nodes.figure(
            "",
            plotly_renderer.drawing(figure, self.options["alt"]),
            plotly_renderer.data_of(figure, self._write(figure)),
            nodes.caption("", "", *self._caption()),
        )
        self.set_source_info(holder)
        self.add_name(holder)
        return [holder]

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
