"""Home decor, furnishing and kitchenware, as tables of their parts."""

import numpy as np

from vitrine.data.demo.parts import (
    DOWN,
    LIT,
    ROUND,
    ROUND_DOWN,
    Finish,
    Part,
    Parts,
    Placed,
    Shape,
    ground,
    row,
    turns,
)
from vitrine.data.demo.pen import box, curve, drum, ellipse, lathe, mirror, path, smooth
from vitrine.data.demo.surface import BLACK, PATTERNS, SILVER, WHITE

__all__ = ["DECOR", "FURNISHING", "KITCHEN"]

# Home Decor & Festive Needs

_RIDGE = curve((-0.5, -0.05), (-0.2, -0.2), (0.15, 0.02), (0.5, -0.12))
_HILL = np.concatenate([_RIDGE, path((0.5, 1), (-0.5, 1))])


def _hill(side: int, depth: float, light: float) -> Part:
    """Return a hill of a landscape, cut where its frame begins."""
    return Part(np.minimum(_HILL * (side, 1) + (0, depth), (1, 0.62)), "hill", light=light)


_GREEN, _YELLOW = (92, 140, 82), (255, 222, 130)
_LEAF = mirror(curve((0, 0), (0.27, -0.4), (0.16, -0.8), (0, -1)))
FLOWER: Parts = (
    Placed((Part(ellipse(0, -0.6, 0.36, 0.46), "petal", LIT),), turns(6)),
    Part(ellipse(0, 0, 0.3), (250, 206, 90), LIT),
)


def _bouquet(heads: int) -> Parts:
    tops = [(x, -0.66 + 0.5 * abs(x), 17 * x) for x in np.linspace(-0.42, 0.42, heads).tolist()]
    stems = (curve((0, 0.1), (x * 0.4, -0.25), (x, y)) for x, y, _ in tops)
    return (
        *(Part(stem, _GREEN, light=-0.2, stroke=0.03) for stem in stems),
        Placed((Part(_LEAF, _GREEN),), tuple((x * 0.4, -0.2, 160 * x) for x, _, _ in tops), 0.26),
        Placed(FLOWER, tuple(tops), 0.21),
    )


_VASES = (
    [(0.2, -0.1), (0.14, 0.05), (0.36, 0.35), (0.38, 0.62), (0.2, 0.94), (0.0, 0.97)],
    [(0.26, -0.1), (0.2, 0.1), (0.24, 0.5), (0.34, 0.85), (0.3, 0.95), (0.0, 0.97)],
)
VASE = Shape("vase", (0.66, 1.02), 2.0,
    "{body}, {pattern}", {"body": "bright", "ink": "pastel", "petal": "bright pastel"}, (
    ground(0.95, 0.4),
    (_bouquet(3), _bouquet(4), _bouquet(5)),
    tuple((Part(lathe(profile), "body", ROUND, printed=True),) for profile in _VASES),
), ("plain", "zigzag", "diamonds", "polka dots"), 0.2)  # fmt: skip
_BEADS = tuple((x, 0.42 - 0.22 * x * x, 0) for x in np.linspace(-0.78, 0.78, 11).tolist())
_DISH = mirror(curve((0, 0.02), (0.7, -0.02), (0.99, -0.06), (0.86, 0.3), (0.42, 0.62), (0, 0.68)))
_FLAME = smooth([(0.74, -0.94), (0.93, -0.4), (0.74, -0.1), (0.55, -0.4)])
FRAME = Shape("picture frame", (0.9, 0.98), 3.0,
    "{wood}, landscape", {"wood": "wood", "sky": "pastel", "hill": "bright", "mat": "china"}, (
    Part(box(-0.8, -0.92, 0.8, 0.92), "wood", DOWN, shadow=True),
    Part(path((0.8, -0.92), (0.65, -0.77), (0.65, 0.77), (0.8, 0.92)), "wood", ROUND, both=True),
    Part(box(-0.65, -0.77, 0.65, 0.77), "mat"),
    Part(box(-0.5, -0.62, 0.5, 0.62), "sky", DOWN),
    tuple((Part(ellipse(x, -0.3, 0.14), (255, 210, 110)),) for x in (-0.25, 0.0, 0.25)),
    _hill(1, 0.0, 0.45), _hill(-1, 0.2, 0.15), _hill(1, 0.42, -0.25),
))  # fmt: skip
OIL_LAMP = Shape("oil lamp", (1.05, 0.95), 3.0,
    "{clay}", {"clay": "clay"}, (
    ground(0.72, 0.8, 0.14),
    Part(box(-0.34, 0.56, 0.34, 0.74, 0.06), "clay", ROUND),
    Part(_DISH, "clay", ROUND),
    Placed((Part(ellipse(0, 0, 0.05), _YELLOW),), _BEADS),
    Part(ellipse(0, -0.02, 0.95, 0.28, start=15, end=165), _YELLOW, stroke=0.03),
    Part(ellipse(0, -0.03, 0.98, 0.14), "clay", light=-0.3),
    Part(ellipse(-0.05, 0.0, 0.7, 0.085), (250, 206, 100), LIT),
    Part(ellipse(0.74, -0.46, 0.5), (255, 190, 80), opacity=0.55, blur=0.22),
    Part(_FLAME, (250, 170, 60), LIT),
    Part((_FLAME - (0.74, -0.1)) * 0.55 + (0.74, -0.12), _YELLOW),
))  # fmt: skip
DECOR = (VASE, FRAME, OIL_LAMP)

