"""Occlusion maps: how much a class loses when a patch of the photo is hidden at each place.

It asks nothing of the model but its answers, so that every model of the book goes through it.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", arXiv 1311.2901.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["PLACES", "occlusion"]

PLACES = 7
"""Places of the patch along each side: two neighbours overlap by half."""
WHITE = 255
"""Level of the patch: the background of most product photos, so that to hide it changes nothing."""

Pixels = UInt8[np.ndarray, "image side side 3"]


def occlusion(
    predict: Callable[[Pixels], Float[np.ndarray, "image category"]],
    photo: UInt8[np.ndarray, "side side 3"],
    label: int,
    *,
    places: int = PLACES,
) -> Float[np.ndarray, "places places"]:
    """Return by how much the probability of a class drops when each place is hidden.

    Args:
        predict: The model.
        photo: At the side that it reads.
        label: The class whose probability is followed.
        places: Places along each side; the patch covers two steps.

    Returns:
        Probability without a patch minus probability with it; negative where hiding helps.

    Raises:
        ValueError: If the photo has too few pixels for so many places.
    """
    side = photo.shape[0]
    edges = np.linspace(0, side, places + 2).round().astype(int)
    if places < 1 or (np.diff(edges) < 1).any():
        raise ValueError(
            f"expected between 1 and {side - 1} places for a photo of {side} pixels, found {places}"
        )
    hidden = np.repeat(photo[None], 1 + places**2, axis=0)
    for number in range(places**2):
        y, x = divmod(number, places)
        hidden[1 + number, edges[y] : edges[y + 2], edges[x] : edges[x + 2]] = WHITE
    given = predict(hidden)[:, label]
    return (given[0] - given[1:]).reshape(places, places).astype(float)
