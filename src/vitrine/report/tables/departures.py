"""Table of implementation choices: how far another reading of the papers moves the logits."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vitrine.report.fr import THIN, number

__all__ = ["departures"]

UNSEEN = 1e-9
"""Relative effect under which two results in float64 differ by rounding alone."""


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
