"""Prints for cloth, paper and china; each covers the square from -1.3 to 1.3 of its pen."""

import numpy as np
from jaxtyping import Float

from vitrine.data.demo.outlines import box, ellipse, path, star
from vitrine.data.demo.pen import Pen
from vitrine.data.demo.surface import Colour, tint

__all__ = ["PATTERNS", "decorate"]

_REACH = 1.3


def decorate(pen: Pen, kind: str, colour: Colour, step: float) -> None:
    """Print a pattern.

    Args:
        pen: Where to print, usually a pen of ``Pen.inside``.
        kind: A key of ``PATTERNS``.
        colour: Ink.
        step: Distance between two repeats.
    """
    PATTERNS[kind](pen, colour, step)


def _grid(step: float) -> Float[np.ndarray, "place 2"]:
    """Return staggered places, every second row shifted by half a step."""
    y, x = np.mgrid[-_REACH : _REACH + step : step * 0.8, -_REACH : _REACH + step : step]
    x[1::2] += step / 2
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _stripes(pen: Pen, colour: Colour, step: float) -> None:
    for x in np.arange(-_REACH, _REACH, step).tolist():
        pen.fill(box(x, -_REACH, x + step * 0.45, _REACH), colour)


def _checks(pen: Pen, colour: Colour, step: float) -> None:
    for at in np.arange(-_REACH, _REACH, step).tolist():
        pen.fill(box(at, -_REACH, at + step / 2, _REACH), colour, opacity=0.5)
        pen.fill(box(-_REACH, at, _REACH, at + step / 2), colour, opacity=0.5)


def _dots(pen: Pen, colour: Colour, step: float) -> None:
    pen.stamp(ellipse(0, 0, step * 0.24), _grid(step), colour)


def _zigzag(pen: Pen, colour: Colour, step: float) -> None:
    xs = np.arange(-_REACH, _REACH + step, step / 2)
    for y in np.arange(-_REACH, _REACH + step, step).tolist():
        teeth = y + np.where(np.arange(len(xs)) % 2, step * 0.4, 0.0)
        pen.line(np.stack([xs, teeth], axis=1), colour, step * 0.2)


def _flowers(pen: Pen, colour: Colour, step: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    # The root rounds the tips of the five petals and pinches the gaps between them.
    reach = step * 0.34 * (0.48 + 0.52 * np.sqrt(np.abs(np.cos(2.5 * turn))))
    petals = np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)
    pen.stamp(petals, _grid(step), colour, spin=37)
    pen.stamp(ellipse(0, 0, step * 0.1), _grid(step), tint(colour, 0.75))


def _stars(pen: Pen, colour: Colour, step: float) -> None:
    pen.stamp(star(0, 0, step * 0.32), _grid(step), colour, spin=25)


def _diamonds(pen: Pen, colour: Colour, step: float) -> None:
    r = step * 0.36
    pen.stamp(path((0, -r), (r * 0.7, 0), (0, r), (-r * 0.7, 0)), _grid(step), colour)


PATTERNS = {
    "stripes": _stripes,
    "checks": _checks,
    "polka dots": _dots,
    "zigzag": _zigzag,
    "flowers": _flowers,
    "stars": _stars,
    "diamonds": _diamonds,
}
