"""The Sphinx extension of the book: ``vitrine.book.sphinx_ext``, loaded by ``_config.yml``.

It copies plotly and MathJax from the packages that ship them, so that the book asks nothing of
the network and the repository holds no file of others, and loads plotly only where a figure is.
"""

import html
import shutil
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from vitrine.book.plotly_renderer import FIGURE_CLASS

__all__ = ["setup"]

_PARTS = (
    "bibliography", "downloads", "folding", "footer", "french", "inserts", "markup", "pictures",
    "plotly_renderer", "provenance", "roles",
)  # fmt: skip
_LIBRARIES = {
    "plotly.min.js": ("plotly", "package_data/plotly.min.js"),
    "mathjax/tex-svg.js": ("sphinx-mathjax-offline", "static/mathjax/tex-svg.js"),
}
_FIGURE_SCRIPTS = ("plotly.min.js", "figures.js")
_TEMPLATES = Path(__file__).parent / "templates"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything the book adds to Sphinx."""
    for part in _PARTS:
        app.setup_extension(f"vitrine.book.{part}")
    app.connect("config-inited", _prefer_our_templates, priority=900)
    app.connect("builder-inited", _copy_libraries)
    app.connect("html-page-context", _keep_needed_scripts, priority=900)
    app.connect("build-finished", _write_entrance)
    # Jupyter Book sets it whether or not sphinx_comments is loaded.
    app.add_config_value("comments_config", {}, "html", [dict])
    for script in _FIGURE_SCRIPTS:
        app.add_js_file(script, loading_method="defer")
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def _write_entrance(app: Sphinx, exception: Exception | None) -> None:
    """Write ``index.html``, which leads to the first page, as a whole page in French."""
    if exception is not None or app.builder.name != "html":
        return
    page = app.builder.get_target_uri(app.config.root_doc)
    if page != "index.html":
        title = html.escape(app.config.html_title)
        Path(app.outdir, "index.html").write_text(
            f'<!DOCTYPE html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n'
            f'<title>{title}</title>\n<meta http-equiv="refresh" content="0; url={page}">\n'
            f'</head>\n<body><p><a href="{page}">{title}</a></p></body>\n</html>\n',
            encoding="utf-8",
        )


def _prefer_our_templates(app: Sphinx, config: Config) -> None:
    config.templates_path.insert(0, str(_TEMPLATES))


def _copy_libraries(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    for target, (package, path) in _LIBRARIES.items():
        spec = find_spec(package)
        folders = spec and spec.submodule_search_locations
        source = Path(folders[0] if folders else "", path)
        if not source.is_file():
            raise ExtensionError(
                f"expected {path} in the installed package {package}, found none; "
                "install the extra 'book'"
            )
        copy = Path(app.outdir) / "_static" / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _keep_needed_scripts(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    figures = doctree is not None and any(
        node.get(FIGURE_CLASS) for node in doctree.findall(nodes.raw)
    )
    if not figures:
        # In place: the page is rendered from this very list.
        context["script_files"][:] = [
            script
            for script in context["script_files"]
            if Path(str(getattr(script, "filename", script) or "")).name not in _FIGURE_SCRIPTS
        ]
