"""Data to tables with French headings: one function a table of the book, one module a subject."""

from vitrine.tables.choices import CHOICES, recipe
from vitrine.tables.data import PARTS_FR, errors, leaks, parts
from vitrine.tables.panels import SMALLEST_P, announced, cited, comparison, scores
from vitrine.tables.readings import departures
from vitrine.tables.shown import Shown, number, show
from vitrine.tables.training import costs, pretrainings

__all__ = [
    "CHOICES", "PARTS_FR", "SMALLEST_P", "Shown", "announced", "cited", "comparison", "costs",
    "departures", "errors", "leaks", "number", "parts", "pretrainings", "recipe", "scores", "show",
]  # fmt: skip
