"""Tables of what was measured: how long commands and trainings took, how the service answered."""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from vitrine.book.wording import day, grid, number
from vitrine.data import tracked
from vitrine.report.ledger.service import PEERS
from vitrine.report.ledger.service import SHEET as LOAD_SHEET
from vitrine.report.tables import speeds

__all__ = [
    "COMMANDS", "SHEET", "bars", "commands", "load", "machine", "measured", "missed",
    "other_runtimes", "rivals", "scan_rivals", "service_bars", "stages", "trainings",
]  # fmt: skip

SHEET = "runs/bench/budget.json"
"""Where ``vitrine bench budget`` writes, from the root."""

COMMANDS = {
    "book": ("exécute les carnets, construit et vérifie le livre", "publié"),
    "test": ("vérifie tout", "les deux"),
    "demo": ("entraîne et compare pour de bon, sur un catalogue synthétique", "miniature"),
    "lint": ("style du code, cohérence de ce qui est publié", "publié"),
}
"""Target of the Makefile: what it does, and in which profile."""

_NETWORKS = {
    "efficientnet_b0": "EfficientNet-B0",
    "tf_efficientnet_lite0.in1k": "EfficientNet-Lite0",
}
_SERVERS = {"ours": "le nôtre", "naive": "le naïf"}
_STAGES = {"decode": "décodage", "inference": "réseau"}
_MINUTE = 60
LEFT, RIGHT = "---", "--:"
_TEN_MINUTES = 600
_SPEEDS = ("scan", "model", "scan-cuda", "model-cuda")
"""Sheets of ``vitrine bench`` whose measures have bars; those of a graphics card may be absent."""


def commands(root: Path) -> str:
    """Return how long each command took, in MyST; one that was not measured says so."""
    measures = _measures(root)
    columns = {"Commande": LEFT, "Ce qu’elle fait": LEFT, "Profil": LEFT, "Durée mesurée": RIGHT}
    rows = (
        (f"`make {target}`", does, profile, *_cells(measures.get(target)))
        for target, (does, profile) in COMMANDS.items()
    )
    return grid(columns | {"Où et quand": LEFT}, rows)


def measured(root: Path) -> str:
    """Return how long the commands that were measured took, in Markdown, or that none was."""
    measures = _measures(root)
    if measures.keys().isdisjoint(COMMANDS):
        return "Leurs durées ne sont pas encore mesurées : `vitrine bench budget` les mesure."
    took = "Durée, une fois l’environnement installé"
    rows = ((f"`make {t}`", *_cells(measures[t])) for t in COMMANDS if t in measures)
    return grid({"Commande": LEFT, took: RIGHT, "Où et quand": LEFT}, rows)


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
    rows = []
    for recipe, runs in groups.items():
        seconds = [run["timing"]["training_seconds"] or run["timing"]["seconds"] for run in runs]
        low, high = _duration(min(seconds)), _duration(max(seconds))
        took = low if low == high else f"de {low} à {high}"
        machines = " ; ".join(sorted({_machine(run["hardware"]) for run in runs}))
        rows.append((f"`{recipe}`", len(runs), took, machines))
    columns = {"Recette": LEFT, "Graines": RIGHT, "Durée d’une graine": RIGHT, "Machine": LEFT}
    return grid(columns, rows)


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{number(seconds)} s"
    return f"{number(seconds / _MINUTE, 0 if seconds >= _TEN_MINUTES else 1)} min"


def _machine(hardware: dict[str, Any]) -> str:
    if hardware.get("gpu"):
        return str(hardware["gpu"])
    threads = hardware.get("threads") or hardware["cores"]
    return f"{hardware['cpu']}, {threads} fil{'s' if threads > 1 else ''}"


def _sheet(root: Path) -> dict[str, Any]:
    return json.loads((root / LOAD_SHEET).read_text(encoding="utf-8"))


def _models(sheet: dict[str, Any]) -> dict[str, str]:
    return {row["model"]: _NETWORKS[row["architecture"]] for row in sheet["models"]}


