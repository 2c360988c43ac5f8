"""Check the built pages (language, links, figures), the notebooks and the prose."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat

from vitrine import paths
from vitrine.book import french, ledger_view, proofreading, sources, stamps
from vitrine.book.plotly_renderer import FIGURE_CLASS
from vitrine.data import dataset

__all__ = [
    "MOST_WORDS", "BookError", "check_html", "check_notebooks", "check_outputs", "check_prose",
    "check_words", "states",
]  # fmt: skip

MOST_WORDS = 27_000
"""Words that the built pages may hold together, as ``check_words`` counts them."""

_LOADS = {"audio", "embed", "iframe", "img", "input", "link", "object", "script", "source", "track",
          "video"}  # fmt: skip
# Links of a page to itself, to a neighbour or to nothing load nothing.
_PASSIVE_RELATIONS = {"canonical", "next", "prev", "search", "index", "license"}
_VERBATIM = {"code", "kbd", "noscript", "pre", "script", "style"}
_SPOKEN = ("alt", "aria-label", "placeholder", "title", "data-bs-title")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
         "track", "wbr"}  # fmt: skip
_UNREAD_TAGS = {"button", "noscript", "pre", "script", "style", "summary", "svg", "table"}
_UNREAD = {"citation-list", "headerlink", "vitrine-donnees", "vitrine-provenance"}
_WORD = re.compile(r"\w+(?:[-’'.,]\w+)*")
_FILE_NAME = re.compile(r"[0-9a-f]{16,}|\.(?:png|svg|jpe?g|gif)$", re.IGNORECASE)


class BookError(Exception):
    """The built book, a notebook or the prose fails a check; each line of the message is a fault.

    Attributes:
        exit_code: What the command line exits with: a verification found a mismatch.
    """

    exit_code = 3


def check_html(folder: Path, language: str = "fr") -> None:
    """Check every page of a built book.

    Its language, nothing loaded from outside, links and anchors that lead somewhere, a caption
    and an alternative text for each figure, no English of the theme in a French book, but for what
    the data set and its classes are called.

    Args:
        folder: The built book.
        language: Of its pages: ``fr`` or ``en``.

    Raises:
        BookError: With one line for each fault.
    """
    pages = {
        path: _parse(path, language) for path in sorted(folder.rglob("*.html")) if _is_page(path)
    }
    if not pages:
        raise BookError(f"expected pages in {folder}, found none; build the book first")
    faults = [
        f"{path.relative_to(folder)}: {fault}"
        for path, page in pages.items()
        for fault in [*page.faults, *_broken_links(path, page, pages)]
    ]
    if faults:
        raise BookError("\n".join(faults))


def check_words(folder: Path, *, tell: Callable[[str], None] = lambda line: None) -> None:
    """Count the words of every page of a built book, and refuse more than ``MOST_WORDS`` in all.

    Code, tables, data under figures and the list of references are not counted.

    Args:
        folder: The built book.
        tell: Called with a line on each page, then on all of them.

    Raises:
        BookError: If there are more.
    """
    total = 0
    for path in sorted(folder.rglob("*.html")):
        if _is_page(path) and (words := _parse(path).words):
            total += words
            tell(f"{path.relative_to(folder).as_posix()}: {words} words")
    tell(f"in all: {total} words")
    if total > MOST_WORDS:
        raise BookError(
            f"expected at most {MOST_WORDS} words in the pages, found {total}; shorten the longest"
        )


def check_outputs(notebooks: list[Path]) -> None:
    """Refuse executed notebooks that store an error, which a strict build would print silently.

    Raises:
        BookError: With one line for each error output.
    """
    faults = [
        f"{path.name}: expected no error output, found {output.ename} in cell {number}; "
        "correct the cell and execute again"
        for path in notebooks
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    if faults:
        raise BookError("\n".join(faults))


def check_prose() -> None:
    """Refuse typed results, citations that the ledger does not allow, and rewritten sources.

    Raises:
        BookError: With one line for each, that names its file and line.
    """
    root = paths.root()
    typed = [str(finding).removeprefix(f"{root}{os.sep}") for finding in proofreading.lint(root)]
    if faults := [*typed, *ledger_view.refused(root), *sources.rewritten(root)]:
        raise BookError("\n".join(faults))


def states() -> dict[str, stamps.Verdict]:
    """Return whether each published notebook of the table of contents is fresh, and why not."""
    return {
        name: stamps.state(source := sources.find(name), source.with_suffix(".ipynb"))
        for name in sources.names()
    }


def check_notebooks() -> None:
    """Refuse published notebooks that are not what their source gives, or store an error.

    Raises:
        BookError: With one line for each such notebook.
    """
    faults = [
        f"notebooks/{name}.ipynb: expected a fresh notebook, found it {verdict.state}, because "
        f"{verdict.reason}; run vitrine publish"
        for name, verdict in states().items()
        if verdict.state is not stamps.State.FRESH
    ]
    if faults:
        raise BookError("\n".join(faults))
    check_outputs([paths.notebooks() / f"{name}.ipynb" for name in sources.names()])


@dataclass
class _Page:
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    words: int = 0


class _Reader(HTMLParser):
    """Collects anchors and links of a page, and what is wrong on it."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language
        data = dataset.current()
        names = (data.name, *data.classes.values())
        self.leftovers = [
            word
            for word in french.LEFTOVERS
            if language == "fr" and not any(word in name for name in names)
        ]
        self.page = _Page()
        self._open: list[tuple[str, dict[str, str]]] = []
        self._figures: list[dict[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attributes}
        self.page.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "html" and given.get("lang") != self.language:
            self._fault(f'expected lang="{self.language}", found {given.get("lang")!r}')
        self._check_loading(tag, given)
        self._check_figure(tag, given)
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        if not self._inside(_VERBATIM):
            for key in _SPOKEN:
                self._check_words(given.get(key, ""))
        if tag not in _VOID:
            self._open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        if self._inside({tag}):  # a browser passes over an end without a start
            while self._open.pop()[0] != tag:
                pass  # an element that HTML closes by itself
        if tag == "figure" and self._figures:
            figure = self._figures.pop()
            if not figure["caption"]:
                self._fault("expected a caption for each figure, found a figure without one")

    def handle_data(self, data: str) -> None:
        if not self._inside(_VERBATIM):
            self._check_words(data)
        if self._inside({"article"}) and not self._is_apart():
            self.page.words += len(_WORD.findall(data))

    def _is_apart(self) -> bool:
        """Tell whether the place is in code, a table or data, which nobody reads as prose."""
        return self._inside(_UNREAD_TAGS) or any(
            _UNREAD & set(given.get("class", "").split()) for _, given in self._open
        )

    def _inside(self, tags: set[str]) -> bool:
        return any(tag in tags for tag, _ in self._open)

    def _check_loading(self, tag: str, given: dict[str, str]) -> None:
        if tag not in _LOADS or given.get("rel", "") in _PASSIVE_RELATIONS:
            return
        for key in ("src", "href", "srcset", "poster", "data"):
            value = given.get(key, "")
            for address in value.split(",") if key == "srcset" else [value]:
                parts = urlsplit(address.strip())
                if parts.netloc or parts.scheme in ("http", "https"):
                    self._fault(f"expected nothing from outside, found <{tag} {key}={value!r}>")

    def _check_figure(self, tag: str, given: dict[str, str]) -> None:
        drawing = FIGURE_CLASS in given.get("class", "").split()
        if tag == "figure":
            self._figures.append({"caption": False})
        elif tag == "figcaption" and self._figures:
            self._figures[-1]["caption"] = True
        elif drawing or (tag == "img" and self._inside({"article"})):
            text = given.get("aria-label" if drawing else "alt", "").strip()
            if not text or _FILE_NAME.search(text):
                self._fault(f"expected an alternative text for each figure, found {text!r}")
            if not self._figures:
                self._fault("expected a caption for each figure, found a figure without one")

    def _check_words(self, text: str) -> None:
        self.page.faults += [
            f"expected French, found {word!r} of the theme; translate it in vitrine.book.french"
            for word in self.leftovers
            if word in text
        ]

    def _fault(self, fault: str) -> None:
        line, _ = self.getpos()
        self.page.faults.append(f"line {line}: {fault}")


def _is_page(path: Path) -> bool:
    # The theme ships HTML fragments, which no reader opens.
    return not any(part.startswith("_") for part in path.parts[-3:-1])


def _parse(path: Path, language: str = "fr") -> _Page:
    reader = _Reader(language)
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.page


def _broken_links(path: Path, page: _Page, pages: dict[Path, _Page]) -> list[str]:
    faults = []
    for link in sorted(set(page.links)):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists():
            faults.append(f"expected links that lead somewhere, found {link!r}")
        elif target in pages and parts.fragment:
            known = pages[target].anchors
            if unquote(parts.fragment) not in known:
                faults.append(f"expected anchors that exist, found {link!r}")
    return faults
