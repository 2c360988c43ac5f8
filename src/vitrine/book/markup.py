"""Replace markup of Sphinx, myst-nb, pandas and Pygments that is in a reader's way.

Each is a fault that axe finds: English words for screen readers alone, roles that contradict one
another, empty headers. Pygments wraps every name, bracket and space of code in an element of its
own, in the colour of the text around: left bare, a page full of code weighs a tenth less.
"""

import html
import re
from collections.abc import Iterable
from typing import Any, TextIO, cast

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace, _TokenType
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from vitrine.report.fr import space_markup

__all__ = ["PLAIN", "Formatter", "setup", "tidy_table"]


def setup(app: Sphinx) -> None:
    """Register the markup of folded cells, references, tables of pandas and code."""
    app.add_node(HideCodeCellNode, override=True, html=(_open_fold, _close_fold))
    app.add_node(nodes.citation, override=True, html=(_open_reference, _close_reference))
    app.connect("doctree-resolved", _tidy)
    app.connect("builder-inited", _colour)


def tidy_table(text: str) -> str:
    """Return a table of pandas without borders, alignments and empty headers of its own."""
    text = re.sub(r'<table border="1" class="dataframe">', '<table class="dataframe">', text)
    text = re.sub(r'<tr style="text-align: right;">', "<tr>", text)
    text = re.sub(r"<style scoped>.*?</style>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<th></th>", "<td></td>", text)
    head, mark, body = text.partition("</thead>")
    return (
        head.replace("<th>", '<th scope="col">') + mark + body.replace("<th>", '<th scope="row">')
    )


def _tidy(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for citation in doctree.findall(nodes.citation):
        # The list is sorted by author, as it is cited: labels would only be noise.
        for label in list(citation.findall(nodes.label)):
            citation.remove(label)
    for raw in doctree.findall(nodes.raw):
        if raw.get("format") == "html":
            text = raw.astext()
            text = tidy_table(text) if 'class="dataframe"' in text else text
            raw.children = [nodes.Text(space_markup(text))]


def _open_fold(self: HTML5Translator, node: HideCodeCellNode) -> None:
    self.body.append(
        f'<details class="admonition hide {" ".join(node["classes"])}">\n<summary>\n'
        f'<p class="collapsed admonition-title">{html.escape(node["prompt_show"])}</p>\n'
        f'<p class="expanded admonition-title">{html.escape(node["prompt_hide"])}</p>\n'
        "</summary>\n"
    )


def _close_fold(self: HTML5Translator, node: HideCodeCellNode) -> None:
    self.body.append("</details>\n")


def _open_reference(self: HTML5Translator, node: nodes.citation) -> None:
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", CLASS="citation", role="listitem"))


def _close_reference(self: HTML5Translator, node: nodes.citation) -> None:
    last = not isinstance(node.next_node(descend=False, siblings=True), nodes.citation)
    self.body.append("</div>\n" + "</div>\n" * last)


PLAIN = frozenset({Name, Name.Namespace, Punctuation, Whitespace})
"""Kinds of words that the theme's styles, light and dark, show as plain text."""


class Formatter(HtmlFormatter):
    """The formatter of Sphinx, which leaves plain words bare."""

    def format(self, tokens: Iterable[tuple[_TokenType, str]], out: TextIO) -> None:
        """Write the coloured code to a file."""
        super().format(((Text if kind in PLAIN else kind, word) for kind, word in tokens), out)


def _colour(app: Sphinx) -> None:
    if app.builder.format == "html":
        cast(Any, app.builder).highlighter.formatter = Formatter
