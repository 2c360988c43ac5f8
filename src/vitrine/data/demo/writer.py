"""Write the synthetic catalogue to a folder laid out as the real data set's.

The receipt holds the size and date of every file, so that a second call only looks, and the hash
of the manifest: one line ``name,sha256`` a file, sorted by name, each ended by a line feed.
"""

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
from filelock import FileLock

from vitrine.data.demo.scene import SHAPES, picture

__all__ = ["write"]

VERSION = 3
"""To be raised with a drawing or the table: folders written before are then redrawn."""

COLUMNS = ("uniq_id", "product_name", "product_category_tree", "image", "description")
IMAGES, TABLE, RECEIPT = "images", "dataset.csv", "receipt.json"

_PREFIX = "demo-"
_OURS = {IMAGES, TABLE, RECEIPT, "cache"}  # the cache of decoded images goes with its images
_QUALITY = 90


def write(folder: Path, *, per_class: int = 12, seed: int = 0) -> Path:
    """Write the synthetic catalogue, unless the folder already holds it.

    Products of one seed do not depend on how many there are: a larger catalogue begins with a
    smaller one. Rows go round the classes. The folder appears at once, complete; a catalogue of
    another seed, size or version, or a damaged one, is replaced whole, with its cache.

    Args:
        folder: Where to write ``images/``, ``dataset.csv`` and ``receipt.json``.
        per_class: Products of each of the seven classes.
        seed: Decides every drawing.

    Returns:
        The folder.

    Raises:
        ValueError: If ``per_class`` is not positive or ``seed`` is negative.
        FileExistsError: If the folder holds anything else, such as the real data set.
    """
    if per_class < 1 or seed < 0:
        raise ValueError(
            "expected per_class of at least 1 and seed of at least 0, "
            f"found per_class={per_class} and seed={seed}; correct them"
        )
    place = Path(folder).resolve()
    identity = {
        "edition": "demo",
        "source": f"vitrine.data.demo seed={seed}",
        "per_class": per_class,
        "version": VERSION,
    }
    if not _holds(place, identity):
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.parent / f".{place.name}.lock"):
            if not _holds(place, identity):  # another process may have written it meanwhile
                _refuse_foreign(place)
                _replace(place, identity, per_class, seed)
    return folder


def _holds(folder: Path, identity: dict[str, str | int]) -> bool:
    """Tell whether the folder holds that catalogue, by its receipt, sizes and dates."""
    receipt = _receipt(folder)
    same = all(receipt.get(key) == value for key, value in identity.items())
    return same and receipt.get("files") == _stamps(folder)


def _receipt(folder: Path) -> dict:
    try:
        receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return receipt if isinstance(receipt, dict) else {}


def _files(folder: Path) -> list[Path]:
    """Return the table and the images, sorted by name."""
    return sorted(path for path in (folder / TABLE, *(folder / IMAGES).glob("*")) if path.is_file())


def _stamps(folder: Path) -> dict[str, list[int]]:
    """Return the size in bytes and the date in nanoseconds of the table and of each image."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in _files(folder)}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _refuse_foreign(folder: Path) -> None:
    """Raise unless everything in the folder was written by this module, even in part."""
    if not folder.exists():
        return
    if not folder.is_dir():
        foreign = [folder.name]
    else:
        foreign = [path.name for path in folder.iterdir() if path.name not in _OURS]
        images = (folder / IMAGES).glob("*")
        foreign += [path.name for path in images if not path.name.startswith(_PREFIX)]
        if _receipt(folder).get("edition", "demo") != "demo":
            foreign.append(RECEIPT)
        if not _is_our_table(folder / TABLE):
            foreign.append(TABLE)
    if foreign:
        raise FileExistsError(
            f"expected {folder.name}/ to be absent or to hold a demo catalogue only, "
            f"found {', '.join(sorted(foreign)[:3])}; choose another folder"
        )


def _is_our_table(table: Path) -> bool:
    """Tell whether the first product of a table is one of ours, or there is none."""
    if not table.is_file():
        return True
    with table.open(encoding="utf-8", errors="replace") as lines:
        header, first = lines.readline(), lines.readline()
    return ",".join(COLUMNS).startswith(header.strip()) and (not first or first[:5] == _PREFIX)


def _replace(folder: Path, identity: dict[str, str | int], per_class: int, seed: int) -> None:
    """Write beside the folder, then put it in its place."""
    partial = folder.parent / f".{folder.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _fill(partial, per_class, seed)
    hashes = {
        path.relative_to(partial).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _files(partial)
    }
    manifest = "".join(f"{name},{digest}\n" for name, digest in sorted(hashes.items()))
    receipt = {
        **identity,
        "manifest_sha256": hashlib.sha256(manifest.encode()).hexdigest(),
        "files": _stamps(partial),
    }
    (partial / RECEIPT).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _fill(folder: Path, per_class: int, seed: int) -> None:
    """Draw every product and write the table."""
    (folder / IMAGES).mkdir(parents=True)
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for i in range(per_class):
            for number, label in enumerate(SHAPES):
                table.writerow(_product(folder / IMAGES, label, [seed, number, i]))


def _product(images: Path, label: str, seeds: list[int]) -> dict[str, str]:
    """Draw one product, save it and return its row."""
    i = seeds[-1]
    # Kinds take turns, so that even a small catalogue shows each of them.
    drawn = picture(label, np.random.default_rng(seeds), kind=i)
    name = f"{_PREFIX}{re.sub('[^a-z]+', '-', label.lower())}-{i:03d}"
    drawn.image.save(images / f"{name}.jpg", quality=_QUALITY)
    title = f"Demo {drawn.noun}, {drawn.detail}"
    return {
        "uniq_id": name,
        "product_name": title,
        "product_category_tree": json.dumps([f"{label} >> Demo >> {drawn.noun} >> {title}"]),
        "image": f"{name}.jpg",
        "description": f"{title}. Drawn by code to try the software: no such product exists.",
    }
