"""Beauty and Personal Care: lipstick, cream jar and perfume bottle."""

import numpy as np

from vitrine.data.demo.outlines import box, drum, ellipse, path, smooth
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import DARK, METAL, PASTEL, Colour, chance, pick, sheen, tint

__all__ = ["cream_jar", "lipstick", "perfume"]

_REDS: dict[str, Colour] = {
    "ruby": (176, 24, 52),
    "rose": (222, 84, 120),
    "fuchsia": (196, 38, 122),
    "coral": (240, 98, 84),
    "wine": (112, 24, 50),
    "nude": (206, 134, 116),
}
_SCENT: dict[str, Colour] = {
    "amber": (232, 172, 84),
    "rose": (244, 176, 186),
    "aqua": (150, 212, 220),
    "lilac": (202, 180, 228),
    "lime": (206, 222, 130),
}


def lipstick(pen: Pen, rng: np.random.Generator) -> str:
    """Draw an open lipstick with its cap standing beside it."""
    name, colour = pick(rng, _REDS)
    _, metal = pick(rng, METAL)
    _, body = pick(rng, DARK)
    pen.shadow(ellipse(0.0, 0.93, 0.66, 0.09), opacity=0.45)
    open_ = pen.moved(-0.3, 0)
    stick = np.concatenate([path((-0.15, 0.0), (-0.15, -0.62)),
                            smooth([(-0.15, -0.62), (-0.08, -0.84), (0.06, -0.97), (0.14, -0.9),
                                    (0.15, -0.6)], closed=False), path((0.15, 0.0))])  # fmt: skip
    open_.fill(stick, *sheen(colour, 0.32))
    slant = smooth([(-0.14, -0.6), (-0.06, -0.84), (0.07, -0.95), (0.11, -0.8), (0.0, -0.6)])
    open_.fill(slant, tint(colour, 0.45), tint(colour, 0.12), along=(0.6, 1), opacity=0.8)
    open_.fill(drum(-0.22, 0.2, 0.185, 0.185, 0.035), *sheen(metal, 0.6))
    open_.fill(drum(0.14, 0.28, 0.21, 0.21, 0.04), *sheen(tint(metal, -0.2), 0.6))
    open_.fill(drum(0.26, 0.92, 0.26, 0.26, 0.045), *sheen(body, 0.4))
    open_.fill(ellipse(0, 0.26, 0.26, 0.045), tint(body, 0.3))
    open_.fill(ellipse(0, 0.26, 0.21, 0.036), tint(metal, -0.3))
    cap = pen.moved(0.38, 0)
    cap.fill(drum(-0.02, 0.92, 0.26, 0.26, 0.045), *sheen(body, 0.4))
    cap.fill(drum(0.76, 0.84, 0.262, 0.262, 0.045), *sheen(metal, 0.6))
    cap.fill(ellipse(0, -0.02, 0.26, 0.045), tint(body, 0.35), tint(body, 0.1))
    return name


