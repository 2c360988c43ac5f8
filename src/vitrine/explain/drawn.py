"""The drawn photo whose maps are shown, as no photo of a product can be: a watch nobody sells."""

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
