"""What may be cited: an entry of the ledger that exists, is published, and still holds."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.data import tracked

__all__ = ["cite", "refused"]

_HOLDS = ("true", "undecided")
_ROLE = re.compile(r"(?<!`)\{(valeur|verdict)(?::[\w-]+)?\}`([^`]+)`")
_SECTIONS = {"valeur": "values", "verdict": "verdicts"}


def cite(ledger: Mapping[str, Any], section: str, key: str) -> dict[str, Any]:
    """Return an entry of the ledger, for whoever prints it.

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
    """Return what is cited in the pages and notebooks and may not be, each with file and line.

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
