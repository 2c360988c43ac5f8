"""Home Furnishing: curtains, cushion and folded bed sheets, in printed cloth."""

import numpy as np

from vitrine.data.demo.outlines import Outline, box, ellipse, path, smooth
from vitrine.data.demo.patterns import PATTERNS, decorate
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import BRIGHT, DARK, METAL, PASTEL, Colour, chance, pick, sheen, tint

__all__ = ["bed_sheets", "curtains", "cushion"]

_PALE: dict[str, Colour] = {"ivory": (242, 234, 216), "white": (250, 248, 244)}


def curtains(pen: Pen, rng: np.random.Generator) -> str:
    """Draw one wide curtain or a pair, hanging from a rod."""
    cloth = _Cloth(rng)
    pair = chance(rng, 0.6)
    panels = ((-0.86, -0.1), (0.1, 0.86)) if pair else ((-0.75, 0.75),)
    for left, right in panels:
        _panel(pen, cloth, left, right)
    _, metal = pick(rng, METAL)
    pen.fill(box(-1.0, -0.98, 1.0, -0.91, 0.03), tint(metal, 0.4), tint(metal, -0.4), along=(0, 1))
    for side in (-1, 1):
        pen.fill(ellipse(side * 1.0, -0.945, 0.07), tint(metal, 0.5), tint(metal, -0.4))
    return cloth.name


