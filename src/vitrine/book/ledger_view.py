"""View of the ledger: what may be cited, and what the templates of the note and slides print.

The note and the slides are two templates of ``pages/``. A template calls what follows and types no
result; what is not in the ledger raises, unless the template asked ``known`` first::

    {{ value("data.test") }} {{ interval(r ~ ".accuracy") }} {{ gap_interval(g.key ~ ".accuracy") }}
    {% if known("poc_below_power") %}{{ verdict("poc_below_power") }}{% endif %}
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from vitrine import paths
from vitrine.book import wording
from vitrine.data import tracked
from vitrine.metrics import Interval
from vitrine.metrics.settling import settled
from vitrine.report.ledger.pairs import COMPARISONS, PROMISED
from vitrine.report.names import model_name
from vitrine.report.tables import SMALLEST_P
from vitrine.training.recipes import parent, started_as

__all__ = ["Gap", "LedgerView", "cite", "read_ledger", "refused"]

_HOLDS = ("true", "undecided")
_ROLE = re.compile(r"(?<!`)\{(valeur|verdict)(?::[\w-]+)?\}`([^`]+)`")
_SECTIONS = {"valeur": "values", "verdict": "verdicts"}
_OURS = ".accuracy_clean"  # only a recipe of ours has it
_ALWAYS = ("accuracy", "macro_f1", "seeds")
_CITED = "-finetuned.accuracy"

Mark = Callable[[str, Mapping[str, Any]], str]
"""Writes a text and where it comes from in the language of a document."""

Escape = Callable[[str], str]
"""Makes a text print as it is in the language of a document."""


def read_ledger() -> dict[str, Any]:
    """Return the content of the tracked ``runs/ledger.json``."""
    return json.loads((paths.runs() / "ledger.json").read_text(encoding="utf-8"))


def cite(ledger: Mapping[str, Any], section: str, key: str) -> dict[str, Any]:
    """Return an entry of the ledger, refusing one that is absent, unpublished or no longer true.

    Args:
        ledger: Content of ``runs/ledger.json``.
        section: ``values`` or ``verdicts``.
        key: Which entry.

    Raises:
        ValueError: If there is none, with its neighbours; if it does not come from a published run;
            if it is a verdict that no longer holds.
    """
    entries = ledger.get(section, {})
    if key not in entries:
        known = ", ".join(get_close_matches(key, entries, n=3))
        raise ValueError(
            f"expected a key of {section} in runs/ledger.json, found {key!r}; "
            f"{'near it are ' + known if known else 'declare it, or correct the page'}"
        )
    entry = entries[key]
    if section == "values" and entry.get("profile") != "published":
        raise ValueError(
            f"expected {key!r} from the published profile, found profile {entry.get('profile')!r}; "
            "only published runs may be cited"
        )
    if section == "verdicts" and entry.get("state") not in _HOLDS:
        raise ValueError(
            f"expected the verdict {key!r} to hold, found {entry.get('expression')} "
            f"{entry.get('state')!r}; rewrite the sentence where it is declared"
        )
    return entry


def refused(root: Path | None = None) -> list[str]:
    """Return the citations of pages and notebooks that are refused, each with file and line.

    The build says the same of the pages that it reads; this is read from the sources, in no time.

    Raises:
        TrackedError: If the ledger is absent or damaged.
    """
    root = root or paths.root()
    ledger = tracked.read("runs/ledger.json", _SECTIONS.values(), root=root)
    files = [*(root / "book").rglob("*.md"), *(root / "notebooks").glob("[0-9]*.py")]
    found = []
    for file in sorted(files):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            for role, key in _ROLE.findall(line):
                try:
                    cite(ledger, _SECTIONS[role], key.strip())
                except ValueError as error:
                    found.append(f"{file.relative_to(root).as_posix()}:{number}: {error}")
    return found


@dataclass(frozen=True)
class Gap:
    """An announced comparison whose two recipes have runs.

    Attributes:
        key: Prefix of its entries in the ledger.
        baseline: Name of the reference, on screen.
        candidate: Name of what is compared with it.
        settled: Whether the interval and the corrected test both tell the two apart.
    """

    key: str
    baseline: str
    candidate: str
    settled: bool


@dataclass(frozen=True)
class LedgerView:
    """What templates may say of a ledger.

    Attributes:
        ledger: Content of ``runs/ledger.json``.
        mark: How a number is marked in the document.
    """

    ledger: Mapping[str, Any]
    mark: Mark = lambda text, entry: text

    def tell(self, template: str, *, escape: Escape | None = None, **more: Any) -> str:
        """Render a template of ``pages/``, with everything below at its disposal.

        Args:
            template: Name of the file.
            escape: What makes a text safe in the language of the document, under the name of
                ``escape``; by default, HTML is escaped everywhere.
            more: Anything else that the template uses.

        Raises:
            ValueError: If it cites what the ledger does not allow.
        """
        said = (
            self.cited, self.entry, self.gap, self.gap_interval, self.gaps,
            self.has_interval, self.interval, self.known, self.named, self.p_value,
            self.pretrained, self.recipes, self.value, self.verdict,
        )  # fmt: skip
        context = {function.__name__: function for function in said} | more
        return _environment(escape).get_template(template).render(context)

    def value(self, key: str) -> str:
        """Write a value, such as ``78,9 %``."""
        return self._write(key, wording.value)

    def interval(self, key: str) -> str:
        """Write a value with its interval where it has one."""
        return self._write(key, wording.interval if self.has_interval(key) else wording.value)

    def gap(self, key: str) -> str:
        """Write a signed difference."""
        return self._write(key, wording.gap, signed=True)

    def gap_interval(self, key: str) -> str:
        """Write a signed difference with its interval."""
        return self._write(key, lambda entry: wording.interval(entry, signed=True), signed=True)

    def p_value(self, key: str) -> str:
        """Write a p-value; a tiny one is not written out."""
        if self.entry(key)["value"] < SMALLEST_P:
            return self._write(key, lambda entry: f"< {wording.number(SMALLEST_P, 3)}")
        return self.value(key)

    def verdict(self, key: str) -> str:
        """Write a declared sentence, as the data decide it, without capital or full stop."""
        return str(cite(self.ledger, "verdicts", key)["text"])

    def known(self, *keys: str) -> bool:
        """Tell whether values or verdicts are all in the ledger."""
        return all(key in self.ledger["values"] or key in self.ledger["verdicts"] for key in keys)

    def has_interval(self, key: str) -> bool:
        """Tell whether a value has a 95 % interval."""
        return self.entry(key).get("low") is not None

    def recipes(self) -> list[str]:
        """Return our recipes that have runs, the most accurate first."""
        values = self.ledger["values"]
        ours = [key.removesuffix(_OURS) for key in values if key.endswith(_OURS)]
        found = [r for r in ours if self.known(*(f"{r}.{score}" for score in _ALWAYS))]
        return sorted(found, key=lambda recipe: -values[f"{recipe}.accuracy"]["value"])

    def pretrained(self) -> list[str]:
        """Return those of ``recipes`` that tune a network which knew other images."""
        known = ((recipe, started_as(recipe)) for recipe in self.recipes() if parent(recipe))
        return [
            recipe
            for recipe, choices in known
            if choices.trainer != "probe" and choices.weights != "none"
        ]

    def named(self, recipe: str) -> str:
        """Return what a recipe is called on screen."""
        return model_name(recipe)

    def gaps(self) -> list[Gap]:
        """Return the announced comparisons that the ledger has, in the order of the protocol."""
        values, found = self.ledger["values"], []
        for baseline, candidate in COMPARISONS + PROMISED:
            key = f"gap.{candidate}.{baseline}"
            if self.known(f"{key}.accuracy", f"{key}.holm"):
                entry, corrected = values[f"{key}.accuracy"], values[f"{key}.holm"]
                gap = Interval(*(entry[end] for end in ("value", "low", "high")))
                found.append(
                    Gap(key, model_name(baseline), model_name(candidate),
                        settled=settled(gap, corrected["value"]))
                )  # fmt: skip
        return found

    def cited(self) -> list[tuple[str, str]]:
        """Return the fine-tuned results that others published: name and key, best first."""
        values = self.ledger["values"]
        found = [key for key in values if key.startswith("poc.") and key.endswith(_CITED)]
        found.sort(key=lambda key: -values[key]["value"])
        return [(key.removeprefix("poc.").removesuffix(_CITED), key) for key in found]

    def entry(self, key: str) -> dict[str, Any]:
        """Return a value of the ledger with everything known of it.

        Raises:
            ValueError: If it may not be cited.
        """
        return cite(self.ledger, "values", key)

    def _write(
        self, key: str, how: Callable[[Mapping[str, Any]], str], *, signed: bool = False
    ) -> str:
        entry = self.entry(key) | {"signed": signed}
        return self.mark(how(entry), entry)


@cache
def _environment(escape: Escape | None) -> Environment:
    environment = Environment(
        loader=PackageLoader("vitrine.book", "pages"),
        autoescape=escape is None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = lambda text: f"{text[0].upper()}{text[1:]}."
    if escape is not None:
        environment.filters["escape"] = escape
    return environment
