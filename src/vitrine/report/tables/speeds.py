"""Tables of ``vitrine bench``: targets, scans, networks, runtimes, backbones, costs of a model.

The sheets are given as they were read from ``runs/bench/*.json``; nothing is measured here.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vitrine.report.fr import NO_BREAK, THIN, number, scientific, significant
from vitrine.report.words import WORDS
from vitrine.training.runs import Run
from vitrine.training.runs.meter import watt_hours

__all__ = [
    "backbones", "benchmarks", "costs", "elsewhere", "networks", "rivals", "runtimes",
    "scan_rivals", "scans", "services",
]  # fmt: skip

PASSES_FR = WORDS["passes"]
STEPS_FR = WORDS["steps"]
FORMS_FR = WORDS["forms"]
CANDIDATES_FR = WORDS["candidates"]
NETWORKS_FR = WORDS["networks"]
RUNTIMES_FR = WORDS["runtimes"]
LICENCES_FR = WORDS["licences"]
SERVICE_FR, SERVED_FR = WORDS["service"], WORDS["served"]
AGREES = 1e-4
"""Largest gap of logits, relative to the largest of them, that is rounding alone."""

Sheet = Mapping[str, Any]


def benchmarks(*sheets: Sheet) -> pd.DataFrame:
    """List every bar with what was measured against it, and whether it is reached.

    Args:
        sheets: Contents of ``runs/bench/scan.json``, ``runs/bench/model.json`` or both, or of those
            measured on a graphics card.
    """
    bars = [bar for sheet in sheets for bar in sheet["bars"]]
    return pd.DataFrame(
        [
            {
                "Mesure": _about(bar),
                "Seuil": _limit(bar),
                "Mesuré": _figure(bar["about"], bar["measured"]),
                "Atteint": bar["reached"],
            }
            for bar in bars
        ],
        columns=["Mesure", "Seuil", "Mesuré", "Atteint"],
    )


def services(*sheets: Sheet) -> pd.DataFrame:
    """List the bars of the service, a row for each measure and model, at its worst load.

    Args:
        sheets: Contents of ``runs/bench/serving.json`` and of ``runs/bench/peers.json``.
    """
    worst: dict[tuple[str, str], Mapping[str, Any]] = {}
    for bar in (bar for sheet in sheets for bar in sheet["bars"]):
        key, sign = (bar["about"], bar["model"]), 1 if "at_least" in bar else -1
        worst[key] = min(worst.get(key, bar), bar, key=lambda each: sign * each["measured"])
    return pd.DataFrame(
        [
            {
                "Mesure": SERVICE_FR[about]["fr"],
                "Modèle": SERVED_FR.get(model, model),
                "Seuil": _bound(bar, SERVICE_FR[about]["unit"]),
                "Mesuré": _quantity(bar["measured"], SERVICE_FR[about]["unit"]),
                "Atteint": bar["reached"],
            }
            for (about, model), bar in worst.items()
        ]
    )


def _bound(bar: Mapping[str, Any], unit: str) -> str:
    sign, limit = ("≥", bar["at_least"]) if "at_least" in bar else ("≤", bar["at_most"])
    return f"{sign}{NO_BREAK}{_quantity(limit, unit)}"


def _quantity(value: float, unit: str) -> str:
    return f"{significant(value) if value else 0}{NO_BREAK}{unit}" if unit else number(value)


def scans(sheet: Sheet) -> pd.DataFrame:
    """List the forms of the scan at each shape: duration, ratio to the plain one, memory."""
    rows = pd.DataFrame(sheet["rows"])
    return pd.DataFrame(
        {
            "Longueur": rows["length"],
            "Lot": rows["batch"],
            "Canaux": rows["width"],
            "Passe": rows["pass"].map(PASSES_FR),
            "Forme": rows["candidate"].map(FORMS_FR),
            "Durée (ms)": rows["milliseconds"].astype(float),
            "Fois plus rapide": rows["ratio"].astype(float),
            "Mémoire (Mio)": rows["memory_mib"].astype(float),
            "Mémoire (% du témoin)": 100 * rows["memory_share"].astype(float),
        }
    )


def networks(sheet: Sheet) -> pd.DataFrame:
    """List the networks: duration and ratios to the one on the plain scan."""
    rows = pd.DataFrame(sheet["rows"])
    return pd.DataFrame(
        {
            "Passe": rows["pass"].map(STEPS_FR),
            "Lot": rows["batch"],
            "Balayage": rows["candidate"].map(CANDIDATES_FR),
            "Précision": rows["dtype"],
            "Durée (ms)": rows["milliseconds"].astype(float),
            "Images/s": rows["images_per_second"].astype(float),
            "Fois plus rapide que le témoin en float32": rows["ratio"].astype(float),
            "Fois plus rapide à même précision": rows["ratio_same_dtype"].astype(float),
        }
    )


def runtimes(sheet: Sheet) -> pd.DataFrame:
    """List ONNX Runtime beside PyTorch: duration, ratio, agreement of the answers."""
    rows = pd.DataFrame(sheet["onnx"])
    return pd.DataFrame(
        {
            "Réseau": rows["model"].map(lambda model: NETWORKS_FR.get(model, model)),
            "Lot": rows["batch"],
            "PyTorch (ms)": rows["eager_milliseconds"].astype(float),
            "ONNX Runtime (ms)": rows["onnx_milliseconds"].astype(float),
            "Fois plus rapide": rows["ratio"].astype(float),
            "Plus grand écart des logits": rows["largest_gap"].map(scientific),
            "Même première réponse": rows["same_top1"],
        }
    )


def rivals(sheet: Sheet) -> pd.DataFrame:
    """List timm's networks, then a commit of ours: how many times faster ours is now.

    Args:
        sheet: Content of ``runs/bench/model-against.json``.
    """
    rows = pd.DataFrame(sheet["rows"])
    rows = rows[rows.candidate != rows.candidate[0]].replace(
        {"candidate": {"commit": f"la nôtre au commit {sheet['commit'][:7]}"}}
    )
    column = rows.kind.map(STEPS_FR) + ", " + rows["dtype"]
    table = rows.assign(column=column).pivot(
        index="candidate", columns="column", values="ours_faster"
    )
    table = table.loc[rows.candidate.unique(), column.unique()]
    return table.rename_axis(index="Réseau", columns=None).reset_index()


def elsewhere(sheet: Sheet) -> pd.DataFrame:
    """List other runtimes of an exported network: how many times faster than ONNX Runtime.

    Args:
        sheet: Content of ``runs/bench/model-runtimes.json``.
    """
    rows = pd.DataFrame(sheet["rows"])
    rows = rows[rows.runtime != rows.runtime[0]]
    return pd.DataFrame(
        {
            "Réseau": rows.model.map(NETWORKS_FR),
            "Fichier": rows.runtime.map(RUNTIMES_FR),
            "Lot": rows.batch,
            "Fois plus rapide": rows.ratio.astype(float),
            "Plus grand écart des logits (%)": 100 * rows.relative_gap,
        }
    )


def scan_rivals(sheet: Sheet) -> pd.DataFrame:
    """List the shapes of a scan: how many times faster ours is than the fastest library, by pass.

    Args:
        sheet: Content of ``runs/bench/scan-peers.json``.
    """
    rows = pd.DataFrame(sheet["rows"])
    rows = rows[~rows.candidate.isin(["ours", "plain"])]
    least = rows.groupby(["shape", "pass"], sort=False).ours_faster.min().unstack()
    sizes = [shape.split("x") for shape in least.index]
    shapes = pd.DataFrame(sizes, columns=["Lot", "Longueur", "Canaux", "États"]).astype(int)
    return shapes.assign(**{PASSES_FR[name]: least[name].to_numpy() for name in least})


def backbones(sheet: Sheet, cited: pd.DataFrame, gpu: Sheet | None = None) -> pd.DataFrame:
    """List candidate backbones: what is cited of each, what was counted and measured here.

    Args:
        sheet: Content of ``runs/bench/backbones.json``.
        cited: ``ressources/backbones.csv``: label and accuracy on ImageNet of each.
        gpu: Content of ``runs/bench/backbones-cuda.json``, where one was measured.
    """
    known = cited.set_index("model")
    onnx = {row["model"]: row for row in sheet["onnx"]}
    faster = {row["model"]: row["images_per_second"] for row in (gpu or {"rows": []})["rows"]}
    baseline = known.label[sheet["baseline"]]
    return pd.DataFrame(
        [
            {
                "Réseau": known.label[row["model"]],
                "Top-1 ImageNet, cité (%)": _known(known.top1[row["model"]], "non publié"),
                "Côté (px)": row["side"],
                "Paramètres (M)": row["parameters"] / 1e6,
                "Multiplications (G)": row["multiply_adds"] / 1e9,
                "Images/s, un fil": float(row["images_per_second"]),
                f"Vitesse ({baseline} = 1)": float(row["ratio"]),
                "Images/s, carte graphique": _known(faster.get(row["model"]), "non mesuré"),
                "ONNX Runtime": _exported(onnx.get(row["model"])),
                "Licence des poids": LICENCES_FR.get(row["licence"] or "none", row["licence"]),
            }
            for row in sheet["rows"]
        ]
    ).sort_values("Multiplications (G)", ignore_index=True)


def _known(value: float | None, otherwise: str) -> str:
    return otherwise if value is None or pd.isna(value) else number(value, 1)


def _exported(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "non essayé"
    if "refusal" in row:
        return "export refusé"
    if not row["same_top1"] or row["relative_gap"] > AGREES:
        return "réponses différentes"
    return f"{significant(row['ratio'])}{NO_BREAK}× PyTorch"


def costs(models: Mapping[str, Run], sheets: Mapping[str, Sheet]) -> pd.DataFrame:
    """List what each model costs to learn, then to ask; what is not measured is left empty.

    Args:
        models: By recipe, one of its runs.
        sheets: By name, those of ``vitrine bench recipes``: ``recipes`` for a core and, where a
            graphics card was measured, ``recipes-cuda``.

    Returns:
        ``recipe``, ``parameters`` learned, ``minutes`` and ``energy`` (watt-hours) of a training,
        ``multiply_adds`` of a photo, and milliseconds of one on a ``core`` and on a ``card``.
    """
    core, card = (
        {row["recipe"]: row for row in sheets.get(name, {"rows": []})["rows"]}
        for name in ("recipes", "recipes-cuda")
    )
    rows = []
    for recipe, run in models.items():
        timing = run.meta["timing"]
        lasted = timing["training_seconds"] or timing["seconds"]
        rows.append(
            {
                "recipe": recipe,
                "parameters": run.meta["parameters"],
                "minutes": lasted / 60,
                "energy": watt_hours(run.meta),
                "multiply_adds": core.get(recipe, {}).get("multiply_adds"),
                "core": _milliseconds(core.get(recipe)),
                "card": _milliseconds(card.get(recipe)),
            }
        )
    return pd.DataFrame(rows)


def _milliseconds(row: Mapping[str, Any] | None) -> float | None:
    """Return the time of one photo: that of a batch, divided by its size."""
    return row["milliseconds"] / row["batch"] if row else None


def _about(bar: Mapping[str, Any]) -> str:
    about = bar["about"]
    if about in ("scan", "memory"):
        what = {"scan": "balayage, vitesse", "memory": "balayage, mémoire"}[about]
        return f"{what}, {PASSES_FR[bar['pass']]}, {bar['length']} jetons"
    if about == "network":
        return f"{_network(bar)}, canaux en dernier, {STEPS_FR[bar['pass']]}, {bar['dtype']}"
    if about.startswith("recomputed"):
        what = {"recomputed memory": "mémoire", "recomputed time": "durée"}[about]
        step = "pas d’entraînement qui recalcule ses balayages"
        return f"{_network(bar)}, {step}, {bar['dtype']}, {what}"
    if about == "kernel":
        on = f"{bar['length']} jetons" if "length" in bar else f"{_network(bar)}, {bar['dtype']}"
        return f"face au noyau CUDA de mamba-ssm, {PASSES_FR[bar['pass']]}, {on}"
    what = {
        "runtime speed": "vitesse",
        "runtime gap": "écart des logits",
        "runtime top-1": "même première réponse",
    }[about]
    return f"ONNX Runtime face à PyTorch, {_network(bar)}, lot de {bar['batch']}, {what}"


def _limit(bar: Mapping[str, Any]) -> str:
    if bar["about"] == "runtime top-1":
        return _figure(bar["about"], bar["at_least"])
    sign, limit = ("≥", bar["at_least"]) if "at_least" in bar else ("≤", bar["at_most"])
    return f"{sign}{NO_BREAK}{_figure(bar['about'], limit)}"


def _figure(about: str, value: float) -> str:
    if about in ("memory", "recomputed memory"):
        return f"{significant(100 * value)}{THIN}%"
    if about == "runtime top-1":
        return "oui" if value else "non"
    if about == "runtime gap":
        return scientific(value)
    return f"{significant(value)}{NO_BREAK}×"


def _network(row: Mapping[str, Any]) -> str:
    return NETWORKS_FR.get(model := str(row["model"]), model)
