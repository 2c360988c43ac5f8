"""Corrupt a photo in five ways and five strengths, always alike for the same file name.

The idea, and the parameters of four of the five corruptions, are those of Hendrycks and Dietterich,
"Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", arXiv 1903.12261.
The crop is ours: it imitates a badly framed product.
"""

import io
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFilter

__all__ = ["CORRUPTIONS", "PHOTO_SIDE", "STRENGTHS", "corrupt", "resize"]

STRENGTHS = (1, 2, 3, 4, 5)
PHOTO_SIDE = 224
"""Side, in pixels, of the photos that the parameters are made for."""

_BLUR = (1.0, 2.0, 3.0, 4.0, 6.0)  # deviation of the Gaussian, in pixels
_NOISE = (0.08, 0.12, 0.18, 0.26, 0.38)  # deviation of the noise, of pixels in [0, 1]
_JPEG = (25, 18, 15, 10, 7)  # quality
_BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to the value of HSV, in [0, 1]
_CROP = (0.9, 0.8, 0.7, 0.6, 0.5)  # share of each side that is kept

Pixels = UInt8[np.ndarray, "height width 3"]


def _blur(pixels: Pixels, level: int, _: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(_BLUR[level])))


def _noise(pixels: Pixels, level: int, rng: np.random.Generator) -> Pixels:
    noisy = pixels / 255 + rng.normal(scale=_NOISE[level], size=pixels.shape)
    return (255 * noisy.clip(0, 1)).round().astype(np.uint8)


def _jpeg(pixels: Pixels, level: int, _: np.random.Generator) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG[level])
    return np.asarray(Image.open(file))


def _brightness(pixels: Pixels, level: int, _: np.random.Generator) -> Pixels:
    """Raise the value of HSV, hue and saturation kept: every channel is scaled alike."""
    value = pixels.max(axis=-1, keepdims=True) / 255
    target = np.minimum(value + _BRIGHTNESS[level], 1)
    scale = np.divide(target, value, out=np.zeros_like(value), where=value > 0)
    lit = np.where(value > 0, pixels * scale, 255 * target)  # black has no hue: it turns grey
    return lit.clip(0, 255).round().astype(np.uint8)


def _crop(pixels: Pixels, level: int, rng: np.random.Generator) -> Pixels:
    sides = np.array(pixels.shape[:2])
    cropped = np.maximum(1, (sides * _CROP[level]).round().astype(int))
    top, left = (rng.random(2) * (sides - cropped + 1)).astype(int)
    piece = Image.fromarray(pixels[top : top + cropped[0], left : left + cropped[1]])
    return np.asarray(piece.resize((sides[1], sides[0]), Image.Resampling.BICUBIC))


CORRUPTIONS: dict[str, Callable[[Pixels, int, np.random.Generator], Pixels]] = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "brightness": _brightness,
    "crop": _crop,
}
"""Every corruption by name."""


def corrupt(
    pixels: UInt8[np.ndarray, "height width 3"],
    corruption: str,
    strength: int,
    *,
    name: str,
    seed: int = 0,
) -> UInt8[np.ndarray, "height width 3"]:
    """Return a corrupted copy of a photo.

    What is drawn at random (the noise, the place of the crop) depends on the seed, the corruption
    and the name of the photo alone: the same draw serves the five strengths, and every model.

    Args:
        pixels: The photo, at ``PHOTO_SIDE`` for strengths that mean what the source says.
        corruption: One of ``CORRUPTIONS``.
        strength: From 1 to 5.
        name: File name of the photo.
        seed: Seeds the draw.

    Raises:
        ValueError: If the corruption or the strength does not exist.
    """
    if corruption not in CORRUPTIONS or strength not in STRENGTHS:
        raise ValueError(
            f"expected a corruption among {', '.join(CORRUPTIONS)} and a strength from 1 to "
            f"{STRENGTHS[-1]}, found {corruption!r} and {strength}"
        )
    rng = np.random.default_rng([seed, *corruption.encode(), 0, *name.encode()])
    return CORRUPTIONS[corruption](pixels, strength - 1, rng)


def resize(
    pixels: UInt8[np.ndarray, "image height width 3"], side: int
) -> UInt8[np.ndarray, "image side side 3"]:
    """Bring photos to another side with the antialiased bicubic filter of ``images``."""
    if pixels.shape[1:3] == (side, side):
        return np.asarray(pixels)
    brought = [
        np.asarray(Image.fromarray(photo).resize((side, side), Image.Resampling.BICUBIC))
        for photo in pixels
    ]
    return np.stack(brought)
