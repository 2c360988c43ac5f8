"""A figure or a table made alone, written as a page, as JSON and as CSV."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vitrine import paths
from vitrine.book import figure_data
from vitrine.book.gallery import Piece, make
from vitrine.report.palette import LIGHT
from vitrine.report.tables import Shown

__all__ = ["write"]

_LIBRARY = "plotly.min.js"


def write(piece: Piece, folder: Path | None = None) -> list[Path]:
    """Make a figure or a table and write it.

    The page needs no network: plotly's script is copied beside it from the installed package.

    Args:
        piece: What to make, as ``gallery.find`` returns it.
        folder: Where to write; ``build/figures`` by default.

    Returns:
        The page, the JSON and the CSV.
    """
    folder = folder or paths.build() / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    made = make(piece)
    if isinstance(made, Shown):
        content = made.frame.to_json(orient="records", force_ascii=False, indent=1)
        table, rows = made._repr_html_(), made.frame.to_csv(index=False, float_format="%.6g")
        figure = ""
    else:
        drawn = json.loads(made.to_json())
        content = json.dumps(drawn, ensure_ascii=False, sort_keys=True, indent=1)
        data = figure_data.tabulate(drawn)
        table, rows = figure_data.to_html(data, most=len(data.rows)), figure_data.to_csv(data)
        figure = json.dumps(drawn, ensure_ascii=False, sort_keys=True).replace("</", "<\\/")
        shutil.copyfile(_library(), folder / _LIBRARY)
    environment = Environment(
        loader=PackageLoader("vitrine.book", "pages"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("figure.html").render(
        piece=piece, figure=Markup(figure), table=Markup(table), colours=LIGHT
    )
    written = []
    for suffix, text in ((".html", page), (".json", content), (".csv", rows)):
        path = folder / f"{piece.name}{suffix}"
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        written.append(path)
    return written


def _library() -> Path:
    spec = find_spec("plotly")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "package_data" / _LIBRARY
