"""What the report costs to make again, as it was measured: commands and trainings, in tables."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from vitrine.book import wording
from vitrine.book.readings import day
from vitrine.data import tracked

__all__ = ["COMMANDS", "SHEET", "commands", "measured", "trainings"]

SHEET = "runs/bench/budget.json"
"""Where ``vitrine bench budget`` writes, from the root."""

COMMANDS = {
    "book": ("exécute les carnets, construit et vérifie le livre", "publié"),
    "test": ("vérifie tout", "les deux"),
    "demo": ("entraîne et compare pour de bon, sur un catalogue synthétique", "miniature"),
    "lint": ("style du code, cohérence de ce qui est publié", "publié"),
}
"""Target of the Makefile: what it does, and in which profile."""

_MINUTE = 60
_TEN_MINUTES = 600


def commands(root: Path) -> str:
    """Return how long each command took, in MyST; one that was not measured says so."""
    measures = _measures(root)
    lines = [
        "| Commande | Ce qu’elle fait | Profil | Durée mesurée | Où et quand |",
        "|---|---|---|--:|---|",
    ]
    for target, (does, profile) in COMMANDS.items():
        took, where = _cells(measures.get(target))
        lines.append(f"| `make {target}` | {does} | {profile} | {took} | {where} |")
    return "\n".join(lines)


def measured(root: Path) -> str:
    """Return how long the commands that were measured took, in Markdown, or that none was."""
    measures = _measures(root)
    if measures.keys().isdisjoint(COMMANDS):
        return "Leurs durées ne sont pas encore mesurées : `vitrine bench budget` les mesure."
    lines = [
        "| Commande | Durée, une fois l’environnement installé | Où et quand |",
        "|---|--:|---|",
    ]
    for target in COMMANDS:
        if target in measures:
            took, where = _cells(measures[target])
            lines.append(f"| `make {target}` | {took} | {where} |")
    return "\n".join(lines)


def _measures(root: Path) -> dict[str, dict[str, Any]]:
    known = (root / SHEET).is_file()
    rows = tracked.read(SHEET, ("rows",), root=root)["rows"] if known else []
    return {row["target"]: row for row in rows}


def _cells(row: dict[str, Any] | None) -> tuple[str, str]:
    if row is None:
        return "non mesurée", "–"
    when = day(date.fromisoformat(row["date"]))
    return _duration(row["seconds"]), f"{_machine(row['hardware'])}, {when}"


def trainings(root: Path) -> str:
    """Return how long each published recipe took to train, a seed, in MyST; pretrainings last."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    runs = root / "runs"
    for path in [*sorted(runs.glob("*/*/run.json")), *sorted(runs.glob("pretrain/*/*/run.json"))]:
        name = path.relative_to(root).as_posix()
        run = tracked.read(name, ("recipe", "timing", "hardware"), root=root)
        groups[run["recipe"]["name"]].append(run)
    lines = ["| Recette | Graines | Durée d’une graine | Machine |", "|---|--:|--:|---|"]
    for recipe, runs in groups.items():
        seconds = [run["timing"]["training_seconds"] or run["timing"]["seconds"] for run in runs]
        low, high = _duration(min(seconds)), _duration(max(seconds))
        took = low if low == high else f"de {low} à {high}"
        machines = " ; ".join(sorted({_machine(run["hardware"]) for run in runs}))
        lines.append(f"| `{recipe}` | {len(runs)} | {took} | {machines} |")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{wording.number(seconds)} s"
    return f"{wording.number(seconds / _MINUTE, 0 if seconds >= _TEN_MINUTES else 1)} min"


def _machine(hardware: dict[str, Any]) -> str:
    if hardware.get("gpu"):
        return str(hardware["gpu"])
    threads = hardware.get("threads") or hardware["cores"]
    return f"{hardware['cpu']}, {threads} fil{'s' if threads > 1 else ''}"
