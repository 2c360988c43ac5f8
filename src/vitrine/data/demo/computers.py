"""Computers: laptop, mouse, router and USB stick."""

import numpy as np

from vitrine.data.demo.outlines import box, ellipse, path, smooth
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import BRIGHT, DARK, METAL, Colour, chance, pick, sheen, tint

__all__ = ["laptop", "mouse", "router", "usb_stick"]

_SHELLS: dict[str, Colour] = {
    "silver": METAL["silver"],
    "graphite": DARK["graphite"],
    "black": DARK["black"],
    "white": (238, 240, 242),
}


def laptop(pen: Pen, rng: np.random.Generator) -> str:
    """Draw an open laptop, its wallpaper a sunset over hills."""
    name, shell = pick(rng, _SHELLS)
    pen.shadow(box(-1.0, 0.66, 1.0, 0.76, 0.04), opacity=0.5)
    screen = box(-0.78, -0.74, 0.78, 0.28, 0.05)
    pen.fill(screen, tint(shell, 0.2), tint(shell, -0.2), along=(0.3, 1))
    pen.fill(box(-0.75, -0.71, 0.75, 0.27, 0.03), (26, 27, 30))
    _wallpaper(pen, rng)
    deck = path((-0.78, 0.28), (0.78, 0.28), (1.02, 0.66), (-1.02, 0.66))
    pen.fill(deck, tint(shell, -0.1), tint(shell, 0.25), along=(0, 1))
    keys = tint(shell, -0.65) if sum(shell) > 3 * 120 else tint(shell, -0.3)
    for row in range(4):
        y0, y1 = 0.315 + row * 0.048, 0.35 + row * 0.048
        half = 0.72 + 0.045 * row
        for x in np.linspace(-half, half, 13)[:-1].tolist():
            step = half / 6
            pen.fill(path((x, y0), (x + step * 0.82, y0), (x + step * 0.84, y1), (x, y1)), keys)
    pen.fill(path((-0.2, 0.53), (0.2, 0.53), (0.23, 0.63), (-0.23, 0.63)), tint(shell, -0.18))
    pen.fill(box(-1.02, 0.66, 1.02, 0.71, 0.02), tint(shell, 0.1), tint(shell, -0.4), along=(0, 1))
    return name


