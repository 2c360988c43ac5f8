"""What an image may measure, and the errors that tell which images are not decoded."""

from dataclasses import dataclass

__all__ = ["ImageError", "LargeImageError", "Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on the size of an image, checked on its header before any pixel is decoded.

    Attributes:
        pixels: Most pixels of a JPEG whose rows come one by one, decoded at a reduced scale.
        pixels_undrafted: Most pixels of any other image, which costs its full size in memory.
        scans: Most scans of a JPEG, each of which goes over the whole image.
        side: Longest side, in pixels.
        min_side: Shortest side, in pixels.
        ratio: Largest quotient of the two sides.
    """

    pixels: int = 120_000_000
    pixels_undrafted: int = 40_000_000
    scans: int = 100
    side: int = 20_000
    min_side: int = 8
    ratio: int = 100


class ImageError(ValueError):
    """An image that cannot be used.

    Attributes:
        code: Stable identifier, the service's too: ``fichier_vide``, ``format_non_pris_en_charge``,
            ``image_trop_grande``, ``image_trop_petite``, ``proportions`` or ``image_corrompue``.
        reason: Which file it is, as ``decoding.unread`` names those that people really have.
    """

    def __init__(self, code: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code, self.reason = code, reason


class LargeImageError(Exception):
    """An image that is decoded alone, where nobody wants to wait for the others.

    Attributes:
        megapixels: What it costs.
    """

    def __init__(self, megapixels: float) -> None:
        super().__init__(f"expected an image of few pixels, found {megapixels:.1f} Mpx")
        self.megapixels = megapixels
