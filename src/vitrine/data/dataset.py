"""Read and check ``vitrine.toml``: the classes, photos, columns and split of a data set.

The file lies at the root of a project that ``vitrine new`` made. Where there is none, the data set
is that of the published report, described by ``flipkart.toml`` beside this module.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

from vitrine import paths

__all__ = ["LANGUAGES", "POLICIES", "Dataset", "DatasetError", "class_faults", "current", "read"]

LANGUAGES = ("fr", "en")
POLICIES = ("stratified", "grouped", "column")
"""How photos are parted: each alone, duplicates and groups kept together, or as a column says."""
FEWEST, MOST = 2, 1000
"""Classes that a data set may have."""
PUBLISHED = Path(__file__).with_name("flipkart.toml")

_KNOWN = {
    "": {"name", "language", "recipes", "photos", "columns", "split", "classes", "recipe",
         "comparison", "words"},
    "photos": {"table", "folder", "archived_table", "archived_folder", "licence", "citation",
               "credit"},
    "columns": {"id", "image", "label", "label_tree", "text", "group", "split"},
    "split": {"policy", "seed"},
    "words": {"photo", "classes", "outside"},
}  # fmt: skip
"""Keys of each section, but those of the classes."""
_LISTED = {"recipe": ("name", "base"), "comparison": ("first", "second")}
"""Keys that each entry of a list of sections must have; a recipe has those that it changes too."""


class DatasetError(ValueError):
    """A ``vitrine.toml`` that cannot be used; the message has one line for each fault."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The description of a data set.

    Attributes:
        name: What it is called.
        language: Of the report: one of ``LANGUAGES``.
        classes: Name shown of each class, by its name in the table; the position is the number of
            the label.
        table: The CSV table of the photos, one a row.
        photos: Folder that the table's image names start from.
        folder: Folder of what is made from them: ``splits/``, ``cache/``.
        image: Column of the image names.
        label: Column of the classes.
        label_tree: Whether that column holds a tree of categories, ``["First >> Second"]``, whose
            first level is the class.
        id: Column of an identifier of each row; empty for none.
        text: Columns of what is written about a photo; a title comes first.
        group: Column of what must stay in one part, such as the product of several photos; empty
            for none.
        split: Column of the parts, ``train``, ``validation`` or ``test``, for ``policy`` column.
        policy: How the photos are parted: one of ``POLICIES``.
        seed: Of the split and of the folds.
        licence: Licence of the photos.
        citation: Key of the data set in the bibliography.
        credit: Whose photos they are, within a sentence.
        archived_table: Place of the table in the archive that the photos are fetched as; empty
            where nothing is fetched.
        archived_folder: Folder of the images there.
        recipes: Names of those that a sweep of the project trains.
        variations: Recipes of the project: ``name``, ``base``, and what they change of it.
        words: What the service calls its photos and its classes: ``serving.card.Words``.
        comparisons: Pairs of recipes announced before they were trained; none for every pair.
    """

    name: str
    language: str
    classes: Mapping[str, str]
    table: Path
    photos: Path
    folder: Path
    image: str = "image"
    label: str = "label"
    label_tree: bool = False
    id: str = ""
    text: tuple[str, ...] = ()
    group: str = ""
    split: str = ""
    policy: str = "grouped"
    seed: int = 0
    licence: str = ""
    citation: str = ""
    credit: str = ""
    archived_table: str = ""
    archived_folder: str = ""
    recipes: tuple[str, ...] = ()
    variations: tuple[Mapping[str, Any], ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    comparisons: tuple[tuple[str, str], ...] = ()
    own: bool = field(default=False, compare=False)
    """Whether it is the user's own, and not that of the published report."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that the table must have."""
        return tuple(filter(None, (self.id, self.image, self.label, *self.text, self.group,
                                   self.split if self.policy == "column" else "")))  # fmt: skip

    def names(self, language: str) -> Mapping[str, str]:
        """Return what each class is called on screen, by its name in the table.

        English that nobody wrote is that of the table.
        """
        return self.classes if language in (self.language, "fr") else {k: k for k in self.classes}


def class_faults(names: Iterable[str]) -> list[str]:
    """Return a sentence for each fault of the names of classes: blank, like a path, met twice."""
    names = list(names)
    told = []
    for name in names:
        if not name.strip():
            told.append("expected a name for each class, found a blank one; name it")
        elif name.strip() != name or name.startswith(".") or set(name) & set("/\\\0\n\r"):
            told.append(
                f"expected a class named by plain words, found {name!r}, which is like a path or "
                "has spaces at an end; rename it"
            )
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault(normalize("NFC", name.strip()).casefold(), []).append(name)
    for alike in spelled.values():
        if len(alike) > 1:
            listed = " and ".join(map(repr, sorted(alike)))
            told.append(
                f"expected classes that differ by more than their case, or than how an accent is "
                f"encoded, found {listed}; merge or rename them"
            )
    if not FEWEST <= len(names) <= MOST:
        told.append(f"expected {FEWEST} to {MOST} classes, found {len(names)}; add or merge some")
    return told


