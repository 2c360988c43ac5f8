"""Read the free pictures of ``ressources/pictures``: what a visitor without the photo set tries."""

import json
from dataclasses import dataclass
from pathlib import Path

from vitrine import paths
from vitrine.data import dataset

__all__ = ["Picture", "folder", "photos", "read"]

INDEX = "index.json"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A photo, or a rendered object, that may be redistributed.

    Attributes:
        path: The JPEG file.
        title: What it shows, in French.
        label: The class expected, as the data set names it; ``None`` outside the catalogue.
        source: Package that distributes it, and its file there.
        licence: Its licence.
        author: Who made it.
        rendered: Whether it is a rendered object, which stands for a class without a free photo.
    """

    path: Path
    title: str
    label: str | None
    source: str
    licence: str
    author: str
    rendered: bool = False


def folder() -> Path:
    """Return where the pictures lie: in the clone, or beside the program in an image."""
    try:
        root = paths.root()
    except FileNotFoundError:  # an image that holds the package alone
        root = Path.cwd()
    return root / "ressources" / "pictures"


def photos(place: Path | None = None) -> tuple[Picture, ...]:
    """Return the pictures that are photos, and no rendered object; see ``read``."""
    return tuple(picture for picture in read(place) if not picture.rendered)


def read(place: Path | None = None) -> tuple[Picture, ...]:
    """Return the pictures in the order in which they are shown; none where there is no index.

    Args:
        place: Their folder; by default ``folder()``.

    Raises:
        ValueError: If one has no file, or a class that the catalogue does not have.
    """
    place = place or folder()
    if not (place / INDEX).is_file():
        return ()
    found = []
    for row in json.loads((place / INDEX).read_text(encoding="utf-8")):
        path, label = place / f"{row['name']}.jpg", row["class"]
        if not path.is_file() or label not in (*dataset.current().classes, None):
            raise ValueError(
                f"expected a file and a class of the catalogue, or null, for {row['name']!r} of "
                f"{INDEX}, found {label!r} and {'a' if path.is_file() else 'no'} file; correct it"
            )
        told = {key: row[key] for key in ("title", "source", "licence", "author")}
        found.append(Picture(path=path, label=label, rendered=row.get("rendered", False), **told))
    return tuple(found)
