"""Make the two tables that the interface shows, and read them back with checks.

``dataset_dashboard.csv`` has one row a photo, with its class and its size; ``sampled.csv`` a few
photos to try. Both hold product names and descriptions, so they are never tracked. Their names and
columns are those of the earlier interface, which read them too.
"""

import logging
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from PIL import Image

from vitrine.data import catalog, dataset, demo, images, pictures
from vitrine.data.catalog import Catalog, read_table
from vitrine.data.pictures import Picture

__all__ = ["DASHBOARD", "SAMPLES", "Showcase", "ShowcaseError", "dashboard", "samples"]

DASHBOARD, SAMPLES = "dataset_dashboard.csv", "sampled.csv"
PER_CLASS = 2
"""Samples of each class."""
MOST = 40
"""Samples of a project in all: a list of more would not be read."""

_COLUMNS = {
    DASHBOARD: ("Nom du produit", "fichier", "description", "Catégorie", "largeur", "hauteur"),
    SAMPLES: ("product_name", "image", "description", "class", "image_renamed"),
}
_log = logging.getLogger(__name__)


class ShowcaseError(ValueError):
    """A table that the interface cannot use; the message says where and what to do."""


def dashboard(photos: Catalog) -> pd.DataFrame:
    """Return one row a photo that exists: its product, class, width and height in pixels."""
    products = photos.products[photos.products.present].reset_index(drop=True)
    sizes = []
    for name in products.image:
        with Image.open(photos.path(name)) as image:
            sizes.append(image.size)
    table = _shown(products, photos).join(pd.DataFrame(sizes, columns=["width", "height"]))
    return table.set_axis(_COLUMNS[DASHBOARD], axis="columns")


def _shown(products: pd.DataFrame, photos: Catalog) -> pd.DataFrame:
    """Return the title, the image, the description and the class of products."""
    names = list(photos.dataset.classes)
    shown = products[["product_name", "image", "description"]].reset_index(drop=True)
    return shown.assign(label=[names[k] for k in products.label])


def samples(photos: Catalog, images: Sequence[str], first: Sequence[str] = ()) -> pd.DataFrame:
    """Return the first photos of each class among those named, class by class.

    Args:
        photos: The data set.
        images: Which photos may be chosen: those whose answer no model has learned.
        first: Photos in order of preference: the best placed of those chosen opens the list.
    """
    offered = photos.products[photos.products.image.isin(images)]
    chosen = offered.sort_values(["label", "row"]).groupby("label").head(PER_CLASS)
    if opening := next((name for name in first if name in set(chosen.image)), None):
        chosen = chosen.sort_values("image", key=lambda name: name != opening, kind="stable")
    chosen = chosen.head(MOST)
    classes = list(photos.dataset.classes)
    rank = chosen.groupby("label").cumcount() + 1
    renamed = [
        f"{re.sub('[^a-z]+', '-', classes[k].lower())}-{number}{Path(name).suffix}"
        for k, number, name in zip(chosen.label, rank, chosen.image, strict=True)
    ]
    table = _shown(chosen, photos).assign(renamed=renamed)
    return table.set_axis(_COLUMNS[SAMPLES], axis="columns")


