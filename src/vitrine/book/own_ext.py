"""Sphinx extension of a project of the user's own photos: French, and an option of comments."""

from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Declare the option of the extension of comments, which is not loaded: it calls other sites.

    A French book has its theme and its search in French, as the published one does.
    """
    if app.config.language == "fr":
        app.setup_extension("vitrine.book.french")
    app.add_config_value("comments_config", {}, "html", [dict])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
