"""Count the scans of a JPEG, turn a picture upright and bring it to RGB on white, band by band.

And name the files that no decoder of ours reads, but that people really have.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import MAX_TEXT_CHUNK

from vitrine.data.colours import png_chunks

__all__ = ["UNREAD", "bands", "jpeg_scans", "scale_key", "unread", "upright"]

BAND = 2_000_000
"""Pixels converted to RGB at a time, 8 MB of them; most photos have fewer."""
_TURNED = range(2, 9)
UNREAD = {
    "": "other content; convert the file",
    "heic": "a HEIC photo; export it as JPEG",
    "jpeg_rare": "a JPEG of more than 8 bits, lossless or hierarchical; save it as a common JPEG",
    "profil_png": "a profile of colours out of proportion; save the image in sRGB",
}
"""What a file is that no decoder of ours reads, and what to do, by the name of the reason."""
_KEYS = {
    "L;2": lambda grey: grey * 85,
    "L;4": lambda grey: grey * 17,
    "RGB;16B": lambda colour: tuple(level >> 8 for level in colour),
}
"""Conversions of a colour to 8 bits, by Pillow's raw mode of the PNG."""

# 00 is a byte of data, 01 and D0 to D7 stand alone: none begins a segment.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_RARE = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
"""Frames that are lossless or hierarchical, which few decoders read."""
_BITS = 8
_HEVC, _BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), 256
"""Brands of a HEIF file whose pictures are in HEVC, and how far they are looked for."""
_SEGMENTS = 1000
"""More than any encoder writes: an image of 13 MB that holds this many is made to be slow."""


def scale_key(image: Image.Image) -> None:
    """Convert the colour that means transparency to 8 bits: Pillow only converts the pixels.

    To be called before the pixels are decoded. In 16 bits a colour, those that had the same first
    eight cannot be told apart any more, and are all transparent.
    """
    key = image.info.get("transparency")
    if key is not None and (scale := _KEYS.get(cast(Any, image).tile[0][3])):
        image.info["transparency"] = scale(key)


def upright(image: Image.Image) -> Image.Image:
    """Apply the rotation that EXIF asks for, if any; garbage in EXIF asks for none."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
        return ImageOps.exif_transpose(image) if turned else image
    except Exception:  # EXIF is a courtesy: when it is garbage the pixels still count
        return image


def bands(
    image: Image.Image, step: int = 1, mode: str = "RGB"
) -> Iterator[tuple[int, Image.Image]]:
    """Yield a picture's rows in RGB, transparency put on white, with the place of the first.

    Done on a whole picture, each step would hold one more copy of it, of up to 160 MB.

    Args:
        image: A picture of any mode that JPEG, PNG or WebP have.
        step: A divisor of the number of rows, but for the last ones.
        mode: ``CMYK`` to keep the rows of such a picture as they are.
    """
    height = max(1, BAND // (image.width * step)) * step
    if height >= image.height:
        yield 0, image if mode == "CMYK" else _to_rgb(image)
        return
    for top in range(0, image.height, height):
        box = (0, top, image.width, min(top + height, image.height))
        rows = image.crop(box)
        yield top, rows if mode == "CMYK" else _to_rgb(rows)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        deep = np.asarray(image).astype(np.uint32)
        shallow = (deep >> 8).astype(np.uint8)
        shallow[deep == image.info.get("transparency", -1)] = 255  # the one value that is not there
        image = Image.fromarray(shallow)
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def jpeg_scans(data: bytes) -> int:
    """Count the scans of a JPEG that is decoded as a whole; 0 where its rows come one by one.

    A decoder gives rows as they come only where the first scan holds every component. Else it keeps
    the coefficients of the whole image, six bytes a pixel and more, whatever the scale asked of it,
    and goes over them once a scan: a few hundred bytes may cost it hundreds of megabytes, or hours.
    The markers tell both before any pixel is decoded. Source: ITU-T T.81, annex B.

    What is no JPEG, or is cut short, is counted as far as it goes: decoding it tells.

    Args:
        data: The file, from its first byte.
    """
    components, progressive, scans, seen = b"", False, 0, 0
    for marker, body in _segments(data):
        seen += 1
        if marker in _FRAMES:
            components, progressive = data[body + 5 : body + 6], marker in _PROGRESSIVE
        if marker == _SCAN:
            if not scans and not progressive and data[body : body + 1] == components:
                return 0
            scans += 1
    return _SEGMENTS if seen == _SEGMENTS else scans


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment of a JPEG, and where its content begins."""
    at = 2
    for _ in range(_SEGMENTS):
        match = _MARKER.search(data, at)
        if match is None or match[1][0] in (_START, _END):
            return
        body = match.end() + 2
        at = match.end() + max(2, int.from_bytes(data[match.end() : body], "big"))
        yield match[1][0], body


def unread(data: bytes) -> str:
    """Name why a file that could not be decoded is none that decoders read; empty for the others.

    Args:
        data: The file.

    Returns:
        A key of ``UNREAD``.
    """
    brands = data[8 : int.from_bytes(data[:4], "big")][:_BRANDS]
    if data[4:8] == b"ftyp" and any(brand in brands for brand in _HEVC):
        return "heic"
    if data.startswith(b"\xff\xd8"):
        frames = ((kind, body) for kind, body in _segments(data) if kind in _FRAMES)
        kind, body = next(frames, (0, 0))
        return "jpeg_rare" if kind in _RARE or (kind and data[body] != _BITS) else ""
    if data.startswith(b"\x89PNG"):
        profiles = (content for name, content in png_chunks(data) if name == b"iCCP")
        return "profil_png" if any(map(_out_of_proportion, profiles)) else ""
    return ""


def _out_of_proportion(profile: bytes) -> bool:
    packed = profile[profile.find(b"\0") + 2 :]
    try:
        return len(zlib.decompressobj().decompress(packed, MAX_TEXT_CHUNK + 1)) > MAX_TEXT_CHUNK
    except zlib.error:
        return False
