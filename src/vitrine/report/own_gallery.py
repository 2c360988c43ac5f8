"""Photos of a user's own in a page, each with a line below, and what a model looks at on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from vitrine.report.figures.style import data_uri

__all__ = ["SIDE", "Gallery", "gallery", "heated"]

SIDE = 112
"""Side of a photo, in pixels."""
PALE, RED = 0.45, np.array([213, 94, 0], dtype=float)
"""How much of a photo under a map is white, and the colour of what counts there."""


@dataclass(frozen=True, repr=False)
class Gallery:
    """Photos with a line below each, that a notebook shows as a page does."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def gallery(
    photos: Iterable[tuple[UInt8[np.ndarray, "side side 3"], str]], otherwise: str, lead: str = ""
) -> Gallery:
    """Return photos with the line of each, after what leads them; or what is said without any."""
    figures = []
    for pixels, text in photos:
        line = escape(text)
        figures.append(
            f'<figure style="display:inline-block;width:{SIDE}px;margin:4px;vertical-align:top">'
            f'<img src="{data_uri(pixels)}" alt="{line}"><figcaption>{line}</figcaption></figure>'
        )
    before = f"<p>{escape(lead)}</p>" if lead and figures else ""
    return Gallery(f"<div>{before}{''.join(figures) or escape(otherwise)}</div>")


def heated(
    photo: UInt8[np.ndarray, "side side 3"], drop: Float[np.ndarray, "places places"]
) -> UInt8[np.ndarray, "shown shown 3"]:
    """Return a photo under the map of what its answer rests on.

    Args:
        photo: As the model reads it.
        drop: Probability lost where each place is hidden; what hiding helps is not coloured.
    """
    size = (SIDE, SIDE)
    shown = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC), dtype=float)
    counts = np.clip(drop, 0, None) / max(float(drop.max()), 1e-9)
    smooth = Image.fromarray(counts.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    weight = 0.75 * np.asarray(smooth)[..., None]
    pale = PALE * 255 + (1 - PALE) * shown
    return (weight * RED + (1 - weight) * pale).round().astype(np.uint8)