def read(path: Path, root: Path | None = None) -> Dataset:
    """Read a ``vitrine.toml``; its relative paths start from ``root``, by default its folder.

    Raises:
        DatasetError: If the file is absent, does not parse or says what cannot be; every fault has
            its line.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(
            f"expected {path.name} to be a file that can be read, found: {error.strerror}; make it "
            "with `vitrine new`"
        ) from error
    except ValueError as error:  # no UTF-8, or no TOML: its message gives the line
        raise DatasetError(
            f"expected {path.name} in TOML, found: {error}; correct that line"
        ) from error
    if faults := [*_key_faults(told), *_value_faults(told), *_list_faults(told)]:
        raise DatasetError("\n".join(f"{path.name}: {fault}" for fault in faults))
    photos, columns, split = (told.get(part, {}) for part in ("photos", "columns", "split"))
    root = root or path.parent
    return Dataset(
        name=told["name"],
        language=told["language"],
        classes=told["classes"],
        table=root / photos["table"],
        photos=root / photos["folder"],
        folder=root / "data",
        **{key: said for key, said in photos.items() if key not in ("table", "folder")},
        **{key: tuple(said) if key == "text" else said for key, said in columns.items()},
        **split,
        words=told.get("words", {}),
        recipes=tuple(told.get("recipes", ())),
        variations=tuple(told.get("recipe", ())),
        comparisons=tuple((each["first"], each["second"]) for each in told.get("comparison", ())),
        own=path != PUBLISHED,
    )


def _key_faults(told: Mapping[str, Any]) -> list[str]:
    faults = []
    for part, known in _KNOWN.items():
        section = told.get(part, {}) if part else told
        place = f"section [{part}]" if part else "the file"
        if not isinstance(section, Mapping):
            faults.append(f"expected {place} to be a table, found {section!r}; correct it")
        elif unknown := sorted(set(section) - known):
            faults.append(
                f"expected {place} to have keys among {', '.join(sorted(known))}, found "
                f"{', '.join(unknown)}; correct or remove it"
            )
    if not isinstance(told.get("classes"), Mapping):
        faults.append("expected a section [classes], found none; give each class its shown name")
    return faults


def _value_faults(told: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the values, of sections that are what they should be."""
    sections = {part: told.get(part) for part in _KNOWN | {"classes": set()} if part}
    photos, columns, split, words, classes = (
        value if isinstance(value, Mapping) else {} for value in sections.values()
    )
    texts = {
        "name": told.get("name"),
        "photos.table": photos.get("table"),
        "photos.folder": photos.get("folder"),
        **{f"columns.{key}": said for key, said in columns.items() if key not in _TYPED},
        **{f"words.{key}": said for key, said in words.items()},
        **{f"classes.{key!r}": said for key, said in classes.items()},
    }
    faults = [
        f"expected {key} to be a text, found {value!r}; write it between quotes"
        for key, value in texts.items()
        if not (isinstance(value, str) and value.strip())
    ]
    for key, value, among in (
        ("language", told.get("language"), LANGUAGES),
        ("split.policy", split.get("policy", "grouped"), POLICIES),
    ):
        if value not in among:
            faults.append(f"expected {key} among {', '.join(among)}, found {value!r}; correct it")
    for key, value, kind in (
        ("columns.label_tree", columns.get("label_tree", False), bool),
        ("split.seed", split.get("seed", 0), int),
    ):
        if type(value) is not kind:
            faults.append(f"expected {key} of type {kind.__name__}, found {value!r}; correct it")
    text = columns.get("text", [])
    if not isinstance(text, list) or not all(isinstance(name, str) and name for name in text):
        faults.append(f"expected columns.text to be a list of columns, found {text!r}; correct it")
    if split.get("policy") == "column" and not columns.get("split"):
        faults.append("expected columns.split for the policy column, found none; name the column")
    shown = Counter(said for said in classes.values() if isinstance(said, str))
    for name in (name for name, count in shown.items() if count > 1):
        faults.append(f"expected each class shown by its own name, found {name!r} twice; correct")
    return faults + (class_faults(classes) if isinstance(told.get("classes"), Mapping) else [])


def _list_faults(told: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the recipes of a project, and the comparisons it announces."""
    faults, recipes = [], told.get("recipes", [])
    if not isinstance(recipes, list) or not all(isinstance(name, str) for name in recipes):
        faults.append(
            f"expected recipes to be a list of names, found {recipes!r}; write [] or some between "
            "quotes"
        )
    for part, keys in _LISTED.items():
        entries = told.get(part, [])
        if not isinstance(entries, list) or not all(isinstance(each, Mapping) for each in entries):
            faults.append(f"expected [[{part}]] before each {part}, found one without; correct it")
            continue
        for number, entry in enumerate(entries, start=1):
            faults += [
                f"expected {part} {number} to have a text as {key}, found {entry.get(key)!r}; "
                "correct it"
                for key in keys
                if not (isinstance(entry.get(key), str) and entry[key].strip())
            ]
            if part == "comparison" and (more := sorted(set(entry) - set(keys))):
                faults.append(
                    f"expected comparison {number} to have first and second alone, found "
                    f"{', '.join(more)}; remove it"
                )
            elif part == "comparison" and entry.get("first") == entry.get("second"):
                faults.append(f"expected comparison {number} of two recipes, found one; correct it")
        names = Counter(str(entry.get("name")) for entry in entries if part == "recipe")
        faults += [
            f"expected each recipe once, found {name!r} again; rename one"
            for name, count in names.items()
            if count > 1
        ]
    return faults


_TYPED = ("label_tree", "text")


def current() -> Dataset:
    """Return the data set of the project at hand: its ``vitrine.toml``, else the published one.

    Raises:
        DatasetError: As ``read``.
    """
    try:
        root = paths.root()
    except FileNotFoundError:  # the interface, installed without a clone
        return read(PUBLISHED)
    own = paths.config()
    if not own.is_file():
        return _kept(PUBLISHED, root, 0)
    return _kept(own, root, own.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _kept(path: Path, root: Path, _time: int) -> Dataset:
    return read(path, root)
