"""Read and check the table of the photos: one a row, of a known class, with an image that exists.

Which file it is, what its columns are called and which classes there are is said by ``Dataset``.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vitrine import paths
from vitrine.data import dataset
from vitrine.data.dataset import Dataset

__all__ = [
    "CALLED", "CLASSES", "CLASSES_FR", "Catalog", "CatalogError", "load", "named", "read_table",
]  # fmt: skip

CLASSES_FR = dict(dataset.current().classes)
"""Name shown of each class of the project's data set, by its name in the table."""

CLASSES = tuple(CLASSES_FR)
"""Class names as in the table; the position is the label's number everywhere."""

TEXTS = ("product_name", "description")
"""Columns of text about a product that a model may read."""
LISTED = 12
"""Most names that a message lists."""
CALLED = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation",
    "validation": "validation", "test": "test", "testing": "test",
}  # fmt: skip
"""Part that people's tables and folders mean, by what they usually call it, in lower case."""
SEPARATORS = ",;\t"
"""What may separate the columns of a table; the first where its header has as many of each."""
FETCH = "run `vitrine data fetch`"
MAX_ABSENT = 0.01
"""Largest share of named images that may be absent before the catalogue is refused."""


class CatalogError(ValueError):
    """The product table cannot be used as it is; the message says where and what to do."""


def named(names: Sequence[str], most: int = LISTED) -> str:
    """Return the first of some names, and how many others follow."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@dataclass(frozen=True)
class Catalog:
    """The checked table of one edition of a data set.

    Attributes:
        dataset: What it is the table of.
        folder: Folder of what is made from the photos, ``cache/`` among it.
        photos: Folder that the image names start from.
        edition: ``originals``, ``reduced-320``, ``demo``, ``own`` for a user's photos, or
            ``unknown`` without a receipt.
        manifest_sha256: Hash of the manifest that the images were verified against.
        products: One row a photo, in the order of the CSV: ``row``, ``uniq_id``,
            ``product_name``, ``image``, ``description``, ``label`` (position among the classes),
            ``present`` (whether the image is on disk); ``group`` and ``part`` where the data set
            has columns of them.
        strays: Names of images on disk that no product names; not looked for among a user's photos.
    """

    dataset: Dataset
    folder: Path
    photos: Path
    edition: str
    manifest_sha256: str
    products: pd.DataFrame
    strays: tuple[str, ...]

    @property
    def absent(self) -> list[str]:
        """Names of the images that a product names and the disk lacks."""
        return self.products.loc[~self.products.present, "image"].tolist()

    def texts(self, images: Iterable[str], fields: Sequence[str]) -> np.ndarray:
        """Return the text of the product of each image; a field left blank adds nothing.

        Args:
            images: Names of images, in the order wanted.
            fields: Columns to read one after the other: ``product_name``, ``description``.

        Raises:
            CatalogError: If a field is no text that a seller writes of a product.
        """
        if unknown := [field for field in fields if field not in TEXTS]:
            raise CatalogError(
                f"expected texts among {', '.join(TEXTS)}, found {unknown[0]}: other columns hold "
                "the answer"
            )
        written = self.products.set_index("image").loc[list(images), list(fields)]
        return np.array(["\n".join(row) for row in written.itertuples(index=False)], dtype=object)

    def path(self, image: str) -> Path:
        """Return where an image lies."""
        return self.photos / image


def read_table(
    path: Path, columns: Sequence[str], *, remedy: str, error: type[ValueError] = CatalogError
) -> pd.DataFrame:
    """Read a CSV table as text, with or without byte order mark, and check that it has rows.

    Its header tells what separates columns: commas, or the semicolons or tabs of a spreadsheet.

    Args:
        path: The table.
        columns: Those that it must have.
        remedy: What to do about a table that cannot be used, for the message.
        error: Raised where it is absent, unreadable, empty or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            separator = max(SEPARATORS, key=file.readline().count)
        table = pd.read_csv(
            path, sep=separator, encoding="utf-8-sig", dtype=str, keep_default_na=False
        )
    except FileNotFoundError as cause:
        place = f"{path.name} in {path.parent.name}/"
        raise error(f"expected the table {place}, found none; {remedy}") from cause
    except OSError as cause:
        raise error(
            f"expected {path.name} to be a file that can be read, found: {cause}; check its rights "
            "and its path"
        ) from cause
    except UnicodeDecodeError as cause:
        raise error(
            f"expected {path.name} in UTF-8, found byte {cause.object[cause.start]:#04x} at "
            f"position {cause.start}; save it again as CSV in UTF-8, or {remedy}"
        ) from cause
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as cause:
        raise error(
            f"expected {path.name} to be a table in CSV, found: {str(cause).strip()}; {remedy}"
        ) from cause
    if not isinstance(table.index, pd.RangeIndex):  # pandas took what has no header for names
        raise error(
            f"expected {path.name} to have {len(table.columns)} values in each row, as its header, "
            f"found more; {remedy}"
        )
    missing = [name for name in columns if name not in table.columns]
    if missing or table.empty:
        has = named([*map(str, table.columns)])
        lacking = f"no {', '.join(missing)} among {has}" if missing else "only its header"
        raise error(
            f"expected rows under {', '.join(columns)} in {path.name}, found {lacking}; {remedy}"
        )
    return table


