"""Data to tables with French headings, and the way a page shows a table."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitrine.catalog import CLASSES_FR
from vitrine.recipes import Recipe
from vitrine.runs import Run
from vitrine.runs.energy import watt_hours
from vitrine.scores import Interval
from vitrine.scores.paired import McNemar
from vitrine.splits import PARTS, Split

__all__ = [
    "Shown", "announced", "cited", "comparison", "costs", "departures", "errors", "leaks", "parts",
    "pretrainings", "recipe", "scores", "show",
]  # fmt: skip

PARTS_FR = dict(zip(PARTS, ("Entraînement", "Validation", "Test"), strict=True))
METRICS_FR = {
    "accuracy": "Exactitude",
    "balanced_accuracy": "Exactitude équilibrée",
    "macro_f1": "F1 macro",
    "top2_accuracy": "Exactitude à deux réponses",
    "log_loss": "Perte logarithmique (nats)",
    "brier": "Score de Brier",
    "expected_calibration_error": "Erreur de calibration",
}
CHOICES = {
    "architecture": ("Réseau", "celui que l’on compare ; tout le reste est commun"),
    "weights": ("Poids de départ", "ce que le réseau sait avant de voir nos photos"),
    "image_size": ("Côté de l’image (px)", "assez pour reconnaître un objet, peu à calculer"),
    "windows": ("Côtés des fenêtres", "elles couvrent la carte entière à cette taille d’image"),
    "batch_size": ("Images par pas", "assez pour que la normalisation par lots soit stable"),
    "epochs": ("Époques", "combien de fois le réseau revoit des photos si rares"),
    "budget": ("Durée d’entraînement (s)", "le même temps de calcul pour toutes les architectures"),
    "head_epochs": ("Époques de la tête seule", "elle apprend sans déformer le tronc préentraîné"),
    "warmup_epochs": (
        "Époques de montée en régime",
        "un taux qui croît évite de diverger",
    ),
    "optimizer": ("Optimiseur", "la règle qui change les poids à chaque pas"),
    "learning_rate": ("Taux d’apprentissage maximal", "il redescend ensuite en demi-cosinus"),
    "layer_decay": ("Décroissance par couche", "les premières couches, générales, bougent moins"),
    "weight_decay": (
        "Décroissance des poids",
        "freine les poids inutiles ; biais et normes exclus",
    ),
    "label_smoothing": ("Lissage des étiquettes", "décourage les réponses trop sûres d’elles"),
    "drop_rate": ("Extinction avant la tête", "aucune caractéristique n’est indispensable"),
    "drop_path_rate": ("Profondeur stochastique", "des blocs sautés : aucun n’est irremplaçable"),
    "norm_momentum": (
        "Dernier lot dans les moyennes",
        "celui de Keras, pour que les deux bibliothèques oublient aussi lentement",
    ),
    "crop_scale": ("Part minimale du recadrage", "l’objet n’est ni toujours entier ni centré"),
    "flip": ("Miroir horizontal", "un produit retourné reste le même produit"),
    "jitter": ("Variation des couleurs", "la lumière du studio ne doit pas être un indice"),
    "randaugment": ("RandAugment", "des déformations tirées au sort, d’amplitude fixée"),
    "mixup": ("Mixup", "des photos mélangées adoucissent la frontière entre catégories"),
    "cutmix": ("CutMix", "un morceau d’une photo collé sur une autre"),
    "ema_decay": ("Moyenne des poids", "une moyenne mobile varie moins qu’une époque isolée"),
    "patience": (
        "Patience (époques)",
        "zéro : pas d’arrêt, la dernière époque est gardée",
    ),
}
"""Field of a recipe: its French name, and what the choice is for."""
ALWAYS = ("architecture", "weights", "batch_size", "patience")
"""Fields listed even where they keep their neutral value: that too is a choice."""

ALPHA, SMALLEST_P = 0.05, 0.001
"""Level of the tests, and the smallest p-value that is written out."""
SHOWN_OF_NAME = 8
"""Characters shown of the name of a photo."""
UNSEEN = 1e-9
"""Relative effect under which two results in float64 differ by rounding alone."""

_THIN, _MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
_NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Shown:
    """A table as a page shows it: no index, numbers in French and to the right, text that wraps.

    pandas cuts long texts, and its styled tables carry a memory address that changes at each run.

    Attributes:
        frame: What is shown.
        decimals: Digits after the comma of the numbers that are not whole.
    """

    frame: pd.DataFrame
    decimals: int = 1

    def _texts(self) -> list[list[str]]:
        return [[self._text(value) for value in row] for row in self.frame.itertuples(index=False)]

    def _text(self, value: object) -> str:
        if isinstance(value, bool | np.bool_):
            return "oui" if value else "non"
        if isinstance(value, int | np.integer):
            return number(value)
        if isinstance(value, float | np.floating):
            return "" if np.isnan(value) else number(value, self.decimals)
        return str(value)

    def __repr__(self) -> str:
        rows = [list(map(str, self.frame.columns)), *self._texts()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        rows = self._texts()
        right = [
            all(re.match(rf"[+{_MINUS}]?\d|$", row[i]) for row in rows)
            for i in range(self.frame.shape[1])
        ]
        styles = [' class="nombre" style="text-align: right"' if r else "" for r in right]
        head = "".join(
            f'<th scope="col"{style}>{html.escape(str(name))}</th>'
            for name, style in zip(self.frame.columns, styles, strict=True)
        )
        body = "\n".join(
            "<tr>"
            + "".join(f"<td{s}>{html.escape(c)}</td>" for s, c in zip(styles, row, strict=True))
            + "</tr>"
            for row in rows
        )
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def show(frame: pd.DataFrame, decimals: int = 1) -> Shown:
    """Return a table for the last line of a cell."""
    return Shown(frame, decimals)


def number(value: float | int, decimals: int = 0) -> str:
    """Write a number in French: decimal comma, thousands set apart, a true minus."""
    text = f"{abs(value):,.{decimals}f}".replace(",", _THIN).replace(".", ",")
    return (_MINUS if value < 0 and any(c in "123456789" for c in text) else "") + text


def parts(split: Split) -> pd.DataFrame:
    """Count the photos of each class in each part of a split, with a last row for the whole."""
    counts = pd.crosstab(split.frame.label, split.frame.part).reindex(columns=list(PARTS))
    table = counts.rename(columns=PARTS_FR).reset_index(drop=True)
    table.insert(0, "Catégorie", CLASSES_FR.values())
    table["Total"] = counts.sum(axis=1).to_numpy()
    table.loc[len(table)] = ["Ensemble", *counts.sum(), counts.to_numpy().sum()]
    return table


def leaks(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count duplicate pairs by the parts that their two photos fall in.

    Args:
        pairs: One row a pair: ``part_a``, ``part_b``, ``exact``.
    """
    sides = [
        tuple(sorted(couple, key=PARTS.index))
        for couple in zip(pairs.part_a, pairs.part_b, strict=True)
    ]
    rows = []
    for i, first in enumerate(PARTS):
        for second in PARTS[i:]:
            chosen = np.array([side == (first, second) for side in sides], dtype=bool)
            exact = int(pairs.exact.to_numpy(dtype=bool)[chosen].sum())
            rows.append(
                {
                    "Parties": PARTS_FR[first]
                    if first == second
                    else f"{PARTS_FR[first]} et {PARTS_FR[second].lower()}",
                    "Fuite": first != second,
                    "Doublons exacts": exact,
                    "Quasi-doublons": int(chosen.sum()) - exact,
                }
            )
    return pd.DataFrame(rows).sort_values("Fuite", kind="stable", ignore_index=True)


