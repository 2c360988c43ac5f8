"""Draw, write and load the train, validation and test split and the folds; find duplicates.

The published split is scikit-learn's ``train_test_split`` applied twice over every row of the
product table, stratified, with the seed of the data set. It is tracked as a file, so that nobody
needs the images to know it, and the file is what every run is tied to, by its hash. The split of a
user's own photos keeps duplicates, and what the table groups, in one part.
"""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from vitrine import paths
from vitrine.data import dataset
from vitrine.data.catalog import Catalog, named
from vitrine.data.duplicates import NEAR, fingerprints, groups, near_duplicates

__all__ = [
    "NEAR", "Split", "SplitError", "TEST_OVER_TRAIN", "draw", "draw_folds", "fingerprints", "load",
    "load_folds", "near_duplicates", "repeats", "write",
]  # fmt: skip

TEST_SHARE = 0.15
SHARES = 7
"""Shares that a grouped split cuts the photos into: one tests, one validates, the others train."""
PARTS = ("train", "validation", "test")
FOLDS, REPEATS = 5, 5
LARGE = 200_000
"""Photos times classes beyond which scikit-learn's search for the best share of each group, which
looks at every class for every group, would take minutes, then hours."""
TEST_OVER_TRAIN = 1 / (FOLDS - 2)
"""Images tested over images trained on, in a fold: one fold tests, the next one only validates."""
MANY = 5_000_000
"""Photos times classes beyond which folds are drawn once: each repetition keeps, of a probe, two
probabilities for each, which would be gigabytes. The report of a user's photos reads one."""


class SplitError(ValueError):
    """A split that cannot be read, or that is not one of the products at hand."""


@dataclass(frozen=True)
class Split:
    """A partition of the products, or repeated folds of them.

    Attributes:
        name: ``published``, ``demo`` or ``folds``.
        frame: ``row``, ``image``, ``label`` and either ``part`` or one ``repeat_<r>`` column a
            repetition, that holds the number of the fold in which the image is tested.
        sha256: Hash of the frame written as CSV.
    """

    name: str
    frame: pd.DataFrame
    sha256: str

    def part(self, part: str) -> pd.DataFrame:
        """Return the rows of ``train``, ``validation`` or ``test``."""
        if part not in PARTS:
            raise ValueError(f"expected one of {', '.join(PARTS)}, found {part!r}")
        return self.frame[self.frame.part == part].reset_index(drop=True)

    @property
    def repeats(self) -> int:
        """Return how often the photos are cut into folds."""
        return sum(column.startswith("repeat_") for column in self.frame)

    def fold(self, repeat: int, fold: int) -> "Split":
        """Return the partition that tests one fold of one repetition; the next one validates.

        Raises:
            SplitError: If there is no such repetition.
        """
        if repeat >= self.repeats:
            raise SplitError(
                f"expected repetitions below {self.repeats}, as {self.name}.csv has them, found "
                f"{repeat}; correct --folds"
            )
        number = self.frame[f"repeat_{repeat}"].to_numpy()
        frame = self.frame[["row", "image", "label"]].copy()
        frame["part"] = "train"
        frame.loc[number == (fold + 1) % FOLDS, "part"] = "validation"
        frame.loc[number == fold, "part"] = "test"
        return _make(f"repeat-{repeat}-fold-{fold}", frame)

    def present(self, catalog: Catalog) -> "Split":
        """Return the same split without the images that the catalogue lacks; the hash stays.

        Raises:
            SplitError: If images of the split are in no row of the catalogue at all, which is then
                the table of other products, or one that was cut.
        """
        unknown = int((~self.frame.image.isin(catalog.products.image)).sum())
        if unknown:
            remedy = "restore its rows" if catalog.dataset.own else "run `vitrine data fetch`"
            raise SplitError(
                f"expected the product table to name the {len(self.frame)} images of the split "
                f"{self.name}, found {unknown} of them in no row; {remedy}"
            )
        on_disk = self.frame.image.isin(catalog.products.image[catalog.products.present])
        return Split(self.name, self.frame[on_disk].reset_index(drop=True), self.sha256)


