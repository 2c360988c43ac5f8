"""Tables of choices: the hyper-parameters of a recipe, other readings of the papers."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from vitrine.report.fr import THIN, number, significant
from vitrine.training.recipes import Recipe

__all__ = ["CHOICES", "departures", "recipe"]

CHOICES: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("choices.toml").read_text(encoding="utf-8")
)
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
