"""Read and check the reading notes of ``ressources/RESEARCH.md``, and write them in MyST.

A note is a title, eight fields in a fixed order and at most three lines of text; the head of the
file says which. What a note says that it checked must exist, and so must its reference.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

from pybtex.database import parse_file

from vitrine import paths
from vitrine.book import sources
from vitrine.book.wording import MONTHS, day, grid

__all__ = ["FILE", "Reading", "ReadingError", "notes", "overdue", "read", "table"]

FILE = "ressources/RESEARCH.md"
"""Where the notes lie, from the root."""

_FIELDS = ("référence", "date", "statut", "code", "poids", "vérifié", "lu", "à revoir")
_STATUSES = ("relu", "prépublication", "document", "données")
_UNREAD = "non vérifié"
_LINES = 3
_PATH = re.compile(r"`([^`]+)`")


class ReadingError(ValueError):
    """A note that is not written as the others; the message says where and what is expected."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A reading note: one source, when it was read, what we verified of it.

    Attributes:
        line: Line of its title in the file.
        theme: Title of the part that it stands in.
        title: What we call it.
        key: Its entry in ``book/references.bib``.
        published: Year, or year and month, of the first public version.
        status: ``relu``, ``prépublication``, ``document`` or ``données``, and where.
        code: Licence of the code; ``aucun`` where there is none.
        weights: Licence of the weights; ``aucun`` where there are none.
        checked: What we verified ourselves, with the files that do; ``rien`` where nothing is.
        read: Day of the reading.
        review: Day from which it is to be read again.
        text: What it says, in our words: one string a line.
    """

    line: int
    theme: str
    title: str
    key: str
    published: str
    status: str
    code: str
    weights: str
    checked: str
    read: date
    review: date
    text: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether we verified anything of it."""
        return not self.checked.startswith("rien")

    @property
    def taught(self) -> bool:
        """Whether a chapter of the book verifies something of it."""
        return any(map(_is_chapter, map(Path, _PATH.findall(self.checked))))


def read(root: Path | None = None, *, files: bool = True) -> list[Reading]:
    """Return the notes, in the order of the file.

    Args:
        root: Of the repository, or of a copy of the files that pages need.
        files: Whether the files that notes name must be there: a copy does not hold them.

    Raises:
        ReadingError: At the first note that is not written as it must be.
    """
    root = root or paths.root()
    lines = (root / FILE).read_text(encoding="utf-8").splitlines()
    library = parse_file(str(root / "book" / "references.bib"), bib_format="bibtex").entries
    found: dict[str, Reading] = {}
    for theme, first, block in _blocks(lines):
        note = _note(theme, first, block)
        _check(note, root if files else None)
        if note.key in found:
            _refuse(first, "one note a reference", f"a second one for {note.key}")
        if note.key not in library:
            _refuse(first, "a reference of book/references.bib", note.key)
        month = _month_of_arxiv(library[note.key].fields.get("eprint", ""))
        if month and note.published != month:
            _refuse(first, f"the date {month}, as the arXiv identifier says", note.published)
        found[note.key] = note
    return list(found.values())


def overdue(readings: Iterable[Reading], today: date) -> list[Reading]:
    """Return the notes to read again, the oldest first."""
    return sorted((note for note in readings if note.review < today), key=lambda note: note.review)


def table(readings: Sequence[Reading]) -> str:
    """Return the notes as one table in MyST, with what a choice of network depends on."""
    rows = (
        (f"{note.title} {{cite:p}}`{note.key}`", note.status.split(" ")[0], _doubtful(note.code),
         _doubtful(note.weights), "oui" if note.verified else "non", day(note.review))
        for note in readings
    )  # fmt: skip
    heads = ("Source", "Statut", "Code", "Poids", "Vérifiée ici", "À relire")
    return grid(dict.fromkeys(heads, "---"), rows)


def _doubtful(licence: str) -> str:
    """Return a licence, with a question mark where we have not read it ourselves."""
    return licence.replace(_UNREAD, "?").replace("(?)", "?")


