"""Named colours, the light on a body, patterns printed on cloth or china, and backgrounds."""

import math
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from vitrine.data.demo.pen import Colour, Number, Outline, Pen, box, ellipse, path, star

__all__ = [
    "BLACK", "PATTERNS", "SILVER", "WHITE", "background", "chance", "pick", "print_pattern", "tint",
]  # fmt: skip

_PALETTES: dict[str, dict[str, Colour]] = {
    name: {colour: (red, green, blue) for colour, (red, green, blue) in palette.items()}
    for name, palette in tomllib.loads(
        Path(__file__).with_name("colours.toml").read_text(encoding="utf-8")
    ).items()
}
WHITE, BLACK = _PALETTES["paper"]["white"], _PALETTES["dark"]["black"]
SILVER = _PALETTES["metal"]["silver"]


def chance(rng: np.random.Generator, share: float) -> bool:
    """Return true in that share of the draws."""
    return bool(rng.random() < share)


def pick(rng: np.random.Generator, palettes: str) -> tuple[str, Colour]:
    """Draw one named colour out of palettes of ``colours.toml``, such as ``dark metal``."""
    known = {name: c for palette in palettes.split() for name, c in _PALETTES[palette].items()}
    name = list(known)[int(rng.integers(len(known)))]
    return name, known[name]


def tint(colour: Colour, amount: float) -> Colour:
    """Mix a colour with white (amount up to 1) or with black (down to -1)."""
    target = 255 if amount > 0 else 0
    red, green, blue = (round(c + (target - c) * abs(amount)) for c in colour)
    return red, green, blue


_REACH = 1.3  # a pattern covers the square from -1.3 to 1.3 of its pen
_TURN = np.linspace(0, 2 * np.pi, 60, endpoint=False)[:, None]
# The root rounds the tips of the five petals and pinches the gaps between them.
_PETALS = 0.34 * (0.48 + 0.52 * np.sqrt(np.abs(np.cos(2.5 * _TURN))))
_MARKS: dict[str, tuple[Outline, Number]] = {
    "polka dots": (ellipse(0, 0, 0.24), 0),
    "flowers": (_PETALS * np.hstack([np.cos(_TURN), np.sin(_TURN)]), 37),
    "stars": (star(0, 0, 0.32), 25),
    "diamonds": (path((0, -0.36), (0.25, 0), (0, 0.36), (-0.25, 0)), 0),
}
"""Marks for a step of 1, and how much each is turned from the one before, in degrees."""
PATTERNS = ("stripes", "checks", "zigzag", *_MARKS)


def print_pattern(pen: Pen, pattern: str, colour: Colour, step: Number) -> None:
    """Print one of ``PATTERNS`` over the square from -1.3 to 1.3.

    Args:
        pen: Where to print, usually a pen of ``Pen.inside``.
        pattern: Its name.
        colour: Ink.
        step: Distance between two repeats.
    """
    if pattern in _MARKS:
        mark, spin = _MARKS[pattern]
        y, x = np.mgrid[-_REACH : _REACH + step : step * 0.8, -_REACH : _REACH + step : step]
        x[1::2] += step / 2
        pen.stamp(mark * step, np.stack([x.ravel(), y.ravel()], axis=1), colour, spin=spin)
        return
    places = np.arange(-_REACH, _REACH + step, step).tolist()
    for at in places:
        if pattern == "zigzag":
            xs = np.arange(-_REACH, _REACH + step, step / 2)
            teeth = at + np.where(np.arange(len(xs)) % 2, step * 0.4, 0.0)
            pen.line(np.stack([xs, teeth], axis=1), colour, step * 0.2)
        elif pattern == "checks":
            pen.fill(box(at, -_REACH, at + step / 2, _REACH), colour, opacity=0.5)
            pen.fill(box(-_REACH, at, _REACH, at + step / 2), colour, opacity=0.5)
        else:
            pen.fill(box(at, -_REACH, at + step * 0.45, _REACH), colour)


Shade = Float[np.ndarray, "height width"]
"""How much darker than the paper each pixel is, from 0 to 1."""


def background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a background at random, in pixels of the final picture."""
    if chance(rng, 0.42):
        return Image.new("RGB", (width, height), (255, 255, 255))
    if chance(rng, 0.12):
        paper = tint(pick(rng, "dark")[1], 0.12)
    else:
        paper = tint(pick(rng, "pastel")[1], float(rng.uniform(0.25, 0.8)))
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
