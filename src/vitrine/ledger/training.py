"""How fast the networks trained from scratch learn, side by side on an idle machine."""

import json
from collections.abc import Iterator

from vitrine import paths
from vitrine.ledger.values import Value

__all__ = ["SHEET", "values"]

SHEET = "runs/bench/training.json"
"""Where ``vitrine bench training`` writes, from the root."""


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of ``runs/bench/training.json``, for each recipe.

    ``learning_speed``, ``learning_faster`` (times the speed of the baseline), and
    ``first_epoch_more``, what the first epoch took more than the others.
    """
    sheet = json.loads((paths.root() / SHEET).read_text(encoding="utf-8"))
    more = {
        "source": SHEET,
        "commit": sheet["code"]["commit"][:7] + (" (modifié)" if sheet["code"]["dirty"] else ""),
        "hardware": f"{sheet['hardware']['cpu']}, un fil",
        "notebook": "05_comparaison",
    }
    columns = {
        "learning_speed": ("images_per_second", "images/s", 0),
        "learning_faster": ("faster", "", 2),
        "first_epoch_more": ("first_epoch_more_seconds", "s", 0),
    }
    for row in sheet["rows"]:
        for key, (column, unit, decimals) in columns.items():
            value = Value(value=row[column], unit=unit, decimals=decimals, **more)
            yield f"{row['recipe']}.{key}", value
