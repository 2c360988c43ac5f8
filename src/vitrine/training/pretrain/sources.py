"""Bring a corpus to a folder, decoded once: from Tiny ImageNet's archive, or from packed files.

Two sources are read. The archive of Tiny ImageNet (Le and Yang, Tiny ImageNet Visual Recognition
Challenge, Stanford CS 231N, 2015), from its address or from a copy: 500 training and 50 validation
images of each of 200 classes, 64 pixels a side. And a folder of packed files, ``train-*.npz``,
``val.npz`` and ``classes.json``, where ``data`` holds encoded images end to end, ``offsets`` where
each begins and ends, and ``labels`` their classes.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import UInt8

from vitrine.data import archive as archives
from vitrine.data import images
from vitrine.data.archive import ArchiveError, Receipt, locked
from vitrine.data.archive import receipt as receipts
from vitrine.data.archive.download import discard, download
from vitrine.data.archive.unzip import contents, read, readable
from vitrine.training.pretrain.corpus import (
    CLASSES,
    PARTS,
    Corpus,
    CorpusError,
    default,
    fingerprint,
    load,
)

__all__ = ["ADDRESS", "obtain"]

ADDRESS = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
"""Of the archive, 248,100,043 bytes: the hash that is published for it. Not a defence against a
forger, who could make another file of this hash; the images are decoded with care all the same."""
MAX_ENTRIES = 150_000
"""Entries of an archive: Tiny ImageNet has some 120,000."""

Image = tuple[Callable[[], bytes], int]
"""How to read the bytes of an encoded image, and its label."""


def obtain(
    source: str | Path | None = None, folder: Path | None = None, *, md5: str = MD5
) -> Corpus:
    """Bring a folder to a decoded corpus; where it is the one asked for already, do nothing.

    Args:
        source: An ``http(s)`` address or a ZIP of Tiny ImageNet, or a folder of packed files. By
            default, whatever corpus the folder holds is good, and Tiny ImageNet is downloaded if
            it holds none.
        folder: Where to write; ``data/pretrain`` by default.
        md5: Hash that an archive has to have.

    Raises:
        CorpusError: If the source cannot be read, or if an image of it cannot be used.
        ArchiveError: If it cannot be downloaded, or if the disk is full.
    """
    folder, place = folder or default(), archives.parse(source or ADDRESS)
    with receipts.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if (present := _present(folder, source and archives.label(place))) is not None:
            return present
        if isinstance(place, Path) and place.is_dir():
            classes, parts, digest = _packed(place)
            return _decode(folder, "packed", place.name, digest, classes, parts)
        archive = _archive(place, folder, md5)
        with readable(archive), zipfile.ZipFile(archive) as opened:
            classes, parts = _tiny_imagenet(opened)
            label, digest = archives.label(place), receipts.sha256(archive)
            corpus = _decode(folder, "tiny-imagenet-200", label, digest, classes, parts)
        if isinstance(place, str):
            discard(folder)
        return corpus


def _present(folder: Path, label: str | None) -> Corpus | None:
    try:
        corpus = load(folder)
    except ArchiveError:
        return None
    return corpus if label in (None, corpus.receipt.source) else None


def _archive(place: str | Path, folder: Path, expected: str) -> Path:
    """Return the archive, downloaded if it has an address, once its hash is the one expected."""
    archive = download(place, folder) if isinstance(place, str) else place
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != expected:
        if isinstance(place, str):  # a local archive leaves the beginning of a download as it is
            discard(folder)
        raise CorpusError(
            f"expected the archive of Tiny ImageNet, of MD5 {expected}, found {found}; fetch it "
            f"again from {ADDRESS}",
            exit_code=receipts.MISMATCH,
        )
    return archive


def _tiny_imagenet(archive: zipfile.ZipFile) -> tuple[list[str], dict[str, list[Image]]]:
    entries = {
        PurePosixPath(name).relative_to(PurePosixPath(name).parts[0]).as_posix(): entry
        for name, entry in contents(archive, max_entries=MAX_ENTRIES).items()
        if not name.endswith("/")
    }

    def lines(name: str) -> list[list[str]]:
        if name not in entries:
            raise _unreadable(f"a file {name} in the archive", "none")
        return [line.split("\t") for line in read(archive, entries[name]).decode().splitlines()]

    wnids = sorted(fields[0] for fields in lines("wnids.txt"))
    label, said = {wnid: i for i, wnid in enumerate(wnids)}, dict(lines("words.txt"))
    seen = {f"val/images/{fields[0]}": fields[1] for fields in lines("val/val_annotations.txt")}
    found: dict[str, list[Image]] = {part: [] for part in PARTS}
    for name, entry in sorted(entries.items()):
        part, wnid = "validation", seen.get(name)
        if wnid is None and name.startswith("train/") and name.upper().endswith(".JPEG"):
            part, wnid = "train", name.split("/")[1]
        if wnid is None:
            continue
        if wnid not in label:
            raise _unreadable("the classes of wnids.txt alone", f"{wnid!r} for {name}")
        found[part].append((lambda entry=entry: read(archive, entry), label[wnid]))
    return [said.get(wnid, wnid) for wnid in wnids], found


def _packed(folder: Path) -> tuple[list[str], dict[str, list[Image]], str]:
    """Open a folder of packed files: its classes, its images by part, the hash of its files."""
    files = {"train": sorted(folder.glob("train-*.npz")), "validation": [folder / "val.npz"]}
    try:
        classes = [item["name"] for item in json.loads((folder / CLASSES).read_text())]
        found = {
            part: [image for file in files[part] for image in _images(file, len(classes))]
            for part in PARTS
        }
        every = [folder / CLASSES, *files["train"], *files["validation"]]
        digest = hashlib.sha256("".join(map(receipts.sha256, every)).encode()).hexdigest()
    except CorpusError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(
            f"train-*.npz, val.npz and {CLASSES} in {folder.name}",
            f"something else ({type(error).__name__}: {error})",
        ) from error
    return classes, found, digest


def _images(file: Path, classes: int) -> list[Image]:
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            data, offsets, labels = (arrays[name] for name in ("data", "offsets", "labels"))
        whole = len(offsets) == len(labels) + 1 and offsets[0] == 0 and offsets[-1] == len(data)
        whole = whole and (offsets[:-1] < offsets[1:]).all()
        known = np.isin(labels, np.arange(classes)).all()
    except Exception as error:  # numpy, fed garbage, may raise anything
        raise _unreadable(
            f"the arrays data, offsets and labels in {file.name}",
            f"something else ({type(error).__name__}: {error})",
        ) from error
    if not (whole and known):
        raise _unreadable(f"offsets and labels that fit one another in {file.name}", "others")

    def encoded(i: int) -> Callable[[], bytes]:
        return lambda: data[offsets[i] : offsets[i + 1]].tobytes()

    return [(encoded(i), int(label)) for i, label in enumerate(labels)]


def _decode(
    folder: Path,
    edition: str,
    source: str,
    digest: str,
    classes: Sequence[str],
    parts: dict[str, list[Image]],
) -> Corpus:
    """Write the arrays of each part, then the receipt that makes the folder a corpus."""
    staging = folder / ".decoding"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        with receipts.writing(folder):
            staging.mkdir()
            (staging / CLASSES).write_text(json.dumps(list(classes), indent=1) + "\n")
        for part, found in parts.items():
            _write(staging, part, found)
        names = [CLASSES, *(f"{part}{end}.npy" for part in parts for end in ("", "-labels"))]
        with receipts.writing(folder):
            (folder / receipts.RECEIPT).unlink(missing_ok=True)
            for name in names:
                (staging / name).replace(folder / name)
            receipt = Receipt(
                edition=edition,
                manifest_sha256=fingerprint(folder),
                source=source,
                archive_sha256=digest,
                files=receipts.stamps(folder, names),
            )
            receipt.write(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return load(folder)


def _write(staging: Path, part: str, found: list[Image]) -> None:
    if not found:
        raise _unreadable(f"images of the part {part}", "none")
    side = len(_decoded(part, 0, found[0]))
    shape = (len(found), side, side, 3)
    labels = np.array([label for _, label in found], "<i8")

    def pixels() -> Iterator[bytes]:
        for i, image in enumerate(found):
            decoded = _decoded(part, i, image)
            if decoded.shape != shape[1:]:
                raise _unreadable(
                    f"images of {side} x {side} pixels in the part {part}",
                    f"one of {decoded.shape[1]} x {decoded.shape[0]}",
                )
            yield decoded.tobytes()

    size = int(np.prod(shape))
    receipts.require_space(staging, size)
    with receipts.writing(staging, size):
        _save(staging / f"{part}-labels.npy", "<i8", labels.shape, [labels.tobytes()])
        _save(staging / f"{part}.npy", "|u1", shape, pixels())


def _decoded(part: str, i: int, image: Image) -> UInt8[np.ndarray, "height width 3"]:
    try:
        return images.decode(image[0]())
    except images.ImageError as error:
        raise _unreadable(
            f"a readable image {i} in the part {part}", f"one that is not ({error})"
        ) from error


def _save(path: Path, kind: str, shape: tuple[int, ...], pieces: Iterable[bytes]) -> None:
    """Write an array a piece at a time: through a mapping, a full disk would kill the process."""
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for piece in pieces:
            file.write(piece)


def _unreadable(expected: str, found: str) -> CorpusError:
    return CorpusError(
        f"expected {expected}, found {found}; get the corpus again", exit_code=receipts.BAD_INPUT
    )
