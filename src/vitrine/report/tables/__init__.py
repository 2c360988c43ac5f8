"""Make the tables of the book, with French headings: one function a table, by subject."""

from vitrine.report.fr import number
from vitrine.report.tables.data import PARTS_FR, errors, leaks, parts
from vitrine.report.tables.panels import SMALLEST_P, announced, comparison, scores
from vitrine.report.tables.shown import Shown, show
from vitrine.report.tables.training import (
    CHOICES,
    changes,
    departures,
    pretrainings,
    rates,
    recipe,
)

__all__ = [
    "CHOICES", "PARTS_FR", "SMALLEST_P", "Shown", "announced", "changes", "comparison",
    "departures", "errors", "leaks", "number", "parts", "pretrainings", "rates", "recipe", "scores",
    "show",
]  # fmt: skip
