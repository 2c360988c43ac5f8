"""Get the data set ready for training and for the interface.

Training wants decoded photos; the interface wants two tables: every product with the size of its
photo (``dataset_dashboard.csv``) and fourteen samples to try (``sampled.csv``). Both tables hold
product names and descriptions, so they are made here and never tracked.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

from vitrine import images
from vitrine.catalog import CLASSES, Catalog
from vitrine.splits import Split

__all__ = ["DASHBOARD", "SAMPLES", "prepare"]

DASHBOARD, SAMPLES = "dataset_dashboard.csv", "sampled.csv"
SIZES = (256, 224, 128)
"""Sides, in pixels, decoded ahead: what training crops from, then what the recipes evaluate at."""
PER_CLASS = 2


def _dashboard(catalog: Catalog) -> pd.DataFrame:
    products = catalog.products[catalog.products.present]
    sizes = []
    for name in products.image:
        with Image.open(catalog.path(name)) as image:
            sizes.append(image.size)
    return pd.DataFrame(
        {
            "Nom du produit": products.product_name.to_numpy(),
            "fichier": products.image.to_numpy(),
            "description": products.description.to_numpy(),
            "Catégorie": [CLASSES[k] for k in products.label],
            "largeur": [width for width, _ in sizes],
            "hauteur": [height for _, height in sizes],
        }
    )


def _samples(catalog: Catalog, split: Split) -> pd.DataFrame:
    """Choose the first test photos of each class, whose answers no model has learned."""
    test = split.present(catalog).part("test")
    chosen = test.sort_values(["label", "row"]).groupby("label").head(PER_CLASS)
    products = catalog.products.set_index("image").loc[chosen.image].reset_index()
    rank = products.groupby("label").cumcount() + 1
    names = [
        f"{re.sub('[^a-z]+', '-', CLASSES[k].lower())}-{number}{Path(name).suffix}"
        for k, number, name in zip(products.label, rank, products.image, strict=True)
    ]
    return pd.DataFrame(
        {
            "product_name": products.product_name,
            "image": products.image,
            "description": products.description,
            "class": [CLASSES[k] for k in products.label],
            "image_renamed": names,
        }
    )


def prepare(
    catalog: Catalog, split: Split, report: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Decode the photos and write the interface's two tables into the data folder.

    Args:
        catalog: The data set.
        split: Its split; the samples come from the test part.
        report: Told of each finished step.

    Returns:
        The two tables.

    Raises:
        ImageError: If a photo cannot be decoded; its name is in the message.
    """
    present = split.present(catalog)
    for part in ("train", "validation", "test"):
        names = present.part(part).image.tolist()
        for size in SIZES:
            if (size == SIZES[0]) == (part == "train"):
                images.cached(catalog, names, size)
                report(f"{part}: {len(names)} photos decoded at {size} px")
    written = []
    for name, table in (
        (DASHBOARD, _dashboard(catalog)),
        (SAMPLES, _samples(catalog, split)),
    ):
        part = catalog.folder / f"{name}.part"
        table.to_csv(part, index=False, lineterminator="\n")
        part.replace(catalog.folder / name)
        written.append(catalog.folder / name)
        report(f"{name}: {len(table)} rows")
    return written
