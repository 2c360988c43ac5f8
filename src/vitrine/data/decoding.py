"""Count the scans of a JPEG, turn a picture upright and bring it to RGB on white, band by band."""

import re
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from PIL import ExifTags, Image, ImageOps

__all__ = ["bands", "jpeg_scans", "scale_key", "upright"]

BAND = 2_000_000
"""Pixels converted to RGB at a time, 8 MB of them; most photos have fewer."""
_TURNED = range(2, 9)
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


def bands(image: Image.Image, step: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield a picture's rows in RGB, transparency put on white, with the place of the first.

    Done on a whole picture, each step would hold one more copy of it, of up to 160 MB.

    Args:
        image: A picture of any mode that JPEG, PNG or WebP have.
        step: A divisor of the number of rows, but for the last ones.
    """
    height = max(1, BAND // (image.width * step)) * step
    if height >= image.height:
        yield 0, _to_rgb(image)
        return
    for top in range(0, image.height, height):
        box = (0, top, image.width, min(top + height, image.height))
        yield top, _to_rgb(image.crop(box))


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
    components, progressive, scans, at = b"", False, 0, 2
    for _ in range(_SEGMENTS):
        match = _MARKER.search(data, at)
        if match is None or match[1][0] in (_START, _END):
            return scans
        marker, body = match[1][0], match.end() + 2
        at = match.end() + max(2, int.from_bytes(data[match.end() : body], "big"))
        if marker in _FRAMES:
            components, progressive = data[body + 5 : body + 6], marker in _PROGRESSIVE
        if marker == _SCAN:
            if not scans and not progressive and data[body : body + 1] == components:
                return 0
            scans += 1
    return _SEGMENTS
