"""README's results and durations: generated between marks, so that none is typed there."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.book import budget, wording
from vitrine.report.figures.style import model_name
from vitrine.report.typography import space

__all__ = ["refresh", "results_markdown", "update"]

VERDICTS = ("poc_below_power", "equal_images", "probe_beats_scratch", "frameworks_differ")
"""Sentences of the ledger that README repeats, in order."""

_KEY = ".accuracy_clean"  # only a recipe of ours has it


def results_markdown(ledger: Mapping[str, Any] | None = None) -> str:
    """Return the published scores with their intervals, best first, and what they settle.

    Args:
        ledger: Content of ``runs/ledger.json``; by default the tracked file.
    """
    if ledger is None:
        ledger = json.loads((paths.runs() / "ledger.json").read_text(encoding="utf-8"))
    values = ledger["values"]
    recipes = [key.removesuffix(_KEY) for key in values if key.endswith(_KEY)]
    recipes.sort(key=lambda recipe: -values[f"{recipe}.accuracy"]["value"])
    lines = [
        "| Modèle | Recette | Graines | Époques | Exactitude | F1 macro "
        "| Exactitude, plis répétés |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for recipe in recipes:
        cells = [
            model_name(recipe),
            f"`{recipe}`",
            wording.value(values[f"{recipe}.seeds"]),
            _cell(values, f"{recipe}.epochs", wording.value),
            *(_cell(values, f"{recipe}.{score}") for score in ("accuracy", "macro_f1")),
            _cell(values, f"{recipe}.cv_accuracy"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    said = [ledger["verdicts"][key]["text"] for key in VERDICTS if key in ledger["verdicts"]]
    sentences = [f"- {text[0].upper()}{text[1:]}." for text in said]
    test = wording.value(values["data.test"])
    note = (
        f"Les mêmes {test} images de test pour tous ; entre crochets, l’intervalle à 95 %. "
        "Celui d’un réseau entraîné avec une seule graine ignore le hasard de l’entraînement. Les "
        "plis répétés ne sont calculés que pour les modèles assez légers."
    )
    return "\n".join([*lines, "", note, "", *sentences])


def refresh(text: str) -> str:
    """Return README with its results and its durations brought up to date.

    Raises:
        ValueError: If the marks of either are not there, once each and in order.
    """
    text = _between(text, "résultats", results_markdown())
    return _between(text, "durées", space(budget.measured(paths.root())))


def _between(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended or begin in rest or end in after:
        raise ValueError(
            f"expected {begin} and {end} in README.md, once each and in this order, found "
            f"{text.count(begin)} and {text.count(end)}; put them back around the {name}"
        )
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def update() -> Path:
    """Bring README.md up to date with the ledger and the durations measured; return its path.

    Raises:
        ValueError: As ``refresh``.
    """
    path = paths.root() / "README.md"
    text = path.read_text(encoding="utf-8")
    if (fresh := refresh(text)) != text:
        path.write_text(fresh, encoding="utf-8")
    return path


def _cell(
    values: Mapping[str, dict], key: str, said: Callable[[dict], str] = wording.interval
) -> str:
    return said(values[key]) if key in values else "–"
