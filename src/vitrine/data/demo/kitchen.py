"""Kitchen & Dining: mug, plate, pan and bowl."""

import numpy as np

from vitrine.data.demo.outlines import box, drum, ellipse, lathe, smooth
from vitrine.data.demo.patterns import PATTERNS, decorate
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import BRIGHT, DARK, METAL, PASTEL, chance, pick, sheen, tint

__all__ = ["bowl", "mug", "pan", "plate"]

_CHINA = {"white": (246, 244, 238), "cream": (244, 232, 208)}
_PRINTS = ("stripes", "polka dots", "zigzag", "flowers", "diamonds")


def mug(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a mug of coffee, its handle to the right."""
    name, colour = pick(rng, _CHINA, PASTEL, BRIGHT)
    taper, ry = float(rng.uniform(0.82, 1.0)), float(rng.uniform(0.1, 0.17))
    body = drum(-0.6, 0.62, 0.6, 0.6 * taper, ry)
    pen.shadow(ellipse(0.08, 0.68, 0.72, 0.14), opacity=0.45)
    handle = ellipse(0.55, 0.0, 0.34, 0.36, start=-100, end=100)
    pen.line(handle, tint(colour, -0.35), 0.17)
    pen.line(handle - (0.015, 0.02), tint(colour, -0.08), 0.12)
    pen.fill(body, *sheen(colour, 0.28))
    kind = list(PATTERNS)[int(rng.integers(len(PATTERNS)))]
    _, ink = pick(rng, BRIGHT, DARK, but=name)
    if chance(rng, 0.75):
        with (
            pen.inside(body, opacity=0.8) as clay,
            clay.inside(drum(-0.3, 0.42, 0.62, 0.62, ry)) as band,
        ):
            decorate(band, kind, ink, 0.26)
    else:
        kind = "plain"
    pen.fill(ellipse(0, -0.6, 0.6, ry), tint(colour, 0.35))
    pen.fill(ellipse(0, -0.595, 0.55, ry * 0.86), tint(colour, -0.35), tint(colour, 0.1))
    with pen.inside(ellipse(0, -0.595, 0.55, ry * 0.86)) as inner:
        coffee = (74, 44, 28) if chance(rng, 0.6) else (186, 140, 100)
        inner.fill(ellipse(0, -0.56, 0.53, ry * 0.8), coffee, tint(coffee, 0.2))
    return f"{name}, {kind}"


def plate(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a dinner plate, seen from straight above or from the side of the table."""
    name, colour = pick(rng, _CHINA, PASTEL)
    ink_name, ink = pick(rng, BRIGHT)
    ry = float(rng.uniform(0.5, 1.0))
    pen.shadow(ellipse(0, 0, 0.99, 0.99 * ry), shift=(0.03, 0.07), opacity=0.45)
    for radius, light in ((1.0, -0.16), (0.985, 0.35)):
        rim = tint(colour, light)
        pen.fill(ellipse(0, 0, radius, radius * ry), rim, tint(rim, -0.06), along=(0.5, 1))
    beads = int(rng.integers(14, 26))
    for turn in np.linspace(0, 2 * np.pi, beads, endpoint=False).tolist():
        x, y = 0.83 * np.cos(turn), 0.83 * np.sin(turn) * ry
        pen.fill(ellipse(float(x), float(y), 0.055, 0.055 * ry), ink)
    ring = ellipse(0, 0, 0.95, 0.95 * ry)
    pen.line(np.concatenate([ring, ring[:2]]), ink, 0.025)
    pen.fill(ellipse(0, 0, 0.68, 0.68 * ry), tint(colour, -0.22), tint(colour, 0.5), along=(0.3, 1))
    pen.fill(ellipse(0, 0.01, 0.65, 0.65 * ry), tint(colour, 0.1), tint(colour, 0.45), along=(0, 1))
    if chance(rng, 0.5):
        with pen.inside(ellipse(0, 0.01, 0.65, 0.65 * ry), opacity=0.7) as middle:
            decorate(middle.moved(0, 0, turn=20), "flowers", ink, 0.4)
    return f"{name} with {ink_name} beads"


def pan(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a frying pan from above, sometimes with an egg in it."""
    name, colour = pick(rng, BRIGHT, DARK)
    metal = METAL["silver"]
    handle = box(0.2, -0.075, 1.12, 0.075, 0.07)
    dish = ellipse(-0.35, 0, 0.62)
    for part in (handle, dish):
        pen.shadow(part, shift=(0.02, 0.06), opacity=0.45)
    pen.fill(box(0.15, -0.05, 0.5, 0.05), tint(metal, -0.1), tint(metal, -0.6), along=(0, 1))
    pen.fill(box(0.38, -0.075, 1.12, 0.075, 0.07), *sheen(DARK["black"], 0.3), along=(0, 1))
    pen.fill(ellipse(1.04, 0, 0.03), metal)
    pen.fill(dish, tint(colour, 0.3), colour, tint(colour, -0.4), along=(0.5, 1))
    for radius, base in ((0.57, (60, 60, 64)), (0.5, (44, 44, 48))):
        pen.fill(ellipse(-0.35, 0, radius), tint(base, -0.35), tint(base, 0.22), along=(0.5, 1))
    egg = chance(rng, 0.5)
    if egg:
        reach = rng.uniform(0.24, 0.36, size=9)
        turn = np.linspace(0, 2 * np.pi, 9, endpoint=False)
        xy = np.stack([-0.35 + reach * np.cos(turn), reach * np.sin(turn)], axis=1)
        pen.fill(smooth([(x, y) for x, y in xy.tolist()]), (252, 250, 242), (232, 230, 222))
        pen.fill(ellipse(-0.37, 0.0, 0.12), (255, 206, 70), (240, 150, 30), along=(0.5, 1))
        pen.fill(ellipse(-0.41, -0.04, 0.03, 0.02), (255, 240, 200))
    return f"{name}, with an egg" if egg else name


def bowl(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a bowl, of china or of steel."""
    name, colour = pick(rng, _CHINA, PASTEL, BRIGHT, {"steel": METAL["silver"]})
    ry, depth = float(rng.uniform(0.16, 0.3)), float(rng.uniform(0.62, 0.85))
    top = -0.3
    pen.shadow(ellipse(0.05, top + depth + 0.1, 0.62, 0.13), opacity=0.5)
    pen.fill(drum(top + depth - 0.05, top + depth + 0.09, 0.36, 0.4, 0.08), *sheen(colour, 0.4))
    sides = [(0.99, top), (0.93, top + depth * 0.42), (0.68, top + depth * 0.8)]
    body = lathe([*sides, (0.34, top + depth), (0.0, top + depth + 0.04)])
    pen.fill(body, *sheen(colour, 0.5 if name == "steel" else 0.28))
    kind = "plain"
    if name != "steel" and chance(rng, 0.8):
        kind = _PRINTS[int(rng.integers(len(_PRINTS)))]
        _, ink = pick(rng, BRIGHT, but=name)
        with pen.inside(body, opacity=0.85) as china:
            decorate(china, kind, ink, 0.3)
    pen.fill(ellipse(0, top, 1.0, ry), tint(colour, 0.45))
    pen.fill(ellipse(0, top + 0.012, 0.95, ry * 0.92), tint(colour, -0.4), tint(colour, 0.2))
    with pen.inside(ellipse(0, top + 0.012, 0.95, ry * 0.92)) as inner:
        inner.fill(ellipse(0, top + ry * 1.1, 0.8, ry * 0.9), tint(colour, -0.1), tint(colour, 0.3))
    return f"{name}, {kind}"
