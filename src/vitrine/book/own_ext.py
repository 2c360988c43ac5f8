"""Sphinx extension of a book of one's own photos: what Jupyter Book asks for in vain."""

from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Declare the option of the extension of comments, left out because it loads other sites'."""
    app.add_config_value("comments_config", {}, "html", [dict])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