# Home Furnishing

_CLOTH = {"body": "bright dark", "ink": "pastel pale", "metal": "metal", "ribbon": "bright dark"}


def _panel(left: float, right: float) -> Parts:
    wide = (right - left) / 20
    pleat = (
        Part(box(0, -0.92, wide, 0.98), WHITE, opacity=0.15),
        Part(box(wide, -0.92, 2 * wide, 0.98), BLACK, opacity=0.22),
        Part(ellipse(wide, -0.87, 0.035), "metal"),
    )
    hanging = Part(box(left, -0.92, right, 0.98), "body", shadow=True, printed=True)
    return (hanging, Placed(pleat, row(left, right - 2 * wide, 10)))


CURTAIN = Shape("curtain", (1.05, 1.02), 1.0,
    "{body}, {ink} {pattern}", _CLOTH, (
    ((*_panel(-0.86, -0.1), *_panel(0.1, 0.86)), _panel(-0.75, 0.75)),
    Part(box(-1.0, -0.98, 1.0, -0.91, 0.03), "metal", ROUND_DOWN),
    Part(ellipse(1.0, -0.945, 0.07), "metal", LIT, both=True),
), PATTERNS, 0.28)  # fmt: skip
_EDGE = path((-0.92, -0.92), (-0.45, -0.83), (0, -0.82), (0.45, -0.83))
_EDGES = np.concatenate([_EDGE, _EDGE[:, ::-1] * (-1, 1), -_EDGE, _EDGE[:, ::-1] * (1, -1)])
_CUSHION = smooth([(x, y) for x, y in _EDGES.tolist()])
CUSHION = Shape("cushion", (0.98, 0.98), 20.0,
    "{body}, {ink} {pattern}", _CLOTH, (
    Part(_CUSHION, "body", LIT, shadow=True, printed=True),
    Part(ellipse(0.25, 0.3, 0.5), BLACK, opacity=0.22, blur=0.2),
    Part(ellipse(-0.2, -0.22, 0.3), WHITE, opacity=0.3, blur=0.2),
    Part(np.concatenate([_CUSHION, _CUSHION[:2]]), "ink", light=-0.15, stroke=0.035),
), PATTERNS, 0.28)  # fmt: skip
_LID = path((-0.9, -0.19), (-0.66, -0.62), (0.8, -0.62), (0.9, -0.19))
_LOOP = smooth([(0, -0.22), (0.16, -0.37), (0.36, -0.32), (0.3, -0.15)])
BED_SHEETS = Shape("bed sheet set", (1.02, 0.82), 2.0,
    "{body}, {ink} {pattern}", _CLOTH, (
    ground(0.62, 0.98, 0.08),
    Part(box(-0.94, 0.34, 0.94, 0.62, 0.14), "ink", ROUND_DOWN),
    Part(box(-0.92, 0.06, 0.93, 0.34, 0.14), "body", ROUND_DOWN, printed=True),
    Part(box(-0.94, -0.22, 0.92, 0.06, 0.14), "ink", ROUND_DOWN),
    Part(_LID, "body", DOWN, printed=True),
    ((Part(box(-0.1, -0.62, 0.1, 0.62), "ribbon", ROUND), Part(_LOOP, "ribbon", LIT, both=True),
      Part(ellipse(0, -0.22, 0.075), "ribbon", LIT)), ()),
), PATTERNS)  # fmt: skip
FURNISHING = (CURTAIN, CUSHION, BED_SHEETS)

