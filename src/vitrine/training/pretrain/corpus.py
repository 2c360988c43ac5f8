"""The corpus of a pretraining, decoded once: memory-mapped ``uint8`` images and their labels.

A folder holds, for each part, ``<part>.npy`` (image, side, side, 3) and ``<part>-labels.npy``, with
``classes.json`` and the receipt that is written last: without it, the folder is no corpus.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from vitrine import paths
from vitrine.data.archive import ArchiveError, Receipt

__all__ = ["CLASSES", "PARTS", "Corpus", "CorpusError", "default", "fingerprint", "load"]

PARTS, CLASSES = ("train", "validation"), "classes.json"


class CorpusError(ArchiveError):
    """A corpus that is absent, unreadable, or not what its receipt says."""


@dataclass(frozen=True)
class Corpus:
    """Images of a pretraining and what they show.

    Attributes:
        folder: Where the arrays lie.
        receipt: Where they come from; its ``manifest_sha256`` is the hash of their content.
        classes: Name of each class, by label.
    """

    folder: Path
    receipt: Receipt
    classes: tuple[str, ...]

    def pixels(self, part: str) -> UInt8[np.ndarray, "image side side 3"]:
        """Return the images of ``train`` or ``validation``, memory-mapped."""
        return np.load(self.folder / f"{part}.npy", mmap_mode="r")

    def labels(self, part: str) -> Int64[np.ndarray, " image"]:
        """Return the class of each, as a position in ``classes``."""
        return np.load(self.folder / f"{part}-labels.npy")

    def facts(self) -> dict[str, object]:
        """Return what ``run.json`` says of the data that a pretraining was made on."""
        sizes = {part: len(self.labels(part)) for part in PARTS}
        return {
            "corpus": self.receipt.edition,
            "source": self.receipt.source,
            "sha256": self.receipt.manifest_sha256,
            "classes": len(self.classes),
            **sizes,
        }


def default() -> Path:
    """Return the folder of the corpus; git ignores it."""
    return paths.data() / "pretrain"


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of the content of a corpus: classes, labels and pixels, in this order."""
    digest = hashlib.sha256((folder / CLASSES).read_bytes())
    for part in PARTS:
        for name in (f"{part}-labels.npy", f"{part}.npy"):
            with (folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def load(folder: Path | None = None) -> Corpus:
    """Return the corpus of a folder, after comparing sizes and dates with its receipt.

    Args:
        folder: Where ``sources.obtain`` wrote it; ``data/pretrain`` by default.

    Raises:
        CorpusError: If there is none, or if a file changed since it was decoded.
    """
    folder = folder or default()
    receipt = Receipt.read(folder)
    if receipt is None:
        raise CorpusError(
            f"expected a decoded corpus in {folder}, found none; run `vitrine data corpus`, with "
            "`--from FOLDER|ZIP|URL` to say where it is",
            exit_code=2,
        )
    if changed := receipt.changed(folder):
        name, what = next(iter(changed.items()))
        raise CorpusError(
            f"expected the corpus in {folder} as it was decoded, found {name}: {what}; run "
            "`vitrine data corpus` again",
            exit_code=3,
            files=changed,
        )
    return Corpus(folder, receipt, tuple(json.loads((folder / CLASSES).read_text())))