def _make(name: str, frame: pd.DataFrame) -> Split:
    text = frame.to_csv(index=False, lineterminator="\n")
    return Split(name, frame, hashlib.sha256(text.encode()).hexdigest())


def draw(catalog: Catalog, prints: pd.DataFrame | None = None) -> Split:
    """Draw the split as the policy of the data set says.

    ``stratified``: 15 % of the rows to test, then 15 % of the rest to validation. Every row takes
    part, those without an image too, so that an edition that lacks images only shrinks the parts
    and never moves an image from one to another. ``grouped``: one seventh tests and one validates,
    where duplicates, exact or near, and the rows of one group stay together. ``column``: as the
    table says.

    Args:
        catalog: The data set.
        prints: What ``fingerprints`` returned; for ``grouped`` alone.

    Raises:
        SplitError: If a class has too few images, or groups of them, for a part to hold one.
    """
    frame = catalog.products[["row", "image", "label"]].copy()
    if catalog.dataset.policy == "column":
        frame["part"] = catalog.products.part
    elif catalog.dataset.policy == "grouped":
        frame["part"] = _grouped(catalog, _parted(catalog, prints))
    else:
        return _draw_stratified(catalog, frame)
    return _whole(catalog, _make("published", frame))


def _parted(catalog: Catalog, prints: pd.DataFrame | None) -> np.ndarray:
    """Return the groups of the photos, once there are enough for the parts and for the folds."""
    group, names = groups(catalog, prints), list(catalog.dataset.classes)
    held = pd.Series(group).groupby(catalog.products.label.to_numpy()).nunique()
    few = [f"{count} of {names[label]}" for label, count in held.items() if count < len(PARTS)]
    if few or len(set(group)) < FOLDS:
        raise SplitError(
            f"expected at least {len(PARTS)} groups of photos of each class and {FOLDS} in all, "
            "where photos that look the same, or that the table groups, make one, found "
            f"{named(few) or f'{len(set(group))} in all'}; add other photos, group fewer together, "
            "or merge classes"
        )
    return group


def _grouped(catalog: Catalog, group: np.ndarray) -> np.ndarray:
    """Return the part of each photo; a group is in one part, each class spread as evenly as can be.

    A class of few groups makes the shares fewer and larger, that each part may hold one.
    """
    labels = catalog.products.label.to_numpy()
    fewest = min(len(set(group[labels == label])) for label in set(labels))
    part = np.full(len(labels), "train", dtype=object)
    shares = _dealt(labels, group, max(3, min(SHARES, fewest)), catalog.dataset.seed)
    part[shares == 0], part[shares == 1] = "test", "validation"
    return part


def _dealt(
    labels: Int[np.ndarray, " image"], group: np.ndarray, shares: int, seed: int
) -> Int[np.ndarray, " image"]:
    """Deal photos into stratified shares that cut no group; return the number of each one's."""
    from sklearn.model_selection import StratifiedGroupKFold  # seconds, for who only reads a split

    if len(labels) * len(set(labels)) > LARGE:
        return _spread(labels, group, shares, seed)
    dealt = np.full(len(labels), -1)
    folds = StratifiedGroupKFold(shares, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # of a class of fewer photos than folds: told by the survey
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, tested) in enumerate(folds.split(labels, labels, group)):
            dealt[tested] = number
    return dealt


def _spread(
    labels: Int[np.ndarray, " image"], group: np.ndarray, shares: int, seed: int
) -> Int[np.ndarray, " image"]:
    """Deal photos as ``_dealt`` does, in time and memory that grow with their number alone.

    Groups come at random, the largest first, each to the share that has the fewest photos of its
    class; a group of several classes counts for that of its first photo.
    """
    number, names = pd.factorize(group)
    sizes, firsts = np.bincount(number), np.unique(number, return_index=True)[1]
    held = np.zeros((int(labels.max()) + 1, shares), dtype=np.int64)
    whole, dealt = np.zeros(shares, dtype=np.int64), np.empty(len(names), dtype=np.int64)
    for one in np.lexsort((np.random.default_rng(seed).random(len(names)), -sizes)):
        mine = held[labels[firsts[one]]]
        share = int(np.argmin(mine * len(labels) + whole))  # the emptiest of those that tie
        dealt[one] = share
        mine[share] += sizes[one]
        whole[share] += sizes[one]
    return dealt[number]


