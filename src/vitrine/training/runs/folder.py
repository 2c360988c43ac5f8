"""Write a run: its history as it grows, its predictions, and the ``run.json`` that seals it."""

import hashlib
import json
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from jaxtyping import Float

from vitrine import paths
from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training.recipes import Recipe
from vitrine.training.runs.meter import code_state, versions
from vitrine.training.runs.reading import HISTORY, HISTORY_COLUMNS, META, PREDICTIONS, Run, RunError
from vitrine.training.runs.start import facts as start_facts
from vitrine.training.runs.start import same

__all__ = ["RunFolder", "data_facts", "lock", "prediction_rows", "require_finite"]

FORMAT = 1
WEIGHTS, EVENTS = "weights", "events.out.tfevents.0.vitrine"
BEGUN = "begun.json"
"""What a run was begun with, kept until it is finished: it goes on with nothing else."""
LOCK = ".lock"
"""Locked by who makes the run: like the note, no sign that anything was learned."""

log = logging.getLogger(__name__)


def lock(folder: Path) -> FileLock:
    """Return the lock on the run of a folder; who holds it already may take it again."""
    (folder / WEIGHTS).mkdir(parents=True, exist_ok=True)  # what git ignores
    return FileLock(folder / WEIGHTS / LOCK, is_singleton=True)


def require_finite(recipe: Recipe, epoch: int, loss: float) -> None:
    """Refuse a loss, of training or of validation, from which no later step would come back.

    Args:
        recipe: What is being trained.
        epoch: Number of the epoch, from 1; it is not to be kept.
        loss: Its loss so far.

    Raises:
        RunError: If the loss is not finite.
    """
    if not math.isfinite(loss):
        raise RunError(
            f"recipe {recipe.name}: expected a finite loss, found {loss} in epoch {epoch}; the "
            "epochs before it are kept, nothing is sealed: train again with a lower learning_rate"
        )


def data_facts(catalog: Catalog, split: Split) -> dict[str, Any]:
    """Return what ``run.json`` says of the data that a run was made on."""
    return {
        "dataset": catalog.dataset.name,
        "classes": list(catalog.dataset.classes),
        "edition": catalog.edition,
        "manifest_sha256": catalog.manifest_sha256,
        "split": split.name,
        "split_sha256": split.sha256,
        "images": len(split.frame),
        "counts": split.frame.part.value_counts().to_dict() if "part" in split.frame else {},
    }


def prediction_rows(
    frame: pd.DataFrame,
    probabilities: Float[np.ndarray, "image category"],
    split: str,
    fold: int | None = None,
) -> pd.DataFrame:
    """Lay predictions out as rows of ``predictions.csv``.

    Args:
        frame: Images predicted: columns ``image`` and ``label``.
        probabilities: Softmax of each image, in the order of ``frame``.
        split: ``validation``, ``test``; for a cross-validation, ``repeat-<r>`` for the fold that
            tests and ``repeat-<r>-validation`` for the one that validates.
        fold: Number of the fold that tests, within the repetition.

    Raises:
        RunError: If a probability is no number: such a run could neither be read nor made again.
    """
    if not np.isfinite(probabilities).all():
        raise RunError(
            f"expected finite probabilities for the {split} images, found one that is no number; "
            "nothing is sealed: train again with a lower learning_rate"
        )
    rows = frame[["image", "label"]].reset_index(drop=True)
    rows.insert(1, "split", split)
    rows.insert(2, "fold", pd.array([fold] * len(rows), dtype="Int64"))
    chances = {
        f"p_{k}": [float(f"{value:.6g}") for value in column]
        for k, column in enumerate(probabilities.T)
    }
    return pd.concat([rows, pd.DataFrame(chances)], axis=1)


