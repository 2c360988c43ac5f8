"""Draw a digital watch and a picture frame, two products of the synthetic catalogue.

The watch of ``draw("Watches", default_rng(3))`` and the frame of
``draw("Home Decor & Festive Needs", default_rng(1))`` are, pixel for pixel, ``watch.png`` and
``frame.png`` of ``ressources/drawings``, which the chapters read.
"""

import math

import numpy as np

from vitrine.data.demo.pen import Colour, Pen, box, ellipse, path, smooth
from vitrine.data.demo.surface import BRIGHT, DARK, METAL, PASTEL, chance, pick, sheen, tint

__all__ = ["digital_watch", "picture_frame"]

_SEGMENTS = {  # of a seven-segment digit: x0, y0, x1, y1 in a box 1 wide and 2 high
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2),
    "e": (0, 1, 0, 2), "f": (0, 0, 0, 1), "g": (0, 1, 1, 1),
}  # fmt: skip
_DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
_WOOD: dict[str, Colour] = {
    "oak": (196, 152, 100),
    "walnut": (108, 72, 48),
    "black": (44, 42, 44),
    "white": (240, 238, 232),
    "gilded": METAL["gold"],
}


def digital_watch(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a sports watch with a digital display."""
    name, colour = pick(rng, BRIGHT, DARK)
    for side in (-1, 1):
        band = path((-0.3, side * 0.3), (0.3, side * 0.3), (0.2, side), (-0.2, side))
        pen.shadow(band, shift=(0.02, 0.05))
        pen.fill(band, *sheen(colour))
        for y in (0.6, 0.7, 0.8, 0.9):
            pen.fill(box(-0.12, side * y - 0.012, 0.12, side * y + 0.012), tint(colour, -0.4))
    case = box(-0.43, -0.42, 0.43, 0.42, 0.17)
    pen.shadow(case, shift=(0.02, 0.06))
    for x, y in ((-0.45, -0.18), (-0.45, 0.18), (0.45, -0.18), (0.45, 0.18)):
        pen.fill(box(x - 0.04, y - 0.07, x + 0.04, y + 0.07, 0.03), METAL["silver"])
    pen.fill(case, tint(colour, 0.25), colour, tint(colour, -0.35), along=(0.5, 1))
    pen.fill(box(-0.35, -0.34, 0.35, 0.34, 0.1), DARK["black"])
    screen = box(-0.3, -0.2, 0.3, 0.22, 0.04)
    pen.fill(screen, (206, 216, 190), (176, 190, 160), along=(0.3, 1))
    pen.fill(box(-0.14, -0.28, 0.14, -0.25), colour)
    _display(pen, int(rng.integers(10, 24)), int(rng.integers(0, 60)))
    return f"{name} resin"


def picture_frame(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a framed landscape."""
    name, wood = pick(rng, _WOOD)
    half = float(rng.uniform(0.66, 0.92))
    outer = box(-half, -0.92, half, 0.92)
    pen.shadow(outer, shift=(0.05, 0.08), opacity=0.5)
    _mouldings(pen, wood, half)
    mat = (250, 248, 242) if chance(rng, 0.6) else tint(pick(rng, PASTEL)[1], 0.5)
    pen.fill(box(-half + 0.15, -0.77, half - 0.15, 0.77), mat)
    edge = half - 0.3
    with pen.inside(box(-edge, -0.62, edge, 0.62)) as view:
        _landscape(view, rng)
    return f"{name}, landscape"


def _display(pen: Pen, hours: int, minutes: int) -> None:
    text = f"{hours:02d}{minutes:02d}"
    for x, digit in zip((-0.26, -0.13, 0.04, 0.17), text, strict=True):
        place = pen.moved(x, -0.09, scale=0.08)
        for segment in _DIGITS[int(digit)]:
            x0, y0, x1, y1 = _SEGMENTS[segment]
            pull = 0.12 * math.hypot(x1 - x0, y1 - y0)
            dx, dy = (pull, 0.0) if y0 == y1 else (0.0, pull)
            place.line(path((x0 + dx, y0 + dy), (x1 - dx, y1 - dy)), (44, 50, 44), 0.26)
    for y in (-0.05, 0.03):
        pen.fill(ellipse(-0.01, y, 0.015), (44, 50, 44))
    pen.fill(box(-0.25, 0.14, 0.1, 0.165), (110, 122, 100))


def _mouldings(pen: Pen, wood: Colour, half: float) -> None:
    """Draw the four mitred sides, each lit differently."""
    x0, y0, x1, y1 = half, 0.92, half - 0.15, 0.77
    sides = {
        (0, 1): (path((-x0, -y0), (x0, -y0), (x1, -y1), (-x1, -y1)), 0.25),
        (1, 0): (path((-x0, -y0), (-x1, -y1), (-x1, y1), (-x0, y0)), 0.1),
        (-1, 0): (path((x0, -y0), (x0, y0), (x1, y1), (x1, -y1)), -0.15),
        (0, -1): (path((-x0, y0), (x0, y0), (x1, y1), (-x1, y1)), -0.2),
    }
    for along, (side, light) in sides.items():
        shade = tint(wood, light)
        pen.fill(side, shade, tint(shade, 0.3), tint(shade, -0.35), along=along)


def _landscape(pen: Pen, rng: np.random.Generator) -> None:
    _, sky = pick(rng, PASTEL)
    pen.fill(box(-1, -0.7, 1, 0.7), tint(sky, -0.1), tint(sky, 0.6), along=(0, 1))
    pen.fill(ellipse(float(rng.uniform(-0.3, 0.3)), -0.25, 0.15), (255, 210, 110))
    _, hill = pick(rng, BRIGHT)
    for depth, light in ((0.0, 0.45), (0.2, 0.15), (0.42, -0.25)):
        ys = (depth + rng.uniform(-0.2, 0.1, size=6)).tolist()
        ridge = smooth(list(zip(np.linspace(-1, 1, 6).tolist(), ys, strict=True)), closed=False)
        pen.fill(np.concatenate([ridge, path((1, 0.8), (-1, 0.8))]), tint(hill, light))