def recipe(chosen: Recipe) -> pd.DataFrame:
    """List what a recipe decides, and what each choice is for.

    Options that the recipe leaves at their neutral value are left out.
    """
    neutral = {field.name: field.default for field in chosen.__dataclass_fields__.values()}
    rows = []
    for field, (label, purpose) in CHOICES.items():
        value = getattr(chosen, field)
        if value != neutral[field] or field in ALWAYS:
            rows.append({"Choix": label, "Valeur": _choice(value), "À quoi il sert": purpose})
    return pd.DataFrame(rows)


def _choice(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int | float):
        return f"{value:g}".replace(".", ",")
    if isinstance(value, tuple):
        return " et ".join(map(_choice, value))
    return {"none": "aucun"}.get(str(value), str(value))


def scores(panels: Mapping[str, Mapping[str, Interval]]) -> pd.DataFrame:
    """List scores with their 95 % intervals: a row a score, a column a model.

    Args:
        panels: By name of model, what ``scores.panel`` returned.
    """
    first = next(iter(panels.values()))
    table = pd.DataFrame({"Mesure": [METRICS_FR[name] for name in first]})
    for model, panel in panels.items():
        table[model] = [_interval(name, interval) for name, interval in panel.items()]
    return table


def _interval(metric: str, interval: Interval) -> str:
    share = metric not in ("log_loss", "brier")
    value, low, high = (
        number(100 * end, 1) if share else number(end, 2)
        for end in (interval.value, interval.low, interval.high)
    )
    return f"{value}{_THIN + '%' if share else ''} [{low}{_NO_BREAK};{_NO_BREAK}{high}]"


