"""The prose that readers see, as it is written: pages, and the text of notebooks.

Read are Markdown pages and the Markdown, captions and alternative texts of notebooks. What is not
prose is blanked, length for length, so that lines and columns stay where they are.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from vitrine.book import sources

__all__ = ["APART", "blank", "blocks"]

APART = (
    re.compile(r"^---\n.*?\n---$", re.DOTALL | re.MULTILINE),
    re.compile(r"^(?P<f>`{3,}|~{3,})(?!\{(?:admonition|note|tip|warning|figure|table)).*?^(?P=f)",
               re.DOTALL | re.MULTILINE),
    re.compile(r"<!--.*?-->|^%.*?$", re.DOTALL | re.MULTILINE),
    re.compile(r"^:name:.*$|^:(?:alt:|:+(?:\{[\w-]+\})?)|(?<=\{dessin\} )\w+$", re.MULTILINE),
    re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL),
    re.compile(r"\{(?!cite)[\w:+-]+\}`[^`]*`"),
    re.compile(r"(?<!`)`[^`]+`(?!`)"),
    re.compile(r"\]\([^)]*\)|https?://\S+"),
)  # fmt: skip
"""What is no prose, blanked in this order: headers, code, comments, names and marks of directives,
formulas, roles but citations, literals, addresses."""

_CITATION = re.compile(r"\{cite(?::\w+)?\}`[^`]*`")
_QUOTE = "\N{NULL}"


def blocks(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the pieces of prose of a page or of a notebook source, with the line each starts on."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield 1, text
        return
    for cell, start in zip(sources.read(path).cells, sources.first_lines(path), strict=True):
        if cell.cell_type == "markdown":
            yield start + 1, cell.source
        options = cell.metadata.get("mystnb", {})
        for part in (options.get("figure", {}).get("caption"), options.get("image", {}).get("alt")):
            if part:
                yield start, part


def blank(text: str, *apart: re.Pattern[str]) -> str:
    """Return the text with what is no prose, and what else is given, turned into spaces.

    Citations stay, unless they are given.
    """
    # Their last backtick must not be taken for the first one of a literal.
    text = _CITATION.sub(lambda match: match[0].replace("`", _QUOTE), text)
    for pattern in APART:
        text = pattern.sub(_spaces, text)
    text = text.replace(_QUOTE, "`")
    for pattern in apart:
        text = pattern.sub(_spaces, text)
    return text


def _spaces(match: re.Match[str]) -> str:
    return re.sub(r"\S", " ", match[0])
