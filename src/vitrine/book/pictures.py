"""Show the free pictures of ``ressources/pictures``, with what the served model answers.

Their index tells of each its name, its title in French, its class, its author and its licence, and
whether it is a rendered object rather than a photo.
"""

import html
import json
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from vitrine.data.catalog import CLASSES_FR
from vitrine.report.ledger.service import PICTURES

__all__ = ["answered", "errors", "setup", "strip"]

PLACE = Path("ressources", "pictures")
_FALSE, _DOUBTED = "faux", "signalée hors catalogue"
_CAPTION = (
    "Des photos libres, des objets de synthèse là où il n’y en a pas et des photos hors catalogue, "
    "choisis avant qu’aucun modèle n’y réponde, et ce que répond le modèle du service."
)
_WRONG = (
    "Ce que le modèle du service range mal parmi les images libres, et les photos hors catalogue "
    "qu’il ne signale pas."
)


def answered(root: Path) -> list[tuple[dict[str, Any], str]]:
    """Return each row of the index, and what the served model answers for its picture, in French.

    The answer is empty where nobody asked the model; there is no row where there is no index.

    Args:
        root: The repository, or its staged copy.
    """
    index, sheet = root / PLACE / "index.json", root / PICTURES
    if not index.is_file():
        return []
    kept = json.loads(sheet.read_text(encoding="utf-8"))["rows"] if sheet.is_file() else []
    answers = {row["name"]: row for row in kept}
    rows = json.loads(index.read_text(encoding="utf-8"))
    return [(row, _said(row, answers.get(row["name"]))) for row in rows]


def strip(root: Path) -> str:
    """Return the pictures in HTML, each with its class, the model's answer, author and licence.

    Nothing without an index; no answer where nobody asked the model.

    Args:
        root: The repository, or its staged copy.
    """
    return _figure(answered(root), _CAPTION)


def errors(root: Path) -> str:
    """Return in HTML the pictures that the served model puts in another class, or fails to doubt.

    Nothing without an answer: who was not asked is not wrong.

    Args:
        root: The repository, or its staged copy.
    """
    return _figure([(row, said) for row, said in answered(root) if _is_error(row, said)], _WRONG)


def setup(app: Sphinx) -> None:
    """Copy the pictures beside the pages."""
    app.connect("builder-inited", _copy)


def _is_error(row: dict[str, Any], said: str) -> bool:
    return _FALSE in said if row["class"] else bool(said) and _DOUBTED not in said


def _figure(shown: list[tuple[dict[str, Any], str]], caption: str) -> str:
    items = "".join(_item(row, said) for row, said in shown)
    if not items:
        return ""
    return (
        f'<figure class="vitrine-bande"><ul>{items}</ul><figcaption>{caption}</figcaption></figure>'
    )


def _item(row: dict[str, Any], answer: str) -> str:
    title, known = html.escape(row["title"]), CLASSES_FR.get(row["class"], "hors catalogue")
    credit = html.escape(f"{row['author']}, {row['licence']}")
    known += ", objet de synthèse" * row.get("rendered", False)
    said = f"<span>{html.escape(answer)}</span> " if answer else ""
    return (
        f'<li><img src="../_static/pictures/{row["name"]}.jpg" alt="{title}" loading="lazy">'
        f"<span>{html.escape(known)}</span> {said}<small>{credit}</small></li>"
    )


def _said(row: dict[str, Any], answer: dict[str, Any] | None) -> str:
    """Return what the model answers, and whether it is right where the catalogue has an answer."""
    if answer is None:
        return ""
    judged = "juste" if answer["answer"] == row["class"] else _FALSE
    notes = [judged] * bool(row["class"]) + [_DOUBTED] * answer["outside"]
    return f"répond « {CLASSES_FR[answer['answer']]} »" + (
        f" ({', '.join(notes)})" if notes else ""
    )


def _copy(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "pictures"
    for picture in sorted((Path(app.srcdir) / PLACE).glob("*.jpg")):
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target / picture.name)
