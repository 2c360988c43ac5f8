"""Draw filled, shaded and blurred shapes through an affine map, and make their outlines.

An object lives around the origin, about two units high, with y pointing down; the pen knows where
that lies on the picture. Pictures are drawn ``OVERSAMPLE`` times too large and reduced at the end:
that is all the antialiasing there is. Gradients and masks only touch the box around a shape.

Functions that return an outline give points in object coordinates, fine enough to look curved once
drawn; the last one joins the first, except along an open path.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFilter

__all__ = [
    "OVERSAMPLE", "SHADOW", "Colour", "Number", "Outline", "Pen", "box", "curve", "drum", "ellipse",
    "lathe", "mirror", "path", "smooth", "star",
]  # fmt: skip

Colour = tuple[int, int, int]
SHADOW: Colour = (30, 26, 34)

Number = float | int
"""A length or an angle: beartype would refuse an integer for ``float`` alone."""

Outline = Float[np.ndarray, "point 2"]
"""Points of a polygon, or of a path."""

_PER_TURN = 64  # points of a full circle
_PER_PIECE = 10  # points of a smooth curve, from one given point to the next

OVERSAMPLE = 3
_SHADOW_REDUCTION = 6  # shadows are blurred at a sixth of the canvas, where blurring is cheap
_MARGIN = 8  # spare pixels at both ends of a ramp, so that rounding never reads beyond it


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


def curve(*points: tuple[Number, Number]) -> Outline:
    """Return an open curve through every point."""
    return smooth(points, closed=False)


def lathe(profile: Sequence[tuple[Number, Number]]) -> Outline:
    """Return what a smooth profile, (half width, y) from the top, draws around a vertical axis."""
    return mirror(curve(*profile))


def mirror(right: Float[np.ndarray, "half 2"]) -> Outline:
    """Return a shape that is the same on both sides of x = 0, from its right half."""
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


def star(x: Number, y: Number, radius: Number) -> Outline:
    """Return a star of five points, standing on two of them."""
    angle = np.arange(10) * math.pi / 5 - math.pi / 2
    reach = radius * np.where(np.arange(10) % 2, 0.45, 1.0)
    return np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)


class Pen:
    """Draw on a canvas through an affine map.

    Args:
        canvas: Oversampled RGB picture; it is modified in place.
        matrix: Map from object coordinates to pixels of the canvas.
    """

    def __init__(self, canvas: Image.Image, matrix: Float[np.ndarray, "2 3"]) -> None:
        self._canvas, self._matrix = canvas, matrix
        self._scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))

    def moved(self, x: Number, y: Number, *, turn: Number = 0.0, scale: Number = 1.0) -> "Pen":
        """Return a pen for a part: its origin at (x, y), turned clockwise (degrees), scaled."""
        c, s = scale * math.cos(math.radians(turn)), scale * math.sin(math.radians(turn))
        local = np.array([[c, -s, x], [s, c, y], [0.0, 0.0, 1.0]])
        return Pen(self._canvas, self._matrix @ local)

    def fill(
        self,
        shape: Outline,
        *colours: Colour,
        along: tuple[Number, Number] = (1.0, 0.0),
        opacity: Number = 1.0,
    ) -> None:
        """Fill a shape with one colour, or with an even gradient of several.

        Args:
            shape: Outline of the shape.
            colours: Stops of the gradient, from one end of the shape to the other.
            along: Direction of the gradient.
            opacity: 1 hides what lies below, 0 draws nothing.
        """
        pixels = self._pixels(shape)
        if len(colours) == 1 and opacity == 1:
            ImageDraw.Draw(self._canvas).polygon(pixels.ravel().tolist(), fill=colours[0])
            return
        box = self._box(pixels)
        if box is None:
            return
        corner, size = box[:2], (box[2] - box[0], box[3] - box[1])
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon((pixels - corner).ravel().tolist(), fill=round(255 * opacity))
        if len(colours) == 1:
            self._canvas.paste(colours[0], box, mask)
        else:
            direction = self._matrix[:, :2] @ np.asarray(along, dtype=float)
            self._canvas.paste(_gradient(pixels - corner, direction, colours, size), corner, mask)

    def stamp(
        self,
        shape: Outline,
        places: Float[np.ndarray, "place 2"],
        colour: Colour,
        *,
        spin: Number = 0.0,
    ) -> None:
        """Fill a shape at many places; each is turned by ``spin`` degrees more than the one before.

        Patterns are made of hundreds of marks, hence one call for all of them.
        """
        angle = np.radians(spin * np.arange(len(places)))
        c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
        x, y = shape.T
        marks = np.stack([c * x - s * y, s * x + c * y], axis=2) + places[:, None]
        draw = ImageDraw.Draw(self._canvas)
        for mark in self._pixels(marks.reshape(-1, 2)).reshape(len(places), -1).tolist():
            draw.polygon(mark, fill=colour)

    def line(self, path: Outline, colour: Colour, width: Number) -> None:
        """Draw a path with round ends and joints; the width is in object units."""
        pixels, stroke = self._pixels(path), max(1.0, width * self._scale)
        draw = ImageDraw.Draw(self._canvas)
        draw.line(pixels.ravel().tolist(), fill=colour, width=round(stroke))
        # Pillow leaves notches between the segments of a broad line, whatever its joint.
        for x, y in pixels.tolist():
            draw.circle((x, y), stroke / 2, fill=colour)

    def shadow(
        self,
        shape: Outline,
        *,
        colour: Colour = SHADOW,
        opacity: Number = 0.35,
        blur: Number = 0.06,
        shift: tuple[Number, Number] = (0.0, 0.0),
    ) -> None:
        """Blur a shape onto what lies below: a shadow, or a glow if the colour is light."""
        pixels = self._pixels(shape) + self._scale * np.asarray(shift)
        radius = blur * self._scale
        box = self._box(pixels, margin=3 * radius)
        if box is None:
            return
        size = (box[2] - box[0], box[3] - box[1])
        width, height = (math.ceil(side / _SHADOW_REDUCTION) for side in size)
        small = Image.new("L", (width, height))
        corners = (pixels - box[:2]) * np.asarray(small.size) / size
        ImageDraw.Draw(small).polygon(corners.ravel().tolist(), fill=round(255 * opacity))
        soft = small.filter(ImageFilter.GaussianBlur(radius / _SHADOW_REDUCTION))
        self._canvas.paste(colour, box, soft.resize(size, Image.Resampling.BILINEAR))

    @contextmanager
    def inside(self, shape: Outline, *, opacity: Number = 1.0) -> Iterator["Pen"]:
        """Give a pen whose marks stay inside a shape, as a print stays on its cloth."""
        pixels = self._pixels(shape)
        box = self._box(pixels) or (0, 0, 1, 1)
        layer = self._canvas.crop(box)
        shifted = self._matrix.copy()
        shifted[:, 2] -= box[:2]
        yield Pen(layer, shifted)
        mask = Image.new("L", layer.size)
        corners = (pixels - box[:2]).ravel().tolist()
        ImageDraw.Draw(mask).polygon(corners, fill=round(255 * opacity))
        self._canvas.paste(layer, box[:2], mask)

    def _pixels(self, shape: Outline) -> Outline:
        return shape @ self._matrix[:, :2].T + self._matrix[:, 2]

    def _box(self, pixels: Outline, margin: Number = 0.0) -> tuple[int, int, int, int] | None:
        """Return the box of the canvas around a shape, or None where nothing of it shows."""
        low, high = pixels.min(axis=0) - margin, pixels.max(axis=0) + margin + 1
        left, top = np.maximum(np.floor(low), 0).astype(int).tolist()
        right, bottom = np.minimum(np.ceil(high), self._canvas.size).astype(int).tolist()
        return (left, top, right, bottom) if left < right and top < bottom else None


def _gradient(
    pixels: Outline,
    direction: Float[np.ndarray, "2"],
    colours: Sequence[Colour],
    size: tuple[int, int],
) -> Image.Image:
    """Spread the colours evenly over the extent of a shape along a direction."""
    levels = 256
    stops, at = np.linspace(0, 1, len(colours)), np.linspace(0, 1, levels)
    ramp = np.stack([np.interp(at, stops, channel) for channel in zip(*colours, strict=True)])
    ramp = np.pad(np.rint(ramp.T).astype(np.uint8), ((_MARGIN, _MARGIN), (0, 0)), mode="edge")
    along = pixels @ direction
    stretch = (levels - 1) / max(float(np.ptp(along)), 1e-9)
    a, b = (direction * stretch).tolist()
    c = _MARGIN + 0.5 - float(along.min()) * stretch
    return Image.fromarray(ramp[None]).transform(
        size, Image.Transform.AFFINE, (a, b, c, 0, 0, 0.5), Image.Resampling.NEAREST
    )
