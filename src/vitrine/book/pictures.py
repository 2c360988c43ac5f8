"""Show the free pictures of ``ressources/pictures`` as a strip, on a page of prose.

Their index tells of each its name, its title in French, its class, its author and its licence.
"""

import html
import json
import shutil
from pathlib import Path

from sphinx.application import Sphinx

from vitrine.data.catalog import CLASSES_FR

__all__ = ["setup", "strip"]

PLACE = Path("ressources", "pictures")
_CAPTION = "Des photos libres, choisies avant qu’aucun modèle n’y réponde."


def strip(root: Path) -> str:
    """Return the pictures in HTML, with their class, author and licence; nothing without an index.

    Args:
        root: The repository, or its staged copy.
    """
    index = root / PLACE / "index.json"
    if not index.is_file():
        return ""
    items = "".join(_item(row) for row in json.loads(index.read_text(encoding="utf-8")))
    return (
        f'<figure class="vitrine-bande"><ul>{items}</ul>'
        f"<figcaption>{_CAPTION}</figcaption></figure>"
    )


def setup(app: Sphinx) -> None:
    """Copy the pictures beside the pages."""
    app.connect("builder-inited", _copy)


def _item(row: dict[str, str]) -> str:
    title, known = html.escape(row["title"]), CLASSES_FR.get(row["class"], "hors catalogue")
    credit = html.escape(f"{row['author']}, {row['licence']}")
    return (
        f'<li><img src="../_static/pictures/{row["name"]}.jpg" alt="{title}" loading="lazy">'
        f"<span>{html.escape(known)}</span> <small>{credit}</small></li>"
    )


def _copy(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "pictures"
    for picture in sorted((Path(app.srcdir) / PLACE).glob("*.jpg")):
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target / picture.name)
