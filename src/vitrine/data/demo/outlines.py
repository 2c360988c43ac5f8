"""Outlines: the few families of shapes that every drawing is made of.

Each function returns points in object coordinates, y pointing down, fine enough to look curved
once drawn; the last one joins the first, except along an open path.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

__all__ = ["Number", "Outline", "box", "drum", "ellipse", "lathe", "path", "smooth", "star"]

Number = float | int
"""A length or an angle; beartype takes the annotation ``float`` at its word."""

Outline = Float[np.ndarray, "point 2"]
"""Points of a polygon, or of a path."""

_PER_TURN = 64  # points of a full circle
_PER_PIECE = 10  # points of a smooth curve, from one given point to the next


def path(*points: tuple[Number, Number]) -> Outline:
    """Return straight segments through the points."""
    return np.array(points, dtype=float)


def ellipse(
    x: Number,
    y: Number,
    rx: Number,
    ry: Number | None = None,
    *,
    start: Number = 0,
    end: Number = 360,
) -> Outline:
    """Return an ellipse, or an arc of it; degrees clockwise, 0 to the right, 90 at the bottom."""
    count = max(3, round(abs(end - start) / 360 * _PER_TURN))
    angle = np.radians(np.linspace(start, end, count))
    return np.stack([x + rx * np.cos(angle), y + (ry or rx) * np.sin(angle)], axis=1)


def box(x0: Number, y0: Number, x1: Number, y1: Number, radius: Number = 0.0) -> Outline:
    """Return a rectangle with rounded corners."""
    r = min(radius, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    if r <= 0:
        return path((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    corners = [(x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180)]
    corners.append((x1 - r, y0 + r, 270))
    return np.concatenate([ellipse(x, y, r, start=a, end=a + 90) for x, y, a in corners])


def smooth(points: Sequence[tuple[Number, Number]], *, closed: bool = True) -> Outline:
    """Return a curve through every point (Catmull-Rom), closed or open."""
    knots = np.array(points, dtype=float)
    ends = (knots[-1:], knots[:2]) if closed else (knots[:1], knots[-1:])
    around = np.concatenate([ends[0], knots, ends[1]])
    p, q, r, s = (around[i : len(around) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, _PER_PIECE, endpoint=False)[:, None]
    curve = q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)))
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-1:]])


def lathe(profile: Sequence[tuple[Number, Number]]) -> Outline:
    """Return what a smooth profile, (half width, y) from the top, draws around a vertical axis."""
    right = smooth(profile, closed=False)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def drum(top: Number, bottom: Number, r_top: Number, r_bottom: Number, ry: Number) -> Outline:
    """Return a cylinder or a truncated cone seen slightly from above.

    Args:
        top: Height of the centre of the upper rim.
        bottom: Height of the centre of the lower rim.
        r_top: Half width of the upper rim.
        r_bottom: Half width of the lower rim.
        ry: Half height of the upper rim; the lower one is in proportion.
    """
    upper = ellipse(0, top, r_top, ry, start=180, end=360)
    lower = ellipse(0, bottom, r_bottom, ry * r_bottom / r_top, start=0, end=180)
    return np.concatenate([upper, lower])


def star(x: Number, y: Number, radius: Number, points: int = 5, inner: Number = 0.45) -> Outline:
    """Return a star standing on two of its points; ``inner`` is its waist, relative to radius."""
    angle = np.arange(2 * points) * math.pi / points - math.pi / 2
    reach = radius * np.where(np.arange(2 * points) % 2, inner, 1.0)
    return np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)