def cream_jar(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a jar of cream, closed or with its lid leaning on it."""
    name, colour = pick(rng, PASTEL, {"white": (244, 242, 240)})
    _, metal = pick(rng, METAL)
    lid = metal if chance(rng, 0.6) else tint(colour, 0.3)
    ry = float(rng.uniform(0.14, 0.2))
    pen.shadow(ellipse(0.06, 0.58, 0.98, 0.2), opacity=0.45)
    pen.fill(drum(-0.12, 0.52, 0.92, 0.86, ry), *sheen(colour, 0.3))
    pen.fill(drum(-0.12, -0.04, 0.93, 0.92, ry), *sheen(tint(colour, 0.3), 0.2))
    label = drum(0.08, 0.36, 0.9, 0.88, ry)
    with pen.inside(label) as paper:
        paper.fill(box(-0.52, -0.2, 0.52, 0.8), *sheen((252, 250, 244), 0.14))
        paper.fill(ellipse(0, 0.26, 0.09), lid)
        for y, half in ((0.42, 0.3), (0.48, 0.2)):
            paper.line(ellipse(0, y - 0.1, half, 0.06, start=20, end=160), tint(metal, -0.3), 0.02)
    if chance(rng, 0.5):
        pen.fill(drum(-0.46, -0.16, 0.95, 0.95, ry), *sheen(lid, 0.4))
        pen.fill(ellipse(0, -0.46, 0.95, ry), tint(lid, 0.5), tint(lid, 0.05), along=(0.5, 1))
        return f"{name}, closed"
    pen.fill(ellipse(0, -0.12, 0.92, ry), tint(colour, 0.4), tint(colour, -0.15))
    pen.fill(ellipse(0, -0.11, 0.82, ry * 0.84), tint(colour, -0.25))
    cream = (255, 250, 242)
    pen.fill(ellipse(0, -0.1, 0.81, ry * 0.8), cream, tint(cream, -0.1), along=(0.4, 1))
    swirl = [(-0.5, -0.11), (-0.1, -0.2), (0.45, -0.13), (0.2, -0.05), (-0.2, -0.08), (0.1, -0.16)]
    pen.line(smooth(swirl, closed=False), tint(cream, -0.14), 0.035)
    pen.fill(smooth([(-0.12, -0.12), (-0.04, -0.24), (0.06, -0.33), (0.1, -0.22), (0.16, -0.1)]),
             cream, tint(cream, -0.14))  # fmt: skip
    return f"{name}, open"


def perfume(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a bottle of perfume: square, round or tapered."""
    name, colour = pick(rng, _SCENT)
    _, metal = pick(rng, METAL)
    bodies = {
        "square": box(-0.52, -0.3, 0.52, 0.92, 0.1),
        "round": ellipse(0, 0.33, 0.6),
        "tapered": smooth([(-0.3, -0.3), (0.3, -0.3), (0.48, 0.2), (0.58, 0.8), (0.4, 0.92),
                           (-0.4, 0.92), (-0.58, 0.8), (-0.48, 0.2)]),
    }  # fmt: skip
    kind = list(bodies)[int(rng.integers(len(bodies)))]
    body = bodies[kind]
    pen.shadow(ellipse(0.05, 0.93, 0.56, 0.09), opacity=0.4, colour=tint(colour, -0.7))
    glass = tint(colour, 0.7)
    pen.fill(body, tint(glass, -0.2), tint(glass, 0.6), glass, tint(glass, -0.25))
    middle = np.array([0.0, 0.33])
    inner = (body - middle) * 0.84 + middle
    level = float(rng.uniform(-0.1, 0.2))
    with pen.inside(inner) as liquid:
        liquid.fill(box(-0.7, level, 0.7, 1.0), *sheen(colour, 0.3))
        liquid.fill(box(-0.7, level, 0.7, level + 0.035), tint(colour, 0.5))
    with pen.inside(inner, opacity=0.5) as light:
        light.fill(path((-0.4, -0.4), (-0.22, -0.4), (-0.32, 1), (-0.5, 1)), (255, 255, 255))
    tag = box(-0.26, 0.3, 0.26, 0.6, 0.02)
    pen.fill(tag, (250, 246, 236))
    pen.line(np.concatenate([tag, tag[:1]]), tint(metal, -0.2), 0.015)
    pen.fill(ellipse(0, 0.4, 0.045), metal)
    pen.line(path((-0.15, 0.5), (0.15, 0.5)), tint(metal, -0.4), 0.018)
    pen.fill(drum(-0.42, -0.27, 0.2, 0.2, 0.03), *sheen(metal, 0.6))
    if chance(rng, 0.4):
        pen.fill(
            ellipse(0, -0.66, 0.27), tint(metal, 0.6), metal, tint(metal, -0.4), along=(0.6, 1)
        )
    else:
        pen.fill(drum(-0.9, -0.44, 0.24, 0.26, 0.04), *sheen(pick(rng, DARK, METAL)[1], 0.5))
    return f"{name}, {kind} bottle"
