"""Baby care, beauty products, computers and watches, as tables of their parts."""

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
    column,
    ground,
    row,
    turns,
)
from vitrine.data.demo.pen import Outline, box, curve, drum, ellipse, lathe, mirror, path
from vitrine.data.demo.surface import BLACK, SILVER, WHITE

__all__ = ["BABY_CARE", "BEAUTY", "COMPUTERS", "WATCHES"]


# Baby Care

BEAR: Parts = (
    Part(ellipse(0.7, -0.7, 0.36), "fur", light=-0.15, both=True),
    Part(ellipse(0.7, -0.7, 0.2), (244, 190, 190), both=True),
    Part(ellipse(0, 0, 1.0, 0.88), "fur", LIT),
    Part(ellipse(0, 0.34, 0.44, 0.34), "fur", light=0.55),
    Part(ellipse(0.38, -0.12, 0.1, 0.13), BLACK, both=True),
    Part(ellipse(0.66, 0.24, 0.15, 0.1), (244, 170, 170), both=True),
    Part(ellipse(0, 0.2, 0.13, 0.09), BLACK),
    Part(ellipse(0, 0.34, 0.18, 0.16, start=20, end=160), BLACK, stroke=0.06),
)
_HEART = mirror(curve((0, -0.3), (0.3, -0.72), (0.8, -0.5), (0.7, 0.1), (0, 0.85)))
MOTIF: Parts = ((BEAR, (Part(_HEART, "trim"),)),)
_BABY = {"body": "pastel", "trim": "bright", "ink": "paper", "fur": "fur"}
_SUIT = [(0.2, -0.82), (0.42, -0.8), (0.86, -0.48), (0.7, -0.18), (0.48, -0.34), (0.46, 0.0)]
_SUIT += [(0.52, 0.42), (0.5, 0.56), (0.3, 0.62), (0.17, 0.92)]
ROMPER = Shape("romper", (0.95, 1.0), 14.0,
    "{body}, {ink} {pattern}", _BABY, (
    Part(mirror(path(*_SUIT)), "body", LIT, shadow=True, printed=True),
    Part(path((0.86, -0.48), (0.7, -0.18)), "trim", light=0.3, stroke=0.06, both=True),
    Part(curve((0.51, 0.52), (0.3, 0.64), (0.17, 0.9)), "trim", light=0.3, stroke=0.06, both=True),
    Part(ellipse(0, -0.83, 0.23, 0.2, start=0, end=180), "body", light=-0.35),
    Part(ellipse(0, -0.83, 0.23, 0.2, start=0, end=180), "trim", light=0.3, stroke=0.06),
    Placed(MOTIF, ((0, -0.15, 0),), 0.2),
), ("stripes", "polka dots", "stars", "flowers"), 0.2)  # fmt: skip
_GLASS = [(0.27, -0.36), (0.36, -0.2), (0.32, 0.3), (0.36, 0.75), (0.33, 0.95), (0, 0.98)]
_TEAT = [(0.035, -0.98), (0.09, -0.93), (0.09, -0.82), (0.16, -0.68), (0.24, -0.58)]
BOTTLE = Shape("feeding bottle", (0.5, 1.02), 5.0,
    "{body}", _BABY, (
    ground(0.95, 0.4),
    Part(lathe(_GLASS), (222, 234, 240), ROUND),
    tuple((Part(lathe([(0.3, y), (0.3, 0.3), (0.33, 0.75), (0.3, 0.9), (0, 0.94)]), WHITE, ROUND),)
          for y in (-0.1, 0.1, 0.25)),
    Placed((Part(box(0.1, 0, 0.22, 0.02), "body", light=-0.35),), column(-0.1, 0.1, 0.3, 0.5, 0.7)),
    Part(lathe(_TEAT), (238, 212, 172), ROUND),
    Part(drum(-0.56, -0.34, 0.31, 0.33, 0.05), "body", ROUND),
    Part(ellipse(0, -0.56, 0.31, 0.05), "body", light=0.3),
    Placed(MOTIF, ((-0.07, 0.5, 0),), 0.15),
))  # fmt: skip
_BIB = mirror(curve((0, -0.14), (0.3, -0.24), (0.62, -0.3), (0.74, 0.1), (0.6, 0.62), (0, 0.92)))
_NECK = ellipse(0, -0.42, 0.36, 0.4, start=-76, end=60)
BIB = Shape("bib", (0.85, 1.0), 14.0,
    "{body}, {ink} {pattern}", _BABY, (
    Part(_NECK, "trim", stroke=0.25, both=True),
    Part(_NECK, "body", stroke=0.19, both=True),
    Part(_BIB, "trim", shadow=True),
    Part((_BIB - (0, 0.36)) * 0.92 + (0, 0.36), "body", LIT, printed=True),
    Placed(BEAR, ((0, 0.38, 0),), 0.34),
), ("polka dots", "stars", "flowers"), 0.24)  # fmt: skip
BABY_CARE = (ROMPER, BOTTLE, BIB)

