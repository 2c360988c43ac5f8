"""Watches: round, square and digital, laid flat with their straps open."""

import math

import numpy as np

from vitrine.data.demo.outlines import Outline, box, ellipse, path
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import BRIGHT, DARK, METAL, PASTEL, Colour, chance, pick, sheen, tint

__all__ = ["digital", "rounded", "square"]

_SEGMENTS = {  # of a seven-segment digit: x0, y0, x1, y1 in a box 1 wide and 2 high
    "a": (0, 0, 1, 0),
    "b": (1, 0, 1, 1),
    "c": (1, 1, 1, 2),
    "d": (0, 2, 1, 2),
    "e": (0, 1, 0, 2),
    "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}
_DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def rounded(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a watch with a round case, sometimes a chronograph."""
    case = ellipse(0, 0, 0.44)
    strap = _strap(pen, rng, case)
    metal_name, metal = pick(rng, METAL)
    _case(pen, case, metal)
    dial = ellipse(0, 0, 0.35)
    _dial(pen, rng, dial, chronograph=chance(rng, 0.4))
    return f"{metal_name} case, {strap} strap"


def square(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a watch with a square case."""
    case = box(-0.4, -0.43, 0.4, 0.43, 0.12)
    strap = _strap(pen, rng, case)
    metal_name, metal = pick(rng, METAL)
    _case(pen, case, metal)
    _dial(pen, rng, box(-0.31, -0.34, 0.31, 0.34, 0.06), chronograph=False)
    return f"square {metal_name} case, {strap} strap"


def digital(pen: Pen, rng: np.random.Generator) -> str:
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


def _strap(pen: Pen, rng: np.random.Generator, case: Outline) -> str:
    if chance(rng, 0.35):
        name, colour = pick(rng, METAL)
        _links(pen, colour)
        kind = f"{name} steel"
    else:
        name, colour = pick(rng, DARK, BRIGHT) if chance(rng, 0.8) else pick(rng, PASTEL)
        _leather(pen, colour)
        kind = f"{name} leather"
    pen.shadow(case, shift=(0.02, 0.06))
    return kind


def _leather(pen: Pen, colour: Colour) -> None:
    seam = tint(colour, 0.55)
    for side in (-1, 1):
        band = path((-0.25, side * 0.3), (0.25, side * 0.3), (0.18, side * 0.99))
        band = np.concatenate([band, path((0.0, side * 1.04), (-0.18, side * 0.99))])
        pen.shadow(band, shift=(0.02, 0.05))
        pen.fill(band, *sheen(colour, 0.22))
        for x in (-1, 1):
            pen.stitch(path((x * 0.215, side * 0.34), (x * 0.15, side * 0.96)), seam, 0.014)
    for y in (0.66, 0.75, 0.84):
        pen.fill(ellipse(0, y, 0.02), tint(colour, -0.6))
    buckle = box(-0.23, -1.04, 0.23, -0.9, 0.03)
    pen.line(np.concatenate([buckle, buckle[:1]]), METAL["silver"], 0.035)
    pen.line(path((0, -1.02), (0, -0.86)), METAL["silver"], 0.03)


def _links(pen: Pen, colour: Colour) -> None:
    pen.shadow(box(-0.2, -1.0, 0.2, 1.0), shift=(0.02, 0.05))
    for side in (-1, 1):
        for i in range(8):
            y, half = side * (0.4 + 0.08 * i), 0.25 - 0.008 * i
            for x0, x1 in ((-half, -half * 0.4), (-half * 0.38, half * 0.38), (half * 0.4, half)):
                link = box(x0, y - 0.036, x1, y + 0.036, 0.015)
                pen.fill(link, tint(colour, 0.5), colour, tint(colour, -0.4), along=(0, 1))


def _case(pen: Pen, case: Outline, metal: Colour) -> None:
    for side in (-1, 1):
        for x in (-0.24, 0.24):
            pen.fill(box(x - 0.05, side * 0.3, x + 0.05, side * 0.5, 0.03), tint(metal, -0.2))
    pen.fill(box(0.4, -0.06, 0.51, 0.06, 0.02), *sheen(metal), along=(0, 1))
    pen.fill(case, tint(metal, 0.6), metal, tint(metal, -0.35), along=(0.6, 1))
    pen.fill(case * 0.9, tint(metal, -0.45), metal, tint(metal, 0.5), along=(0.6, 1))


def _dial(pen: Pen, rng: np.random.Generator, dial: Outline, *, chronograph: bool) -> None:
    colour = [(250, 249, 244), DARK["black"], BRIGHT["navy blue"], PASTEL["mint"]]
    face = colour[int(rng.integers(len(colour)))]
    light = sum(face) > 3 * 128
    ink = DARK["black"] if light else (244, 240, 228)
    pen.fill(dial, face, tint(face, -0.14), along=(0.4, 1))
    if chronograph:
        for x, y in ((-0.15, 0.02), (0.15, 0.02), (0, 0.16)):
            pen.fill(ellipse(x, y, 0.085), tint(face, -0.25 if light else 0.25))
            pen.fill(ellipse(x, y, 0.07), face)
            pen.line(path((x, y), (x + 0.03, y - 0.05)), ink, 0.012)
    for hour in range(12):
        mark = pen.moved(0, 0, turn=30.0 * hour)
        mark.line(path((0, -0.31), (0, -0.25 if hour % 3 == 0 else -0.285)), ink, 0.022)
    minutes = float(rng.uniform(0, 720))
    for turn, reach, width in ((minutes / 2, -0.17, 0.034), (minutes * 6, -0.26, 0.024)):
        pen.moved(0, 0, turn=turn % 360).line(path((0, 0.04), (0, reach)), ink, width)
    seconds = pen.moved(0, 0, turn=float(rng.uniform(0, 360)))
    seconds.line(path((0, 0.08), (0, -0.27)), BRIGHT["coral"], 0.01)
    pen.fill(ellipse(0, 0, 0.026), BRIGHT["coral"])
    with pen.inside(dial, opacity=0.16) as glass:
        glass.fill(path((-0.5, -0.05), (0.1, -0.5), (0.32, -0.5), (-0.5, 0.2)), (255, 255, 255))


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