def _whole(catalog: Catalog, split: Split) -> Split:
    """Return a split once each of its parts holds each class."""
    names = list(catalog.dataset.classes)
    lacking = [
        f"{names[label]} in {part}"
        for part in PARTS
        for label in sorted(set(range(len(names))) - set(split.part(part).label))
    ]
    if lacking:
        raise SplitError(
            f"expected a photo of each class in each part, found none of {named(lacking)}; add "
            "photos of it, or merge classes"
        )
    return split


def _draw_stratified(catalog: Catalog, frame: pd.DataFrame) -> Split:
    from sklearn.model_selection import train_test_split

    seed, names = catalog.dataset.seed, list(catalog.dataset.classes)
    try:
        rest, test = train_test_split(
            frame.row.to_numpy(), test_size=TEST_SHARE, stratify=frame.label, random_state=seed
        )
        _, validation = train_test_split(
            rest, test_size=TEST_SHARE, stratify=frame.label[rest], random_state=seed
        )
    except ValueError as error:  # in scikit-learn's words, which name no class
        counts = frame.label.value_counts()
        raise SplitError(
            f"expected enough images of each class for three parts, found {counts.min()} of "
            f"{names[counts.idxmin()]} among {len(frame)}; add images to the product table"
        ) from error
    frame["part"] = "train"
    frame.loc[validation, "part"] = "validation"
    frame.loc[test, "part"] = "test"
    return _make("demo" if catalog.edition == "demo" else "published", frame)


def repeats(images: int, classes: int) -> int:
    """Return how often photos are cut into folds: ``REPEATS`` times, and once of very many."""
    return REPEATS if images * classes <= MANY else 1


def draw_folds(catalog: Catalog, prints: pd.DataFrame) -> Split:
    """Draw stratified folds in which duplicates and groups stay together, ``repeats`` times.

    Raises:
        SplitError: If there are too few groups of photos, or if two folds, that test and validate,
            leave no photo of a class to train on.
    """
    names, pairs = [*catalog.dataset.classes], [{k, (k + 1) % FOLDS} for k in range(FOLDS)]
    frame = catalog.products[["row", "image", "label"]].copy()
    labels, group = frame.label.to_numpy(), _parted(catalog, prints)
    for repeat in range(repeats(len(frame), len(names))):
        dealt = _dealt(labels, group, FOLDS, catalog.dataset.seed + repeat)
        frame[f"repeat_{repeat}"] = dealt
        held = pd.Series(dealt).groupby(labels).unique().items()
        if few := [names[k] for k, at in held if any(pair.issuperset(at) for pair in pairs)]:
            raise SplitError(
                "expected each class in three folds, to test, validate and train, found too few "
                f"groups of photos of {named(few)}; add other photos of it, or merge classes"
            )
    return _make("folds", frame)


def _tracked(name: str) -> Split:
    path = paths.data() / "splits" / f"{name}.csv"
    try:
        frame = pd.read_csv(path)
        parts = [column for column in frame if column == "part" or column.startswith("repeat_")]
        whole = frame[["row", "image", "label", *parts]].notna().all(axis=None)
        if not parts or not whole:
            raise ValueError("a part or a value that is missing")
    except (OSError, KeyError, ValueError) as error:
        remedy = "restore it" if dataset.current().own else "restore it with git"
        raise SplitError(
            f"expected the tracked split {name}.csv whole in data/splits, found "
            f"{type(error).__name__}: {' '.join(str(error).split())}; {remedy}"
        ) from error
    return _make(name, frame)


def load() -> Split:
    """Return the published split from its tracked file."""
    return _tracked("published")


def load_folds() -> Split:
    """Return the repeated folds from their tracked file."""
    return _tracked("folds")


def write(split: Split, folder: Path | None = None) -> Path:
    """Write a split to its tracked file and return the path."""
    target = (folder or paths.data() / "splits") / f"{split.name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    split.frame.to_csv(target, index=False, lineterminator="\n")
    return target
