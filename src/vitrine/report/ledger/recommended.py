"""Values of the recommended model: its calibration, and what it answers above its threshold."""

from collections.abc import Iterator

import numpy as np

from vitrine.metrics.calibration import expected_calibration_error, overconfidence
from vitrine.metrics.classes import per_class
from vitrine.metrics.intervals import wilson
from vitrine.metrics.table import recipe_score
from vitrine.report import beside
from vitrine.report.ledger.values import Value, from_runs
from vitrine.report.recommended import RECOMMENDED, TARGET, in_service
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
    raw = one.answers.probabilities
    shares = {
        "target": TARGET,
        "coverage": wilson(answered, photos),
        "answered_accuracy": wilson(right, answered),
        "overconfidence": recipe_score(truth, [raw], overconfidence),
        "overconfidence_calibrated": recipe_score(truth, [given], overconfidence),
        "calibration_error": expected_calibration_error(truth, raw),
        "calibration_error_calibrated": expected_calibration_error(truth, given),
        "recall_least": min(recalls, key=lambda recall: recall.value),
        "recall_most": max(recalls, key=lambda recall: recall.value),
    }
    more = {"n": photos, "notebook": NOTEBOOK}
    for name, share in shares.items():
        decimals = 0 if name == "target" else 1
        yield (
            f"recommended.{name}",
            from_runs(share, list(one.runs), unit="%", decimals=decimals, **more),
        )
    for name, chosen in (("temperature", served.temperatures), ("threshold", served.thresholds)):
        for end, pick in (("least", np.min), ("most", np.max)):
            yield (
                f"recommended.{name}_{end}",
                from_runs(float(pick(chosen)), list(one.runs), unit="", decimals=2, **more),
            )


def _beside(text: runs.Run, image: runs.Run) -> Iterator[tuple[str, Value]]:
    counts = beside.shares(text, image)
    photos = int(counts["products"].sum())
    more = {"unit": "%", "decimals": 1, "n": photos, "notebook": NOTEBOOK}
    for name, column in (("only_text", "only_first"), ("only_image", "only_second")):
        share = float(counts[column].sum() / photos)
        yield f"beside.{name}", from_runs(share, [text, image], **more)
    yield "beside.oracle", from_runs(beside.oracle(text, image), [text, image], **more)
    saved = len(beside.alone(text, image))
    yield "beside.saved", from_runs(saved, [text, image], **more | {"unit": "count", "decimals": 0})
