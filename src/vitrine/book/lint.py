"""No result is typed in prose: a digit beside a unit of results must come from the ledger.

Code, roles, links, formulas and sentences that cite a source are left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrine import paths
from vitrine.book import prose

__all__ = ["ALLOWED", "Finding", "lint", "typed_results"]

ALLOWED = (
    # The level of every interval, a decision of the protocol.
    r"(?:à|de|niveau|IC|intervalles?)\s95\s%",
    # The published split, a decision too: 15 % to test, 15 % of the rest to validation.
    r"15\s%\s(?:d[eu]s?|pour|à|au|en)\b",
    # A whole, as in « 100 % de la surface ».
    r"\b100\s%",
)
"""Patterns of what may be typed, reviewed one by one; ``\\s`` stands for any kind of space."""

_RESULT = re.compile(
    r"\d(?:[\d\s.,]*\d)?(?:[*_]+|&\w+;)?\s*"  # it may stand out, or keep its unit by an entity
    r"(?:%|pour\scent\b|points?\b|pts\b|pp\b|images?(?:/|\spar\s)s|ms\b|millisecondes?\b)"
)
_SENTENCE = re.compile(r"[^.!?]*(?:[.!?](?!\s|$)[^.!?]*)*[.!?]?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A result typed by hand."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}: expected a number of the ledger, found {self.text!r} typed "
            "in prose; cite it with {valeur}, or cite its source in the same sentence"
        )


def lint(root: Path | None = None) -> list[Finding]:
    """Return what is typed in the pages of ``book/`` and in the sources of the notebooks."""
    root = root or paths.root()
    files = [*(root / "book").rglob("*.md"), *(root / "notebooks").glob("[0-9]*.py")]
    return [finding for file in sorted(files) for finding in typed_results(file)]


def typed_results(path: Path) -> list[Finding]:
    """Return the results typed in a Markdown page or a notebook source, in reading order."""
    return [
        Finding(path=path, line=first + offset, text=typed)
        for first, block in prose.blocks(path)
        for offset, typed in _typed(block)
    ]


def _typed(text: str) -> Iterator[tuple[int, str]]:
    text = prose.blank(text)
    for allowed in ALLOWED:
        text = re.sub(allowed, lambda match: " " * len(match[0]), text)
    for paragraph in re.finditer(r"(?:(?!\n\s*\n).)+", text, re.DOTALL):
        for sentence in _SENTENCE.finditer(paragraph[0]):
            if "{cite" in sentence[0]:
                continue
            for match in _RESULT.finditer(sentence[0]):
                start = paragraph.start() + sentence.start() + match.start()
                yield text.count("\n", 0, start), " ".join(match[0].split())
