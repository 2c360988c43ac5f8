"""Two drawings that the book shows, as no photo of a product can be: a watch, a picture frame.

They are files, drawn once by ``vitrine.data.demo``: facts and figures were computed from their
pixels, which an edit of the synthetic catalogue must not move.
"""

from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from vitrine import paths
from vitrine.data.corruptions import PHOTO_SIDE

__all__ = ["CATEGORY", "drawing", "picture"]

CATEGORY = "Watches"


def drawing(name: Literal["watch", "frame"]) -> Image.Image:
    """Return a drawing, in RGB and in its own size."""
    return Image.open(paths.root() / "ressources" / "drawings" / f"{name}.png").convert("RGB")


def picture() -> UInt8[np.ndarray, "height width 3"]:
    """Return the watch in the size of a photo, whose maps are shown."""
    return np.asarray(drawing("watch").resize((PHOTO_SIDE, PHOTO_SIDE)))
