"""Values of training speed, measured side by side on an idle machine."""

from collections.abc import Iterator

from vitrine.data import tracked
from vitrine.report.ledger.values import COMPARISON, Value, commits, machine, table

__all__ = ["SHEET", "values"]

SHEET = "runs/bench/training.json"
"""Where ``vitrine bench training`` writes, from the root."""


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of ``runs/bench/training.json``, for each recipe.

    ``learning_speed``; ``learning_ratio_least`` and ``_most``, to the speed of the first recipe in
    the same turn; ``first_epoch_more``, what the first epoch took more than the others.
    """
    sheet = tracked.read(SHEET, ("code", "hardware", "rows"))
    more = {
        "source": SHEET,
        "commit": commits([sheet["code"]]),
        "hardware": machine(sheet["hardware"]),
        "notebook": COMPARISON,
    }
    reference = sheet["rows"][0]["turns"]
    for row in sheet["rows"]:
        ratios = [slow / fast for slow, fast in zip(reference, row["turns"], strict=True)]
        rows = {
            "learning_speed": (row["images_per_second"], "images/s", 0),
            "learning_ratio_least": (min(ratios), "", 2),
            "learning_ratio_most": (max(ratios), "", 2),
            "first_epoch_more": (row["first_epoch_more_seconds"], "s", 0),
        }
        yield from table({f"{row['recipe']}.{key}": told for key, told in rows.items()}, **more)