# Beauty and Personal Care

_TIP = curve((-0.15, -0.62), (-0.08, -0.84), (0.06, -0.97), (0.14, -0.9), (0.15, -0.6))
STICK: Parts = (
    Part(np.concatenate([path((-0.15, 0)), _TIP, path((0.15, 0))]), "stick", ROUND),
    Part(drum(-0.22, 0.2, 0.185, 0.185, 0.035), "metal", ROUND),
    Part(drum(0.26, 0.92, 0.26, 0.26, 0.045), "body", ROUND),
    Part(ellipse(0, 0.26, 0.26, 0.045), "body", light=0.3),
)
LIPSTICK = Shape("lipstick", (0.75, 1.02), 2.0,
    "{stick}", {"stick": "lips", "metal": "metal", "body": "dark"}, (
    ground(0.93, 0.66),
    Placed(STICK, ((-0.3, 0, 0),)),
    Placed((Part(drum(-0.02, 0.92, 0.26, 0.26, 0.045), "body", ROUND),
            Part(drum(0.76, 0.84, 0.262, 0.262, 0.045), "metal", ROUND),
            Part(ellipse(0, -0.02, 0.26, 0.045), "body", light=0.35)), ((0.38, 0, 0),)),
))  # fmt: skip
CREAM = Shape("face cream", (1.0, 0.78), 2.0,
    "{body}", {"body": "pastel china", "metal": "metal"}, (
    ground(0.58, 0.98, 0.2),
    Part(drum(-0.12, 0.52, 0.92, 0.86, 0.17), "body", ROUND),
    Part(drum(0.1, 0.36, 0.5, 0.5, 0.1), WHITE, ROUND),
    Part(ellipse(0, 0.36, 0.26, 0.06, start=20, end=160), "metal", light=-0.3, stroke=0.02),
    ((Part(drum(-0.46, -0.16, 0.95, 0.95, 0.17), "metal", ROUND),
      Part(ellipse(0, -0.46, 0.95, 0.17), "metal", LIT, 0.25)),
     (Part(ellipse(0, -0.12, 0.92, 0.17), "body", LIT),
      Part(ellipse(0, -0.1, 0.81, 0.13), WHITE, LIT),
      Part(ellipse(0, -0.1, 0.45, 0.05, start=0, end=300), WHITE, light=-0.14, stroke=0.035))),
))  # fmt: skip


def _flask(outline: Outline) -> Parts:
    liquid = (outline - (0, 0.38)) * 0.82 + (0, 0.38)
    return (Part(outline, "scent", ROUND, 0.6), Part(liquid, "scent", ROUND))


PERFUME = Shape("perfume", (0.68, 1.02), 2.0,
    "{scent}", {"scent": "scent", "metal": "metal", "cap": "dark metal"}, (
    ground(0.93, 0.56),
    (_flask(box(-0.52, -0.3, 0.52, 0.92, 0.1)), _flask(ellipse(0, 0.33, 0.6)),
     _flask(lathe([(0.3, -0.3), (0.4, 0), (0.5, 0.4), (0.58, 0.8), (0.4, 0.92)]))),
    Part(path((-0.35, -0.1), (-0.22, -0.1), (-0.3, 0.75), (-0.43, 0.75)), WHITE, opacity=0.45),
    Part(box(-0.26, 0.3, 0.26, 0.6, 0.02), WHITE),
    Part(drum(-0.42, -0.27, 0.2, 0.2, 0.03), "metal", ROUND),
    ((Part(ellipse(0, -0.66, 0.27), "cap", LIT, 0.1),),
     (Part(drum(-0.9, -0.44, 0.24, 0.26, 0.04), "cap", ROUND),)),
))  # fmt: skip
BEAUTY = (LIPSTICK, CREAM, PERFUME)

# Computers

