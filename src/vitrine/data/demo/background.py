"""What a product lies on or hangs before: mostly white, as in a shop."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from PIL import Image

from vitrine.data.demo.surface import DARK, PASTEL, chance, pick, tint

__all__ = ["background"]

Shade = Float[np.ndarray, "height width"]
"""How much darker than the paper each pixel is, from 0 to 1."""


def background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a background at random, in pixels of the final picture."""
    if chance(rng, 0.42):
        return Image.new("RGB", (width, height), (255, 255, 255))
    if chance(rng, 0.12):
        paper = tint(pick(rng, DARK)[1], 0.12)
    else:
        paper = tint(pick(rng, PASTEL)[1], float(rng.uniform(0.25, 0.8)))
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    shade = _SHADES[int(rng.integers(len(_SHADES)))](rng, x, y)
    pixels = np.array(paper) * (1 - shade[..., None])
    return Image.fromarray(np.rint(pixels.clip(0, 255)).astype(np.uint8))


def _gradient(rng: np.random.Generator, x: Shade, y: Shade) -> Shade:
    turn = float(rng.uniform(0, math.pi / 2))
    return 0.16 * (x * math.cos(turn) + y * math.sin(turn))


def _spotlight(rng: np.random.Generator, x: Shade, y: Shade) -> Shade:
    at = rng.uniform(0.3, 0.5, size=2)
    return 0.34 * ((x - at[0]) ** 2 + (y - at[1]) ** 2)


def _table(rng: np.random.Generator, x: Shade, y: Shade) -> Shade:
    horizon = float(rng.uniform(0.55, 0.8)) * y.max()
    return np.where(y < horizon, 0.02 + 0.05 * y, 0.16 - 0.12 * (y - horizon))


def _linen(rng: np.random.Generator, x: Shade, y: Shade) -> Shade:
    weave = 0.015 * np.sin(x * 260) * np.sin(y * 260)
    return 0.06 + weave + rng.normal(0, 0.012, size=x.shape)


_SHADES: tuple[Callable[[np.random.Generator, Shade, Shade], Shade], ...] = (
    _gradient,
    _spotlight,
    _table,
    _linen,
)
