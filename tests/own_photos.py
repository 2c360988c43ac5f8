"""A folder of small photos of a user's own, each of another pattern, for the tests of projects."""

from pathlib import Path

import numpy as np
from PIL import Image

from vitrine.data.dataset import Dataset

COLOURS = {"apple": (200, 40, 40), "lime": (60, 180, 60), "plum": (90, 40, 140)}


def photo(path: Path, name: str, seed: int) -> None:
    """Draw a photo of a class: its colour, under coarse noise that no other photo has."""
    rng = np.random.default_rng([seed, *name.encode()])
    coarse = rng.integers(-40, 40, (6, 6, 3))
    pixels = np.clip(np.array(COLOURS.get(name, (120, 120, 120))) + coarse, 0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).resize((48, 48), Image.Resampling.BICUBIC).save(path)


def write(folder: Path, *, per_class: int = 8) -> Path:
    """Write ``folder/<class>/<number>.png`` and return the folder."""
    for name in COLOURS:
        for number in range(per_class):
            photo(folder / name / f"{number}.png", name, number)
    return folder


def draft(photos: Path, folder: Path, name: str = "fruits", table: str = "table.csv") -> Dataset:
    """Return what ``vitrine new`` would describe of such photos, for a project in a folder."""
    place = {"table": photos / table, "photos": photos, "folder": folder / "data"}
    return Dataset(name=name, language="en", classes={}, **place)