def notes(readings: Sequence[Reading]) -> str:
    """Return in full, in MyST, the notes that a chapter verifies, under the title of each part."""
    return "\n\n".join(_written(readings))


def _written(readings: Sequence[Reading]) -> Iterator[str]:
    theme = ""
    for note in (note for note in readings if note.taught):
        if note.theme != theme:
            theme = note.theme
            yield f"### {theme}"
        yield "\n".join(
            [
                note.title,
                f": {' '.join(note.text)}",
                f": {{cite:t}}`{note.key}`, {_month(note.published)}, {note.status}. Vérifié ici : "
                f"{_PATH.sub(_linked, note.checked)}.",
            ]
        )


def _linked(match: re.Match[str]) -> str:
    """Return a notebook as a link to its page, another file as it is."""
    path = Path(match[1])
    return f"{{doc}}`../notebooks/{path.stem}`" if _is_chapter(path) else match[0]


def _is_chapter(path: Path) -> bool:
    return path.parent.name == "notebooks" and path.stem in sources.names()


def _blocks(lines: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """Yield the part, the line and the lines of each note."""
    titles = [i for i, line in enumerate(lines) if re.match(r"#{2,3} ", line)]
    theme, alone = "", 0
    for start, end in zip(titles, [*titles[1:], len(lines)], strict=True):
        if lines[start].startswith("## "):
            if theme and not alone:
                _refuse(start + 1, f"a note under « {theme} »", "none")
            theme, alone = lines[start][3:].strip(), 0
            continue
        if not theme:
            _refuse(start + 1, "a part, ## and its title, before the first note", lines[start])
        alone += 1
        yield theme, start + 1, lines[start:end]


def _note(theme: str, first: int, lines: list[str]) -> Reading:
    written = [(first + i, line.strip()) for i, line in enumerate(lines) if line.strip()]
    given = []
    for name, (number, line) in zip(_FIELDS, [*written[1:], *[(first, "")] * 8], strict=False):
        prefix = f"- {name} : "
        if not line.startswith(prefix) or not line.removeprefix(prefix).strip():
            _refuse(number, f"the field « {prefix}… »", repr(line or "the end of the note"))
        given.append(line.removeprefix(prefix).strip())
    text = tuple(line for _, line in written[1 + len(_FIELDS) :])
    if not 1 <= len(text) <= _LINES:
        _refuse(first, f"one to {_LINES} lines of text after the fields", f"{len(text)}")
    key, published, status, code, weights, checked, seen, review = given
    return Reading(
        line=first, theme=theme, title=written[0][1].removeprefix("### "), key=key,
        published=published, status=status, code=code, weights=weights, checked=checked,
        read=_date(first, "lu", seen), review=_date(first, "à revoir", review), text=text,
    )  # fmt: skip


def _check(note: Reading, root: Path | None) -> None:
    if not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", note.published):
        _refuse(note.line, "a date such as 2024-07 or 1993", repr(note.published))
    if not note.status.startswith(_STATUSES):
        _refuse(note.line, f"a status among {', '.join(_STATUSES)}", repr(note.status))
    if note.review <= note.read:
        _refuse(note.line, f"a review after the reading of {note.read}", str(note.review))
    named = _PATH.findall(note.checked)
    if note.verified and not named:
        _refuse(note.line, "« rien », or what was verified with its file between backticks",
                repr(note.checked))  # fmt: skip
    for path in named:
        if root is not None and not (root / path).exists():
            _refuse(note.line, "a file of the repository in « vérifié »", repr(path))


def _date(line: int, field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _refuse(line, f"a day such as 2026-11-25 in « {field} »", repr(text))


def _refuse(line: int, expected: str, found: str) -> NoReturn:
    raise ReadingError(
        f"{FILE}:{line}: expected {expected}, found {found}; write it as the head of the file says"
    )


def _month_of_arxiv(identifier: str) -> str:
    match = re.match(r"(\d{2})(\d{2})\.\d{4,5}", identifier)
    return f"20{match[1]}-{match[2]}" if match else ""


def _month(published: str) -> str:
    year, _, month = published.partition("-")
    return f"{MONTHS[int(month) - 1]} {year}" if month else year
