"""Tables of trainings: choices of a recipe, learning rates tried, pretrainings."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vitrine.metrics import Interval
from vitrine.metrics.metrics import accuracy, log_loss
from vitrine.report.fr import THIN, number, percent, scientific, significant
from vitrine.report.tables.shown import with_interval
from vitrine.report.words import WORDS
from vitrine.training.recipes import Recipe
from vitrine.training.runs import Run
from vitrine.training.runs.meter import watt_hours

__all__ = ["CHOICES", "changes", "departures", "pretrainings", "rates", "recipe"]


def rates(tried: Sequence[Run]) -> pd.DataFrame:
    """List what each way to begin learned with each learning rate, judged on validation alone.

    Args:
        tried: One run a way and a rate.
    """
    rows = []
    for run in tried:
        begun = "sonde" if run.meta["recipe"].get("head") == "probe" else "au hasard"
        rate = scientific(run.meta["recipe"]["learning_rate"])
        rows.append({"Départ de la tête": begun, "Taux maximal": rate} | _on_validation(run))
    return pd.DataFrame(rows)


def changes(tried: Mapping[str, Run]) -> pd.DataFrame:
    """List what a recipe learned with each of its changes, judged on validation alone.

    Args:
        tried: By what changes, the run.
    """
    rows = [{"Ce qui change": change} | _on_validation(run) for change, run in tried.items()]
    return pd.DataFrame(rows)


def _on_validation(run: Run) -> dict[str, str]:
    held_out = run.part("validation")
    truth, given = held_out.truth, held_out.probabilities
    return {
        "Exactitude, validation": percent(accuracy(truth, given), 1),
        "Perte, validation": number(log_loss(truth, given), 3),
    }


def pretrainings(
    trained: Mapping[str, Run], scores: Mapping[str, Sequence[Interval]]
) -> pd.DataFrame:
    """List what each pretraining saw, took and learned: a row a measure, a column a pretraining.

    Args:
        trained: By name on screen, the run.
        scores: By the same name, its accuracy to one guess, then to five.
    """
    columns = {}
    for name, run in trained.items():
        timing, (first, fifth) = run.meta["timing"], scores[name]
        energy = watt_hours(run.meta)
        columns[name] = {
            "Images vues (milliers)": number(run.history.images.iloc[-1] / 1e3, 1),
            "Durée (min)": number(timing["training_seconds"] / 60, 1),
            "Processeur (min)": number(timing["cpu_seconds"] / 60, 1),
            "Images/s": number(timing["images_per_second"], 1),
            "Attente des données": percent(timing["waited_share"], 2),
            "Top-1": with_interval("accuracy", first),
            "Top-5": with_interval("accuracy", fifth),
            "Énergie (Wh, estimée)": number(energy, 1) if energy else "",
        }
    return pd.DataFrame(columns).rename_axis("Mesure").reset_index()


CHOICES: dict[str, list[str]] = WORDS["choices"]
"""Field of a recipe: its French name, and what the choice is for."""
ALWAYS = ("architecture", "weights", "batch_size", "patience")
"""Fields listed even where they keep their neutral value: that too is a choice."""
UNSEEN = 1e-9
"""Relative effect under which two results in float64 differ by rounding alone."""


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
        return significant(value, 6)
    if isinstance(value, tuple):
        return " et ".join(map(_choice, value))
    return {"none": "aucun"}.get(str(value), str(value))


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
    return f"{number(float(f'{100 * share:.2g}'), digits)}{THIN}%"
