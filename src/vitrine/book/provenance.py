"""Sphinx directive ``{provenance}``: print where the results of a notebook come from, folded.

It reads the stamp of the executed notebook and the ``run.json`` of each run that the execution
read. Nothing is measured at the build: two builds of the same notebooks write the same block.
"""

import html
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from vitrine.book import stamps, wording
from vitrine.training.runs.meter import CORE_WATTS, GIB_WATTS, UNKNOWN, watt_hours

__all__ = ["describe", "is_run", "setup"]

_PROFILES = {"published": "publié", "smoke": "miniature"}
_RUNS = ("runs/*/*/run.json", "runs/pretrain/*/*/run.json")
"""Files that tell of a run, photos first."""
_SHORT = 12
"""Characters shown of a digest."""
_METHOD = (
    f"Énergie : estimation, non mesurée, d’après les secondes de processeur "
    f"({wording.number(CORE_WATTS)} W par cœur occupé), la mémoire au plus haut "
    f"({wording.number(GIB_WATTS, 4)} W par Gio) et, s’il y en a une, la puissance nominale de la "
    "carte graphique ; méthode « Green Algorithms », doi 10.1002/advs.202100707."
)


class Provenance(SphinxDirective):
    """Print the block of the notebook that it stands in."""

    def run(self) -> list[nodes.Node]:
        """Return the block, as markup."""
        source = Path(self.env.doc2path(self.env.docname))
        root = Path(self.env.srcdir)
        stamp, runs = {}, {}
        if source.suffix == ".ipynb":
            stamp = json.loads(source.read_text(encoding="utf-8"))["metadata"].get(stamps.KEY, {})
        for path in stamp.get("files", {}):
            if is_run(path) and (root / path).is_file():
                self.env.note_dependency(path)
                run = json.loads((root / path).read_text(encoding="utf-8"))
                runs[run["name"]] = run
        return [nodes.raw("", describe(source.stem, stamp, runs), format="html")]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("provenance", Provenance)


def is_run(path: str) -> bool:
    """Tell whether a file that a notebook read is the ``run.json`` of a run or of a pretraining."""
    return any(PurePosixPath(path).match(pattern) for pattern in _RUNS)


def describe(name: str, stamp: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the provenance of a notebook as a folded block of HTML.

    Args:
        name: Name of the notebook.
        stamp: Stamp of its execution, empty where it has none.
        runs: Content of ``run.json`` of each run it read, by name.
    """
    rows = [("Exécution", "sans relevé : ce carnet n’a pas été exécuté par vitrine")]
    if stamp:
        rows = list(_execution(name, stamp))
    body = _table("Ce carnet", rows)
    told: dict[str, str] = {}
    for run, meta in sorted(runs.items()):
        rows = dict(_run(meta))
        first = told.setdefault(rows["Versions"], run)
        rows["Versions"] = rows["Versions"] if first == run else f"celles de {first}"
        body += _table(run, list(rows.items()))
    body += f"<p>{html.escape(_METHOD)}</p>" if runs else ""
    title = "D’où viennent les résultats de cette page"
    return f'<details class="vitrine-provenance"><summary>{title}</summary>\n{body}</details>\n'


def _execution(name: str, stamp: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Profil", _PROFILES.get(profile := str(stamp["profile"]), profile)
    given = ", ".join(f"{key} = {value}" for key, value in stamp["parameters"].items())
    yield "Paramètres", given or "ceux du carnet"
    options = "".join(f" -p {key}={value}" for key, value in stamp["parameters"].items())
    profile = "" if stamp["profile"] == "published" else f" --profile {stamp['profile']}"
    yield "Pour le refaire", f"vitrine run {name}{profile}{options}"
    yield "Empreinte de l’exécution", stamp["stamp"][:_SHORT]
    ran = stamp["ran"]
    yield "Versions", ", ".join(f"{key} {value}" for key, value in ran.items())
    data = [f"{path} ({digest})" for path, digest in stamp["files"].items() if _is_data(path)]
    if data:
        yield "Fichiers lus", ", ".join(data)


def _is_data(path: str) -> bool:
    return path.startswith(("data/", "ressources/", "runs/bench/")) and not path.endswith("/")


def _run(meta: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    hardware, timing, data = meta["hardware"], meta["timing"], meta["data"]
    yield "Commit", _commit(meta["code"])
    yield "Commencée le", f"{datetime.fromisoformat(timing['started']):%d/%m/%Y à %H:%M} UTC"
    lasted = timing["training_seconds"] or timing["seconds"]
    yield "Durée", f"{_duration(lasted)} ; temps de processeur : {_duration(timing['cpu_seconds'])}"
    threads, cores = hardware["threads"], hardware["cores"]
    machine = [
        f"{hardware['cpu']}, {threads} fil{'s'[: threads > 1]} sur {cores} cœur{'s'[: cores > 1]}"
    ]
    machine += [hardware["gpu"]] if hardware["gpu"] else ["sans carte graphique"]
    machine += [f"pilote {hardware['driver']}"] if hardware.get("driver") else []
    yield "Matériel", ", ".join(machine)
    if (energy := watt_hours(meta)) is not None:
        yield "Énergie estimée", f"{wording.number(energy, 0 if energy >= 1 else 2)} Wh"
    learned = meta["recipe"]["trainer"] == "pretrain"
    if learned:
        yield "Données", f"corpus {data['corpus']} ({data['sha256'][:_SHORT]})"
    else:
        edition = f"édition {data['edition']} ({data['manifest_sha256'][:_SHORT]})"
        yield "Données", f"{edition}, découpage {data['split']} ({data['split_sha256'][:_SHORT]})"
    yield "Versions", ", ".join(f"{key} {value}" for key, value in meta["versions"].items())
    recipe = meta["recipe"]["name"]
    command = "pretrain" if learned else "train"
    yield "Pour la refaire", f"vitrine {command} {recipe} --seed {meta['seed']} --retrain"


def _commit(code: Mapping[str, Any]) -> str:
    if code["commit"] == UNKNOWN:
        return "inconnu : git n’a pas répondu"
    return f"{code['commit'][:_SHORT]}{' et des modifications' if code['dirty'] else ''}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th><td>{html.escape(text)}</td></tr>\n'
        for label, text in rows
    )
    return f"<table><caption>{html.escape(title)}</caption><tbody>\n{lines}</tbody></table>\n"
