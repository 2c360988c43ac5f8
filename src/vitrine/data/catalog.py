"""Read and check the product table: one product a row, seven classes, an image that exists.

The table is the archive's own CSV. A product's class is the first level of its category tree.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vitrine import paths

__all__ = ["CLASSES", "CLASSES_FR", "Catalog", "CatalogError", "load", "read_table"]

CLASSES_FR = {
    "Baby Care": "Puériculture",
    "Beauty and Personal Care": "Beauté et soins",
    "Computers": "Informatique",
    "Home Decor & Festive Needs": "Décoration et fêtes",
    "Home Furnishing": "Linge de maison",
    "Kitchen & Dining": "Cuisine et table",
    "Watches": "Montres",
}
"""French label of each class, shown on screen beside the name in the data set."""

CLASSES = tuple(CLASSES_FR)
"""Class names as in the data set; the position is the label's number everywhere."""

COLUMNS = ("uniq_id", "product_name", "product_category_tree", "image", "description")
TEXTS = ("product_name", "description")
"""Columns of text about a product that a model may read."""
MAX_ABSENT = 0.01
"""Largest share of named images that may be absent before the catalogue is refused."""


class CatalogError(ValueError):
    """The product table cannot be used as it is; the message says where and what to do."""


@dataclass(frozen=True)
class Catalog:
    """The checked product table of one edition of the data set.

    Attributes:
        folder: Folder that holds ``dataset.csv`` and ``images/``.
        edition: ``originals``, ``reduced-320``, ``demo``, or ``unknown`` without a receipt.
        manifest_sha256: Hash of the manifest that the images were verified against.
        products: One row a product, in the order of the CSV: ``row``, ``uniq_id``,
            ``product_name``, ``image``, ``description``, ``label`` (position in ``CLASSES``),
            ``present`` (whether the image is on disk).
        strays: Names of images on disk that no product names.
    """

    folder: Path
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
        return self.folder / "images" / image


def read_table(
    path: Path, columns: Sequence[str], *, remedy: str, error: type[ValueError] = CatalogError
) -> pd.DataFrame:
    """Read a CSV table as text, with or without byte order mark, and check that it has rows.

    Args:
        path: The table.
        columns: Those that it must have.
        remedy: What to do about a table that cannot be used, for the message.
        error: Raised where it is absent, unreadable, empty or lacks a column.
    """
    try:
        table = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    except FileNotFoundError as cause:
        place = f"{path.name} in {path.parent.name}/"
        raise error(f"expected the table {place}, found none; {remedy}") from cause
    except OSError as cause:
        raise error(
            f"expected {path.name} to be a file that can be read, found: {cause}; check its rights"
        ) from cause
    except UnicodeDecodeError as cause:
        raise error(
            f"expected {path.name} in UTF-8, found byte {cause.object[cause.start]:#04x} at "
            f"position {cause.start}; save it again as UTF-8, or {remedy}"
        ) from cause
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as cause:
        raise error(
            f"expected {path.name} to be a comma-separated table, found: {str(cause).strip()}; "
            f"{remedy}"
        ) from cause
    missing = [name for name in columns if name not in table.columns]
    if missing or table.empty:
        lacking = f"no {', '.join(missing)}" if missing else "only its header"
        hint = "; is it separated by semicolons?" if ";" in table.columns[0] else ""
        raise error(
            f"expected rows under {', '.join(columns)} in {path.name}, found {lacking}{hint}; "
            f"{remedy}"
        )
    return table


def _label(tree: str, row: int) -> int:
    """Return the class of a product from its category tree, ``["First >> Second >> ..."]``."""
    try:
        branches = json.loads(tree)
        first = branches[0].split(">>")[0].strip()
    except (json.JSONDecodeError, IndexError, AttributeError, KeyError, TypeError) as error:
        raise CatalogError(
            f"row {row}: expected product_category_tree as a JSON list of one text, "
            f"found {tree[:60]!r}; correct this row"
        ) from error
    if first not in CLASSES_FR:
        raise CatalogError(
            f"row {row}: expected one of the {len(CLASSES)} classes ({', '.join(CLASSES)}), "
            f"found {first!r}; correct this row"
        )
    return CLASSES.index(first)


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
            f"else ({type(error).__name__}: {error}); run `vitrine data fetch`"
        ) from error


def _refuse_duplicates(table: pd.DataFrame, column: str) -> None:
    twice = table[column].duplicated(keep=False)
    if twice.any():
        rows = table.index[twice].tolist()
        raise CatalogError(
            f"expected each {column} once, found {table[column][twice].iloc[0]!r} again "
            f"(rows {', '.join(map(str, rows[:6]))}); keep one row for each product"
        )


def load(folder: Path | None = None) -> Catalog:
    """Read and check the product table of a data folder.

    Args:
        folder: Folder of ``dataset.csv`` and ``images/``; by default the project's ``data/``.

    Returns:
        The catalogue. Products whose image is absent are kept, with ``present`` false, because
        the published split is drawn over every row.

    Raises:
        CatalogError: If the table is absent, unreadable, lacks a column, holds a bad or repeated
            row (its number, counted from 0 as in the split files, is in the message), if more
            than one image in a hundred is absent, or if the receipt cannot be understood.
    """
    folder = folder or paths.data()
    table = read_table(folder / "dataset.csv", COLUMNS, remedy="run `vitrine data fetch`")
    _refuse_duplicates(table, "uniq_id")
    _refuse_duplicates(table, "image")

    products = table[["uniq_id", "product_name", "image", "description"]].copy()
    products.insert(0, "row", range(len(table)))
    products["label"] = [_label(tree, i) for i, tree in enumerate(table["product_category_tree"])]
    on_disk = {path.name for path in (folder / "images").glob("*") if path.is_file()}
    products["present"] = products["image"].isin(on_disk)
    if (~products.present).mean() > MAX_ABSENT:
        raise CatalogError(
            f"expected at most {MAX_ABSENT:.0%} of {len(products)} images to be absent from "
            f"{folder.name}/images, found {(~products.present).sum()}; run `vitrine data fetch`"
        )
    receipt = _receipt(folder / "receipt.json")
    return Catalog(
        folder=folder,
        edition=receipt.get("edition", "unknown"),
        manifest_sha256=receipt.get("manifest_sha256", ""),
        products=products,
        strays=tuple(sorted(on_disk - set(products["image"]))),
    )
