"""Write the note and the slides beside the book, and link them from its pages.

A page links one of them by its name: ``{emporter}`note``` or ``{emporter}`la note <note>```. They
are written beside the pages only if a page links them, from the ledger that the pages print, so
that a book and what it gives away never disagree.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import ReferenceRole

from vitrine.book.roles import LEDGER

__all__ = ["linked", "setup"]


def _note(ledger: Mapping[str, Any], app: Sphinx) -> bytes:
    from vitrine.book import note  # Typst, for the books that have a note

    return note.pdf(ledger)


def _slides(ledger: Mapping[str, Any], app: Sphinx) -> bytes:
    from vitrine.book import slides

    book = app.builder.get_target_uri(app.config.root_doc)
    return slides.page(ledger, book=book).encode("utf-8")


_DOCUMENTS: dict[str, tuple[str, str, Callable[[Mapping[str, Any], Sphinx], bytes]]] = {
    "note": ("note.pdf", "la note technique (PDF)", _note),
    "slides": ("slides.html", "les diapositives", _slides),
}


class _Role(ReferenceRole):
    """Link a document that the build makes."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if self.target not in _DOCUMENTS:
            message = self.inliner.reporter.error(
                f"expected one of {', '.join(_DOCUMENTS)}, found {self.target!r}; correct the role",
                line=self.lineno,
            )
            return [nodes.problematic(self.rawtext, self.rawtext)], [message]
        file, title, _ = _DOCUMENTS[self.target]
        _linked(self.env)[self.env.docname] = _linked(self.env).get(self.env.docname, ()) + (
            self.target,
        )
        # The role stands in a page; what it links lies at the root of the book.
        uri = "../" * self.env.docname.count("/") + file
        text = self.title if self.has_explicit_title else title
        return [nodes.reference(self.rawtext, text, refuri=uri, internal=True)], []


def setup(app: Sphinx) -> None:
    """Register the role, and what writes the documents once the pages are there."""
    app.add_role("emporter", _Role())
    app.connect("env-purge-doc", lambda app, env, page: _linked(env).pop(page, None))
    app.connect("build-finished", _write)


def linked(env: BuildEnvironment) -> list[tuple[str, str]]:
    """Return the documents that some page links, which are written: title and file of each."""
    found = (_DOCUMENTS[name] for name in _names(env))
    return [(f"{title[0].upper()}{title[1:]}", file) for file, title, _ in found]


def _names(env: BuildEnvironment) -> list[str]:
    return sorted({name for names in _linked(env).values() for name in names})


def _linked(env: BuildEnvironment) -> dict[str, tuple[str, ...]]:
    return vars(env).setdefault("vitrine_downloads", {})


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    ledger = Path(app.srcdir) / LEDGER
    for name in _names(app.env):
        file, _, make = _DOCUMENTS[name]
        try:
            content = make(json.loads(ledger.read_text(encoding="utf-8")), app)
        except (OSError, ValueError) as error:
            raise ExtensionError(f"{file}: {error}") from error
        (Path(app.outdir) / file).write_bytes(content)
