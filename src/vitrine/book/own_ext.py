"""Sphinx extension of a project of the user's own photos: French, and an option of comments."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

__all__ = ["setup"]


def _prefer_our_templates(_app: Sphinx, config: Config) -> None:
    """Take the buttons whose words the theme writes in English from the published book."""
    config.templates_path.insert(0, str(Path(__file__).with_name("templates")))


def setup(app: Sphinx) -> dict[str, Any]:
    """Declare the option of the extension of comments, which is not loaded: it calls other sites.

    A French book has its theme and its search in French, as the published one does.
    """
    if app.config.language == "fr":
        app.setup_extension("vitrine.book.french")
        app.connect("config-inited", _prefer_our_templates, priority=900)
    app.add_config_value("comments_config", {}, "html", [dict])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
