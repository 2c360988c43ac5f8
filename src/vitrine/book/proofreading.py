"""Check the prose of pages and notebooks: typed results, French typography, spelling.

A digit beside a unit of results must come from the ledger; code, roles, links, formulas and
sentences that cite a source are left alone. What is no prose is blanked, length for length, so that
lines and columns stay where they are.

Authors type plain spaces before « ; : ! ? % » and inside guillemets (``french`` makes them narrow
or unbreakable), the apostrophe ’, the ellipsis … and accents on capitals.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrine import paths
from vitrine.book import sources

__all__ = [
    "ALLOWED", "APART", "Slip", "blank", "blocks", "files", "lint", "misspelt", "proofread",
    "slips", "strangers", "typed_results",
]  # fmt: skip

_CITATION = re.compile(r"\{cite(?::\w+)?\}`[^`]*`")
APART = (
    re.compile(r"^---\n.*?\n---$", re.DOTALL | re.MULTILINE),
    re.compile(r"^(?P<f>`{3,}|~{3,})(?!\{(?:admonition|note|tip|warning|figure|table)).*?^(?P=f)",
               re.DOTALL | re.MULTILINE),
    re.compile(r"<!--.*?-->|^%.*?$", re.DOTALL | re.MULTILINE),
    re.compile(r"^:(?:name|class):.*$|^:(?:alt:|:+(?:\{[\w-]+\})?)|(?<=\{dessin\} )\w+$",
               re.MULTILINE),
    re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL),
    re.compile(r"\{(?!cite)[\w:+-]+\}`[^`]*`"),
    re.compile(r"(?<!`)`[^`]+`(?!`)"),
    re.compile(r"\]\([^)]*\)|https?://\S+"),
)  # fmt: skip
"""What is no prose, blanked in this order: headers, code, comments, names and marks of directives,
formulas, roles but citations, literals, addresses."""

_QUOTE = "\N{NULL}"
_APART = (
    _CITATION,
    re.compile(r"<[^>\n]+>"),  # markup, addresses and the targets of references
    re.compile(r"^\s*\|[\s:|-]+\|\s*$", re.MULTILINE),  # the rule under the head of a table
    re.compile(r"^:{3,}.*$", re.MULTILINE),
    re.compile(r"\{[\w:+-]+\}"),
    re.compile(r"\(\*[^*\n]+\*[^)\n]*\)"),  # the English of a term, in italics
    re.compile(r"^> \*\*In English\..*?(?=\n\n)", re.DOTALL | re.MULTILINE),
)
_TYPOGRAPHY = (
    (r"(?<=[\wÀ-ÿ])'(?=[\wÀ-ÿ])", "the apostrophe ’"),
    (r"\"[^\"\n]+\"", "guillemets « »"),
    (r"“[^”\n]*”|[“”]", "guillemets « »"),
    (r"(?<!\.)\.{3}(?!\.)", "the ellipsis …"),
    (r"(?<=[\wÀ-ÿ)»’*])[;!?](?=\s|$)", "a space before ; ! ?"),
    (r"(?<=[\wÀ-ÿ)»*]):(?=\s|$)", "a space before :"),
    (r"(?<=\d)%", "a space before %"),
    (r"«(?=\S)|(?<=\S)»", "a space inside « »"),
    (r"(?<=[A-Za-zÀ-ÿ,]) - (?=[A-Za-zÀ-ÿ])", "a dash –, a colon or a comma"),
    (r"(?:^|[.!?…»:*] )[ \t]*A (?=(?:la|le|les|l’|l'|un|une|ce|cette|ces|cet|chaque|côtés?|quoi|"
     r"partir|défaut|travers|taille|vous|nous|recette|budget|son|sa|ses|mesure|titre)\b)", "À"),
    (r"\b(?:Etat|Etape|Etude|Eclair\w*|Epoque|Ecart|Ecrire|Evalu\w*|Egal\w*|Echec|Etag\w*|Etiquette"
     r"|Elargi\w*|Energie|Entrainement|Ca)\b", "an accent on the capital"),
    (r"\b(?:oeuvre|coeur|noeud|voeu|soeur|oeil|boeuf)\w*", "the letter œ"),
)  # fmt: skip
_RULES = [(re.compile(pattern, re.MULTILINE), expected) for pattern, expected in _TYPOGRAPHY]

_WORD = re.compile(r"(?<![\w@/.-])[A-Za-zÀ-ÖØ-öø-ÿŒœ]+(?:[-’'][A-Za-zÀ-ÖØ-öø-ÿŒœ]+)*(?![\w@/])")
_ELIDED = re.compile(
    r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|presqu)[’'](?=.)", re.IGNORECASE
)

ALLOWED = (
    # The level of every interval, a decision of the protocol.
    r"(?:à|de|niveau|IC|intervalles?)\s95\s%",
    # The published split, a decision too: 15 % to test, 15 % of the rest to validation.
    r"15\s%\s(?:d[eu]s?|pour|à|au|en)\b",
    # What a confidence means, by an example.
    r"\bsûr\sà\s80\s%",
    # A whole, as in « 100 % de la surface ».
    r"\b100\s%",
)
"""Patterns of what may be typed, reviewed one by one; ``\\s`` stands for any kind of space."""

_RESULT = re.compile(
    r"\d(?:[\d\s.,]*\d)?(?:[*_]+|&\w+;)?\s*"  # it may stand out, or keep its unit by an entity
    r"(?:%|pour\scent\b|points?\b|pts\b|pp\b|images?(?:/|\spar\s)s|ms\b|millisecondes?\b)"
)
_REMEDY = " typed in prose; cite it with {valeur}, or cite its source in the same sentence"
_SENTENCE = re.compile(r"[^.!?]*(?:[.!?](?!\s|$)[^.!?]*)*[.!?]?")

Known = Callable[[str], bool]


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


@dataclass(frozen=True, slots=True)
class Slip:
    """A place of the prose to correct: what was expected there, what was found, what to do."""

    path: Path
    line: int
    expected: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}: expected {self.expected}, found {self.text!r}{self.remedy}"
        )


def files() -> list[Path]:
    """Return what readers of French are given to read: pages, notebooks, notes, README files."""
    root = paths.root()
    found = [*(root / "book").glob("*.md"), *(root / "notebooks").glob("[0-9]*.py")]
    found += [*(root / "ressources").glob("*.md"), root / "README.md"]
    found += [root / folder / "README.md" for folder in ("data", "deploy")]
    return sorted(path for path in found if path.is_file())


def slips(path: Path) -> list[Slip]:
    """Return what the typography of a page or of a notebook gets wrong, in reading order."""
    found = [
        (first + text.count("\n", 0, match.start()), expected, match[0].strip())
        for first, block in blocks(path)
        for text in [blank(block, *_APART)]
        for rule, expected in _RULES
        for match in rule.finditer(text)
    ]
    return [Slip(path, *place) for place in sorted(found)]


def lint(root: Path | None = None) -> list[Slip]:
    """Return the results typed in the pages of ``book/`` and in the sources of the notebooks."""
    root = root or paths.root()
    pages = [*(root / "book").rglob("*.md"), *(root / "notebooks").glob("[0-9]*.py")]
    return [slip for page in sorted(pages) for slip in typed_results(page)]


def typed_results(path: Path) -> list[Slip]:
    """Return the results typed in a Markdown page or a notebook source, in reading order."""
    return [
        Slip(path, first + offset, "a number of the ledger", typed, _REMEDY)
        for first, block in blocks(path)
        for offset, typed in _typed(block)
    ]


def _typed(text: str) -> Iterator[tuple[int, str]]:
    text = blank(text)
    for allowed in ALLOWED:
        text = re.sub(allowed, lambda match: " " * len(match[0]), text)
    for paragraph in re.finditer(r"(?:(?!\n\s*\n).)+", text, re.DOTALL):
        for sentence in _SENTENCE.finditer(paragraph[0]):
            if "{cite" in sentence[0]:
                continue
            for match in _RESULT.finditer(sentence[0]):
                start = paragraph.start() + sentence.start() + match.start()
                yield text.count("\n", 0, start), " ".join(match[0].split())


def misspelt(path: Path, known: Known) -> list[Slip]:
    """Return the words of a page or of a notebook that are not known.

    Words with a digit or a capital inside, such as ``ResNet-50``, and acronyms are names: they are
    left alone.

    Args:
        path: The page or the notebook.
        known: Tells whether a word is in the dictionary or in a list of terms of art.
    """
    return [
        Slip(path, line, "a word of the dictionary or of the list", word)
        for first, block in blocks(path)
        for line, word in strangers(blank(block, *_APART), known, first=first)
    ]


def strangers(text: str, known: Known, *, first: int = 1) -> list[tuple[int, str]]:
    """Return the words of a plain text that are not known, each with its line.

    Args:
        text: Prose, without markup.
        known: As for ``misspelt``.
        first: Line that the text starts on.
    """
    return [
        (first + text.count("\n", 0, match.start()), match[0])
        for match in _WORD.finditer(text)
        if not _accepts(match[0], known)
    ]


def proofread() -> list[Slip]:
    """Return every slip of typography of the repository."""
    return [slip for path in files() for slip in slips(path)]


def _accepts(word: str, known: Known) -> bool:
    while match := _ELIDED.match(word):
        word = word[match.end() :]
    if word.isupper() or re.search(r"[a-zà-ÿ][A-ZÀ-Þ]|[A-ZÀ-Þ]{2}", word):
        return True
    spoken = word.replace("'", "’")
    return any(map(known, {spoken, spoken.replace("’", "'")})) or (
        "-" in word and _all_known(word.split("-"), known)
    )


def _all_known(parts: Iterable[str], known: Known) -> bool:
    return all(part and _accepts(part, known) for part in parts)
