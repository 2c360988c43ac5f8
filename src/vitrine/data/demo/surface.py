"""What things look like from close by: named colours and their shades."""

from collections.abc import Mapping

import numpy as np

__all__ = ["BRIGHT", "DARK", "METAL", "PASTEL", "Colour", "chance", "pick", "sheen", "tint"]

Colour = tuple[int, int, int]

PASTEL: dict[str, Colour] = {
    "powder blue": (166, 206, 232),
    "blush pink": (246, 190, 200),
    "mint": (172, 222, 200),
    "butter yellow": (250, 226, 150),
    "lilac": (204, 188, 230),
    "peach": (252, 202, 168),
}
BRIGHT: dict[str, Colour] = {
    "coral": (238, 108, 92),
    "teal": (32, 140, 142),
    "mustard": (226, 168, 44),
    "navy blue": (40, 62, 112),
    "plum": (128, 54, 106),
    "leaf green": (84, 148, 84),
    "brick red": (180, 62, 52),
    "sky blue": (86, 164, 216),
}
DARK: dict[str, Colour] = {
    "black": (38, 38, 42),
    "graphite": (72, 76, 84),
    "midnight": (32, 42, 66),
    "brown": (92, 58, 38),
    "burgundy": (96, 28, 44),
}
METAL: dict[str, Colour] = {
    "silver": (188, 194, 202),
    "gold": (212, 172, 88),
    "rose gold": (218, 164, 146),
    "graphite": (86, 90, 98),
}


def chance(rng: np.random.Generator, share: float) -> bool:
    """Return true in that share of the draws."""
    return bool(rng.random() < share)


def pick(
    rng: np.random.Generator, *palettes: Mapping[str, Colour], but: str = ""
) -> tuple[str, Colour]:
    """Draw one named colour out of some palettes, except the one named ``but``."""
    known = {
        name: colour for palette in palettes for name, colour in palette.items() if name != but
    }
    name = list(known)[int(rng.integers(len(known)))]
    return name, known[name]


def tint(colour: Colour, amount: float) -> Colour:
    """Mix a colour with white (amount up to 1) or with black (down to -1)."""
    target = 255 if amount > 0 else 0
    red, green, blue = (round(c + (target - c) * abs(amount)) for c in colour)
    return red, green, blue


def sheen(colour: Colour, strength: float = 0.3) -> list[Colour]:
    """Return the gradient across a round body of that colour, lit from the left."""
    shades = (-0.7, 0.2, 1.0, 0.0, -0.35, -0.9)
    return [tint(colour, strength * shade) for shade in shades]