# Kitchen & Dining

_TABLEWARE = {"body": "china pastel", "ink": "bright dark"}
_HANDLE = ellipse(0.55, 0.0, 0.34, 0.36, start=-100, end=100)
MUG = Shape("mug", (0.95, 0.85), 3.0,
    "{body}, {pattern}", _TABLEWARE, (
    ground(0.68, 0.72, 0.14),
    Part(_HANDLE, "body", light=-0.35, stroke=0.17),
    Part(_HANDLE - (0.015, 0.02), "body", light=-0.08, stroke=0.12),
    tuple((Part(drum(-0.6, 0.62, 0.6, foot, 0.13), "body", ROUND, printed=True),)
          for foot in (0.5, 0.6)),
    Part(ellipse(0, -0.6, 0.6, 0.13), "body", light=0.35),
    Part(ellipse(0, -0.595, 0.55, 0.11), (74, 44, 28), LIT),
), ("plain", *PATTERNS))  # fmt: skip
_EGG = [(-0.05, 0.02), (-0.25, 0.24), (-0.5, 0.3), (-0.66, 0.02), (-0.5, -0.24), (-0.22, -0.27)]
PAN = Shape("frying pan", (1.1, 0.66), 45.0,
    "{body}", {"body": "bright dark"}, (
    Part(box(0.15, -0.05, 0.5, 0.05), SILVER, ROUND_DOWN, shadow=True),
    Part(box(0.38, -0.075, 1.12, 0.075, 0.07), BLACK, ROUND_DOWN, shadow=True),
    Part(ellipse(-0.35, 0, 0.62), "body", LIT, shadow=True),
    Part(ellipse(-0.35, 0, 0.57), (60, 60, 64), Finish((-0.3, 0.2), (0.5, 1))),
    Part(ellipse(-0.35, 0, 0.5), (44, 44, 48), Finish((-0.3, 0.2), (0.5, 1))),
    ((Part(smooth(_EGG), WHITE), Part(ellipse(-0.37, 0, 0.12), (248, 186, 56), LIT)), ()),
))  # fmt: skip


def _bowl(depth: float) -> Parts:
    sides = [(0.99, -0.3), (0.93, depth * 0.42 - 0.3), (0.68, depth * 0.8 - 0.3)]
    return (
        ground(depth - 0.2, 0.62, 0.13),
        Part(drum(depth - 0.35, depth - 0.21, 0.36, 0.4, 0.08), "body", ROUND),
        Part(lathe([*sides, (0.34, depth - 0.3), (0, depth - 0.26)]), "body", ROUND, printed=True),
    )


BOWL = Shape("bowl", (1.02, 0.75), 3.0,
    "{body}, {pattern}", _TABLEWARE, (
    (_bowl(0.65), _bowl(0.75), _bowl(0.85)),
    Part(ellipse(0, -0.3, 1.0, 0.23), "body", light=0.45),
    Part(ellipse(0, -0.288, 0.95, 0.21), "body", DOWN, -0.15),
), ("plain", *PATTERNS), 0.3)  # fmt: skip
KITCHEN = (MUG, PAN, BOWL)