def load(root: Path) -> str:
    """Return what clients saw of both servers and what these spent, in MyST."""
    sheet = _sheet(root)
    models = _models(sheet)
    columns = {
        "Modèle": LEFT, "Clients": RIGHT, "Serveur": LEFT, "Médiane (ms)": RIGHT,
        "p99 (ms)": RIGHT, "Processeur par requête (ms)": RIGHT,
        "Sonde la plus lente (ms)": RIGHT, "Mémoire (Mo)": RIGHT,
    }  # fmt: skip
    rows = (
        (models[row["model"]], row["clients"], _SERVERS[row["server"]], number(row["p50"]),
         number(row["p99"]), number(row["cpu_milliseconds"], 1), number(row["slowest_probe"]),
         number(row["memory_mb"]))
        for row in sheet["rows"]
    )  # fmt: skip
    return grid(columns, rows)


def stages(root: Path) -> str:
    """Return what decoding and computing a photo cost in both forms, in MyST."""
    sheet = _sheet(root)
    models = _models(sheet)
    spent = {
        (row["model"], row["stage"], row["server"]): row["cpu_milliseconds"]
        for row in sheet["stages"]
    }
    columns = {"Modèle": LEFT, "Étape": LEFT, "Le nôtre (ms)": RIGHT, "Le naïf (ms)": RIGHT}
    rows = (
        (models[model], _STAGES[stage], *(number(spent[model, stage, s], 1) for s in _SERVERS))
        for model, stage in dict.fromkeys(key[:2] for key in spent)
    )
    return grid(columns, rows)


def machine(root: Path) -> str:
    """Return where and when it was measured, such as ``AMD EPYC, 2 cœurs, le 25 novembre 2026``."""
    sheet = _sheet(root)
    hardware = sheet["hardware"]
    when = day(date.fromisoformat(sheet["date"]))
    return f"{hardware['cpu']}, {hardware['cores']} cœurs, le {when}"


def bars(root: Path) -> str:
    """Return every bar set to a speed, what was measured and whether it is reached, in MyST."""
    places = [root / "runs" / "bench" / f"{name}.json" for name in _SPEEDS]
    sheets = [json.loads(place.read_text(encoding="utf-8")) for place in places if place.is_file()]
    return _verdicts(speeds.benchmarks(*sheets), 1)


def service_bars(root: Path) -> str:
    """Return every bar of the service, at its worst load, and whether it is reached, in MyST."""
    return _verdicts(speeds.services(_sheet(root), tracked.read(PEERS, ("bars",), root=root)), 2)


def _verdicts(frame: pd.DataFrame, words: int) -> str:
    """Return a table that begins with words, and whose last column says what is reached."""
    columns = {name: LEFT if k < words else RIGHT for k, name in enumerate(frame)}
    rows = frame.itertuples(index=False)
    told = ((*told, "oui" if reached else "non") for *told, reached in rows)
    return grid(columns | {frame.columns[-1]: LEFT}, told)


def rivals(root: Path) -> str:
    """Return how many times faster our network is than timm's of its size, in MyST."""
    return _ratios(speeds.rivals(_bench(root, "model-against")), 1)


def other_runtimes(root: Path) -> str:
    """Return how many times faster than ONNX Runtime in float32 other runtimes are, in MyST."""
    return _ratios(speeds.elsewhere(_bench(root, "model-runtimes")), 2)


def scan_rivals(root: Path) -> str:
    """Return how many times faster our scan is than the fastest other library, in MyST."""
    return _ratios(speeds.scan_rivals(_bench(root, "scan-peers")), 0)


def _bench(root: Path, name: str) -> dict[str, Any]:
    return json.loads((root / "runs" / "bench" / f"{name}.json").read_text(encoding="utf-8"))


def _ratios(frame: pd.DataFrame, words: int) -> str:
    """Return a table whose first columns are words; fractions have two decimals."""
    columns = {name: LEFT if k < words else RIGHT for k, name in enumerate(frame)}
    rows = (
        [number(cell, 2) if isinstance(cell, float) else str(cell) for cell in row]
        for row in frame.itertuples(index=False)
    )
    return grid(columns, rows)


def missed(root: Path) -> str:
    """Return how many bars of the network its ordinary memory layout misses, in words."""
    sheet = _bench(root, "model")
    ratios = {
        (row["pass"], row["dtype"]): row["ratio"]
        for row in sheet["rows"]
        if row["candidate"] == "ours"
    }
    about = [bar for bar in sheet["bars"] if bar["about"] == "network"]
    below = sum(ratios[bar["pass"], bar["dtype"]] < bar["at_least"] for bar in about)
    return f"{below} sur {len(about)}"
