"""Compute the numbers of a model card from answers, and compare a card with its run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from vitrine import paths
from vitrine.data import tracked
from vitrine.data.shards import Shards
from vitrine.explain.exported import BATCH, Answer, predictor
from vitrine.metrics import Interval
from vitrine.metrics.decision import TARGET, least_confidence
from vitrine.metrics.intervals import wilson
from vitrine.metrics.panel import panel
from vitrine.metrics.temperature import apply_temperature, fit_temperature
from vitrine.report.ledger.service import FORMS
from vitrine.serving import card as cards
from vitrine.serving.card import Card, Doubt, Guard, ModelError, Score
from vitrine.serving.predictor import contrast, describe, distance
from vitrine.training.runs import Run

__all__ = ["again", "card_numbers", "differences", "guard", "lost_over_folds"]

ALARMS = 0.05
"""Share of the validation photos that the guard takes for none of the classes."""
PLAIN = 0.1
"""Share of the least contrast of the validation photos under which a photo is plain."""
RIDGE = 1e-3
"""Added to each variance of what the guard sees, so that the covariance can be inverted."""
GUARDED = 3
"""Fewest validation photos of a guard: a covariance asks for two, beside the one measured by it."""
TURNS = 10
"""Parts in which the validation photos are measured, each from the others."""
TOLERANCE = 1e-3
"""Largest difference of a number, for what a file's rounding moves: a photo weighs more."""

Probabilities = Float[np.ndarray, "_ category"]
Labels = Int[np.ndarray, " _"]
Described = Float[np.ndarray, "_ feature"]
Pixels = UInt8[np.ndarray, "_ height width 3"] | Shards


def card_numbers(
    validation: tuple[Labels, Probabilities], test: tuple[Labels, Probabilities]
) -> dict[str, Any]:
    """Return the fields of ``Card`` that are measured: temperature, doubt, test images, metrics.

    Temperature and threshold are chosen on validation, then judged on the test. The temperature is
    1 where validation has fewer than ``cards.FEWEST`` photos, or none that is answered wrongly.

    Args:
        validation: True classes and answers before the temperature.
        test: The same, on the test images.
    """
    labels, answers = validation
    fitted = len(labels) >= cards.FEWEST and (answers.argmax(axis=1) != labels).any()
    temperature = fit_temperature(labels, answers) if fitted else 1.0
    (y_chosen, p_chosen), (y_true, y_prob) = (
        (labels, apply_temperature(answers, temperature)) for labels, answers in (validation, test)
    )
    return {
        "temperature": temperature,
        "doubt": doubt(threshold(y_chosen, p_chosen), y_true, y_prob),
        "test_images": len(y_true),
        "metrics": {name: _score(interval) for name, interval in panel(y_true, y_prob).items()},
    }


def threshold(y_true: Labels, y_prob: Probabilities) -> float:
    """Return the least score whose answers are right often enough; 1 where none is."""
    return min(1.0, least_confidence(y_true, y_prob, accuracy=TARGET))


def doubt(least: float, y_true: Labels, y_prob: Probabilities) -> Doubt:
    """Return what a threshold does on test images."""
    sure = y_prob.max(axis=1) >= least
    right = int((y_prob.argmax(axis=1) == y_true)[sure].sum())
    accuracy = _score(wilson(right, int(sure.sum()))) if sure.any() else None
    return Doubt(
        uncertain_below=least, wanted=TARGET, answered=float(sure.mean()), accuracy=accuracy
    )


def _described(answer: Answer, pixels: Pixels) -> Described:
    return np.concatenate([describe(*answer(piece)) for piece in _pieces(pixels)])


def _contrast(pixels: Pixels) -> Float[np.ndarray, " _"]:
    return np.concatenate([contrast(piece) for piece in _pieces(pixels)])


def _pieces(pixels: Pixels) -> Iterator[np.ndarray]:
    """Yield photos a batch at a time: those of a large part do not fit in memory."""
    for i in range(0, len(pixels), BATCH):
        yield np.ascontiguousarray(pixels[i : i + BATCH])