@dataclass(frozen=True, kw_only=True)
class Showcase:
    """What the interface shows of a data set.

    Attributes:
        photos: Columns of ``dataset_dashboard.csv``; without a row where it cannot be used.
        samples: Columns of ``sampled.csv``, only those whose photo exists; an empty ``class`` is
            that of no product of the catalogue.
        images: Folder of the photos.
        synthetic: Whether, for want of a data set, ``photos`` are those of a catalogue drawn by
            code, and ``samples`` the free pictures.
        faults: Names of the tables that are absent or cannot be used.
    """

    photos: pd.DataFrame
    samples: pd.DataFrame
    images: Path
    synthetic: bool = False
    faults: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> "Showcase":
        """Read both tables of a data folder; where it has neither, show free pictures.

        In a project of the user's own photos, those are shown instead.

        A table that cannot be used is named in ``faults`` and logged: one does not take the
        interface down with it.
        """
        try:
            bare = not any((folder / name).is_file() for name in (DASHBOARD, SAMPLES))
        except OSError:  # out of reach is not absent: ``_read`` tells why
            bare = False
        if bare:
            return cls.project() if dataset.current().own else cls.synthetic_catalogue()
        tables, faults = {}, []
        for name in (DASHBOARD, SAMPLES):
            try:
                tables[name] = _read(folder / name)
            except ShowcaseError as error:
                _log.warning("%s", error)
                tables[name] = pd.DataFrame(columns=list(_COLUMNS[name]))
                faults.append(name)
        chosen = tables[SAMPLES]
        there = chosen.image.map(lambda name: (folder / "images" / name).is_file()).astype(bool)
        _warn_of_few(chosen[there], absent=chosen.image[~there].tolist())
        return cls(
            photos=tables[DASHBOARD],
            samples=chosen[there].reset_index(drop=True),
            images=folder / "images",
            faults=tuple(faults),
        )

    @classmethod
    def project(cls) -> "Showcase":
        """Show the photos of a project that ``vitrine new`` made, those of its test as samples."""
        photos = catalog.load()
        # As written: reading it with ``splits`` would bring scikit-learn into the interface.
        split = pd.read_csv(photos.folder / "splits" / "published.csv", dtype=str)
        tested = split.image[split.part == "test"].tolist()
        offered = samples(photos, tested)
        return cls(photos=dashboard(photos), samples=offered, images=photos.photos)

    @classmethod
    def synthetic_catalogue(cls) -> "Showcase":
        """Draw the embedded catalogue, and lay the free photos beside it, to be tried.

        Rendered objects stay out: the models have learned photos alone.

        Both lie in a temporary folder, which lasts as long as the value.
        """
        place = Path(tempfile.mkdtemp(prefix="vitrine-"))
        drawn, free = catalog.load(demo.write(place / "demo")), pictures.photos()
        for picture in free:
            shutil.copy(picture.path, drawn.folder / "images")
        shown = cls(
            photos=dashboard(drawn),
            samples=_free_samples(free),
            images=drawn.folder / "images",
            synthetic=True,
        )
        weakref.finalize(shown, shutil.rmtree, place, ignore_errors=True)
        return shown

    def offering(self, offered: Iterable[tuple[str, str]]) -> "Showcase":
        """Return the same with the samples that a model's card offers.

        Only photos of this data set, of the class that the card gives them, and that lie here, are
        taken; without any there is no sample, but for the free pictures of a drawn catalogue.

        Args:
            offered: Name and class of each, as ``serving.card.Offered``.
        """
        if self.synthetic:
            return self
        wanted = pd.DataFrame(offered, columns=["fichier", "Catégorie"])
        rows = wanted.merge(self.photos, on=["fichier", "Catégorie"])
        rows = rows[rows.fichier.map(lambda name: self.path(name).is_file()).astype(bool)]
        columns = {"Nom du produit": "product_name", "fichier": "image", "Catégorie": "class"}
        chosen = rows.rename(columns=columns).assign(image_renamed=rows.fichier)
        return replace(self, samples=chosen[list(_COLUMNS[SAMPLES])].reset_index(drop=True))

    def path(self, image: str) -> Path:
        """Return where a photo lies."""
        return self.images / image


def _free_samples(free: Sequence[Picture]) -> pd.DataFrame:
    rows = [
        (each.title, each.path.name, f"{each.author}, {each.licence}", each.label or "",
         each.path.name)
        for each in free
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS[SAMPLES]))


def _read(path: Path) -> pd.DataFrame:
    """Read a table and check its columns, classes, sizes and file names."""
    own = dataset.current().own
    remedy = "correct or remove both" if own else "make it again with `vitrine data prepare`"
    table = read_table(path, _COLUMNS[path.name], remedy=remedy, error=ShowcaseError)
    image, label = ("fichier", "Catégorie") if path.name == DASHBOARD else ("image", "class")
    classes = dataset.current().classes
    unknown = sorted(set(table[label]) - set(classes))
    outside = [name for name in table[image] if Path(name).name != name or "\\" in name]
    if unknown or outside:
        raise ShowcaseError(
            f"expected the {len(classes)} classes and plain file names in {path.name}, found "
            f"{(unknown + outside)[0][:80]!r}; {remedy}"
        )
    _refuse_unreachable(path, table[image], remedy)
    return _sized(table, remedy) if path.name == DASHBOARD else table


def _refuse_unreachable(table: Path, names: Iterable[str], remedy: str) -> None:
    """Refuse a file name that the system cannot look up: too long, or not permitted."""
    for name in names:
        try:
            (table.parent / "images" / name).is_file()
        except OSError as error:
            raise ShowcaseError(
                f"expected names of photos that can be looked for in {table.name}, found "
                f"{name[:80]!r}: {error.strerror}; {remedy}"
            ) from error


def _sized(table: pd.DataFrame, remedy: str) -> pd.DataFrame:
    for side in ("largeur", "hauteur"):
        numbers = pd.to_numeric(table[side], errors="coerce")
        bad = table.index[~numbers.between(1, images.LIMITS.side)]
        if len(bad):
            raise ShowcaseError(
                f"expected {side} in pixels, from 1 to {images.LIMITS.side}, in {DASHBOARD}, found "
                f"{table[side][bad[0]][:80]!r} in row {bad[0]}; {remedy}"
            )
        table[side] = numbers.astype(int)
    return table


def _warn_of_few(chosen: pd.DataFrame, *, absent: Sequence[str]) -> None:
    counts = chosen["class"].value_counts()
    few = [name for name in dataset.current().classes if counts.get(name, 0) < PER_CLASS]
    if absent:
        _log.warning("expected every photo of %s, found no %s", SAMPLES, ", ".join(absent))
    if few:
        _log.warning("expected %d samples a class, found fewer of %s", PER_CLASS, ", ".join(few))