def costs(trained: Sequence[Run]) -> pd.DataFrame:
    """List what each training cost, and on what machine."""
    return pd.DataFrame([_cost(run) for run in trained])


def pretrainings(
    trained: Mapping[str, Run], scores: Mapping[str, Sequence[Interval]]
) -> pd.DataFrame:
    """List what each pretraining saw, took and learned.

    Args:
        trained: By name on screen, the run.
        scores: By the same name, its accuracy to one guess, then to five.
    """
    rows = []
    for name, run in trained.items():
        timing, first = run.meta["timing"], scores[name]
        rows.append(
            {
                "Préentraînement": name,
                "Images vues (milliers)": run.history.images.iloc[-1] / 1e3,
                "Durée (min)": timing["training_seconds"] / 60,
                "Processeur (min)": timing["cpu_seconds"] / 60,
                "Images/s": float(timing["images_per_second"]),
                "Attente des données": f"{number(100 * timing['waited_share'], 2)}{_THIN}%",
                "Première réponse juste": _interval("accuracy", first[0]),
                "Parmi cinq": _interval("accuracy", first[1]),
                "Énergie (Wh, estimée)": watt_hours(run.meta) or np.nan,
            }
        )
    return pd.DataFrame(rows)


def _cost(run: Run) -> dict[str, object]:
    hardware, timing = run.meta["hardware"], run.meta["timing"]
    threads = hardware.get("threads") or 0
    machine = hardware.get("gpu") or f"{hardware['cpu']}, {threads} fil{'s'[: threads > 1]}"
    return {
        "Graine": run.meta["seed"],
        "Matériel": machine,
        "Époques": len(run.history),
        "Médiane (s par époque)": float(run.history.seconds.median()),
        "Entraînement (min)": timing["training_seconds"] / 60,
        "Images/s": float(timing["images_per_second"] or np.nan),
        "Mémoire (Gio)": _gib(timing.get("peak_memory_mib")),
    }


def _gib(mebibytes: int | None) -> float:
    return np.nan if mebibytes is None else mebibytes / 1024


def comparison(
    panels: Mapping[str, Mapping[str, Interval]],
    *,
    seeds: Mapping[str, int],
    leaders: Mapping[str, str | None],
) -> pd.DataFrame:
    """List models with the scores that are compared: a row a model, a column a score.

    Args:
        panels: By name of model, what ``scores.table.recipe_panel`` returned.
        seeds: By name of model, the runs that its scores are a mean of.
        leaders: By score shown, the model that leads where one does; its cell gets a star.
    """
    rows = []
    for model, panel in panels.items():
        row = {"Modèle": model, "Graines": seeds[model]}
        for name, led_by in leaders.items():
            star = f"{_THIN}★" if led_by == model else ""
            row[METRICS_FR[name]] = _interval(name, panel[name]) + star
        rows.append(row)
    return pd.DataFrame(rows)