def _first_level(tree: str, row: int, column: str) -> str:
    """Return the class of a product from its category tree, ``["First >> Second >> ..."]``."""
    try:
        branches = json.loads(tree)
        return branches[0].split(">>")[0].strip()
    except (json.JSONDecodeError, IndexError, AttributeError, KeyError, TypeError) as error:
        raise CatalogError(
            f"row {row}: expected {column} as a JSON list of one text, found {tree[:60]!r}; "
            "correct this row"
        ) from error


def _labels(written: Iterable[str], dataset: Dataset) -> list[int]:
    """Return the number of the class of each row."""
    number = {name: k for k, name in enumerate(dataset.classes)}
    labels = []
    for row, text in enumerate(written):
        name = _first_level(text, row, dataset.label) if dataset.label_tree else text.strip()
        if name not in number:
            raise CatalogError(
                f"row {row}: expected one of the {len(number)} classes ({named([*number])}), found "
                f"{name!r}; correct this row"
            )
        labels.append(number[name])
    return labels


def _receipt(path: Path) -> dict[str, str]:
    """Return the edition and the manifest that a receipt names; nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        receipt = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(receipt[name]) for name in ("edition", "manifest_sha256")}
    except (ValueError, TypeError, KeyError) as error:
        raise CatalogError(
            f"expected an edition and the hash of its manifest in {path.name}, found something "
            f"else ({type(error).__name__}: {error}); {FETCH}"
        ) from error


def _refuse_duplicates(table: pd.DataFrame, column: str) -> None:
    twice = table[column].duplicated(keep=False)
    if twice.any():
        rows = table.index[twice].tolist()
        raise CatalogError(
            f"expected each {column} once, found {table[column][twice].iloc[0]!r} again "
            f"(rows {', '.join(map(str, rows[:6]))}); keep one row for each product"
        )


def load(folder: Path | None = None, data: Dataset | None = None) -> Catalog:
    """Read and check the table of the photos.

    Args:
        folder: Folder of ``dataset.csv`` and ``images/``; by default, where the data set has them.
        data: Classes and columns of the table; by default, those of the project's data set.

    Returns:
        The catalogue. Products whose image is absent are kept, with ``present`` false, because
        the published split is drawn over every row.

    Raises:
        CatalogError: If the table is absent, unreadable, lacks a column, holds a bad or repeated
            row (its number, counted from 0 as in the split files, is in the message), if more
            than one image in a hundred is absent, or their folder, or if the receipt cannot be
            understood.
    """
    data = data or dataset.current()
    remedy = f"correct it, or {paths.CONFIG}" if data.own else FETCH
    elsewhere = folder is None and data.own
    folder = folder or (data.folder if data.own else paths.data())
    place = data.table if elsewhere else folder / data.table.name
    photos = data.photos if elsewhere else folder / data.photos.name
    table = read_table(place, data.columns, remedy=remedy)
    for column in filter(None, (data.id, data.image)):
        _refuse_duplicates(table, column)

    products = _products(table, data)
    on_disk = _on_disk(photos, products.image, data.own)
    products.insert(products.columns.get_loc("label") + 1, "present", products.image.isin(on_disk))
    if absent := products.image[~products.present].tolist():
        _refuse_absent(absent, len(products), photos, data.own)
    receipt = _receipt(folder / "receipt.json")
    return Catalog(
        dataset=data,
        folder=folder,
        photos=photos,
        edition=receipt.get("edition", "own" if data.own else "unknown"),
        manifest_sha256=receipt.get("manifest_sha256", ""),
        products=products,
        strays=tuple(sorted(on_disk - set(products["image"]))),
    )


def _refuse_absent(absent: Sequence[str], images: int, photos: Path, own: bool) -> None:
    """Refuse photos of which too many are absent, and tell those from a folder that is absent."""
    place = f"{photos.parent.name}/{photos.name}"
    if not photos.is_dir():
        remedy = f"restore it, or correct folder in {paths.CONFIG}" if own else FETCH
        raise CatalogError(f"expected the folder of the photos {place}, found none; {remedy}")
    if len(absent) / images > MAX_ABSENT:
        remedy = "restore them, or make the project again elsewhere" if own else FETCH
        raise CatalogError(
            f"expected at most {MAX_ABSENT:.0%} of {images} images to be absent from {place}, "
            f"found {len(absent)}: {named(absent, 3)}; {remedy}"
        )


def _products(table: pd.DataFrame, data: Dataset) -> pd.DataFrame:
    """Return the rows of a table under the names of columns that the rest of the package reads."""
    blank = pd.Series("", index=table.index)
    title, *more = data.text or ("",)
    products = pd.DataFrame(
        {
            "row": range(len(table)),
            "uniq_id": table[data.id or data.image],
            "product_name": table[title] if title else blank,
            "image": table[data.image],
            "description": table[more].agg("\n".join, axis=1) if more else blank,
            "label": _labels(table[data.label], data),
        }
    )
    if data.group:
        products["group"] = table[data.group]
    if data.policy == "column":
        products["part"] = table[data.split].str.strip().str.lower().map(CALLED)
    return products


def _on_disk(photos: Path, names: Iterable[str], own: bool) -> set[str]:
    """Return the images on disk: of a user's photos, in any folder, only those asked for."""
    if own:
        return {name for name in names if (photos / name).is_file()}
    return {path.name for path in photos.glob("*") if path.is_file()}
