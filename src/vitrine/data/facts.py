"""Measure the images (colours, sizes, duplicates) into small files tracked for the book.

The book is made without the photos. What it shows of them (sizes, colours, mean images, near
duplicates) is written to ``data/facts/`` by ``vitrine data facts``, each file with its writer and
the hash of what it was measured on in ``facts.json``.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from skimage.color import rgb2hsv

from vitrine import paths
from vitrine.data import dataset, images, tracked
from vitrine.data.catalog import Catalog
from vitrine.data.splits import NEAR, Split, fingerprints, near_duplicates

__all__ = ["load", "mean_images", "measure"]

COLUMNS = {
    "images": ("image", "label", "part", "red", "white_share", "width", "height"),
    "pairs": (*(f"{what}_{side}" for what in ("image", "label", "part") for side in "ab"), "exact"),
    "distances": ("distance",),
}
"""Columns that each table must have."""
COLOUR_SIZE, MEAN_SIZE = 128, 64
FARTHEST = 20
"""Largest distance, in bits, of the pairs that are counted to justify the threshold."""
WHITE = 245
"""A pixel whose three channels reach this value counts as a white background."""


def _colours(catalog: Catalog, split: Split) -> pd.DataFrame:
    """Return one row an image present: part, original size and bytes, colour statistics."""
    present = split.present(catalog).frame
    pixels = images.cached(catalog, present.image.tolist(), COLOUR_SIZE)
    rows = []
    for image in pixels:
        hsv = rgb2hsv(image)
        red, green, blue = image.reshape(-1, 3).mean(axis=0)
        rows.append(
            {
                "red": round(float(red), 2),
                "green": round(float(green), 2),
                "blue": round(float(blue), 2),
                "saturation": round(float(hsv[..., 1].mean()), 4),
                "brightness": round(float(hsv[..., 2].mean()), 4),
                "white_share": round(float((image >= WHITE).all(axis=-1).mean()), 4),
            }
        )
    table = pd.concat([present.reset_index(drop=True), pd.DataFrame(rows)], axis=1)
    originals = pd.read_csv(paths.data() / "manifest.csv")[["image", "bytes", "width", "height"]]
    return split.frame.merge(
        table.drop(columns=["row", "label", "part"]), on="image", how="left"
    ).merge(originals, on="image", how="left")


def _mean_image(catalog: Catalog, split: Split) -> Image.Image:
    """Return the mean photo of each class, side by side in the order of the labels."""
    present = split.present(catalog).frame
    pixels = images.cached(catalog, present.image.tolist(), MEAN_SIZE)
    labels = present.label.to_numpy()
    means = [pixels[labels == k].mean(axis=0) for k in range(len(catalog.dataset.classes))]
    return Image.fromarray(np.concatenate(means, axis=1).round().astype(np.uint8))


def measure(catalog: Catalog, split: Split, folder: Path | None = None) -> Path:
    """Measure every image and write the facts.

    Args:
        catalog: The data set.
        split: Its published split.
        folder: Where to write; by default ``data/facts``.

    Returns:
        The folder, holding ``images.csv`` (a row an image), ``pairs.csv`` (near duplicates with
        their parts), ``distances.csv`` (pairs of images at each perceptual distance),
        ``mean_images.png`` and ``facts.json``.
    """
    folder = folder or paths.data() / "facts"
    folder.mkdir(parents=True, exist_ok=True)
    _colours(catalog, split).to_csv(folder / "images.csv", index=False, lineterminator="\n")
    pairs = near_duplicates(fingerprints(catalog), most=FARTHEST)
    counts = pairs.distance.value_counts().sort_index().rename_axis("distance")
    counts.rename("pairs").to_csv(folder / "distances.csv", lineterminator="\n")
    near = pairs[pairs.distance <= NEAR].reset_index(drop=True)
    for side in ("a", "b"):
        known = split.frame.set_index("image").loc[near[f"image_{side}"]]
        near[f"label_{side}"] = known.label.to_numpy()
        near[f"part_{side}"] = known.part.to_numpy()
    near.to_csv(folder / "pairs.csv", index=False, lineterminator="\n")
    _mean_image(catalog, split).save(folder / "mean_images.png", optimize=True)
    about = {
        "writer": "vitrine data facts",
        "edition": catalog.edition,
        "manifest_sha256": catalog.manifest_sha256,
        "split_sha256": split.sha256,
        "preprocessing": images.PREP_ID,
        "near_bits": NEAR,
        "absent": catalog.absent,
    }
    (folder / "facts.json").write_text(json.dumps(about, indent=2) + "\n")
    return folder


def load(name: str, folder: Path | None = None) -> pd.DataFrame:
    """Return one table of facts: ``images``, ``pairs`` or ``distances``.

    Raises:
        FileNotFoundError: If it is not there; the message says how to make it.
        TrackedError: If it is damaged, or lacks a column.
    """
    path = (folder or paths.data() / "facts") / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the facts {path.name} in data/facts, found none; restore the file with git, "
            "or make it with `vitrine data facts`"
        )
    if folder is None:
        return tracked.read(f"data/facts/{name}.csv", COLUMNS[name])
    return tracked.read(path.name, COLUMNS[name], root=folder)


def mean_images(folder: Path | None = None) -> dict[str, np.ndarray]:
    """Return the mean photo of each class, uint8 (64, 64, 3)."""
    strip = np.asarray(Image.open((folder or paths.data() / "facts") / "mean_images.png"))
    classes = dataset.current().classes
    return dict(zip(classes, np.split(strip, len(classes), axis=1), strict=True))
