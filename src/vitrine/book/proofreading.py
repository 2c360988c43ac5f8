"""French as it is printed: typography of the sources, and words that no dictionary knows.

Authors type plain spaces before « ; : ! ? % » and inside guillemets (``french`` makes them narrow
or unbreakable), the apostrophe ’, the ellipsis … and accents on capitals.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from vitrine import paths
from vitrine.book import prose

__all__ = ["Slip", "files", "misspelt", "proofread", "slips", "strangers"]

_CITATION = re.compile(r"\{cite(?::\w+)?\}`[^`]*`")
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

Known = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """A place of the prose that a proofreader would mark."""

    path: Path
    line: int
    expected: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: expected {self.expected}, found {self.text!r}"


def files(root: Path | None = None) -> list[Path]:
    """Return what readers of French are given to read: pages, notebooks, notes, README files."""
    root = root or paths.root()
    found = [*(root / "book").glob("*.md"), *(root / "notebooks").glob("[0-9]*.py")]
    found += [*(root / "ressources").glob("*.md"), root / "README.md"]
    found += [root / folder / "README.md" for folder in ("data", "deploy")]
    return sorted(path for path in found if path.is_file())


def slips(path: Path) -> list[Slip]:
    """Return what the typography of a page or of a notebook gets wrong, in reading order."""
    found = [
        (first + text.count("\n", 0, match.start()), expected, match[0].strip())
        for first, block in prose.blocks(path)
        for text in [prose.blank(block, *_APART)]
        for rule, expected in _RULES
        for match in rule.finditer(text)
    ]
    return [
        Slip(path=path, line=line, expected=expected, text=text)
        for line, expected, text in sorted(found)
    ]


def misspelt(path: Path, known: Known) -> list[Slip]:
    """Return the words of a page or of a notebook that are not known.

    Words with a digit or a capital inside, such as ``ResNet-50``, and acronyms are names: they are
    left alone.

    Args:
        path: The page or the notebook.
        known: Tells whether a word is in the dictionary or in a list of terms of art.
    """
    return [
        Slip(path=path, line=line, expected="a word of the dictionary or of the list", text=word)
        for first, block in prose.blocks(path)
        for line, word in strangers(prose.blank(block, *_APART), known, first=first)
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


def proofread(root: Path | None = None) -> list[Slip]:
    """Return every slip of typography of the repository."""
    return [slip for path in files(root) for slip in slips(path)]


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
