"""Values of the recommended model: its calibration, and what it answers above its threshold."""

from collections.abc import Iterator

import numpy as np

from vitrine.metrics.calibration import expected_calibration_error, overconfidence
from vitrine.metrics.classes import per_class, top
from vitrine.metrics.decision import TARGET
from vitrine.metrics.intervals import wilson
from vitrine.metrics.table import recipe_score
from vitrine.report import beside
from vitrine.report.ledger.values import COUNT, PERCENT, Row, Value, provenance, table
from vitrine.report.recommended import RECOMMENDED, in_service
from vitrine.training import runs

__all__ = ["values"]

NOTEBOOK = "05_toutes_les_photos"
TEXT, IMAGE = "text-title-description", "efficientnet-lite012-probe"


def values() -> Iterator[tuple[str, Value]]:
    """Yield the values of the recommended model, then who is right of the text and of the photo."""
    found = runs.across_folds()
    if RECOMMENDED in found:
        yield from _served(found[RECOMMENDED][0])
    if {TEXT, IMAGE} <= set(found):
        yield from _beside(*(found[name][0].runs[0] for name in (TEXT, IMAGE)))


def _served(one: runs.OutOfFold) -> Iterator[tuple[str, Value]]:
    served = in_service(one)
    truth, given = served.answers.truth, served.answers.probabilities
    photos, answered = len(truth), int(served.answered.sum())
    right = int((served.answers.predicted == truth)[served.answered].sum())
    recalls = [score.recall for score in per_class(truth, given, categories=given.shape[1])]
    left, guesses = ~served.answered, np.argsort(-given, axis=1, kind="stable")
    helped = top(truth[left], guesses[left], 2)
    raw = one.answers.probabilities
    shares = {
        "coverage": wilson(answered, photos),
        "answered_accuracy": wilson(right, answered),
        "refused_top2": wilson(round(helped * (photos - answered)), photos - answered),
        "overconfidence": recipe_score(truth, [raw], overconfidence),
        "overconfidence_calibrated": recipe_score(truth, [given], overconfidence),
        "calibration_error": expected_calibration_error(truth, raw),
        "calibration_error_calibrated": expected_calibration_error(truth, given),
        "recall_least": min(recalls, key=lambda recall: recall.value),
        "recall_most": max(recalls, key=lambda recall: recall.value),
    }
    rows: dict[str, Row] = {name: (share, *PERCENT) for name, share in shares.items()}
    rows["target"] = (TARGET, "%", 0)
    for name, chosen in (("temperature", served.temperatures), ("threshold", served.thresholds)):
        rows |= {f"{name}_least": (chosen.min(), "", 2), f"{name}_most": (chosen.max(), "", 2)}
    keyed = {f"recommended.{name}": row for name, row in rows.items()}
    yield from table(keyed, n=photos, notebook=NOTEBOOK, **provenance(one.runs))


def _beside(text: runs.Run, image: runs.Run) -> Iterator[tuple[str, Value]]:
    counts = beside.shares(text, image)
    photos = int(counts["products"].sum())
    rows: dict[str, Row] = {
        "beside.only_text": (counts["only_first"].sum() / photos, *PERCENT),
        "beside.only_image": (counts["only_second"].sum() / photos, *PERCENT),
        "beside.oracle": (beside.oracle(text, image), *PERCENT),
        "beside.saved": (len(beside.alone(text, image)), *COUNT),
    }
    yield from table(rows, n=photos, notebook=NOTEBOOK, **provenance([text, image]))
