"""Describe a product as a table of parts, and draw it from its table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vitrine.data.demo.pen import SHADOW, Colour, Number, Outline, Pen, ellipse
from vitrine.data.demo.surface import chance, pick, print_pattern, tint

__all__ = [
    "DOWN", "FLAT", "LIT", "ROUND", "ROUND_DOWN", "Finish", "Part", "Parts", "Place", "Placed",
    "Shape", "column", "ground", "row", "turns",
]  # fmt: skip

Look = Mapping[str, Colour]
"""The colour drawn at random for each role, such as ``body`` or ``trim``."""


@dataclass(frozen=True)
class Finish:
    """How light falls on a part: tints from one end of it to the other, along a direction."""

    tints: tuple[Number, ...]
    along: tuple[Number, Number] = (1, 0)


FLAT = Finish((0,))
LIT = Finish((0.28, 0, -0.22), (0.4, 1))
ROUND = Finish((-0.24, 0.07, 0.34, 0, -0.12, -0.3))
ROUND_DOWN = Finish(ROUND.tints, (0, 1))
DOWN = Finish((0.3, -0.2), (0, 1))


@dataclass(frozen=True)
class Part:
    """One shape of a product.

    Attributes:
        outline: Where it is, in object coordinates.
        colour: Role of its colour in the product, or the colour itself.
        finish: Light on it.
        light: Tint added to its colour, from -1 (black) to 1 (white).
        opacity: 1 hides what lies below.
        stroke: Width of a line along the outline; 0 fills the outline instead.
        blur: Extent of soft edges, as of a shadow or a glow; 0 for sharp ones.
        both: Whether it is there again on the other side of x = 0.
        printed: Whether the pattern of the product is printed on it.
        shadow: Whether it casts one on what lies below.
    """

    outline: Outline
    colour: str | Colour
    finish: Finish = FLAT
    light: Number = 0
    opacity: Number = 1
    stroke: Number = 0
    blur: Number = 0
    both: bool = False
    printed: bool = False
    shadow: bool = False

    def draw(self, pen: Pen, look: Look) -> None:
        """Draw the part, but for its print."""
        base = look[self.colour] if isinstance(self.colour, str) else self.colour
        tints = [float(np.clip(self.light + step, -1, 1)) for step in self.finish.tints]
        colours = [tint(base, amount) for amount in tints]
        for outline in (self.outline, self.outline * (-1, 1))[: 1 + self.both]:
            if self.shadow:
                pen.shadow(outline, shift=(0.02, 0.06), opacity=0.45)
            if self.blur:
                pen.shadow(outline, colour=colours[0], opacity=self.opacity, blur=self.blur)
            elif self.stroke:
                pen.line(outline, colours[0], self.stroke)
            else:
                pen.fill(outline, *colours, along=self.finish.along, opacity=self.opacity)


Place = tuple[Number, Number, Number]
"""x, y and a turn in degrees."""


@dataclass(frozen=True)
class Placed:
    """Parts that are repeated at several places, at a scale."""

    parts: "Parts"
    at: tuple[Place, ...]
    scale: Number = 1


Parts = tuple["Part | Placed | tuple", ...]
"""In the order of drawing; a tuple among them holds groups of parts, of which one is drawn."""


def ground(y: Number, rx: Number, ry: Number = 0.09) -> Part:
    """Return the shadow under what stands on a table."""
    return Part(ellipse(0.05, y, rx, ry), SHADOW, opacity=0.45, blur=0.06)


def row(first: Number, last: Number, count: int, y: Number = 0) -> tuple[Place, ...]:
    """Return places from left to right."""
    return tuple((x, y, 0) for x in np.linspace(first, last, count).tolist())


def column(*ys: Number) -> tuple[Place, ...]:
    """Return places from top to bottom."""
    return tuple((0, y, 0) for y in ys)


def turns(count: int) -> tuple[Place, ...]:
    """Return places around the origin."""
    return tuple((0, 0, 360 / count * i) for i in range(count))


@dataclass(frozen=True)
class Shape:
    """A kind of product as a table of parts: colours and patterns are drawn at random.

    Attributes:
        noun: What it is, in English.
        extent: Half width and half height that it needs, in object units.
        tilt: Largest angle to the upright, in degrees; small for what stands on a table.
        words: Its description, with the names of roles in braces, and ``{pattern}``.
        palettes: By role, the named colours that it is drawn from.
        parts: What is drawn.
        patterns: What may be printed, in the colour of the role ``ink``; it changes places with
            the role ``body`` half of the time.
        step: Distance between two repeats of the pattern.
        mirrored: Whether its mirror image is as good.
    """

    noun: str
    extent: tuple[float, float]
    tilt: float
    words: str
    palettes: Mapping[str, str]
    parts: Parts
    patterns: tuple[str, ...] = ()
    step: Number = 0.26
    mirrored: bool = True

    def draw(self, pen: Pen, rng: np.random.Generator) -> str:
        """Draw one and describe it in a few words."""
        chosen = {role: pick(rng, palette) for role, palette in self.palettes.items()}
        pattern = ""
        if self.patterns:
            pattern = self.patterns[int(rng.integers(len(self.patterns)))]
            if chance(rng, 0.5):
                chosen |= {"body": chosen["ink"], "ink": chosen["body"]}
        look = {role: colour for role, (_, colour) in chosen.items()}
        self._draw(self.parts, pen, rng, look, pattern)
        return self.words.format(
            pattern=pattern, **{role: name for role, (name, _) in chosen.items()}
        )

    def _draw(
        self, parts: Parts, pen: Pen, rng: np.random.Generator, look: Look, pattern: str
    ) -> None:
        for part in parts:
            if isinstance(part, tuple):
                self._draw(part[int(rng.integers(len(part)))], pen, rng, look, pattern)
            elif isinstance(part, Placed):
                for x, y, turn in part.at:
                    place = pen.moved(x, y, turn=turn, scale=part.scale)
                    self._draw(part.parts, place, rng, look, pattern)
            else:
                part.draw(pen, look)
                if part.printed and pattern != "plain":
                    with pen.inside(part.outline, opacity=0.85) as cloth:
                        print_pattern(cloth, pattern, look["ink"], self.step)