def announced(
    gaps: Mapping[str, Mapping[str, Interval]],
    tests: Mapping[str, McNemar],
    corrected: Sequence[float],
) -> pd.DataFrame:
    """List the announced comparisons: gaps, discordant images, tests, and what they allow to say.

    Args:
        gaps: By comparison, the gap of each score, the first of which decides.
        tests: By comparison, the McNemar test of the accuracies.
        corrected: The p-values of the tests, corrected over the table.
    """
    rows = []
    for (name, by_score), adjusted in zip(gaps.items(), corrected, strict=True):
        deciding, test = next(iter(by_score.values())), tests[name]
        row = {"Comparaison": name}
        for metric, gap in by_score.items():
            row[f"{METRICS_FR[metric]}, écart (points)"] = _points(gap)
        row["Images gagnées et perdues"] = f"{test.only_candidate} et {test.only_baseline}"
        row["p (McNemar)"], row["p corrigée (Holm)"] = _p_value(test.p_value), _p_value(adjusted)
        settled = deciding.excludes_zero and adjusted < ALPHA
        row["Lecture"] = "écart établi" if settled else "non départagés"
        rows.append(row)
    return pd.DataFrame(rows)


def _points(gap: Interval) -> str:
    value, low, high = (
        ("+" if end > 0 else "") + number(100 * end, 1) for end in (gap.value, gap.low, gap.high)
    )
    return f"{value} [{low}{_NO_BREAK};{_NO_BREAK}{high}]"


def _p_value(p: float) -> str:
    return "< 0,001" if p < SMALLEST_P else number(p, 3)


def cited(results: pd.DataFrame) -> pd.DataFrame:
    """List results that others published, best first: single runs, so no interval.

    Args:
        results: ``ressources/prior_poc.csv``.
    """
    ranked = results.sort_values("test_accuracy", ascending=False)
    state = {"frozen": "gelé", "fine-tuned": "réglage fin"}
    return pd.DataFrame(
        {
            "Modèle": ranked.model.to_numpy(),
            "Tronc": ranked.backbone.map(state).to_numpy(),
            "Exactitude (%)": 100 * ranked.test_accuracy.to_numpy(),
            "F1 macro (%)": 100 * ranked.test_macro_f1.to_numpy(),
            "Meilleure validation (%)": 100 * ranked.best_val_accuracy.to_numpy(),
            "Entraînement (min)": ranked.train_loop_s.to_numpy() / 60,
        }
    )


def errors(
    images: Sequence[str], truth: Sequence[int], answers: Mapping[str, Sequence[int]]
) -> pd.DataFrame:
    """List images with their class and what each model says of them.

    Args:
        images: File names, of which the beginning is shown: enough to find the file.
        truth: True class of each.
        answers: By name of model, the class it predicts for each.
    """
    names = list(CLASSES_FR.values())
    files = [f"{name[:SHOWN_OF_NAME]}…" for name in images]
    table = pd.DataFrame({"Fichier": files, "Catégorie vraie": [names[k] for k in truth]})
    for model, predicted in answers.items():
        table[model] = [
            "juste" if k == true else names[k] for k, true in zip(predicted, truth, strict=True)
        ]
    return table


def departures(
    effects: Mapping[str, Mapping[str, float]], origins: Mapping[str, str]
) -> pd.DataFrame:
    """List choices, where another reading of them comes from, and how far it moves the logits.

    Args:
        effects: By image, the relative effect of each choice, 1 for logits moved by their own norm.
        origins: By choice, who suggests the other reading.
    """
    names = [name.replace("<br>", " ") for name in origins]
    table = pd.DataFrame({"Si l’on écrivait": names, "D’après": list(origins.values())})
    for image, moved in effects.items():
        table[image] = [_moved(moved[name]) for name in origins]
    return table


def _moved(share: float) -> str:
    """Write a relative effect as a percentage of two significant digits."""
    if share < UNSEEN:
        return "aucun"
    digits = max(0, 1 - int(np.floor(np.log10(100 * share))))
    return f"{number(float(f'{100 * share:.2g}'), digits)}{_THIN}%"
