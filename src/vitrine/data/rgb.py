"""A decoded picture becomes upright RGB on white, some rows at a time.

Done on a whole picture, each step would hold one more copy of it, of up to 160 MB.
"""

from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageOps

__all__ = ["bands", "scale_key", "upright"]

BAND = 2_000_000
"""Pixels brought to RGB at a time, 8 MB of them; most photos have fewer."""
_TURNED = range(2, 9)
_KEYS = {
    "L;2": lambda grey: grey * 85,
    "L;4": lambda grey: grey * 17,
    "RGB;16B": lambda colour: tuple(level >> 8 for level in colour),
}
"""How pixels become 8 bits deep, by Pillow's name for what a PNG holds."""


def scale_key(image: Image.Image) -> None:
    """Bring the colour that stands for transparency to 8 bits, as Pillow brings the pixels alone.

    To be called before the pixels are decoded. In 16 bits a colour, those that had the same first
    eight cannot be told apart any more, and are all transparent.
    """
    key = image.info.get("transparency")
    if key is not None and (scale := _KEYS.get(image.tile[0][3])):
        image.info["transparency"] = scale(key)


def upright(image: Image.Image) -> Image.Image:
    """Return a picture turned as its EXIF asks; itself where that asks nothing or is garbage."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
        return ImageOps.exif_transpose(image) if turned else image
    except Exception:  # EXIF is a courtesy: when it is garbage the pixels still count
        return image


def bands(image: Image.Image, step: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield a picture's rows in RGB, transparency put on white, with the place of the first.

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
