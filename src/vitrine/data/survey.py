"""Look at a user's photos before a project is made of them: every fault at once, then what is odd.

Photos come as a folder, one subfolder a class, or as a CSV table with a column of paths and one of
classes. A fault stops the making of a project and has its own line; what is only odd (duplicates,
small or unequal classes) is told and left to the user.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vitrine.data import splits
from vitrine.data.catalog import CALLED, CatalogError, named, read_table
from vitrine.data.dataset import Dataset, class_faults
from vitrine.data.duplicates import fingerprint, near_duplicates
from vitrine.data.images import ImageError

__all__ = ["Survey", "SurveyError", "bounded", "hidden", "listed", "survey", "tabled"]

FEWEST = splits.FOLDS
"""Fewest photos of a class: one for each fold."""
SMALL = 20
"""Photos of a class under which its scores say little."""
MOST = 12
"""Classes counted from either end; faults of a kind that are told."""
OPTIONS = "correct it, or the options that name it and its columns"
ALIKE = 2000
"""Most photos that may show the very same: each pair of them is a pair of duplicates."""
PAIRS = 3
"""Pairs of duplicates named in a line."""
LITTER = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir")
"""What systems and archives leave among photos, in lower case: passed over, as hidden files are."""
UNEQUAL = 5
"""Ratio of the largest class to the smallest from which the imbalance is told."""


class SurveyError(ValueError):
    """Photos of which no project can be made; the message has one line for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class Survey:
    """What was found in photos that have no fault.

    Attributes:
        prints: One row a photo: ``image``, ``label`` (number of the class), ``sha256``, ``phash``.
        counts: Photos of each class, by its name.
        pairs: Pairs of duplicates, as ``near_duplicates`` returns them.
        hidden: Folders that were left out, for their name starts with a dot.
    """

    prints: pd.DataFrame
    counts: Mapping[str, int]
    pairs: pd.DataFrame
    hidden: Sequence[str] = ()

    def lines(self) -> list[str]:
        """Return what was found, as sentences for the user."""
        told = [f"{len(self.prints)} photos in {len(self.counts)} classes, all of them readable"]
        told += _counted(self.counts)
        exact = int(self.pairs.exact.sum())
        told.append(f"{exact} pairs of exact duplicates, {len(self.pairs) - exact} of near ones")
        if mixed := self.across(self.prints.set_index("image").label):
            told.append(
                f"warning: {len(mixed)} of these pairs lie in two classes: {named(mixed, PAIRS)}; "
                "look at them"
            )
        if self.hidden:
            told.append(
                f"warning: left out, for their names start with a dot: {named(self.hidden)}; "
                "rename those that hold photos"
            )
        if small := [name for name, count in self.counts.items() if count < SMALL]:
            told.append(
                f"warning: fewer than {SMALL} photos of {named(small)}: what is measured there "
                "will have wide intervals"
            )
        fewest, most = min(self.counts.values()), max(self.counts.values())
        if most >= UNEQUAL * fewest:
            told.append(
                f"warning: the largest class has {most} photos and the smallest {fewest}: read the "
                "macro F1 rather than the accuracy"
            )
        return told

    def across(self, place: pd.Series) -> list[str]:
        """Return the pairs of duplicates that lie in two places, such as two classes or two parts.

        Args:
            place: Where each photo lies, by its name.
        """
        one, other = (place[self.pairs[side]].to_numpy() for side in ("image_a", "image_b"))
        apart = self.pairs[one != other]
        return [f"{a} with {b}" for a, b in zip(apart.image_a, apart.image_b, strict=True)]


def bounded(faults: Sequence[str]) -> list[str]:
    """Return the first faults of a kind, and a line that tells how many others there are."""
    more = len(faults) - MOST
    return [*faults[:MOST], *([f"and {more} others like these"] if more > 0 else [])]


