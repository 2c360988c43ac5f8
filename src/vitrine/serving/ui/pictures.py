"""Photos as small JPEG files and on the page, heat maps as data URLs, and the map told in words."""

import base64
import io
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from vitrine.data import images
from vitrine.report.fr import NO_BREAK
from vitrine.serving.speech import Speech

__all__ = [
    "address", "figure", "gallery", "heat", "jpeg", "png", "side", "transformed", "where",
]  # fmt: skip

_QUALITY = 85
_MAP_SIDE = 224
_FIRST_COLOUR, _LAST_COLOUR = np.array([240, 120, 0.0]), np.array([150, 0, 60.0])
_OPACITY = 0.78
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


def where(say: Speech, evidence: Sequence[Sequence[float]]) -> str:
    """Say where a map weighs most, and how widely it is spread."""
    weights = np.asarray(evidence, dtype=float)
    if weights.max() == weights.min():
        return say("Aucune zone de la photo ne pèse plus que les autres.")
    thirds = (
        (say("en haut"), say("à mi-hauteur"), say("en bas")),
        (say("à gauche"), say("au milieu"), say("à droite")),
    )
    most = np.unravel_index(weights.argmax(), weights.shape)
    row, column = (
        names[int(3 * (place + 0.5) / count)]
        for names, place, count in zip(thirds, most, weights.shape, strict=True)
    )
    middle = (row, column) == (thirds[0][1], thirds[1][1])
    place = say("au centre") if middle else f"{row}, {column}"
    largest = np.sort(weights.ravel())[::-1].cumsum() / weights.sum()
    share = (1 + int(np.searchsorted(largest, _HALF))) / weights.size
    return say(
        "La zone qui a le plus compté est {place}. La moitié du poids tient dans {share} de la "
        "photo.",
        place=place, share=say.percent(share, 0),
    )  # fmt: skip


def address(image: str, size: str = "photo") -> str:
    """Return where the page serves a photo of the data set.

    Args:
        image: Its file name.
        size: ``photo``, or ``vignette`` for a small one.
    """
    return f"photos/{size}/{quote(image)}"


def gallery(name: str, legend: str, options: Sequence[tuple[str, str, str]], *, chosen: str) -> str:
    """Return photos to choose from as a group of radio buttons, which the keyboard moves along.

    Args:
        name: Of the group, in the document.
        legend: What is to be chosen.
        options: File name of each photo, what it shows, and what is written under it once shown.
        chosen: File name of the one chosen on arrival.
    """
    if not options:
        return ""
    buttons = "".join(
        f'<label title="{escape(title)}"><input type="radio" name="{name}" autocomplete="off" '
        f'value="{escape(key)}" data-legende="{escape(caption)}"'
        f'{" checked" if key == chosen else ""}><img src="{address(key, "vignette")}" '
        f'alt="{escape(title)}"></label>'
        for key, title, caption in options
    )
    return (
        f'<fieldset class="galerie"><legend>{escape(legend)}</legend>'
        f'<div class="vignettes">{buttons}</div></fieldset>'
    )


def figure(
    say: Speech, photo: str, *, alt: str, heat: str = "", where: str = "", caption: str = ""
) -> str:
    """Return a photo and, where it is known, the map of what counted, which a box lays over it.

    Args:
        say: What has the language.
        photo: Address of the image.
        alt: What it shows.
        heat: Address of the map.
        where: What the map shows, in words.
        caption: Text under the photo.
    """
    laid = f'<img class="carte-chaleur" src="{heat}" alt="">' if heat else ""
    shade = say("Plus la teinte est foncée, plus la zone a pesé dans le choix de la catégorie.")
    choice = (
        '<label class="bascule"><input type="checkbox" id="voir-carte" autocomplete="off"> '
        f'{say("Montrer ce qui a compté")}</label><p class="dit-carte">{escape(where)} {shade}</p>'
        if heat
        else ""
    )
    return (
        '<figure class="cadre"><div class="pile"><div class="superposition"><img class="photo" '
        f'src="{escape(photo)}" alt="{escape(alt)}">{laid}</div></div>'
        f"<figcaption>{escape(caption)}{choice}</figcaption></figure>"
    )


def transformed(say: Speech, before: str, after: str, *, name: str, side: int) -> str:
    """Return a photo beside the square image that the model receives of it."""
    size = f"{side}{NO_BREAK}×{NO_BREAK}{side} pixels"
    original, square = (
        figure(say, before, alt=say("Photo d’origine : {name}", name=name),
               caption=say("La photo d’origine")),
        figure(say, after, alt=say("Photo ramenée à un carré : {name}", name=name),
               caption=say("Ce que le modèle reçoit : {size}", size=size)),
    )  # fmt: skip
    return f'<div class="avant-apres">{original}{square}</div>'


def _coloured(values: Float[np.ndarray, "row column"]) -> UInt8[np.ndarray, "row column 4"]:
    share = values[..., None]
    colours = (1 - share) * _FIRST_COLOUR + share * _LAST_COLOUR
    return np.concatenate([colours, 255 * _OPACITY * share], axis=-1).round().astype(np.uint8)
