"""Draw a product of a class at a random pose on a random background."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image

from vitrine.data.demo import household, personal
from vitrine.data.demo.parts import Shape
from vitrine.data.demo.pen import OVERSAMPLE, Pen
from vitrine.data.demo.surface import background, chance

__all__ = ["SHAPES", "Picture", "draw", "picture"]

SHORT_SIDE = (160, 320)  # pixels, both included
_ASPECT = (0.6, 1.7)  # of width to height, the extremes


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing and the words for it.

    Attributes:
        image: RGB picture.
        noun: Kind of product, as in ``Shape``.
        detail: What sets this one apart, such as ``"teal, white stripes"``.
    """

    image: Image.Image
    noun: str
    detail: str


SHAPES: dict[str, tuple[Shape, ...]] = {
    "Baby Care": personal.BABY_CARE,
    "Beauty and Personal Care": personal.BEAUTY,
    "Computers": personal.COMPUTERS,
    "Home Decor & Festive Needs": household.DECOR,
    "Home Furnishing": household.FURNISHING,
    "Kitchen & Dining": household.KITCHEN,
    "Watches": personal.WATCHES,
}
"""The products of each class."""


def draw(label: str, rng: np.random.Generator) -> Image.Image:
    """Draw one product of a class, with everything else left to chance.

    Args:
        label: Class, a key of ``SHAPES``.
        rng: Source of every choice; the same state gives the same pixels.

    Returns:
        An RGB picture, its short side within ``SHORT_SIDE``.

    Raises:
        ValueError: If the class is not one of the seven.
    """
    return picture(label, rng).image


def picture(label: str, rng: np.random.Generator, *, kind: int | None = None) -> Picture:
    """Draw one product of a class, and say what was drawn.

    Args:
        label: Class, a key of ``SHAPES``.
        rng: Source of every choice; the same state gives the same pixels.
        kind: Index of the shape within the class, counted round and round; by default, any.

    Returns:
        The picture and its words.

    Raises:
        ValueError: If the class is not one of the seven.
    """
    if label not in SHAPES:
        known = ", ".join(map(repr, SHAPES))
        raise ValueError(f"expected one of the classes {known}, found {label!r}; pass one of them")
    shapes = SHAPES[label]
    choice = int(rng.integers(len(shapes)))
    shape = shapes[(choice if kind is None else kind) % len(shapes)]
    tilt = float(rng.uniform(-shape.tilt, shape.tilt))
    reach = _reach(shape.extent, tilt)
    width, height = _size(rng, reach[0] / reach[1])
    canvas = background(rng, width, height).resize(
        (width * OVERSAMPLE, height * OVERSAMPLE), Image.Resampling.NEAREST
    )
    pen = Pen(canvas, _pose(rng, shape, tilt, reach, canvas.size))
    detail = shape.draw(pen, rng)
    return Picture(canvas.reduce(OVERSAMPLE), shape.noun, detail)


def _reach(extent: tuple[float, float], tilt: float) -> tuple[float, float]:
    """Return the half sides of the upright box around a tilted one."""
    c, s = abs(math.cos(math.radians(tilt))), abs(math.sin(math.radians(tilt)))
    return extent[0] * c + extent[1] * s, extent[0] * s + extent[1] * c


def _size(rng: np.random.Generator, natural: float) -> tuple[int, int]:
    """Return width and height; the format follows the product, but only loosely."""
    short = int(rng.integers(SHORT_SIDE[0], SHORT_SIDE[1] + 1))
    aspect = float(np.clip(natural**0.75 * math.exp(rng.normal(0, 0.1)), *_ASPECT))
    return (short, round(short / aspect)) if aspect < 1 else (round(short * aspect), short)


def _pose(
    rng: np.random.Generator,
    shape: Shape,
    tilt: float,
    reach: tuple[float, float],
    size: tuple[int, int],
) -> Float[np.ndarray, "2 3"]:
    """Return the map from the object to the canvas: it fills most of it, roughly centred."""
    fits = min(size[0] / 2 / reach[0], size[1] / 2 / reach[1])
    scale = fits * float(rng.uniform(0.72, 0.95))
    c, s = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    flip = -1.0 if shape.mirrored and chance(rng, 0.5) else 1.0
    lean, stretch = float(rng.uniform(-0.04, 0.04)), float(rng.uniform(0.95, 1.05))
    linear = scale * np.array([[c, -s], [s, c]]) @ np.array([[flip * stretch, lean], [0, 1]])
    room = np.asarray(size) / 2 - scale * np.asarray(reach)
    centre = np.asarray(size) / 2 + 0.5 * room * rng.uniform(-1, 1, size=2)
    return np.concatenate([linear, centre[:, None]], axis=1)
