"""Decode an image to ``uint8 (height, width, 3)`` and preprocess it, the same way everywhere.

Training, evaluation, service and interface all come through here, so that a model never sees
photos prepared otherwise than those it learned from. The recipe of pixels has a name, ``prep-v2``:
decode with Pillow (``draft`` at no less than twice the target), apply the EXIF rotation, put
transparency on white, convert to RGB, squash to a square with an antialiased bicubic filter, rows
first, and convert to sRGB what declares other colours. ``prep-v1`` did not, and gives the same
pixels for every photo of the data set, which declare none: what learned from it stays valid.
"""

import hashlib
import io
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from vitrine.data import colours, decoding, shards
from vitrine.data.colours import Colours
from vitrine.data.limits import ImageError, LargeImageError, Limits
from vitrine.data.shards import Shards

__all__ = [
    "PREP_ID", "SAME_PREP", "TRAIN_SIZE", "ImageError", "LargeImageError", "Limits", "Photo",
    "cached", "decode", "preprocess", "read", "train_side",
]  # fmt: skip

PREP_ID = "prep-v2"
SAME_PREP = (PREP_ID, "prep-v1")
"""Recipes that give the same pixels for the photos that models learned from."""
TRAIN_SIZE = 256
"""Least side, in pixels, of the preprocessed photos that training crops from."""
_REVISION = 2
"""Revision of the cached arrays. In the first, the order of rows and columns was Pillow's, which
changed with its version; some pixels moved by a level. Runs published before that learned those."""
FORMATS = ("JPEG", "PNG", "WEBP")

LARGE = 4_000_000
"""Pixels beyond which an image decoded in full, up to 16 bytes a pixel, is decoded alone."""
_ONE_LARGE = threading.Semaphore(1)

Image.MAX_IMAGE_PIXELS = None  # our own limits, checked on the header, replace Pillow's warning


LIMITS = Limits()


@dataclass(frozen=True)
class Photo:
    """A preprocessed image, with the size and the format of its header.

    Attributes:
        pixels: What a model receives.
        width: Columns of the file, before the rotation that EXIF may ask for.
        height: Rows of the file.
        format: One of ``FORMATS``.
    """

    pixels: UInt8[np.ndarray, "size size 3"]
    width: int
    height: int
    format: str


@runtime_checkable
class Album(Protocol):
    """Folder and manifest of the photos: what ``cached`` needs of a ``Catalog``."""

    folder: Path
    manifest_sha256: str

    def path(self, image: str) -> Path:
        """Return where an image lies."""
        ...


def _open(data: bytes) -> Image.Image:
    if not data:
        raise ImageError("fichier_vide", "expected an image, found an empty file; choose another")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _unread(data, damaged=False) from error
    except _MACHINE_ERRORS:
        raise
    except Exception as error:
        raise _unread(data) from error


_MACHINE_ERRORS = (MemoryError, FileNotFoundError, PermissionError)
"""Errors of the machine, not of the image: a decoder fed garbage may raise any other."""


def _unread(data: bytes, *, damaged: bool = True) -> ImageError:
    reason = decoding.unread(data)
    if damaged and not reason:
        return _damaged()
    return ImageError(
        "format_non_pris_en_charge",
        f"expected a {', '.join(FORMATS)} image, found {decoding.UNREAD[reason]}",
        reason,
    )


def _damaged() -> ImageError:
    return ImageError(
        "image_corrompue",
        "expected a complete image, found damaged or missing data; restore it, or choose another",
    )


def _check_header(image: Image.Image, scans: int, limits: Limits) -> None:
    width, height = image.size
    measured = f"found {width} x {height} pixels"
    limit = limits.pixels if _drafts(image, scans) else limits.pixels_undrafted
    if max(width, height) > limits.side or width * height > limit:
        raise ImageError(
            "image_trop_grande",
            f"expected at most {limit // 1_000_000} Mpx and {limits.side} pixels a side, "
            f"{measured}; reduce the image",
        )
    if min(width, height) < limits.min_side:
        raise ImageError(
            "image_trop_petite",
            f"expected at least {limits.min_side} pixels a side, {measured}; choose a larger image",
        )
    if max(width, height) > limits.ratio * min(width, height):
        raise ImageError(
            "proportions",
            f"expected sides within a ratio of {limits.ratio}, {measured}; crop the image",
        )
    if scans > limits.scans:
        raise _damaged()


def _format(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)  # a phone's JPEG with a preview


def _drafts(image: Image.Image, scans: int) -> bool:
    return _format(image) == "JPEG" and not scans


