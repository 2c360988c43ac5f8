"""What may be cited: an entry of the ledger that exists, is published, and still holds."""

from collections.abc import Mapping
from typing import Any

__all__ = ["cite"]

_HOLDS = ("true", "undecided")


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
        known = ", ".join(sorted(k for k in entries if k.split(".")[0] == key.split(".")[0]))
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