def _counted(counts: Mapping[str, int]) -> list[str]:
    """Return a line for each class; of many, for the largest and the smallest ones."""
    lines = [f"  {count:6} {name}" for name, count in counts.items()]
    if len(counts) <= 2 * MOST:
        return lines
    order = sorted(range(len(lines)), key=lambda k: -list(counts.values())[k])
    ends = [lines[k] for k in order[:MOST]], [lines[k] for k in order[-MOST:]]
    return [*ends[0], f"     ... {len(counts) - 2 * MOST} other classes", *ends[1]]


def listed(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the photos of a folder that has a subfolder for each class, and what is wrong with it.

    The subfolders may be those of the three parts, which then hold those of the classes. What has
    a name that starts with a dot is passed over; ``hidden`` tells which folders.

    Returns:
        The table, ``image``, ``label`` and, where the folder has parts, ``part``; and a line for
        each class that is empty, each file beside the classes and each link that leads nowhere.

    Raises:
        SurveyError: If there is no such folder, or if one of its parts is lacking.
    """
    if not folder.is_dir():
        raise SurveyError([f"expected a folder of photos at {folder}, found none; check the path"])
    parts = _parts(folder)
    rows, empty, lost = [], [], []
    beside = [
        f"expected folders of parts alone in {folder.name}, found {place.name}; move it away"
        for place in _seen(folder.iterdir())
        if parts and place not in parts
    ]
    for base in parts or [folder]:
        for place in _seen(base.iterdir()):
            name = place.relative_to(folder).as_posix()
            if not place.is_dir():
                beside.append(
                    f"expected folders of classes alone in {base.name}, found the file "
                    f"{place.name}; move it into a class, or away"
                )
                continue
            found = _seen(place.rglob("*"), place)
            photos = [path for path in found if path.is_file()]
            lost += [
                f"expected a photo behind the link {path.relative_to(folder).as_posix()}, found "
                "nothing there; restore it, or remove the link"
                for path in found
                if not path.exists()
            ]
            if not photos:
                empty.append(f"expected photos in the class {name!r}, found none; add some")
            told = (place.name, parts[base]) if parts else (place.name,)
            rows += [(path.relative_to(folder).as_posix(), *told) for path in photos]
    columns = ["image", "label", "part"] if parts else ["image", "label"]
    table = pd.DataFrame(rows, columns=columns)
    told = np.array([k.encode(errors="ignore") == os.fsencode(k) for k in table.image], dtype=bool)
    odd = [
        f"expected names in UTF-8, found {name!r}; rename the file or its folder"
        for name in table.image[~told]
    ]
    return table[told], [line for kind in (empty, beside, lost, odd) for line in bounded(kind)]


def _seen(found: Iterable[Path], base: Path | None = None) -> list[Path]:
    """Return paths in order, without those hidden or left by a system, below a folder."""
    names = ((path, path.relative_to(base or path.parent).parts) for path in found)
    return sorted(
        path
        for path, parts in names
        if not any(part[0] == "." or part.lower() in LITTER for part in parts)
    )


def _parts(folder: Path) -> dict[Path, str]:
    """Return the part that each subfolder is; nothing where they are classes.

    Raises:
        SurveyError: If they are parts, and one of the three is lacking.
    """
    parts = {
        place: CALLED[place.name.lower()]
        for place in _seen(folder.iterdir())
        if place.name.lower() in CALLED and place.is_dir()
        if any(path.is_dir() for path in _seen(place.iterdir()))
    }
    if len(parts) < 2:  # noqa: PLR2004  (a train may be a class)
        return {}
    if lacking := [part for part in splits.PARTS if part not in parts.values()]:
        raise SurveyError(
            [
                f"expected a folder for each class, or for each part, in {folder.name}, found "
                f"{', '.join(place.name for place in parts)} with classes inside, and none that is "
                f"for {', '.join(lacking)}; add it, or put all photos of each class together"
            ]
        )
    return parts


def hidden(folder: Path) -> list[str]:
    """Return the folders that ``listed`` passes over, at any depth, by their path from there."""
    found = [path.relative_to(folder) for path in sorted(folder.rglob(".*")) if path.is_dir()]
    return [
        path.as_posix() for path in found if not any(part[0] == "." for part in path.parts[:-1])
    ]


def tabled(draft: Dataset) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of the table of a data set that can be used, and what is wrong with others.

    Args:
        draft: The data set, whose classes are not known yet.

    Returns:
        The table as text, and a line for each fault of a row, numbered from 1 below the header: a
        blank class, a path outside of the folder, an image that is absent or named before, a part
        that is none.

    Raises:
        SurveyError: If the table cannot be read or lacks a column.
    """
    try:
        table = read_table(draft.table, draft.columns, remedy=OPTIONS)
    except CatalogError as error:
        raise SurveyError([str(error)]) from error
    rows = zip(*(table[name] for name in draft.columns), strict=True)
    told = [_row_faults(dict(zip(draft.columns, row, strict=True)), draft) for row in rows]
    for number in table.index[table[draft.image].duplicated()]:
        name = table[draft.image][number]
        told[number].append(f"expected each image once, found {name} again; keep one row of it")
    faults = [
        f"{draft.table.name}, row {number}: {fault}"
        for number, found in enumerate(told, start=1)
        for fault in found
    ]
    return table[[not found for found in told]], bounded(faults)


def _row_faults(row: Mapping[str, str], draft: Dataset) -> list[str]:
    faults, root, name = [], draft.photos.resolve(), row[draft.image]
    if not row[draft.label].strip():
        faults.append(f"expected a class in {draft.label}, found a blank; fill it in")
    if not name.strip() or "\0" in name or not (root / name).resolve().is_relative_to(root):
        faults.append(
            f"expected an image inside of {root.name}, found {name!r}; move it there and correct "
            "the path"
        )
    elif not os.path.isfile(root / name):  # noqa: PTH113  (a name too long is that of no file)
        faults.append(
            f"expected the image {name} in {root.name}, found no such file; restore it, or correct "
            "the path"
        )
    if draft.policy == "column" and row[draft.split].strip().lower() not in CALLED:
        faults.append(
            f"expected one of {', '.join(splits.PARTS)} in {draft.split}, found "
            f"{row[draft.split]!r}; correct it"
        )
    return faults


def survey(draft: Dataset, table: pd.DataFrame, faults: Sequence[str] = ()) -> Survey:
    """Read and hash each photo of a table once, count its classes and find its duplicates.

    Args:
        draft: The data set, whose classes are not known yet.
        table: Its rows.
        faults: What is wrong with others, told with what is found here.

    Raises:
        SurveyError: With a line for each fault: those given, photos that cannot be read, classes
            that are too small or badly named.
    """
    labels = table[draft.label].str.strip()
    counts = labels.value_counts().sort_index().to_dict()
    number = {name: k for k, name in enumerate(counts)}
    rows, unread = [], []
    for image, label in zip(table[draft.image], labels, strict=True):
        try:
            rows.append(tuple(fingerprint(draft.photos / image, image, number[label]).values()))
        except ImageError as error:
            unread.append(f"{image}: {error}")
    small = [
        f"expected at least {FEWEST} photos of each class, found {count} of {name!r}; add photos "
        "of it, or merge classes"
        for name, count in counts.items()
        if count < FEWEST
    ]
    if faults := [*faults, *bounded(unread), *bounded(small), *bounded(class_faults(counts))]:
        raise SurveyError(faults)
    prints = pd.DataFrame(rows, columns=["image", "label", "sha256", "phash"])
    alike = prints.phash.value_counts()
    if alike.iloc[0] > ALIKE:
        image = prints.image[prints.phash == alike.index[0]].iloc[0]
        raise SurveyError(
            [
                f"expected at most {ALIKE} photos that show the same, found {alike.iloc[0]} that "
                f"look like {image}; keep a few of them"
            ]
        )
    return Survey(prints, counts, near_duplicates(prints))
