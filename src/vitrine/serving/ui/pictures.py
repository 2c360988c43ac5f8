"""Photos as small JPEG files, heat maps as data URLs, and the map told in words."""

import base64
import io
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from vitrine.data import images
from vitrine.report.fr import percent

__all__ = ["heat", "jpeg", "png", "side", "where"]

_QUALITY = 85
_MAP_SIDE = 224
_FIRST_COLOUR, _LAST_COLOUR = np.array([240, 120, 0.0]), np.array([150, 0, 60.0])
_OPACITY = 0.78
_THIRDS = (("en haut", "à mi-hauteur", "en bas"), ("à gauche", "au milieu", "à droite"))
_HALF = 0.5

# A large PNG decodes to hundreds of megabytes: one at a time.
_one_at_a_time = threading.Semaphore(1)


def jpeg(path: Path, side: int) -> bytes:
    """Return a photo as a JPEG file, upright, its longest side brought to ``side``.

    A smaller photo keeps its size.

    Raises:
        ImageError: If it cannot be decoded.
        OSError: If the file is gone.
    """
    with _one_at_a_time:
        picture = Image.fromarray(images.decode(path, side))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def png(content: bytes) -> str:
    """Return a PNG file as the address of an image."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def side(content: bytes) -> int:
    """Return the width of a PNG image, from its header alone."""
    return int.from_bytes(content[16:20], "big")


def heat(evidence: Sequence[Sequence[float]]) -> str:
    """Return a map as the address of an image to lay over the photo.

    What weighs nothing is clear; what weighs most is dark red, nearly opaque.

    Args:
        evidence: Row by row, between 0 and 1.
    """
    grid = Image.fromarray(np.asarray(evidence, dtype=np.float32))
    smooth = grid.resize((_MAP_SIDE, _MAP_SIDE), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    Image.fromarray(_coloured(np.clip(np.asarray(smooth), 0, 1))).save(file, "PNG", optimize=True)
    return png(file.getvalue())


def where(evidence: Sequence[Sequence[float]]) -> str:
    """Say in French where a map weighs most, and how widely it is spread."""
    weights = np.asarray(evidence, dtype=float)
    if weights.max() == weights.min():
        return "Aucune zone de la photo ne pèse plus que les autres."
    most = np.unravel_index(weights.argmax(), weights.shape)
    row, column = (
        names[int(3 * (place + 0.5) / count)]
        for names, place, count in zip(_THIRDS, most, weights.shape, strict=True)
    )
    place = "au centre" if (row, column) == (_THIRDS[0][1], _THIRDS[1][1]) else f"{row}, {column}"
    largest = np.sort(weights.ravel())[::-1].cumsum() / weights.sum()
    share = (1 + int(np.searchsorted(largest, _HALF))) / weights.size
    return (
        f"La zone qui a le plus compté est {place}. La moitié du poids tient dans "
        f"{percent(share, 0)} de la photo."
    )


def _coloured(values: Float[np.ndarray, "row column"]) -> UInt8[np.ndarray, "row column 4"]:
    share = values[..., None]
    colours = (1 - share) * _FIRST_COLOUR + share * _LAST_COLOUR
    return np.concatenate([colours, 255 * _OPACITY * share], axis=-1).round().astype(np.uint8)
