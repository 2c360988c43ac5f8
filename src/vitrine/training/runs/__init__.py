"""The folder of a run: write once, load, align two. Sole owner of its file names.

``runs/<recipe>/seed-<n>/`` holds ``run.json`` (written last: a folder without it is not a run),
``history.csv``, ``predictions.csv``, the TensorBoard events, and ``weights/``, which git ignores.
A run tested on one fold lies in the same way under ``runs/folds/repeat-<r>-fold-<k>/``.
A trainer writes predictions, never metrics: ``vitrine.metrics`` alone turns them into numbers.
"""

from vitrine.training.runs.folder import (
    RunFolder,
    data_facts,
    prediction_rows,
    require_finite,
)
from vitrine.training.runs.folds import OutOfFold, across_folds, align_folds, folds_made, place
from vitrine.training.runs.meter import Meter
from vitrine.training.runs.reading import Predictions, Run, RunError, align, align_fold, load, names

__all__ = [
    "Meter", "OutOfFold", "Predictions", "Run", "RunError", "RunFolder", "across_folds", "align",
    "align_fold", "align_folds", "data_facts", "folds_made", "load", "names", "place",
    "prediction_rows", "require_finite",
]  # fmt: skip
