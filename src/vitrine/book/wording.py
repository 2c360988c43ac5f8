"""Write values of the ledger and days in French: unit, interval, gap, and their origin."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from vitrine.report.fr import MINUS, NO_BREAK, THIN, bracket, number

__all__ = ["MONTHS", "day", "gap", "grid", "interval", "number", "parsed", "provenance", "value"]

# French keeps the singular below two, in absolute value.
_PLURAL_FROM = 2
_NOUNS = {"points": "point", "point": "point"}

MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
           "octobre", "novembre", "décembre")  # fmt: skip

Entry = Mapping[str, Any]
"""A value of ``runs/ledger.json``: value, unit, decimals, low, high, and where it comes from."""


def day(when: date) -> str:
    """Write a day in French, such as ``25 novembre 2026``."""
    first = "1er" if when.day == 1 else str(when.day)
    return f"{first} {MONTHS[when.month - 1]} {when.year}"


def parsed(text: str) -> str | int | float:
    """Parse a number written in French, a whole one as ``int``; return any other text as it is."""
    if not re.fullmatch(rf"[+{MINUS}]?\d[\d{THIN}]*(,\d+)?", text):
        return text
    plain = text.replace(THIN, "").replace(MINUS, "-")
    return float(plain.replace(",", ".")) if "," in plain else int(plain)


def grid(columns: Mapping[str, str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table in Markdown.

    Args:
        columns: By heading, the mark that says to which side the column goes.
        rows: The cells of each line.
    """
    lines = (f"| {' | '.join(map(str, cells))} |" for cells in rows)
    return "\n".join([f"| {' | '.join(columns)} |", f"|{'|'.join(columns.values())}|", *lines])


def value(entry: Entry) -> str:
    """Write the value with its unit, such as ``78,9 %``."""
    return _write(entry, "value", sign=False)


def interval(entry: Entry, *, signed: bool = False) -> str:
    """Write the value with its 95 % interval, such as ``78,9 % [71,9 ; 84,6]``.

    Raises:
        ValueError: If the entry has no interval.
    """
    if entry.get("low") is None or entry.get("high") is None:
        raise ValueError("it has no interval")
    low, high = (_digits(entry, end, sign=signed) for end in ("low", "high"))
    head = gap(entry) if signed else value(entry)
    return f"{head}{NO_BREAK}{bracket(low, high)}"


def gap(entry: Entry) -> str:
    """Write a difference, signed, such as ``+3,2 points``; one of percentages is in points."""
    unit = "points" if entry.get("unit") == "%" else entry.get("unit")
    return _write(dict(entry) | {"unit": unit, "scale": _scale(entry)}, "value", sign=True)


def provenance(entry: Entry) -> str:
    """Write in one line where the value comes from: runs, seeds, commit, hardware, profile.

    Args:
        entry: The value; ``signed`` tells one that is printed as a difference.
    """
    runs, seeds = entry.get("runs") or [], entry.get("seeds") or []
    known = entry.get("low") is not None
    within = interval(entry, signed=bool(entry.get("signed"))) if known else ""
    parts = [
        ("exécution" if len(runs) == 1 else "exécutions", ", ".join(map(str, runs))),
        ("graine" if len(seeds) == 1 else "graines", ", ".join(map(str, seeds))),
        ("n", "" if entry.get("n") is None else number(int(entry["n"]))),
        ("intervalle à 95 %", within),
        ("carnet", entry.get("notebook")),
        ("commit", entry.get("commit")),
        ("matériel", entry.get("hardware")),
        ("profil", {"published": "publié"}.get(profile := entry.get("profile"), profile)),
    ]
    return " · ".join(f"{label} : {text}" for label, text in parts if text)


def _write(entry: Entry, key: str, *, sign: bool) -> str:
    unit = str(entry.get("unit") or "")
    text = _digits(entry, key, sign=sign)
    if unit in ("", "count"):
        return text
    if unit == "%":
        return f"{text}{THIN}%"
    if unit in _NOUNS:
        plural = abs(float(entry[key]) * _scale(entry)) >= _PLURAL_FROM
        unit = _NOUNS[unit] + ("s" if plural else "")
    return f"{text}{NO_BREAK}{unit}"


def _digits(entry: Entry, key: str, *, sign: bool) -> str:
    return number(float(entry[key]) * _scale(entry), int(entry.get("decimals") or 0), sign=sign)


def _scale(entry: Entry) -> float:
    return float(entry.get("scale") or (100 if entry.get("unit") == "%" else 1))