class RunFolder:
    """A run being made: history and events grow with it, ``run.json`` seals it.

    Args:
        recipe: What is being run.
        seed: Its seed.
        base: Folder that holds the runs; by default the project's ``runs/``.
    """

    def __init__(self, recipe: Recipe, seed: int, base: Path | None = None) -> None:
        self.recipe, self.seed = recipe, seed
        self.name = f"{recipe.name}/seed-{seed}"
        self.path = (base or paths.runs()) / recipe.name / f"seed-{seed}"
        self.weights = self.path / WEIGHTS
        self._held: FileLock | None = None
        self._require_unfinished()

    def _require_unfinished(self) -> None:
        if (self.path / META).exists():
            published = self.path.is_relative_to(paths.runs())
            again = "make it again apart with --retrain" if published else "move its folder away"
            raise RunError(
                f"run {self.name} is finished and a run is written once; choose another seed, or "
                f"{again}"
            )

    def prepare(self, *, resume: bool, first: bool = True) -> None:
        """Make the folder, or refuse to mix with the remains of an interrupted run.

        Args:
            resume: Whether to go on from such remains.
            first: Whether this process writes the run, and locks it until it is finished; others
                may compute with it.

        Raises:
            RecipeError: If the recipe starts from a file that is not there; nothing is made then.
            RunError: If another process makes the run, if a former attempt left weights and
                ``resume`` is false, or if it had another recipe or started from other weights.
        """
        start = {} if self.recipe.at_once else start_facts(self.recipe)
        asked = json.loads(json.dumps({"recipe": self.recipe.to_dict(), **start}))
        if first:
            self._hold()
        note = self.weights / BEGUN
        left = {path.name for path in self.weights.iterdir()} if self.weights.exists() else set()
        learned = left - {BEGUN, LOCK}
        if learned and not resume:
            raise RunError(
                f"run {self.name} was begun and interrupted; add --resume to go on from its last "
                "epoch, or move its folder away to start again"
            )
        if learned and note.is_file() and not same(json.loads(note.read_text()), asked):
            raise RunError(
                f"run {self.name}: expected to go on with the recipe and the weights that it was "
                "begun with, found others; give the same, or move its folder away to start again"
            )
        self.weights.mkdir(parents=True, exist_ok=True)
        part = self.path / f"{BEGUN}.{os.getpid()}.part"  # beside: processes may begin together
        part.write_text(json.dumps(asked) + "\n")
        part.replace(note)

    def _hold(self) -> None:
        self._held = lock(self.path)
        try:
            self._held.acquire(timeout=0)
        except Timeout as error:
            raise RunError(
                f"run {self.name}: expected to make it alone, found another process that makes it; "
                "wait for its end, or choose another seed"
            ) from error
        self._require_unfinished()  # the other may have ended in between

    def write_history(self, rows: list[dict[str, float | int]]) -> None:
        """Write the epochs so far, as CSV and as TensorBoard events.

        The events are written again from the whole history, in place: a reader that follows the
        file sees it grow, and a resumed run has no epoch twice. (Events written by a framework
        carry the machine's name in the name of their file.)
        """
        last, recipe = rows[-1], self.recipe
        left, of = (recipe.epochs - len(rows)) * last["seconds"], f"/{recipe.epochs}"
        if recipe.budget:
            left, of = recipe.budget - sum(row["seconds"] for row in rows), ""
        log.info(
            "%s epoch %d%s: train loss %.3f, validation loss %.3f, accuracy %.3f (%.1f s, "
            "%.0f min left)",
            self.name, last["epoch"], of, last["train_loss"], last["val_loss"],
            last["val_accuracy"], last["seconds"], left / 60,
        )  # fmt: skip
        self._keep(rows)

    def _keep(self, rows: Sequence[Mapping[str, float | int]]) -> None:
        table = pd.DataFrame(rows, columns=_columns(rows))
        table["wall_time"] = table.wall_time.round().astype("int64")  # six digits would be hours
        part = self.path / f"{HISTORY}.part"
        table.to_csv(part, index=False, lineterminator="\n", float_format="%.6g")
        part.replace(self.path / HISTORY)
        _write_events(self.path / EVENTS, rows)

    def seal(
        self,
        split: Split,
        catalog: Catalog,
        predict: Callable[[np.ndarray], np.ndarray],
        facts: Mapping[str, Any],
        history: Sequence[Mapping[str, float | int]] = (),
    ) -> Run:
        """Predict validation and test with the kept weights, and write the run.

        This is the one place where a trained network meets the test part.

        Args:
            split: Who is validation and test, as trained with.
            catalog: Where the photos are.
            predict: Turns preprocessed photos into the softmax of each.
            facts: What was measured while training.
            history: Its epochs, as ``finish`` has them.
        """
        tables = []
        for part in ("validation", "test"):
            frame = split.part(part)
            pixels = images.cached(
                catalog, frame.image.tolist(), self.recipe.image_size,
                letterbox=self.recipe.letterbox,
            )  # fmt: skip
            tables.append(prediction_rows(frame, predict(pixels), part))
        return self.finish(tables, {**facts, "data": data_facts(catalog, split)}, history)

    def finish(
        self,
        predictions: Sequence[pd.DataFrame],
        facts: Mapping[str, Any],
        history: Sequence[Mapping[str, float | int]] = (),
    ) -> Run:
        """Write predictions, then ``run.json``, which makes the folder a run.

        Args:
            predictions: Tables in the form of ``prediction_rows``.
            facts: What else ``run.json`` says.
            history: Its epochs, of a run that has some. Each was written when it ended, unless the
                run was killed between its last checkpoint and that.
        """
        self._require_unfinished()
        self.path.mkdir(parents=True, exist_ok=True)
        if history:
            self._keep(history)
        with (self.path / PREDICTIONS).open("w", encoding="utf-8", newline="") as file:
            for number, table in enumerate(predictions):  # joined, they would be in memory twice
                table.to_csv(file, index=False, header=not number, lineterminator="\n")
        made = [self.path / name for name in (HISTORY, EVENTS, PREDICTIONS)]
        digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in made if p.is_file()}
        meta = {
            "format": FORMAT,
            "name": self.name,
            "recipe": self.recipe.to_dict(),
            "seed": self.seed,
            **facts,
            "files": digests,
            "code": code_state(),
            "versions": versions(),
        }
        part = self.path / f"{META}.part"
        part.write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n")
        part.replace(self.path / META)
        (self.weights / BEGUN).unlink(missing_ok=True)
        if self._held:
            self._held.release()
        with suppress(PermissionError):  # Windows, where a sweep still holds it
            (self.weights / LOCK).unlink(missing_ok=True)
        return Run(self.name, self.path, meta)


def _columns(rows: Sequence[Mapping[str, float | int]]) -> list[str]:
    """Return the columns of every history, then those that this one adds."""
    return [*HISTORY_COLUMNS, *(name for name in rows[0] if name not in HISTORY_COLUMNS)]


def _write_events(path: Path, rows: Sequence[Mapping[str, float | int]]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    first = rows[0]["wall_time"] if rows else 0.0
    with path.open("wb") as file:
        writer = RecordWriter(file)
        header = Event(wall_time=first, file_version="brain.Event:2")
        writer.write(header.SerializeToString())
        for row in rows:
            values = [
                Summary.Value(tag=name.replace("_", "/", 1), simple_value=row[name])
                for name in _columns(rows)
                if name not in ("epoch", "wall_time") and row[name] is not None
            ]
            event = Event(
                wall_time=row["wall_time"], step=int(row["epoch"]), summary=Summary(value=values)
            )
            writer.write(event.SerializeToString())