def mouse(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a mouse from above, with a cable or without."""
    name, shell = pick(rng, _SHELLS, BRIGHT)
    wired = chance(rng, 0.55)
    if wired:
        bend = float(rng.uniform(-0.5, 0.5))
        cable = smooth([(0, -0.5), (0.02, -0.8), (bend, -1.05), (bend * 1.8, -1.4)], closed=False)
        pen.line(cable, tint(shell, -0.5), 0.045)
    right = [(0, -0.66), (0.3, -0.6), (0.44, -0.3), (0.43, 0.1), (0.46, 0.5), (0.3, 0.84)]
    left = [(-x, y) for x, y in right[:0:-1]]
    body = smooth([*right, (0, 0.92), *left])
    pen.shadow(body, shift=(0.03, 0.07), opacity=0.5)
    pen.fill(body, *sheen(shell, 0.35))
    with pen.inside(body) as top:
        top.fill(ellipse(0, 1.05, 0.7, 0.75), tint(shell, -0.12), tint(shell, 0.15), along=(0, 1))
        seam = tint(shell, -0.55)
        top.line(path((0, -0.7), (0, 0.02)), seam, 0.02)
        top.line(ellipse(0, -0.2, 0.5, 0.26, start=0, end=180), seam, 0.02)
        top.fill(ellipse(-0.2, -0.38, 0.07, 0.18), (255, 255, 255), opacity=0.35)
    pen.fill(box(-0.075, -0.42, 0.075, -0.14, 0.07), DARK["black"])
    wheel = BRIGHT["coral"] if chance(rng, 0.4) else METAL["silver"]
    pen.fill(box(-0.05, -0.39, 0.05, -0.17, 0.05), tint(wheel, -0.3), wheel, tint(wheel, -0.4),
             along=(0, 1))  # fmt: skip
    pen.fill(ellipse(0, 0.62, 0.05), tint(shell, 0.5 if sum(shell) < 3 * 128 else -0.4))
    return f"{name}, {'wired' if wired else 'wireless'}"


def router(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a router with two to four antennas and its row of lights."""
    name, shell = pick(rng, _SHELLS)
    antennas = int(rng.integers(2, 5))
    pen.shadow(ellipse(0.03, 0.68, 1.0, 0.1), opacity=0.5)
    for x in np.linspace(-0.78, 0.78, antennas).tolist():
        mast = pen.moved(x, 0.2, turn=x * 16)
        mast.fill(box(-0.055, -1.05, 0.055, 0.1, 0.05), *sheen(tint(shell, -0.15), 0.35))
        mast.fill(box(-0.07, -0.14, 0.07, 0.06, 0.03), *sheen(tint(shell, -0.35), 0.3))
    top = path((-0.82, 0.16), (0.82, 0.16), (1.0, 0.42), (-1.0, 0.42))
    pen.fill(top, tint(shell, 0.3), tint(shell, -0.05), along=(0, 1))
    for x in np.linspace(-0.5, 0.5, 11).tolist():
        pen.line(path((x, 0.21), (x * 1.15, 0.35)), tint(shell, -0.45), 0.022)
    front = box(-1.0, 0.4, 1.0, 0.68, 0.06)
    pen.fill(front, tint(shell, 0.05), tint(shell, -0.3), along=(0, 1))
    pen.fill(box(-0.9, 0.47, 0.9, 0.6, 0.06), (34, 36, 40))
    for i, x in enumerate(np.linspace(-0.7, 0.35, 7).tolist()):
        light: Colour = (120, 240, 130) if chance(rng, 0.75) else (250, 190, 70)
        pen.shadow(ellipse(x, 0.535, 0.035), colour=light, opacity=0.9, blur=0.03)
        pen.fill(ellipse(x, 0.535, 0.026 if i else 0.032), tint(light, 0.3))
    pen.fill(ellipse(0.72, 0.535, 0.045), BRIGHT["sky blue"], (220, 240, 250), along=(1, 1))
    return f"{name}, {antennas} antennas"


def usb_stick(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a USB stick lying at an angle, with its cap or a swivel."""
    name, shell = pick(rng, BRIGHT, DARK)
    metal = METAL["silver"]
    plug, body = box(0.42, -0.19, 0.98, 0.19, 0.02), box(-0.9, -0.29, 0.46, 0.29, 0.12)
    for part in (plug, body):
        pen.shadow(part, shift=(0.02, 0.07), opacity=0.45)
    pen.fill(plug, tint(metal, 0.6), metal, tint(metal, -0.35), along=(0, 1))
    for y in (-0.09, 0.09):
        pen.fill(box(0.66, y - 0.045, 0.76, y + 0.045), (52, 54, 58))
    pen.fill(body, *sheen(shell, 0.35), along=(0, 1))
    pen.fill(ellipse(-0.74, 0, 0.07), tint(shell, -0.6))
    swivel = chance(rng, 0.5)
    if swivel:
        clip = box(-0.62, -0.31, 0.2, 0.31, 0.1)
        pen.fill(clip, tint(metal, 0.6), metal, tint(metal, -0.3), along=(0.3, 1))
        pen.fill(ellipse(-0.42, 0, 0.1), tint(metal, -0.45), tint(metal, 0.3), along=(0.5, 1))
    else:
        pen.fill(box(-0.5, -0.16, 0.26, 0.16, 0.03), tint(shell, 0.75))
        for y, end in ((-0.06, 0.12), (0.05, -0.08)):
            pen.line(path((-0.42, y), (end, y)), tint(shell, -0.3), 0.045)
    pen.fill(ellipse(0.36, 0.0, 0.035), (120, 240, 130))
    return f"{name}{', swivel' if swivel else ''}"


def _wallpaper(pen: Pen, rng: np.random.Generator) -> None:
    _, sky = pick(rng, BRIGHT)
    _, land = pick(rng, BRIGHT)
    with pen.inside(box(-0.7, -0.66, 0.7, 0.21)) as view:
        view.fill(box(-0.7, -0.66, 0.7, 0.21), sky, tint(sky, 0.45), (255, 226, 180), along=(0, 1))
        view.fill(ellipse(float(rng.uniform(-0.4, 0.4)), -0.12, 0.17), (255, 244, 214))
        for depth in (0.0, 0.12):
            ys = (depth - rng.uniform(-0.05, 0.25, size=7)).tolist()
            ridge = list(zip(np.linspace(-0.9, 0.9, 7).tolist(), ys, strict=True))
            hills = np.concatenate([smooth(ridge, closed=False), path((0.9, 0.4), (-0.9, 0.4))])
            view.fill(hills, tint(land, 0.1 - 3 * depth), tint(land, -0.4), along=(0, 1))
        for x in np.linspace(-0.2, 0.2, 5).tolist():
            view.fill(box(x - 0.03, 0.13, x + 0.03, 0.19, 0.015), (250, 250, 250), opacity=0.8)
