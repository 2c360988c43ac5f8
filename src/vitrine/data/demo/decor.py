"""Home Decor & Festive Needs: vase, picture frame, oil lamp and wall sticker."""

import numpy as np

from vitrine.data.demo.outlines import Outline, box, ellipse, lathe, path, smooth
from vitrine.data.demo.patterns import decorate
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import BRIGHT, DARK, METAL, PASTEL, Colour, chance, pick, sheen, tint

__all__ = ["oil_lamp", "picture_frame", "vase", "wall_sticker"]

_WOOD: dict[str, Colour] = {
    "oak": (196, 152, 100),
    "walnut": (108, 72, 48),
    "black": (44, 42, 44),
    "white": (240, 238, 232),
    "gilded": METAL["gold"],
}
_LEAF: Colour = (92, 140, 82)


def vase(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a vase with a bunch of flowers."""
    name, colour = pick(rng, BRIGHT, PASTEL, {"terracotta": (200, 112, 76)})
    profiles = [
        [(0.2, -0.1), (0.14, 0.05), (0.36, 0.35), (0.38, 0.62), (0.2, 0.94), (0.0, 0.97)],
        [(0.26, -0.1), (0.2, 0.1), (0.24, 0.5), (0.34, 0.85), (0.3, 0.95), (0.0, 0.97)],
        [(0.14, -0.1), (0.13, 0.25), (0.4, 0.6), (0.34, 0.9), (0.2, 0.96), (0.0, 0.97)],
    ]
    profile = profiles[int(rng.integers(len(profiles)))]
    pen.shadow(ellipse(0.06, 0.95, 0.4, 0.08), opacity=0.45)
    petal = pick(rng, BRIGHT, PASTEL)[1]
    _bouquet(pen, rng, petal)
    body = lathe(profile)
    pen.fill(body, *sheen(colour, 0.35))
    kind = ("plain", "zigzag", "diamonds", "polka dots")[int(rng.integers(4))]
    if kind != "plain":
        with pen.inside(body, opacity=0.75) as clay:
            decorate(clay, kind, tint(colour, 0.7), 0.2)
    pen.fill(ellipse(-0.13, 0.5, 0.04, 0.16), (255, 255, 255), opacity=0.35)
    neck = profile[0][0]
    pen.line(ellipse(0, -0.1, neck, 0.035, start=0, end=180), tint(colour, 0.35), 0.03)
    return f"{name}, {kind}"


def picture_frame(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a framed landscape or a framed flower."""
    name, wood = pick(rng, _WOOD)
    half = float(rng.uniform(0.66, 0.92))
    outer = box(-half, -0.92, half, 0.92)
    pen.shadow(outer, shift=(0.05, 0.08), opacity=0.5)
    _mouldings(pen, wood, half)
    pen.fill(box(-half + 0.15, -0.77, half - 0.15, 0.77), (250, 248, 242))
    edge = half - 0.3
    view = box(-edge, -0.62, edge, 0.62)
    with pen.inside(view) as paper:
        if chance(rng, 0.6):
            _landscape(paper, rng)
            subject = "landscape"
        else:
            _, ground = pick(rng, PASTEL)
            paper.fill(box(-1, -1, 1, 1), tint(ground, 0.3), ground, along=(0, 1))
            paper.line(path((0, 0.7), (0.02, -0.1)), tint(_LEAF, -0.2), 0.05)
            for side in (-1, 1):
                paper.moved(0, 0.35, turn=side * 50).fill(_leaf(0.45), _LEAF)
            _flower(paper.moved(0, -0.2, scale=0.36), pick(rng, BRIGHT)[1])
            subject = "flower"
    return f"{name}, {subject}"


def oil_lamp(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a festive clay lamp with its flame."""
    name, clay = pick(rng, {"terracotta": (190, 98, 60), "brass": METAL["gold"]}, BRIGHT)
    ink = (255, 222, 130)
    pen.shadow(ellipse(0, 0.72, 0.8, 0.14), opacity=0.5)
    pen.fill(box(-0.34, 0.56, 0.34, 0.74, 0.06), *sheen(clay, 0.4))
    bowl = smooth([(-0.98, 0.0), (-0.7, -0.02), (0, 0.02), (0.7, -0.02), (1.0, -0.12), (0.86, 0.3),
                   (0.42, 0.62), (0, 0.68), (-0.42, 0.62), (-0.86, 0.3)])  # fmt: skip
    pen.fill(bowl, *sheen(clay, 0.35))
    with pen.inside(bowl) as side:
        for i, x in enumerate(np.linspace(-0.78, 0.78, 11).tolist()):
            y = 0.42 - 0.22 * x * x
            side.fill(ellipse(x, y, 0.05), ink if i % 2 else (250, 250, 240))
        side.line(ellipse(0, -0.02, 0.98, 0.3, start=10, end=170), ink, 0.03)
        side.line(ellipse(0, 0.18, 0.9, 0.42, start=10, end=170), tint(clay, -0.3), 0.025)
    pen.fill(smooth([(-0.98, 0.0), (0, -0.17), (0.7, -0.14), (1.0, -0.12), (0.7, 0.04), (0, 0.12)]),
             tint(clay, -0.35), tint(clay, -0.1))  # fmt: skip
    pen.fill(ellipse(-0.05, 0.0, 0.7, 0.085), (222, 160, 50), (250, 206, 100))
    pen.line(smooth([(0.3, 0.02), (0.6, -0.06), (0.74, -0.2)], closed=False), (90, 70, 50), 0.05)
    _flame(
        pen.moved(0.74, -0.16, turn=float(rng.uniform(-8, 8)), scale=float(rng.uniform(0.9, 1.1)))
    )
    return name


def wall_sticker(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a wall sticker: a branch with leaves, blossoms and butterflies."""
    name, bark = pick(rng, DARK, {"plum": BRIGHT["plum"], "teal": BRIGHT["teal"]})
    leaf_name, leaf = pick(rng, BRIGHT)
    trunk = smooth(
        [(-1.0, 0.75), (-0.55, 0.5), (-0.2, 0.1), (0.3, -0.15), (0.95, -0.35)], closed=False
    )
    twigs = [smooth(points, closed=False) for points in (
        [(-0.42, 0.35), (-0.5, -0.05), (-0.3, -0.45)],
        [(0.1, -0.06), (0.2, -0.4), (0.1, -0.75)],
        [(0.0, 0.0), (0.4, 0.2), (0.85, 0.2)],
        [(-0.6, 0.52), (-0.2, 0.62), (0.2, 0.6)],
    )]  # fmt: skip
    for twig, width in zip([trunk, *twigs], (0.09, 0.05, 0.05, 0.05, 0.05), strict=True):
        pen.line(twig, bark, width)
        for i, (x, y) in enumerate(twig[6::7].tolist()):
            turn = float(rng.uniform(20, 70)) * (1 if i % 2 else -1) + 40
            shade = tint(leaf, float(rng.uniform(-0.2, 0.3)))
            pen.moved(x, y, turn=turn).fill(_leaf(float(rng.uniform(0.18, 0.26))), shade)
    _, blossom = pick(rng, PASTEL, BRIGHT)
    for twig in twigs:
        x, y = twig[-1].tolist()
        _flower(pen.moved(x, y, turn=float(rng.uniform(0, 72)), scale=0.17), blossom)
    for x, y in ((-0.75, -0.55), (0.68, -0.75), (0.6, 0.62)):
        _butterfly(
            pen.moved(x, y, turn=float(rng.uniform(-30, 30)), scale=0.2), pick(rng, BRIGHT)[1]
        )
    return f"{name} branch, {leaf_name} leaves"


def _leaf(length: float) -> Outline:
    w = length * 0.27
    return smooth([(0, 0), (w, -length * 0.4), (w * 0.6, -length * 0.8), (0, -length),
                   (-w * 0.6, -length * 0.8), (-w, -length * 0.4)])  # fmt: skip


def _flower(pen: Pen, colour: Colour) -> None:
    for turn in range(0, 360, 60):
        petal = pen.moved(0, 0, turn=turn)
        petal.fill(ellipse(0, -0.6, 0.36, 0.46), tint(colour, 0.3), colour, along=(0, 1))
    pen.fill(ellipse(0, 0, 0.3), (250, 206, 90), (226, 150, 40), along=(1, 1))


def _bouquet(pen: Pen, rng: np.random.Generator, petal: Colour) -> None:
    heads = int(rng.integers(3, 6))
    for i, spread in enumerate(np.linspace(-0.42, 0.42, heads).tolist()):
        top = -0.66 + 0.5 * abs(spread) + float(rng.uniform(-0.08, 0.08))
        stem = smooth([(0, 0.1), (spread * 0.4, -0.25), (spread, top)], closed=False)
        pen.line(stem, tint(_LEAF, -0.2), 0.03)
        x, y = stem[8].tolist()
        pen.moved(x, y, turn=70.0 if i % 2 else -70.0).fill(_leaf(0.26), _LEAF)
        _flower(pen.moved(spread, top, turn=float(rng.uniform(0, 60)), scale=0.21), petal)


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


def _flame(pen: Pen) -> None:
    pen.shadow(ellipse(0, -0.3, 0.5), colour=(255, 190, 80), opacity=0.55, blur=0.22)
    drop = smooth([(0, -0.8), (0.1, -0.52), (0.19, -0.24), (0.12, -0.02), (0, 0.04), (-0.12, -0.02),
                   (-0.19, -0.24), (-0.1, -0.52)])  # fmt: skip
    pen.fill(drop, (250, 150, 40), (255, 200, 70), (240, 110, 30), along=(0, 1))
    pen.fill(drop * (0.6, 0.62), (255, 236, 140), (255, 214, 90), along=(0, 1))
    pen.fill(drop * (0.3, 0.34), (255, 253, 236))


def _butterfly(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.moved(side * 0.42, -0.3, turn=side * 35).fill(
            ellipse(0, 0, 0.36, 0.52), tint(colour, 0.35), colour, along=(0, 1)
        )
        pen.moved(side * 0.34, 0.36, turn=-side * 35).fill(
            ellipse(0, 0, 0.27, 0.38), tint(colour, -0.1)
        )
        feeler = ellipse(side * 0.22, -0.62, 0.2, 0.3, start=270 - side * 80, end=270)
        pen.line(feeler, DARK["black"], 0.05)
    pen.fill(ellipse(0, 0, 0.09, 0.5), DARK["black"])