def cushion(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a plump square cushion with piping."""
    cloth = _Cloth(rng)
    waist = float(rng.uniform(0.8, 0.86))
    corners = [(-0.92, -0.92), (-0.45, -waist), (0, -waist + 0.01), (0.45, -waist)]
    side = np.array(corners)
    turns = [np.array([[0, -1], [1, 0]]), -np.eye(2), np.array([[0, 1], [-1, 0]])]
    knots = np.concatenate([side, *(side @ turn.T for turn in turns)])
    body = smooth([(x, y) for x, y in knots.tolist()])
    pen.shadow(body, shift=(0.02, 0.09), opacity=0.5, blur=0.09)
    pen.fill(body, tint(cloth.ground, 0.2), cloth.ground, tint(cloth.ground, -0.2), along=(0.4, 1))
    with pen.inside(body) as print_:
        cloth.print(print_.moved(0, 0, turn=float(rng.choice([0, 45, 90]))), 1.0)
        rim = np.concatenate([body, body[:1], (body * 0.8 - 0.04)[::-1]])
        print_.shadow(rim, opacity=0.32, blur=0.12)
        print_.shadow(ellipse(-0.2, -0.22, 0.3), colour=_PALE["white"], opacity=0.3, blur=0.2)
    pen.line(np.concatenate([body, body[:2]]), tint(cloth.ink, -0.15), 0.035)
    return cloth.name


def bed_sheets(pen: Pen, rng: np.random.Generator) -> str:
    """Draw a pile of folded sheets, sometimes tied with a ribbon."""
    cloth = _Cloth(rng)
    layers = int(rng.integers(3, 5))
    height = 0.22
    floor = 0.62
    pen.shadow(box(-0.98, floor - 0.06, 1.0, floor + 0.06, 0.05), opacity=0.55)
    for i in range(layers):
        y = floor - height * (i + 1)
        wobble = float(rng.uniform(-0.025, 0.025))
        plain = cloth.ground if i % 2 == layers % 2 else cloth.ink
        _fold(pen, cloth, box(-0.94 + wobble, y, 0.94 + wobble, y + height, height / 2), plain)
    top = floor - height * layers
    lid = path((-0.9, top + 0.03), (-0.66, top - 0.4), (0.8, top - 0.4), (0.9, top + 0.03))
    pen.fill(lid, tint(cloth.ground, 0.35), tint(cloth.ground, 0.05), along=(0, 1))
    with pen.inside(lid) as print_:
        cloth.print(print_, 0.8)
    if chance(rng, 0.6):
        _ribbon(pen, pick(rng, BRIGHT, DARK)[1], top, floor)
    return cloth.name


class _Cloth:
    """A printed cloth: its ground, its ink, its pattern and a name for them."""

    def __init__(self, rng: np.random.Generator) -> None:
        # One of the two is pale: saturated on saturated is what no shop would sell.
        strong, pale = pick(rng, BRIGHT, DARK), pick(rng, PASTEL, _PALE)
        (ground, self.ground), (ink, self.ink) = (
            (pale, strong) if chance(rng, 0.5) else (strong, pale)
        )
        self.kind = list(PATTERNS)[int(rng.integers(len(PATTERNS)))]
        self.step = float(rng.uniform(0.2, 0.36))
        self.name = f"{ground}, {ink} {self.kind}"

    def print(self, pen: Pen, scale: float) -> None:
        """Print the pattern at a scale."""
        decorate(pen, self.kind, self.ink, self.step * scale)


def _panel(pen: Pen, cloth: _Cloth, left: float, right: float) -> None:
    folds = max(4, round((right - left) / 0.15))
    xs = np.linspace(left, right, 2 * folds + 1)
    sway = np.where(np.arange(len(xs)) % 2, 0.022, -0.014)
    flare = 1.06
    middle = (left + right) / 2
    hem = smooth(list(zip(middle + (xs - middle) * flare, 0.96 + sway, strict=True)), closed=False)
    body = np.concatenate([path((left, -0.9)), path((right, -0.9)), hem[::-1]])
    pen.shadow(body, shift=(0.04, 0.03), opacity=0.3)
    pen.fill(body, cloth.ground)
    with pen.inside(body) as print_:
        cloth.print(print_, 1.0)
        for x0, x1, x2 in zip(xs[:-1:2], xs[1::2], xs[2::2], strict=True):
            _pleat(print_, middle, flare, (float(x0), float(x1), float(x2)))
    for x in xs[1::2].tolist():
        pen.fill(ellipse(x, -0.87, 0.035), METAL["silver"])
        pen.fill(ellipse(x, -0.87, 0.02), tint(cloth.ground, -0.5))


def _pleat(pen: Pen, middle: float, flare: float, xs: tuple[float, float, float]) -> None:
    """Shade one fold: a light crest and a dark hollow."""
    low = [middle + (x - middle) * flare for x in xs]
    crest = path((xs[0], -1), (xs[1], -1), (low[1], 1.1), (low[0], 1.1))
    hollow = path((xs[1], -1), (xs[2], -1), (low[2], 1.1), (low[1], 1.1))
    pen.fill(crest, (255, 255, 255), opacity=0.14)
    pen.fill(hollow, (20, 16, 36), (40, 36, 50), opacity=0.20)
    deep = path((xs[1] * 0.4 + xs[2] * 0.6, -1), (xs[2], -1), (low[2], 1.1))
    pen.fill(
        np.concatenate([deep, path((low[1] * 0.4 + low[2] * 0.6, 1.1))]), (20, 16, 36), opacity=0.16
    )


def _fold(pen: Pen, cloth: _Cloth, edge: Outline, colour: Colour) -> None:
    pen.fill(edge, *sheen(colour, 0.35), along=(0, 1))
    if colour == cloth.ground:
        with pen.inside(edge, opacity=0.75) as print_:
            cloth.print(print_, 0.6)
    left, right = float(edge[:, 0].min()), float(edge[:, 0].max())
    y = float(edge[:, 1].mean())
    pen.line(path((left + 0.12, y), (right - 0.02, y + 0.01)), tint(colour, -0.35), 0.014)


def _ribbon(pen: Pen, colour: Colour, top: float, floor: float) -> None:
    pen.fill(
        path((-0.06, top - 0.4), (0.08, top - 0.4), (0.1, top), (-0.1, top)), tint(colour, 0.15)
    )
    pen.fill(path((-0.1, top), (0.1, top), (0.1, floor), (-0.1, floor)), *sheen(colour, 0.25))
    for side in (-1, 1):
        bow = pen.moved(0, top, turn=side * 14.0)
        loop = smooth([(0, 0), (side * 0.16, -0.15), (side * 0.36, -0.1), (side * 0.3, 0.07)])
        bow.fill(loop, tint(colour, 0.25), tint(colour, -0.2), along=(0, 1))
        tail = path((0, 0), (side * 0.12, 0.0), (side * 0.3, 0.3), (side * 0.16, 0.32))
        bow.fill(tail, colour, tint(colour, -0.3), along=(0, 1))
    pen.fill(ellipse(0, top, 0.075), tint(colour, 0.1), tint(colour, -0.35))
