"""How our service and a naive one answered under the same load, as it was measured, in tables."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from vitrine.book.readings import day
from vitrine.report.fr import THIN, number
from vitrine.report.ledger.service import SHEET

__all__ = ["load", "machine", "stages"]

_MODELS = {"efficientnet_b0": "EfficientNet-B0", "packaged": "celui du paquet"}
_SERVERS = {"ours": "le nôtre", "naive": "le naïf"}
_STAGES = {"decode": "décodage", "inference": "réseau"}


def _sheet(root: Path) -> dict[str, Any]:
    return json.loads((root / SHEET).read_text(encoding="utf-8"))


def load(root: Path) -> str:
    """Return what clients saw of both servers and what these spent, in MyST."""
    lines = [
        f"| Modèle | Clients | Serveur | Attente médiane (ms) | 99{THIN}% sous (ms) | "
        "Processeur par requête (ms) | Sonde la plus lente (ms) | Mémoire (Mo) |",
        "|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {_MODELS[row['model']]} | {row['clients']} | {_SERVERS[row['server']]} | "
        f"{number(row['p50'])} | {number(row['p99'])} | {number(row['cpu_milliseconds'], 1)} | "
        f"{number(row['slowest_probe'])} | {number(row['memory_mb'])} |"
        for row in _sheet(root)["rows"]
    ]
    return "\n".join(lines)


def stages(root: Path) -> str:
    """Return what decoding and computing a photo cost in both forms, in MyST."""
    spent = {
        (row["model"], row["stage"], row["server"]): row["cpu_milliseconds"]
        for row in _sheet(root)["stages"]
    }
    lines = ["| Modèle | Étape | Le nôtre (ms) | Le naïf (ms) |", "|---|---|--:|--:|"]
    for model, stage in dict.fromkeys(key[:2] for key in spent):
        ours, naive = (number(spent[model, stage, server], 1) for server in _SERVERS)
        lines.append(f"| {_MODELS[model]} | {_STAGES[stage]} | {ours} | {naive} |")
    return "\n".join(lines)


def machine(root: Path) -> str:
    """Return where and when it was measured, such as ``AMD EPYC, 2 cœurs, le 25 novembre 2026``."""
    sheet = _sheet(root)
    hardware = sheet["hardware"]
    when = day(date.fromisoformat(sheet["date"]))
    return f"{hardware['cpu']}, {hardware['cores']} cœurs, le {when}"
