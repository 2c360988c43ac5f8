"""Sphinx extension of a book of one's own photos: its language, and what Jupyter Book asks for."""

from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Declare the option of the extension of comments, left out because it loads other sites'.

    A French book has its theme and its search in French, as the published one does.
    """
    if app.config.language == "fr":
        app.setup_extension("vitrine.book.french")
    app.add_config_value("comments_config", {}, "html", [dict])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
