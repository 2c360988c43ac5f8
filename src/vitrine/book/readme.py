"""Write README's table of results and its durations, between marks, from tracked files."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vitrine import paths
from vitrine.book import measurements, wording
from vitrine.report.fr import space
from vitrine.report.ledger.pairs import judged, rank
from vitrine.report.names import model_name

__all__ = ["refresh", "results_markdown", "update"]

VERDICTS = (
    "fine_tuning_helps", "same_start_agrees", "candidate_against_baseline", "image_helps_text",
    "poc_below_power", "equal_images", "probe_beats_scratch", "frameworks_differ",
)  # fmt: skip
"""Sentences of the ledger that README repeats, in order."""


def results_markdown(ledger: Mapping[str, Any] | None = None) -> str:
    """Return the published scores with their intervals, and what they settle.

    Fine-tuned networks come first, then other readers of the photo, then those of the text; in
    each group the best first, on every photo before on the test images.

    Args:
        ledger: Content of ``runs/ledger.json``; by default the tracked file.
    """
    path = paths.runs() / "ledger.json"
    content = json.loads(path.read_text(encoding="utf-8")) if ledger is None else ledger
    values, verdicts = content["values"], content["verdicts"]
    made = {key.removeprefix("oof.").removesuffix(".accuracy") for key in values}
    recipes = [recipe for recipe in made if judged(recipe) and _scores(values, recipe)]
    recipes.sort(key=lambda name: (rank(name), [-s for s in _scores(values, name)], name))
    columns = {"Modèle": "---", "Recette": "---"}
    columns |= dict.fromkeys(
        ("Époques", "Exactitude, toutes les photos", "Exactitude, test publié",
         "F1 macro, test publié", "Graines, test publié"),
        "--:",
    )  # fmt: skip
    rows = (
        (model_name(recipe), f"`{recipe}`", _cell(values, f"{recipe}.epochs", wording.value),
         _cell(values, f"oof.{recipe}.accuracy"),
         *(_cell(values, f"{recipe}.{score}") for score in ("accuracy", "macro_f1")),
         _cell(values, f"{recipe}.seeds", wording.value))
        for recipe in recipes
    )  # fmt: skip
    said = [verdicts[key]["text"] for key in VERDICTS if key in verdicts]
    sentences = [f"- {text[0].upper()}{text[1:]}." for text in said]
    test = wording.value(values["data.test"])
    photos = wording.value(values["data.present"])
    note = (
        f"Entre crochets, l’intervalle à 95 %. Sur les {photos} photos, chacune est jugée par un "
        "modèle qui ne l’a pas apprise (cinq plis, un entraînement chacun) ; le test publié en "
        f"compte {test}, les mêmes pour tous. L’intervalle d’un réseau entraîné une seule fois "
        "ignore le hasard de l’entraînement."
    )
    return "\n".join([wording.grid(columns, rows), "", note, "", *sentences])


def _scores(values: Mapping[str, dict], recipe: str) -> list[float]:
    """Return the accuracies of a recipe, that on every photo first; none where it has no run."""
    keys = (f"oof.{recipe}.accuracy", f"{recipe}.accuracy")
    known = [values[key]["value"] for key in keys if key in values]
    return [known[0], known[-1]] if known else []


def refresh(text: str) -> str:
    """Return README with its results and its durations brought up to date.

    Raises:
        ValueError: If the marks of either are not there, once each and in order.
    """
    text = _between(text, "résultats", results_markdown())
    return _between(text, "durées", space(measurements.measured(paths.root())))


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
