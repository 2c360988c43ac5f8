"""Drawings that the book shows and computes from, one a category, as no photo can be shown.

They are files, drawn once by ``vitrine.data.demo``: facts and figures were computed from their
pixels, which an edit of the synthetic catalogue must not move.
"""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from vitrine import paths
from vitrine.data.corruptions import PHOTO_SIDE

__all__ = ["CATEGORY", "drawing", "picture"]

CATEGORY = "Watches"
_FILES = {
    "Baby Care": "baby",
    "Beauty and Personal Care": "beauty",
    "Computers": "computer",
    "Home Decor & Festive Needs": "frame",
    "Home Furnishing": "furnishing",
    "Kitchen & Dining": "kitchen",
    "Watches": "watch",
}


def drawing(category: str) -> Image.Image:
    """Return the drawing of a category, in RGB and in its own size."""
    path = paths.root() / "ressources" / "drawings" / f"{_FILES[category]}.png"
    return Image.open(path).convert("RGB")


def picture() -> UInt8[np.ndarray, "height width 3"]:
    """Return the watch whose maps are shown, in the size of a photo."""
    return np.asarray(drawing(CATEGORY).resize((PHOTO_SIDE, PHOTO_SIDE)))
