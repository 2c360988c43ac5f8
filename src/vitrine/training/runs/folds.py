"""Answers to every photo by models that had not learned it: those of the folds of a repetition.

A probe, cheap, holds them in its one run, as rows ``repeat-<r>``. A network is trained once a fold:
its runs lie under ``folds/repeat-<r>-fold-<k>/``, and what each answers to its test part is put
together here.
"""

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitrine import paths
from vitrine.data import splits
from vitrine.data.splits import Split
from vitrine.training.runs.reading import META, Predictions, Run, RunError, aligned, load, names

__all__ = ["OutOfFold", "across_folds", "align_folds", "folds_made", "place"]


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold answers of a recipe and a seed: each photo, while it was a test photo.

    Attributes:
        name: ``<recipe>/seed-<n>``.
        runs: The runs that answered: one, or one a fold.
        answers: Their answers, in the order of the names of the images.
        repeat: Repetition whose folds they are.
    """

    name: str
    runs: tuple[Run, ...]
    answers: Predictions
    repeat: int = 0

    def by_fold(self) -> list[tuple[Predictions, Predictions]]:
        """Return the answers about validation and test of each model that answered.

        When fold k is the test, fold k + 1 is validation: what is chosen on it, as a temperature
        or a threshold, never saw the test.

        Raises:
            RunError: If a run kept no answer about validation.
        """
        first = self.runs[0]
        if len(self.runs) > 1 or not first.folds:
            return [(run.part("validation"), run.part("test")) for run in self.runs]
        return [
            (first.fold(self.repeat, k, "validation"), first.fold(self.repeat, k, "test"))
            for k in range(splits.FOLDS)
        ]


def place(repeat: int, fold: int) -> str:
    """Return the folder of the runs tested on one fold, from that of all runs."""
    return f"folds/repeat-{repeat}-fold-{fold}"


def across_folds(
    repeat: int = 0,
    *,
    base: Path | None = None,
    folds: Split | None = None,
    only: Container[str] | None = None,
) -> dict[str, list[OutOfFold]]:
    """Return the out-of-fold answers of each recipe that has them, by seed.

    A recipe that was trained on some of the folds only, as one that a sweep has not finished, is
    left out.

    Args:
        repeat: Repetition of the folds.
        base: Folder that holds the runs; by default the project's ``runs/``.
        folds: Who is tested when, and the labels that answers must have; by default the tracked
            folds.
        only: Recipes to look at, the others being left unread; by default all of them.

    Raises:
        RunError: If runs are damaged, or do not answer once for every photo of these folds.
    """
    base = base or paths.runs()
    folds = folds or splits.load_folds()
    found: dict[str, list[OutOfFold]] = defaultdict(list)

    def asked(made: Sequence[str]) -> list[str]:
        return [name for name in made if only is None or name.split("/")[0] in only]

    for name in asked(names(base)):
        run = load(name, base)
        if f"repeat-{repeat}" in set(run.table.get("split", ())):
            _require(run, "folds_sha256", folds.sha256)
            parts = [run.fold(repeat, fold) for fold in range(splits.FOLDS)]
            unread = load(name, base)  # what was read is not kept: it may be gigabytes
            found[name.split("/")[0]].append(_joined(name, (unread,), parts, repeat, folds))
    for name in asked(_swept(base, repeat)):
        group = tuple(load(f"{place(repeat, k)}/{name}", base) for k in range(splits.FOLDS))
        for fold, run in enumerate(group):
            _require(run, "split_sha256", folds.fold(repeat, fold).sha256)
            _require(run, "manifest_sha256", group[0].meta["data"]["manifest_sha256"])
        if name in (one.name for one in found[name.split("/")[0]]):
            continue  # its run has every fold already
        parts = [run.part("test") for run in group]
        found[name.split("/")[0]].append(_joined(name, group, parts, repeat, folds))
    return dict(found)


def folds_made(recipe: str, repeat: int = 0, *, base: Path | None = None) -> int:
    """Return on how many folds of a repetition a recipe that needs a run for each was trained.

    Args:
        recipe: Its name.
        repeat: Repetition of the folds.
        base: Folder that holds the runs; by default the project's ``runs/``.
    """
    base = base or paths.runs()
    made = (names(base / place(repeat, fold)) for fold in range(splits.FOLDS))
    return sum(any(name.split("/")[0] == recipe for name in fold) for fold in made)


def align_folds(first: OutOfFold, *others: OutOfFold) -> list[Predictions]:
    """Return out-of-fold answers about the same images, in the same order, as ``align`` does."""
    return aligned([(one.name, one.answers) for one in (first, *others)], "folds")


def _swept(base: Path, repeat: int) -> list[str]:
    """Return the names of the runs that were made once for every fold of a repetition."""
    made = [set(names(base / place(repeat, fold))) for fold in range(splits.FOLDS)]
    return sorted(set.intersection(*made))


def _require(run: Run, field: str, expected: str) -> None:
    found = run.meta.get("data", {}).get(field)
    if found != expected:
        raise run.damaged(META, f"{field} {found} where {expected} was expected")


def _joined(
    name: str, runs: tuple[Run, ...], parts: Sequence[Predictions], repeat: int, folds: Split
) -> OutOfFold:
    """Put the answers of the folds together, once the tracked file agrees with them."""
    tracked, images = folds.frame.set_index("image"), np.concatenate([p.image for p in parts])
    for fold, part in enumerate(parts):
        rows = tracked.reindex(part.image)
        strange = (rows.label != part.truth) | (rows[f"repeat_{repeat}"] != fold)
        if strange.any():
            raise RunError(
                f"expected {name} to answer about the images and labels that "
                f"data/splits/folds.csv has in fold {fold} of repeat {repeat}, found another at "
                f"{part.image[strange][0]}; compare runs made on the tracked folds"
            )
    if len(images) != (asked := runs[0].meta["data"]["images"]):
        raise RunError(
            f"expected the folds of {name} to answer once for each of its {asked} images, found "
            f"{len(images)} answers; make its runs over the folds again"
        )
    order = np.argsort(images)
    truth, given = (
        np.concatenate([getattr(part, field) for part in parts])[order]
        for field in ("truth", "probabilities")
    )
    return OutOfFold(name, runs, Predictions(images[order], truth, given), repeat)
