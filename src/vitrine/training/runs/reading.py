"""Read finished runs, and align two of them image by image."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from vitrine import paths
from vitrine.data import dataset, splits
from vitrine.data.splits import Split
from vitrine.training.recipes import Recipe

__all__ = ["Predictions", "Run", "RunError", "align", "align_fold", "aligned", "load", "names"]

META, HISTORY, PREDICTIONS = "run.json", "history.csv", "predictions.csv"
HISTORY_COLUMNS = (
    "epoch", "seconds", "learning_rate", "train_loss", "train_accuracy", "val_loss",
    "val_accuracy", "wall_time",
)  # fmt: skip


class RunError(ValueError):
    """A run that does not exist, is not finished, or cannot be written again."""


@dataclass(frozen=True)
class Predictions:
    """What one run answered for some images, in the order of their names.

    Attributes:
        image: File name of each image.
        truth: Its class, as a position in ``Run.classes``.
        probabilities: Probability given to each class.
    """

    image: np.ndarray
    truth: Int[np.ndarray, " image"]
    probabilities: Float[np.ndarray, "image category"]

    @property
    def predicted(self) -> Int[np.ndarray, " image"]:
        """Most probable class of each image; the first one on a tie."""
        return self.probabilities.argmax(axis=1)

    @property
    def surest(self) -> list[str]:
        """Images that are rightly answered, the surest first."""
        order = np.argsort(-self.probabilities.max(axis=1), kind="stable")
        return self.image[order[(self.predicted == self.truth)[order]]].tolist()


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        name: ``<recipe>/seed-<n>``.
        folder: Where it lies.
        meta: Content of ``run.json``.
    """

    name: str
    folder: Path
    meta: dict[str, Any]

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that it was made with."""
        told = self.meta["recipe"]
        return Recipe(**told | {"windows": tuple(told.get("windows", ()))})

    def require_made_by(self, recipe: Recipe) -> None:
        """Refuse a run whose recipe has changed since, under the same name.

        Neither the source that a recipe cites nor the folder of its weights is looked at.

        Args:
            recipe: The recipe of that name as it stands now.

        Raises:
            RunError: If the run was made with other settings.
        """
        if recipe.trainer in ("keras", "torch"):
            photos = self.meta.get("data", {}).get("counts", {}).get("train", recipe.batch_size)
            recipe = recipe.for_photos(photos)
        made, asked = (_settings(each) for each in (self.recipe, recipe))
        if changed := [key for key in asked if made[key] != asked[key]]:
            before, now = (
                ", ".join(f"{key} = {json.dumps(told[key])}" for key in changed)
                for told in (made, asked)
            )
            raise RunError(
                f"run {self.name}: expected the recipe that it was made with ({before}), found "
                f"another of the same name ({now}); move its folder away and make it again, or "
                "give the changed recipe a name of its own"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of the labels: the run's own, where it keeps them."""
        return tuple(self.meta.get("data", {}).get("classes") or dataset.current().classes)

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row an epoch; empty for a probe, which has none."""
        path = self.folder / HISTORY
        return pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=HISTORY_COLUMNS)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every prediction, as in ``predictions.csv``.

        Raises:
            RunError: If the file is absent, is no table, or holds no prediction of an image.
        """
        try:
            table = pd.read_csv(self.folder / PREDICTIONS)
            table[["image", "label"]]
        except (OSError, KeyError, ValueError) as error:
            raise self.damaged(PREDICTIONS, f"{type(error).__name__}: {error}") from error
        return table

    def damaged(self, file: str, found: str) -> RunError:
        """Return the error that says what is wrong with a file of this run."""
        return RunError(
            f"run {self.name}: expected a whole {file}, found {' '.join(found.split())}; restore "
            "it with git, or make the run again"
        )

    def part(self, part: str = "test") -> Predictions:
        """Return the predictions of ``validation`` or ``test``.

        Raises:
            RunError: If the file is damaged, or if it holds other images or labels than the
                published split, where the run was made on that.
        """
        rows = self._of(part)
        if rows.empty:
            raise RunError(
                f"run {self.name}: expected predictions for the part {part!r}, found only "
                f"{', '.join(sorted(map(str, self.table.split.unique())))}"
            )
        told = self._predictions(rows)
        self._require_split(told, part)
        return told

    def _require_split(self, told: Predictions, part: str) -> None:
        data = self.meta.get("data", {})
        if data.get("split") != "published":
            return
        split = _published_split(paths.data(), _time(paths.data() / "splits" / "published.csv"))
        if data["split_sha256"] != split.sha256:
            raise RunError(
                f"run {self.name}: expected data/splits/published.csv as the run was made on it "
                f"(SHA-256 {data['split_sha256'][:12]}), found another ({split.sha256[:12]}); "
                "restore it with git, or make the run again"
            )
        labels = split.part(part).set_index("image").label
        strange = labels.reindex(told.image).to_numpy() != told.truth
        if strange.any():
            found = f"another label, or part, for {told.image[strange][0]} than published.csv has"
            raise self.damaged(PREDICTIONS, found)
        absent = len(split.frame) - data["images"]  # from the edition of the data
        least = data.get("counts", {}).get(part, len(labels) - absent)
        if len(told.truth) < least:
            raise self.damaged(PREDICTIONS, f"{len(told.truth)} images of {part} for {least}")

    def fold(self, repeat: int, fold: int, part: str = "test") -> Predictions:
        """Return the predictions of one fold of one repetition of the cross-validation.

        Args:
            repeat: Number of the repetition.
            fold: Number of the fold that tests.
            part: ``test``, or ``validation`` for what the same model said of the fold on which it
                was chosen; runs made before those answers were kept have none.
        """
        where = f"repeat-{repeat}" if part == "test" else f"repeat-{repeat}-{part}"
        rows, images = self._of(where), self.meta.get("data", {}).get("images")
        if images and 0 < len(rows) != images:
            found = f"{len(rows)} rows of {where.replace('-', ' ')} for {images} images"
            raise self.damaged(PREDICTIONS, found)
        rows = rows[rows.fold == fold]
        if rows.empty:
            raise RunError(
                f"run {self.name}: expected {part} answers of repeat {repeat} fold {fold}, found "
                "none; make the run again"
            )
        return self._predictions(rows)

    @property
    def folds(self) -> list[tuple[int, int]]:
        """Repetition and fold of each fold that the run predicts, in order."""
        numbered = self.table[self.table.split.str.fullmatch(r"repeat-\d+")]
        pairs = zip(numbered.split.str.removeprefix("repeat-"), numbered.fold, strict=True)
        return sorted({(int(repeat), int(fold)) for repeat, fold in pairs})

    def _of(self, part: str) -> pd.DataFrame:
        if "split" not in self.table:
            raise self.damaged(PREDICTIONS, "no column split")
        return self.table[self.table.split == part]

    def _predictions(self, rows: pd.DataFrame) -> Predictions:
        rows = rows.sort_values("image")
        classes = len(self.classes)
        columns = [f"p_{label}" for label in range(classes)]
        if missing := [name for name in columns if name not in rows]:
            raise self.damaged(PREDICTIONS, f"no column {missing[0]}")
        if rows.image.duplicated().any():
            twice = rows.image[rows.image.duplicated()].iloc[0]
            raise self.damaged(PREDICTIONS, f"{twice} twice in one part")
        try:
            given = rows[columns].to_numpy(dtype=float)
            labels = rows.label.to_numpy(dtype=float)
        except ValueError as error:
            raise self.damaged(PREDICTIONS, str(error)) from error
        if not np.isfinite(given).all():
            raise self.damaged(PREDICTIONS, "a probability that is no number")
        if not np.isin(labels, range(classes)).all():
            raise self.damaged(PREDICTIONS, "a label that is no class")
        return Predictions(rows.image.to_numpy(), labels.astype(int), given)


