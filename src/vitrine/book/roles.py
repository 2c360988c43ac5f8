"""Sphinx roles that print numbers and verdicts of ``runs/ledger.json`` in the prose.

===========================  ==================================================
``{valeur}`b0.macro_f1```    ``78,9 %``
``{valeur:ic}`b0.macro_f1``` ``78,9 % [71,9 ; 84,6]``, the 95 % interval
``{valeur:ecart}`gap```      ``+3,2 points``, a signed difference
``{valeur:ecart-ic}`gap```   ``+3,2 points [-1,0 ; +7,4]``
``{verdict}`b0_beats_hog```  the sentence declared with an expression
===========================  ==================================================

A key that is unknown, a value of the smoke profile or a verdict that no longer holds stops the
build, strict or not, after every page has been read, with the place of each.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains import Domain
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole
from sphinx.writers.html5 import HTML5Translator

from vitrine.book import wording
from vitrine.book.ledger_view import cite
from vitrine.report.fr import NO_BREAK

__all__ = ["LEDGER", "LedgerText", "setup"]

LEDGER = "runs/ledger.json"
"""Where the ledger lies, from the folder of the book."""

_BREAKABLE = f"{NO_BREAK}<wbr>["
"""The start of an interval, where the style of a narrow screen may begin a line."""


class LedgerText(nodes.inline):
    """A number or a verdict of the ledger, printed; it knows its key, value and origin."""


class _Role(SphinxRole):
    """Print an entry of one section of the ledger, or note why that cannot be."""

    def __init__(self, section: str, write: Callable[[dict], str], *, signed: bool = False) -> None:
        self.section, self.write, self.signed = section, write, signed

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        key = self.text.strip()
        try:
            entry = _entry(self.env, self.section, key)
            text = self.write(entry)
        except (KeyError, TypeError, ValueError, OSError) as error:
            source, line = self.get_source_info()
            _complaints(self.env).append(f"{source}:{line}: {_sentence(error)}")
            return [nodes.problematic(self.rawtext, f"[{key}]")], []
        node = LedgerText(self.rawtext, text, classes=[self.section], key=key)
        if self.section == "values":
            told = entry | {"signed": self.signed}
            node["value"], node["origin"] = repr(entry["value"]), wording.provenance(told)
            node["runs"] = list(entry.get("runs") or [])
        else:
            node["origin"] = f"affirmation vérifiée : {entry.get('expression', key)}"
        return [node], []


class _ValueDomain(Domain):
    """Holds the forms of ``{valeur}``: a role with a colon in its name belongs to a domain."""

    name, label = "valeur", "Valeur du registre"
    roles = {
        "ic": _Role("values", wording.interval),
        "ecart": _Role("values", wording.gap, signed=True),
        "ecart-ic": _Role(
            "values", lambda entry: wording.interval(entry, signed=True), signed=True
        ),
    }

    def merge_domaindata(self, docnames: list[str], otherdata: dict) -> None:
        """Do nothing: the domain keeps no data."""

    def resolve_any_xref(self, *arguments: object) -> list:
        """Find nothing: its roles are no references."""
        return []


def setup(app: Sphinx) -> None:
    """Register the roles, and the check that ends the reading of the pages."""
    app.add_role("valeur", _Role("values", wording.value))
    app.add_role("verdict", _Role("verdicts", lambda entry: str(entry["text"])))
    app.add_domain(_ValueDomain)
    app.add_node(LedgerText, html=(_open, _close), latex=(_skip, _skip), text=(_skip, _skip))
    app.connect("env-updated", _refuse)


@cache
def _load(path: Path, changed: int) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _entry(env: BuildEnvironment, section: str, key: str) -> dict:
    path = Path(env.srcdir) / LEDGER
    env.note_dependency(LEDGER)
    if not path.is_file():
        raise ValueError(f"expected {LEDGER}, found none; write it with vitrine.report.ledger")
    return cite(_load(path, path.stat().st_mtime_ns), section, key)


def _complaints(env: BuildEnvironment) -> list[str]:
    return vars(env).setdefault("vitrine_complaints", [])


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError | OSError) else f"incomplete entry: {error!r}"


def _refuse(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Stop before the environment is saved, so that the next build reads these pages again."""
    if complaints := vars(env).pop("vitrine_complaints", []):
        raise ExtensionError("citations refused:\n" + "\n".join(complaints))
    return []


def _open(self: HTML5Translator, node: LedgerText) -> None:
    title = {"title": node["origin"]}
    if "value" in node:
        self.body.append(self.starttag(node, "data", "", value=node["value"], **title))
        # A value, its unit and its interval are wider than a narrow screen in a wide font.
        self.body.append(self.encode(node.astext()).replace(f"{NO_BREAK}[", _BREAKABLE))
        raise nodes.SkipChildren
    self.body.append(self.starttag(node, "span", "", **title))


def _close(self: HTML5Translator, node: LedgerText) -> None:
    self.body.append("</data>" if "value" in node else "</span>")


def _skip(self: nodes.NodeVisitor, node: LedgerText) -> None:
    """Print the text alone."""