@contextmanager
def _loaded(
    source: Path | bytes, target: int | None, limits: Limits = LIMITS, *, large: bool = True
) -> Iterator[tuple[Image.Image, Colours, tuple[int, int], str]]:
    """Decode to an upright picture of any mode, at reduced scale where JPEG allows it.

    The colours, the size and the format that the file announced come with it. What goes wrong with
    the picture within the block is told as damage.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    with _open(data) as image:
        form = _format(image)
        scans = decoding.jpeg_scans(data) if form == "JPEG" else 0
        _check_header(image, scans, limits)
        size = image.size
        alone = size[0] * size[1] > LARGE and not _drafts(image, scans)
        if alone and not large:
            raise LargeImageError(size[0] * size[1] / 1e6)
        if target and form == "JPEG":
            image.draft(None, (2 * target, 2 * target))
        with _ONE_LARGE if alone else nullcontext():
            try:
                found = colours.declared(image, data)
                decoding.scale_key(image)
                colours.polarise(image)
                image.load()
                yield decoding.upright(image), found, size, form
            except _MACHINE_ERRORS:
                raise
            except Exception as error:
                raise _unread(data) from error


def decode(source: Path | bytes, target: int | None = None) -> UInt8[np.ndarray, "height width 3"]:
    """Decode a JPEG, PNG or WebP image to upright sRGB on white.

    Args:
        source: A file, or its bytes. The content decides, not the name.
        target: Side, in pixels, that the image will be brought to: a JPEG is then decoded at the
            smallest scale that keeps twice as much, and another large image is reduced as much.
            ``None`` decodes in full.

    Raises:
        ImageError: If the image is empty, of another format, too large, too small, too elongated
            or damaged. Sizes are judged on the header, before any pixel is decoded.
    """
    with _loaded(source, target) as (image, found, _, _):
        width, height = image.size
        step = min(width, height) // (2 * target) if target and width * height > LARGE else 1
        step = max(1, step)
        picture = Image.new(found.mode, (-(-width // step), -(-height // step)))
        for top, rows in decoding.bands(image, step, found.mode):
            picture.paste(rows.reduce(step), (0, top // step))
        return np.asarray(found.convert(picture))


def preprocess(
    source: Path | bytes, size: int, *, letterbox: bool = False
) -> UInt8[np.ndarray, "size size 3"]:
    """Decode an image and squash it to a square, as every model that is served receives it.

    Args:
        source: A file, or its bytes.
        size: Side of the square, in pixels.
        letterbox: Whether to keep its proportions instead, between two bands of white.

    Raises:
        ImageError: As ``decode``.
    """
    if not letterbox:
        return read(source, size).pixels
    picture = Image.fromarray(decode(source, size))
    square = Image.new("RGB", 2 * (max(picture.size),), "white")
    square.paste(picture, tuple((square.width - side) // 2 for side in picture.size))
    return np.asarray(_squash(square, size))


def read(source: Path | bytes, size: int, limits: Limits = LIMITS, *, large: bool = True) -> Photo:
    """Preprocess an image, and return with it the size and the format of its header.

    Args:
        source: A file, or its bytes.
        size: Side of the square, in pixels.
        limits: What the image may measure.
        large: Whether to wait until one that is decoded alone can be.

    Raises:
        ImageError: As ``decode``.
        LargeImageError: If the image is decoded alone, and ``large`` is false.
    """
    with _loaded(source, size, limits, large=large) as (image, found, (width, height), form):
        squashed = found.convert(_squash(image, size, found.mode))
        return Photo(np.asarray(squashed), width, height, form)


def _squash(image: Image.Image, size: int, mode: str = "RGB") -> Image.Image:
    """Resize to a square in two passes, each rounded to 8 bits: along the rows, then the columns.

    Left to Pillow, the order of the passes depends on its version, and on the shape of the photo:
    in the other order an eighth of the pixels of a tall photo move, by one level for most.
    """
    narrowed = Image.new(mode, (size, image.height))
    for top, rows in decoding.bands(image, mode=mode):
        narrowed.paste(rows.resize((size, rows.height), Image.Resampling.BICUBIC), (0, top))
    return narrowed.resize((size, size), Image.Resampling.BICUBIC)


def train_side(side: int) -> int:
    """Return the side of the photos that training crops from, where a network reads ``side``."""
    return max(TRAIN_SIZE, round(side * TRAIN_SIZE / 224))


def cached(
    catalog: Album, names: Sequence[str], size: int, *, letterbox: bool = False
) -> UInt8[np.ndarray, "image size size 3"] | Shards:
    """Return preprocessed images, memory-mapped, decoding them only the first time.

    The array is kept in the catalogue's ``cache/``, under a name that tells the preprocessing, the
    size, the images and the hash of their manifest: another edition never answers for this one.
    Where no manifest was verified, sizes and dates of the files stand in for it. More images than
    ``shards.PHOTOS`` lie in several files, read as one: an interruption keeps those finished.

    Args:
        catalog: Where the images are.
        names: Images, in the order wanted.
        size: Side of the square, in pixels.
        letterbox: Whether they keep their proportions, as ``preprocess`` does it.

    Raises:
        ImageError: If a file cannot be used; its name is in the message.
        OSError: If the disk is full; nothing of the array is left.
    """
    if len(names) <= shards.PHOTOS:
        return _decoded(catalog, names, size, letterbox)
    pieces = (names[k : k + shards.PHOTOS] for k in range(0, len(names), shards.PHOTOS))
    return Shards([_decoded(catalog, piece, size, letterbox) for piece in pieces])


def _decoded(
    catalog: Album, names: Sequence[str], size: int, letterbox: bool
) -> UInt8[np.ndarray, "image size size 3"]:
    known: object = catalog.manifest_sha256
    if not known:
        files = [catalog.path(name) for name in names]
        states = [file.stat() for file in files if file.is_file()]
        known = [[state.st_size, state.st_mtime_ns] for state in states]
    way = f"{PREP_ID}-letterbox" if letterbox else PREP_ID
    identity = json.dumps([way, _REVISION, size, known, list(names)])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    target = catalog.folder / "cache" / f"{way}-{size}-{digest}.npy"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(names), size, size, 3)}
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            # Written, not mapped: a full disk is then an error, where a mapping kills the process.
            with part.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for name in names:
                    try:
                        photo = preprocess(catalog.path(name), size, letterbox=letterbox)
                        file.write(photo.tobytes())
                    except ImageError as error:
                        raise ImageError(error.code, f"{name}: {error}") from error
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return np.load(target, mmap_mode="r")
