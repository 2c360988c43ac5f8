"""Baby Care: romper, bottle, bib and rattle, in soft colours."""

import numpy as np

from vitrine.data.demo.outlines import Outline, box, drum, ellipse, lathe, path, smooth, star
from vitrine.data.demo.patterns import decorate
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import BRIGHT, PASTEL, Colour, chance, pick, sheen, tint

__all__ = ["bib", "bottle", "rattle", "romper"]

_WHITE = (252, 250, 246)
_PRINTS = ("stripes", "polka dots", "stars", "flowers")


def romper(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a short-sleeved bodysuit laid flat."""
    name, colour = pick(rng, PASTEL)
    half = [(0.2, -0.82), (0.42, -0.8), (0.86, -0.48), (0.7, -0.18), (0.48, -0.34)]
    half += [(0.46, 0.0), (0.52, 0.42), (0.5, 0.56), (0.3, 0.62), (0.17, 0.92)]
    right = np.array(half)
    body = np.concatenate([right, right[::-1] * (-1, 1)])
    pen.shadow(body, shift=(0.02, 0.06))
    pen.fill(body, tint(colour, 0.3), colour, tint(colour, -0.1), along=(0.3, 1))
    kind = _PRINTS[int(rng.integers(len(_PRINTS)))]
    with pen.inside(body) as cloth:
        decorate(cloth.moved(0, 0, turn=90 if kind == "stripes" else 0), kind, _WHITE, 0.2)
        for side in (-1, 1):
            cloth.line(path((side * 0.4, -0.8), (side * 0.48, -0.34)), tint(colour, -0.2), 0.015)
            fold = smooth([(side * 0.4, -0.1), (side * 0.3, 0.1), (side * 0.42, 0.3)], closed=False)
            cloth.line(fold, tint(colour, -0.12), 0.015)
    trim = tint(colour, -0.22)
    for side in (-1, 1):
        pen.line(path((side * 0.86, -0.48), (side * 0.7, -0.18)), trim, 0.06)
        leg = smooth([(side * 0.51, 0.52), (side * 0.3, 0.64), (side * 0.17, 0.9)], closed=False)
        pen.line(leg, trim, 0.06)
    pen.fill(ellipse(0, -0.82, 0.22, 0.07), tint(colour, -0.35))
    collar = ellipse(0, -0.83, 0.23, 0.2, start=0, end=180)
    pen.fill(collar, tint(colour, -0.35))
    pen.line(collar, trim, 0.06)
    for x in (-0.1, 0, 0.1):
        pen.fill(ellipse(x, 0.85, 0.03), _WHITE, tint(trim, -0.2), along=(1, 1))
    _motif(pen.moved(0, -0.15, scale=0.2), rng)
    return f"{name}, white {kind}"


def bottle(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a feeding bottle, more or less full of milk."""
    name, colour = pick(rng, PASTEL)
    pen.shadow(ellipse(0.05, 0.95, 0.4, 0.08), opacity=0.4)
    waist = float(rng.uniform(0.28, 0.36))
    body = lathe([(0.27, -0.36), (0.36, -0.2), (waist, 0.3), (0.36, 0.75), (0.33, 0.95), (0, 0.98)])
    glass = (222, 234, 240)
    pen.fill(body, *sheen(glass, 0.25))
    level = float(rng.uniform(-0.1, 0.4))
    with pen.inside(body) as inner:
        milk = (255, 252, 240)
        inner.fill(box(-0.33, level, 0.33, 0.93, 0.05), *sheen(milk, 0.1))
        inner.fill(ellipse(0, level, 0.34, 0.04), tint(milk, -0.06))
        inner.fill(box(-0.26, -0.3, -0.18, 0.9, 0.04), (255, 255, 255), opacity=0.6)
    for i, y in enumerate(np.linspace(-0.1, 0.8, 10).tolist()):
        pen.line(path((0.08, y), (0.22 if i % 2 == 0 else 0.16, y)), tint(colour, -0.35), 0.018)
    nipple = lathe([(0.035, -0.98), (0.09, -0.93), (0.09, -0.82), (0.16, -0.68), (0.24, -0.58)])
    pen.fill(nipple, *sheen((238, 212, 172), 0.25))
    collar = drum(-0.56, -0.34, 0.31, 0.33, 0.05)
    pen.fill(collar, *sheen(colour, 0.35))
    with pen.inside(collar) as ring:
        for x in np.linspace(-0.3, 0.3, 13).tolist():
            ring.line(path((x, -0.52), (x, -0.3)), tint(colour, -0.18), 0.015)
    pen.fill(ellipse(0, -0.56, 0.31, 0.05), tint(colour, 0.3))
    _motif(pen.moved(-0.07, 0.55, scale=0.15), rng)
    return name


def bib(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a bib with a trim and a smiling animal."""
    name, colour = pick(rng, PASTEL)
    _, accent = pick(rng, BRIGHT)
    for side in (-1, 1):
        arm = ellipse(0, -0.42, 0.36, 0.4, start=-90 + side * 14, end=-90 + side * 150)
        pen.line(arm, accent, 0.25)
        pen.line(arm, colour, 0.19)
    knots = [(0, -0.12), (0.3, -0.24), (0.62, -0.3), (0.74, 0.1), (0.6, 0.62), (0.3, 0.86)]
    right = np.array(knots)
    both = np.concatenate([right, [(0, 0.92)], right[:0:-1] * (-1, 1)])
    body = smooth([(x, y) for x, y in both.tolist()])
    pen.shadow(body, shift=(0.02, 0.06))
    pen.fill(body, accent)
    inner = (body - (0, 0.36)) * 0.92 + (0, 0.36)
    pen.fill(inner, tint(colour, 0.4), colour, along=(0.3, 1))
    kind = _PRINTS[1 + int(rng.integers(3))]
    with pen.inside(inner, opacity=0.8) as cloth:
        decorate(cloth, kind, _WHITE, 0.24)
    pen.stitch(np.concatenate([inner, inner[:1]]), _WHITE, 0.016, 0.04)
    _face(pen.moved(0, 0.38, scale=0.32), rng)
    return f"{name}, white {kind}"


def rattle(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a rattle: a striped ball, a handle and a ring."""
    name, colour = pick(rng, PASTEL)
    second_name, second = pick(rng, BRIGHT)
    ring, ball = ellipse(0, 0.72, 0.22), ellipse(0, -0.5, 0.46)
    hoop = np.concatenate([ellipse(0, 0.72, 0.28), ellipse(0, 0.72, 0.16)[::-1]])
    for part in (ball, hoop):
        pen.shadow(part, shift=(0.02, 0.06), opacity=0.3)
    pen.line(ring, tint(second, -0.25), 0.13)
    pen.line(ring - (0.01, 0.015), tint(second, 0.1), 0.08)
    pen.fill(box(-0.075, -0.1, 0.075, 0.52, 0.05), *sheen(_WHITE, 0.2))
    for y in (0.06, 0.22, 0.38):
        pen.fill(box(-0.11, y, 0.11, y + 0.08, 0.04), *sheen(second, 0.35))
    pen.fill(ball, tint(colour, 0.5), colour, tint(colour, -0.25), along=(0.5, 1))
    with pen.inside(ball) as shell:
        shell.fill(box(-0.5, -0.6, 0.5, -0.4), *sheen(second, 0.3))
        for x in (-0.3, 0, 0.3):
            shell.fill(star(x, -0.5, 0.08), _WHITE)
        for x, y in ((-0.2, -0.78), (0.05, -0.82), (0.25, -0.72), (-0.15, -0.2), (0.15, -0.22)):
            shell.fill(ellipse(x, y, 0.05), _WHITE)
    pen.fill(ellipse(-0.18, -0.72, 0.1, 0.06), _WHITE, opacity=0.6)
    return f"{name} and {second_name}"


def _heart() -> Outline:
    return smooth([(0, -0.3), (0.3, -0.72), (0.8, -0.5), (0.7, 0.1), (0, 0.85), (-0.7, 0.1),
                   (-0.8, -0.5), (-0.3, -0.72)])  # fmt: skip


def _motif(pen: Pen, rng: np.random.Generator) -> None:
    _, colour = pick(rng, BRIGHT)
    choice = int(rng.integers(3))
    if choice == 0:
        pen.fill(_heart(), colour)
    elif choice == 1:
        pen.fill(star(0, 0, 1.0, inner=0.55), colour)
    else:
        _face(pen, rng)


def _face(pen: Pen, rng: np.random.Generator) -> None:
    """Draw the head of a bear or of a rabbit, one unit in radius."""
    fur: Colour = [(196, 150, 108), (236, 228, 220), (168, 168, 180)][int(rng.integers(3))]
    if chance(rng, 0.5):
        ears = [(side * 0.7, -0.7, 0.36, 0.36) for side in (-1, 1)]
    else:
        ears = [(side * 0.42, -1.15, 0.24, 0.62) for side in (-1, 1)]
    for x, y, rx, ry in ears:
        pen.fill(ellipse(x, y, rx, ry), tint(fur, -0.15))
        pen.fill(ellipse(x, y, rx * 0.55, ry * 0.6), (244, 190, 190))
    pen.fill(ellipse(0, 0, 1.0, 0.88), tint(fur, 0.15), tint(fur, -0.1), along=(0.3, 1))
    pen.fill(ellipse(0, 0.34, 0.44, 0.34), tint(fur, 0.55))
    ink = (58, 44, 40)
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.38, -0.12, 0.1, 0.13), ink)
        pen.fill(ellipse(side * 0.66, 0.24, 0.15, 0.1), (244, 170, 170))
    pen.fill(ellipse(0, 0.2, 0.13, 0.09), ink)
    pen.line(ellipse(0, 0.34, 0.18, 0.16, start=20, end=160), ink, 0.06)
