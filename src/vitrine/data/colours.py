"""Convert a picture to sRGB from the colours that its file declares: ICC profile, cICP, gAMA, CMYK.

What declares nothing, or something that cannot be used, is taken for sRGB and left as it is. A
conversion is made on the reduced picture: it costs nothing there, and does not move pixels more
than the antialiasing filter does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageCms

__all__ = ["SRGB", "Colours", "declared", "png_chunks", "polarise"]

_CHUNKS = 1000
"""More than any encoder writes before the pixels."""
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
_SRGB_GAMMA, _SAME_GAMMA, _GAMMAS = 1 / 2.2, 0.05, (0.1, 10.0)
_DISPLAY_NITS, _PQ_PEAK = 203.0, 10_000.0
"""Luminance that a white page has in HDR, and that PQ gives its largest value (ITU-R BT.2408)."""
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""Chromaticities of red, green and blue, of white D65: BT.709, BT.2020, Display P3 (H.273)."""
_LEVELS = np.linspace(0, 1, 256)

Convert = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Colours:
    """What the levels of a picture mean.

    Attributes:
        mode: ``RGB`` or ``CMYK``, the mode in which ``convert`` takes it.
        convert: Returns the picture in sRGB.
    """

    mode: str
    convert: Convert


SRGB = Colours("RGB", lambda image: image)
"""Levels that are those of sRGB already."""


def declared(image: Image.Image, data: bytes) -> Colours:
    """Return the colours that a file declares, ``SRGB`` itself where there is nothing to convert.

    In a PNG, cICP comes before an ICC profile, which comes before sRGB, which comes before gAMA.
    Source: Portable Network Graphics (PNG) Specification, third edition, section 4.3.

    Args:
        image: As opened; its pixels may not have been decoded.
        data: The file.
    """
    convert = _from_cicp(data) if image.format == "PNG" else None
    if convert:
        return Colours("RGB", convert)
    if found := _from_profile(image):
        return found
    gamma = image.info.get("gamma", 0.0) if "srgb" not in image.info else 0.0
    if _GAMMAS[0] < gamma < _GAMMAS[1] and abs(gamma / _SRGB_GAMMA - 1) > _SAME_GAMMA:
        return Colours("RGB", _by_table(_LEVELS ** (1 / gamma), np.eye(3)))
    return SRGB


def polarise(image: Image.Image) -> None:
    """Read the inks of a CMYK JPEG without an Adobe marker as they are written, not inverted.

    To be called before the pixels are decoded: Pillow takes every such file for Adobe's.
    """
    if image.mode == "CMYK" and "adobe" not in image.info:
        opened: Any = image
        opened.tile = [tile._replace(args=("CMYK", *tile.args[1:])) for tile in opened.tile]


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of each chunk of a PNG that comes before its pixels."""
    at = 8
    for _ in range(_CHUNKS):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if len(name) < len(b"IDAT") or name == b"IDAT":
            return
        yield name, data[at + 8 : at + 8 + length]
        at += length + 12


def _from_profile(image: Image.Image) -> Colours | None:
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    try:
        opened = ImageCms.core.profile_frombytes(profile)
        space = opened.xcolor_space.strip()
        grey, inks = space == "GRAY", space == "CMYK"
        if inks != (image.mode == "CMYK") or (grey and image.mode not in _GREY):
            return None
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(opened), ImageCms.createProfile("sRGB"),
            "L" if grey else space, "RGB", ImageCms.Intent.PERCEPTUAL,
        )  # fmt: skip
    except Exception:  # a profile is a courtesy, as EXIF is; Pillow's error is one of several
        return None
    return Colours(
        "CMYK" if inks else "RGB",  # the three channels of a grey picture are equal by then
        lambda picture: transform.apply(picture.getchannel(0) if grey else picture),
    )


def _from_cicp(data: bytes) -> Convert | None:
    content = next((content for name, content in png_chunks(data) if name == b"cICP"), b"")
    if len(content) != len(b"cICP"):
        return None
    primaries, transfer, matrix, full = content
    linear = _linear(transfer)
    if primaries not in _PRIMARIES or linear is None or matrix or full != 1:
        return None
    to_srgb = np.linalg.inv(_to_xyz(1)) @ _to_xyz(primaries)
    return _by_table(linear, to_srgb)


def _linear(transfer: int) -> Float[np.ndarray, "256"] | None:
    """Return the light of each level, 1 for a white page; ``None`` for an unknown transfer.

    HLG was made to be shown as it is on a screen that knows nothing of it. Source: ITU-T H.273.
    """
    if transfer in (1, 6, 13, 14, 15, 18):
        return np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    if transfer == 16:  # noqa: PLR2004  (PQ, SMPTE ST 2084)
        power = _LEVELS ** (1 / 78.84375)
        light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return light ** (1 / 0.1593017578125) * _PQ_PEAK / _DISPLAY_NITS
    exponent = {4: 2.2, 5: 2.8, 8: 1.0}.get(transfer)
    return None if exponent is None else _LEVELS**exponent


def _to_xyz(primaries: int) -> Float[np.ndarray, "3 3"]:
    """Return the matrix from linear RGB to XYZ, whose white is D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (*_PRIMARIES[primaries], _D65)]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


def _by_table(linear: Float[np.ndarray, "256"], to_srgb: Float[np.ndarray, "3 3"]) -> Convert:
    def convert(image: Image.Image) -> Image.Image:
        light = np.clip(linear[np.asarray(image)] @ to_srgb.T, 0, 1)
        dark = light <= 0.0031308  # noqa: PLR2004  (where the curve of sRGB is a line)
        level = np.where(dark, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        return Image.fromarray(np.round(255 * level).astype(np.uint8))

    return convert