_HILL = curve((-0.7, -0.1), (-0.35, -0.25), (0, -0.05), (0.35, -0.2), (0.7, -0.02))
_HILL = np.concatenate([_HILL, path((0.7, 0.21), (-0.7, 0.21))])
LAPTOP = Shape("laptop", (1.06, 0.8), 2.0,
    "{body}", {"body": "metal shell", "sky": "pastel bright", "land": "bright"}, (
    ground(0.7, 1.0, 0.06),
    Part(box(-0.78, -0.74, 0.78, 0.28, 0.05), "body", LIT),
    Part(box(-0.75, -0.71, 0.75, 0.27, 0.03), BLACK),
    Part(box(-0.7, -0.66, 0.7, 0.21), "sky", Finish((0, 0.6), (0, 1))),
    tuple((Part(ellipse(x, -0.3, 0.15), (255, 244, 214)),) for x in (-0.3, 0.0, 0.35)),
    Part(_HILL, "land", DOWN),
    Part(_HILL * (-1, 0.6) + (0, 0.084), "land", DOWN, -0.3),
    Part(path((-0.78, 0.28), (0.78, 0.28), (1.02, 0.66), (-1.02, 0.66)), "body", LIT),
    *(Placed((Part(box(0, 0, half / 7, 0.034), "body", light=-0.5),),
             row(-half, half * 5 / 6, 12, 0.315 + 0.048 * line))
      for line, half in enumerate((0.72, 0.765, 0.81, 0.855))),
    Part(box(-1.02, 0.66, 1.02, 0.71, 0.02), "body", DOWN),
))  # fmt: skip
_MOUSE = [(0, -0.66), (0.3, -0.6), (0.44, -0.3), (0.43, 0.1), (0.46, 0.5), (0.3, 0.84), (0, 0.92)]
_CABLE = curve((0, -0.5), (0.02, -0.8), (0.3, -1.05), (0.54, -1.4))
MOUSE = Shape("mouse", (0.62, 1.05), 30.0,
    "{body}", {"body": "metal shell bright", "wheel": "bright metal"}, (
    Part(_CABLE, "body", light=-0.5, stroke=0.045),
    Part(mirror(curve(*_MOUSE)), "body", ROUND, shadow=True),
    Part(path((0, -0.65), (0, 0.05)), "body", light=-0.55, stroke=0.02),
    Part(ellipse(0, -0.2, 0.42, 0.26, start=0, end=180), "body", light=-0.55, stroke=0.02),
    Part(box(-0.075, -0.42, 0.075, -0.14, 0.07), BLACK),
    Part(box(-0.05, -0.39, 0.05, -0.17, 0.05), "wheel", ROUND_DOWN),
    Part(ellipse(0, 0.62, 0.06), "body", light=0.5),
))  # fmt: skip
USB_STICK = Shape("USB stick", (1.02, 0.4), 40.0,
    "{body}", {"body": "bright dark", "metal": "metal"}, (
    Part(box(0.42, -0.19, 0.98, 0.19, 0.02), "metal", ROUND_DOWN, 0.1, shadow=True),
    Placed((Part(box(0.66, -0.045, 0.76, 0.045), BLACK),), column(-0.09, 0.09)),
    Part(box(-0.9, -0.29, 0.46, 0.29, 0.12), "body", ROUND_DOWN, shadow=True),
    Part(ellipse(-0.74, 0, 0.07), "body", light=-0.6),
    ((Part(box(-0.62, -0.31, 0.2, 0.31, 0.1), "metal", LIT),),
     (Part(box(-0.5, -0.16, 0.26, 0.16, 0.03), "body", light=0.75),
      Part(path((-0.42, 0), (0.12, 0)), "body", light=-0.3, stroke=0.045))),
    Part(ellipse(0.36, 0.0, 0.035), (120, 240, 130)),
))  # fmt: skip
COMPUTERS = (LAPTOP, MOUSE, USB_STICK)

# Watches

_SEGMENTS = {  # of a seven-segment digit: x0, y0, x1, y1 in a box 1 wide and 2 high
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2),
    "e": (0, 1, 0, 2), "f": (0, 0, 0, 1), "g": (0, 1, 1, 1),
}  # fmt: skip
_DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


_INK = (44, 50, 44)


def _time(digits: str) -> Parts:
    """Return the strokes of four digits."""
    strokes = []
    for x, digit in zip((-0.26, -0.13, 0.04, 0.17), digits, strict=True):
        for segment in _DIGITS[int(digit)]:
            ends = np.reshape(_SEGMENTS[segment], (2, 2))
            strokes.append(Part(ends * 0.08 + (x, -0.09), _INK, stroke=0.02))
    return tuple(strokes)