def guard(answer: Answer, validation: Pixels, test: Pixels) -> Guard | None:
    """Fit what tells a photo outside the catalogue on validation, and judge it on the test.

    Where validation has fewer than ``GUARDED`` photos there is none.

    Args:
        answer: Gives the logits and the evidence of a batch.
        validation: The photos to fit it on.
        test: Others of the catalogue: each that is told outside is a false alarm.
    """
    if len(validation) < GUARDED:
        return None
    known, others = _described(answer, validation), _described(answer, test)
    turn = np.arange(len(known)) % TURNS
    apart = np.empty(len(known))
    for k in range(TURNS):
        apart[turn == k] = distance(known[turn == k], *_fitted(known[turn != k]))
    center, precision = _fitted(known)
    limit = float(np.quantile(apart, 1 - ALARMS))
    plain_below = PLAIN * float(_contrast(validation).min())
    outside = (distance(others, center, precision) > limit) | (_contrast(test) < plain_below)
    return Guard(
        center=tuple(center.tolist()),
        precision=tuple(tuple(row) for row in precision.tolist()),
        limit=limit,
        wanted=ALARMS,
        false_alarms=_score(wilson(int(outside.sum()), len(test))),
        plain_below=plain_below,
    )


def _fitted(described: Described) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of descriptions, and the inverse of their covariance."""
    covariance = np.cov(described.T) + RIDGE * np.eye(described.shape[1])
    return described.mean(axis=0), np.linalg.inv(covariance)


def differences(card: Card, run: Run) -> list[str]:
    """Return where a card's numbers are not those that the predictions of its run give.

    A float32 file answers as its run did, so every number is compared. Those of an 8-bit file are
    its own: its accuracy alone is, within the photos whose first class it changes.

    Args:
        card: What ``model.json`` says.
        run: The run that it names.

    Returns:
        A line a number, empty where all agree.
    """
    parts = (run.part("validation"), run.part("test"))
    wanted = _flat(card_numbers(*((part.truth, part.probabilities) for part in parts)))
    slack = dict.fromkeys(wanted, TOLERANCE)
    if card.precision != "float32":
        changed = 1 - card.parity.same_top1 / card.parity.images
        slack = {"test_images": 0.0, "metrics.accuracy.value": changed + TOLERANCE}
    found = _flat(card.model_dump(include={"temperature", "doubt", "test_images", "metrics"}))
    return [
        f"{name}: expected {wanted[name]:.4g}, as {run.name} gives, found {found.get(name)}"
        for name, most in slack.items()
        if not abs(found.get(name, np.inf) - wanted[name]) <= most
    ]


def again(folder: Path, run: Run, pixels: Pixels) -> bytes:
    """Return the file of a model exported before, once it answers as its card says.

    Args:
        folder: Of the model.
        run: The run that it must be of.
        pixels: The test photos of the run.

    Raises:
        ModelError: If it is another model, one that answers otherwise, or of rounded activations.
    """
    card, model = cards.read(folder)
    told, found = run.part("test").probabilities, predictor(model)(pixels)
    gap, most = float(np.abs(found - told).max()), card.parity.largest_gap + TOLERANCE
    if card.name != run.name or card.precision == "int8-static" or not gap <= most:
        raise ModelError(
            f"expected in {folder.name} a model of {run.name} with activations in float32, whose "
            f"answers are within {most:.3g} of the run, found {card.name} in {card.precision}, "
            f"within {gap:.3g}; name another folder"
        )
    return model


def lost_over_folds(recipe: str, form: str) -> float | None:
    """Return the accuracy, as a share, that a form of a recipe loses on every photo, over folds.

    It is ``None`` where that was not counted. A few validation photos, of which each weighs more
    than what may be lost, say less.

    Raises:
        TrackedError: If the file of the counts is damaged.
    """
    if not (paths.root() / FORMS).is_file():
        return None
    sheet = tracked.read(FORMS, ("totals",))
    lost = {(row["recipe"], row["form"]): row["points_lost"] / 100 for row in sheet["totals"]}
    return lost.get((recipe, form))


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return every number of nested fields under its dotted name."""
    if isinstance(value, (Score, Doubt)):
        value = value.model_dump()
    if not isinstance(value, dict):
        return {} if value is None else {name: value}
    flat = (_flat(each, f"{name}.{key}" if name else key) for key, each in value.items())
    return {key: number for part in flat for key, number in part.items()}


def _score(interval: Interval) -> Score:
    return Score(value=interval.value, low=interval.low, high=interval.high)
