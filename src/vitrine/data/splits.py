"""Draw, write and load the train, validation and test split and the folds; find duplicates.

The published split is scikit-learn's ``train_test_split`` applied twice over every row of the
product table, stratified, with the seed 314. It is tracked as a file, so that nobody needs the
images to know it, and the file is what every run is tied to, by its hash.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from vitrine import paths
from vitrine.data import images
from vitrine.data.catalog import CLASSES, Catalog

__all__ = [
    "Split", "SplitError", "TEST_OVER_TRAIN", "draw", "draw_folds", "fingerprints", "load",
    "load_folds", "near_duplicates", "write",
]  # fmt: skip

SEED, TEST_SHARE = 314, 0.15
PARTS = ("train", "validation", "test")
FOLDS, REPEATS = 5, 5
TEST_OVER_TRAIN = 1 / (FOLDS - 2)
"""Images tested over images trained on, in a fold: one fold tests, the next one only validates."""
NEAR = 6
"""Largest distance, in bits of 64, between the perceptual hashes of near duplicates.

Half the bits of each hash are set, those above the median of its coefficients, so that a distance
is even: 7 would find the same pairs. Chosen on the data: the chapter on the data draws
``data/facts/distances.csv``, where the distances of unrelated pairs only begin above it.
"""


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

    def fold(self, repeat: int, fold: int) -> "Split":
        """Return the partition that tests one fold of one repetition; the next one validates."""
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
            raise SplitError(
                f"expected the product table to name the {len(self.frame)} images of the split "
                f"{self.name}, found {unknown} of them in no row; run `vitrine data fetch`"
            )
        on_disk = self.frame.image.isin(catalog.products.image[catalog.products.present])
        return Split(self.name, self.frame[on_disk].reset_index(drop=True), self.sha256)


def _make(name: str, frame: pd.DataFrame) -> Split:
    text = frame.to_csv(index=False, lineterminator="\n")
    return Split(name, frame, hashlib.sha256(text.encode()).hexdigest())


def draw(catalog: Catalog) -> Split:
    """Draw the split: 15 % of the rows to test, then 15 % of the rest to validation.

    Every row takes part, those without an image too, so that an edition that lacks images only
    shrinks the parts and never moves an image from one to another.

    Raises:
        SplitError: If a class has too few images for a part to hold one.
    """
    from sklearn.model_selection import train_test_split  # seconds, for who only reads a split

    frame = catalog.products[["row", "image", "label"]].copy()
    try:
        rest, test = train_test_split(
            frame.row.to_numpy(), test_size=TEST_SHARE, stratify=frame.label, random_state=SEED
        )
        _, validation = train_test_split(
            rest, test_size=TEST_SHARE, stratify=frame.label[rest], random_state=SEED
        )
    except ValueError as error:  # in scikit-learn's words, which name no class
        counts = frame.label.value_counts()
        raise SplitError(
            f"expected enough images of each class for three parts, found {counts.min()} of "
            f"{CLASSES[counts.idxmin()]} among {len(frame)}; add images to the product table"
        ) from error
    frame["part"] = "train"
    frame.loc[validation, "part"] = "validation"
    frame.loc[test, "part"] = "test"
    return _make("demo" if catalog.edition == "demo" else "published", frame)


def draw_folds(catalog: Catalog, prints: pd.DataFrame) -> Split:
    """Draw repeated stratified folds in which duplicates, exact or near, stay together."""
    from sklearn.model_selection import StratifiedGroupKFold

    frame = catalog.products[["row", "image", "label"]].copy()
    group = pd.Series(frame.image.to_numpy(), index=frame.image)
    for pair in near_duplicates(prints).itertuples():  # union by relabelling: a few dozen pairs
        group[group == group[pair.image_b]] = group[pair.image_a]
    for repeat in range(REPEATS):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED + repeat)
        frame[f"repeat_{repeat}"] = -1
        for number, (_, tested) in enumerate(folds.split(frame, frame.label, group.to_numpy())):
            frame.loc[frame.index[tested], f"repeat_{repeat}"] = number
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
        raise SplitError(
            f"expected the tracked split {name}.csv whole in data/splits, found "
            f"{type(error).__name__}: {' '.join(str(error).split())}; restore it with git"
        ) from error
    return _make(name, frame)


def load() -> Split:
    """Return the published split from its tracked file."""
    return _tracked("published")


def load_folds() -> Split:
    """Return the repeated folds from their tracked file."""
    return _tracked("folds")


def fingerprints(catalog: Catalog) -> pd.DataFrame:
    """Return, for each image present, the SHA-256 of its file and its 64-bit perceptual hash.

    The hash is the sign of the low frequencies of the image's cosine transform (Zauner, 2010,
    "Implementation and benchmarking of perceptual image hash functions"), by ImageHash.
    """
    rows = []
    for product in catalog.products[catalog.products.present].itertuples():
        path = catalog.path(product.image)
        pixels = images.decode(path, target=64)
        rows.append(
            {
                "image": product.image,
                "label": product.label,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "phash": str(imagehash.phash(Image.fromarray(pixels))),
            }
        )
    return pd.DataFrame(rows)


def near_duplicates(prints: pd.DataFrame, most: int = NEAR) -> pd.DataFrame:
    """Return the pairs of images that are the same, or nearly.

    Args:
        prints: What ``fingerprints`` returned.
        most: Largest distance between perceptual hashes, in bits of 64.

    Returns:
        One row a pair: ``image_a``, ``image_b``, ``distance`` (bits) and ``exact`` (same bytes).
    """
    bits = np.array(
        [[int(digit, 16) >> k & 1 for digit in text for k in (3, 2, 1, 0)] for text in prints.phash]
    ).reshape(len(prints), -1)
    # |a xor b| = |a| + |b| - 2 a.b
    weight = bits.sum(axis=1)
    distance = weight[:, None] + weight[None, :] - 2 * bits @ bits.T
    first, second = np.nonzero(np.triu(distance <= most, k=1))
    digests = prints.sha256.to_numpy()
    return pd.DataFrame(
        {
            "image_a": prints.image.to_numpy()[first],
            "image_b": prints.image.to_numpy()[second],
            "distance": distance[first, second],
            "exact": digests[first] == digests[second],
        }
    )


def write(split: Split, folder: Path | None = None) -> Path:
    """Write a split to its tracked file and return the path."""
    target = (folder or paths.data() / "splits") / f"{split.name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    split.frame.to_csv(target, index=False, lineterminator="\n")
    return target
