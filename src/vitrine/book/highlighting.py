"""Code is coloured word by word, except where the colour is that of plain text.

Pygments wraps every name, bracket and space in an element of its own; the styles of the theme give
them the colour of the text around. Left bare, a page full of code weighs a tenth less.
"""

from collections.abc import Iterable
from typing import TextIO

from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace, _TokenType
from sphinx.application import Sphinx

__all__ = ["PLAIN", "Formatter", "setup"]

PLAIN = frozenset({Name, Name.Namespace, Punctuation, Whitespace})
"""Kinds of words that the theme's styles, light and dark, show as plain text."""


class Formatter(HtmlFormatter):
    """The formatter of Sphinx, which leaves plain words bare."""

    def format(self, tokens: Iterable[tuple[_TokenType, str]], out: TextIO) -> None:
        """Write the coloured code to a file."""
        super().format(((Text if kind in PLAIN else kind, word) for kind, word in tokens), out)


def setup(app: Sphinx) -> None:
    """Colour the code of the HTML pages with it."""
    app.connect("builder-inited", _colour)


def _colour(app: Sphinx) -> None:
    if app.builder.format == "html":
        app.builder.highlighter.formatter = Formatter