_BAND = mirror(path((0.25, 0.3), (0.18, 0.99), (0.0, 1.04)))
_SEAM, _BUCKLE = path((0.2, 0.34), (0.14, 0.96)), box(-0.2, -1.04, 0.2, -0.9, 0.02)
_LINK_PLACES = tuple((0, side * (0.4 + 0.08 * i), 0) for side in (-1, 1) for i in range(8))
LEATHER: Parts = (
    Placed((Part(_BAND, "strap", ROUND, shadow=True),), turns(2)),
    Placed((Part(_SEAM, "strap", light=0.45, stroke=0.014, both=True),), turns(2)),
    Part(_BUCKLE, SILVER, stroke=0.035),
)
LINKS: Parts = (
    Part(box(-0.2, -1.0, 0.2, 1.0), "metal", light=-0.5, shadow=True),
    Placed((Part(box(0.1, -0.036, 0.24, 0.036), "metal", ROUND_DOWN, both=True),), _LINK_PLACES),
    Placed((Part(box(-0.09, -0.036, 0.09, 0.036), "metal", ROUND_DOWN),), _LINK_PLACES),
)
_WATCH = {"metal": "metal", "strap": "dark bright", "second": "bright", "dial": "pastel pale"}


def _hands(hours: float, minutes: float, seconds: float) -> Parts:
    short, long = path((0, 0.06), (0, -0.17)), path((0, 0.06), (0, -0.26))
    return (
        Placed((Part(short, BLACK, stroke=0.034),), ((0, 0, hours * 30),)),
        Placed((Part(long, BLACK, stroke=0.024),), ((0, 0, minutes * 6),)),
        Placed((Part(long, "second", stroke=0.012),), ((0, 0, seconds * 6),)),
    )


def _analogue(noun: str, case: Outline) -> Shape:
    """Return a watch with hands, its dial as its case."""
    return Shape(noun, (0.56, 1.08), 28.0, "{metal} case, {dial} dial", _WATCH, (
        (LEATHER, LEATHER, LINKS),
        Part(box(0.19, -0.5, 0.29, 0.5, 0.03), "metal", light=-0.2, both=True),
        Part(box(0.4, -0.06, 0.51, 0.06, 0.02), "metal", ROUND_DOWN),
        Part(case, "metal", LIT, 0.15, shadow=True),
        Part(case * 0.9, "metal", Finish((-0.45, 0, 0.5), (0.6, 1))),
        Part(case * 0.8, "dial", LIT, 0.2),
        Placed((Part(path((0, -0.31), (0, -0.28)), BLACK, stroke=0.022),), turns(12)),
        (_hands(1.2, 15.0, 35.0), _hands(10.2, 10.0, 30.0), _hands(7.9, 55.0, 20.0)),
        Part(ellipse(0, 0, 0.026), "second"),
    ), mirrored=False)  # fmt: skip


ROUND_WATCH = _analogue("round watch", ellipse(0, 0, 0.44))
SQUARE_WATCH = _analogue("square watch", box(-0.4, -0.43, 0.4, 0.43, 0.12))
_RESIN = path((-0.3, 0.3), (0.3, 0.3), (0.2, 1), (-0.2, 1))
DIGITAL = Shape("digital watch", (0.56, 1.04), 28.0,
    "{body} resin", {"body": "bright dark"}, (
    Placed((Part(_RESIN, "body", ROUND, shadow=True),), turns(2)),
    Placed((Part(box(-0.12, -0.012, 0.12, 0.012), "body", light=-0.4),),
           column(-0.9, -0.8, -0.7, -0.6, 0.6, 0.7, 0.8, 0.9)),
    Part(box(0.41, -0.25, 0.49, -0.11, 0.03), SILVER, both=True),
    Part(box(0.41, 0.11, 0.49, 0.25, 0.03), SILVER, both=True),
    Part(box(-0.43, -0.42, 0.43, 0.42, 0.17), "body", LIT, shadow=True),
    Part(box(-0.35, -0.34, 0.35, 0.34, 0.1), BLACK),
    Part(box(-0.3, -0.2, 0.3, 0.22, 0.04), (192, 203, 175), Finish((0.1, -0.1), (0.3, 1))),
    Part(box(-0.14, -0.28, 0.14, -0.25), "body"),
    (_time("1042"), _time("1859"), _time("2317")),
    Placed((Part(ellipse(-0.01, 0, 0.015), _INK),), column(-0.05, 0.03)),
    Part(box(-0.25, 0.14, 0.1, 0.165), (110, 122, 100)),
), mirrored=False)  # fmt: skip
WATCHES = (ROUND_WATCH, SQUARE_WATCH, DIGITAL)