def _settings(recipe: Recipe) -> dict[str, Any]:
    """Return what decides of a run that a recipe makes, as JSON holds it."""
    told = recipe.to_dict()
    file = Path(told["weights"])
    return told | {"source": "", "weights": file.name if file.suffix else told["weights"]}


@lru_cache(maxsize=1)
def _published_split(*_: Path | int) -> Split:
    """Return the tracked split, read again where its folder or the time of its file changed."""
    return splits.load()


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def names(base: Path | None = None) -> list[str]:
    """Return the names of the finished runs, sorted."""
    base = base or paths.runs()
    return sorted(
        str(path.parent.relative_to(base).as_posix()) for path in base.glob(f"*/*/{META}")
    )


def load(name: str, base: Path | None = None) -> Run:
    """Load a finished run.

    Args:
        name: ``<recipe>/seed-<n>``; ``<recipe>`` alone means its seed 0.
        base: Folder that holds the runs; by default the project's ``runs/``.

    Raises:
        RunError: If there is no such finished run.
    """
    base = base or paths.runs()
    if "/" not in name:
        name = f"{name}/seed-0"
    folder = base / name
    if not (folder / META).is_file():
        state = "an unfinished one" if folder.exists() else "none"
        near = get_close_matches(name, names(base), n=3, cutoff=0.0)
        known = f"the nearest are: {', '.join(near)}" if near else "there is no finished run"
        raise RunError(f"expected the run {name}, found {state}; {known}")
    run = Run(name, folder, {})
    try:
        run.meta.update(json.loads((folder / META).read_text(encoding="utf-8")))
        _ = run.meta["recipe"]["name"], run.meta["seed"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise run.damaged(META, f"{type(error).__name__}: {error}") from error
    return run


def align(first: Run, *others: Run, part: str = "test") -> list[Predictions]:
    """Return the predictions of runs on the same images, in the same order.

    Raises:
        RunError: If they were not made on the same images with the same labels: comparing them
            image by image would then mean nothing.
    """
    return aligned([(run.name, run.part(part)) for run in (first, *others)], f"part {part!r}")


def align_fold(first: Run, *others: Run, repeat: int, fold: int) -> list[Predictions]:
    """Return the predictions of runs for one fold of one repetition, as ``align`` does."""
    where = f"fold {fold} of repeat {repeat}"
    return aligned([(run.name, run.fold(repeat, fold)) for run in (first, *others)], where)


def aligned(given: Sequence[tuple[str, Predictions]], where: str) -> list[Predictions]:
    """Return named predictions of one part as they are, once they are about the same images.

    Raises:
        RunError: As ``align``.
    """
    (first, a), *others = given
    for other, b in others:
        if not np.array_equal(a.image, b.image):
            found = f"{len(set(a.image) ^ set(b.image))} images in one only"
        elif not np.array_equal(a.truth, b.truth):
            found = f"another label for {(a.truth != b.truth).sum()} of them"
        else:
            continue
        raise RunError(
            f"expected {first} and {other} to predict the same images of the {where}, found "
            f"{found}; compare runs made on one split"
        )
    return [predictions for _, predictions in given]
