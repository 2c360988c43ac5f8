"""Permutation importance of parts of a photo: colour channels, frequencies, centre and border.

Permutation importance, for images: a part that carries nothing can come from any other photo
without harm. The photo stays made of real pixels, which erasing would not ensure.

Source: Breiman, "Random Forests", doi 10.1023/A:1010933404324, for the permutation; Fisher, Rudin
and Dominici, "All Models are Wrong, but Many are Useful", arXiv 1801.01489, for its reading as the
reliance of a model, which is not the information in the data.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, UInt8

from vitrine.metrics import Interval
from vitrine.metrics.metrics import accuracy
from vitrine.metrics.table import recipe_gap

__all__ = ["LOW_CYCLES", "PARTS", "REPEATS", "answers", "gap", "loss", "swap"]

LOW_CYCLES = 8
"""Low frequencies: at most so many cycles across the photo, what a thumbnail of 16 pixels shows."""
REPEATS = 3
"""Draws of the photo that each photo borrows from."""
WHOLE = "none"

Pixels = UInt8[np.ndarray, "image side side 3"]


def _channel(own: Pixels, other: Pixels, channel: int) -> Pixels:
    mixed = own.copy()
    mixed[..., channel] = other[..., channel]
    return mixed


def _low(pixels: Pixels) -> Float[np.ndarray, "image side side 3"]:
    """Keep the frequencies of at most ``LOW_CYCLES`` cycles across the photo."""
    side = pixels.shape[1]
    across = np.abs(np.fft.fftfreq(side, 1 / side))
    along = np.abs(np.fft.rfftfreq(side, 1 / side))
    kept = np.hypot(across[:, None], along[None, :]) <= LOW_CYCLES
    spectrum = np.fft.rfft2(pixels.astype(float), axes=(1, 2))
    return np.fft.irfft2(spectrum * kept[..., None], s=(side, side), axes=(1, 2))


def _recombine(coarse: Pixels, fine: Pixels) -> Pixels:
    """Return photos with the low frequencies of the first and the others of the second."""
    mixed = _low(coarse) + fine - _low(fine)
    return mixed.round().clip(0, 255).astype(np.uint8)


def _centre(side: int) -> slice:
    """Return the middle square that holds half of the area."""
    margin = round(side * (1 - 0.5**0.5) / 2)
    return slice(margin, side - margin)


def _border_kept(own: Pixels, other: Pixels) -> Pixels:
    mixed, middle = own.copy(), _centre(own.shape[1])
    mixed[:, middle, middle] = other[:, middle, middle]
    return mixed


PARTS: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
    "red": lambda own, other: _channel(own, other, 0),
    "green": lambda own, other: _channel(own, other, 1),
    "blue": lambda own, other: _channel(own, other, 2),
    "low": lambda own, other: _recombine(other, own),
    "high": lambda own, other: _recombine(own, other),
    "centre": _border_kept,
    "border": lambda own, other: _border_kept(other, own),
}
"""Every part by name: from photos and those they borrow from, to photos with that part borrowed."""


def swap(
    pixels: UInt8[np.ndarray, "image side side 3"], part: str, order: Int[np.ndarray, " image"]
) -> UInt8[np.ndarray, "image side side 3"]:
    """Return photos whose named part comes from another one.

    Args:
        pixels: The photos.
        part: One of ``PARTS``.
        order: Position of the photo that each one borrows from.

    Raises:
        ValueError: If there is no such part.
    """
    if part not in PARTS:
        raise ValueError(f"expected a part among {', '.join(PARTS)}, found {part!r}")
    return PARTS[part](pixels, pixels[order])


def answers(
    predict: Callable[[Pixels], Float[np.ndarray, "image category"]],
    pixels: UInt8[np.ndarray, "image side side 3"],
    rows: Int[np.ndarray, " image"],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Predict photos as they are, then with each part borrowed, several times.

    Args:
        predict: The model.
        pixels: Photos at the side that it reads.
        rows: What identifies each in the split.
        seed: Seeds the draws.

    Returns:
        ``part`` (``none`` for the photos as they are), ``repeat``, ``row``, ``predicted``.
    """
    rng = np.random.default_rng(seed)
    pixels = np.asarray(pixels)
    orders = [rng.permutation(len(pixels)) for _ in range(REPEATS)]
    tables = [_rows(WHOLE, 0, rows, predict(pixels))]
    for part in PARTS:
        for repeat, order in enumerate(orders):
            tables.append(_rows(part, repeat, rows, predict(swap(pixels, part, order))))
    return pd.concat(tables, ignore_index=True)


def _rows(part: str, repeat: int, rows: np.ndarray, given: np.ndarray) -> pd.DataFrame:
    said = {"row": rows, "predicted": given.argmax(axis=1)}
    return pd.DataFrame({"part": part, "repeat": repeat, **said})


def loss(table: pd.DataFrame, part: str, labels: pd.Series) -> Interval:
    """Return the accuracy lost when a part is borrowed, with its interval.

    Args:
        table: As ``answers`` returns it.
        part: One of ``PARTS``.
        labels: True class by ``row``.

    Returns:
        Accuracy as they are minus mean accuracy over the draws, as a share; the interval draws the
        photos again, and the draws of the photos borrowed from.
    """
    return gap(table, part, WHOLE, labels)


def gap(table: pd.DataFrame, part: str, other: str, labels: pd.Series) -> Interval:
    """Return by how much more borrowing a part costs than borrowing another, photo by photo.

    Args:
        table: As ``answers`` returns it.
        part: One of ``PARTS``.
        other: Another one, or ``none``.
        labels: True class by ``row``.
    """

    def said(name: str) -> list[np.ndarray]:
        rows = table[table.part == name].sort_values(["repeat", "row"])
        return [group.predicted.to_numpy() for _, group in rows.groupby("repeat")]

    order = np.sort(table.row[table.part == WHOLE].to_numpy())
    return recipe_gap(labels.loc[order].to_numpy(), said(part), said(other), accuracy)
