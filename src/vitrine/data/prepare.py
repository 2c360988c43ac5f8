"""Decode the photos ahead of training, and write the two tables that the interface shows."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vitrine.data import images, showcase
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split

__all__ = ["prepare"]

SIZES = (images.TRAIN_SIZE, 224, 128)
"""Sides, in pixels, decoded ahead: what training crops from, then what the recipes evaluate at."""


def prepare(
    catalog: Catalog,
    split: Split,
    report: Callable[[str], None] = lambda _: None,
    *,
    first: Sequence[str] = (),
) -> list[Path]:
    """Decode the photos and write the interface's two tables into the data folder.

    Args:
        catalog: The data set.
        split: Its split; the samples come from the test part.
        report: Told of each finished step.
        first: Photos with which the samples may open, the preferred one first.

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
    written, offered = [], present.part("test").image.tolist()
    for name, table in (
        (showcase.DASHBOARD, showcase.dashboard(catalog)),
        (showcase.SAMPLES, showcase.samples(catalog, offered, first)),
    ):
        part = catalog.folder / f"{name}.part"
        table.to_csv(part, index=False, lineterminator="\n")
        part.replace(catalog.folder / name)
        written.append(catalog.folder / name)
        report(f"{name}: {len(table)} rows")
    return written
