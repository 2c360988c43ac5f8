"""The drawn photo of a watch whose maps are shown: photos of products may not be."""

import numpy as np
from jaxtyping import UInt8

from vitrine.data import demo
from vitrine.data.corruptions import PHOTO_SIDE

__all__ = ["CATEGORY", "picture"]

CATEGORY = "Watches"


def picture() -> UInt8[np.ndarray, "height width 3"]:
    """Return the drawing, always the same one."""
    drawn = demo.draw(CATEGORY, np.random.default_rng(3)).resize((PHOTO_SIDE, PHOTO_SIDE))
    return np.asarray(drawn)
