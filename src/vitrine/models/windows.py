"""Cut a map into windows of tokens, and put the tokens back.

Where sizes are integers, both are a change of axes and one copy. A graph that leaves them free has
no axis for the rows of windows or for the columns, because an exporter would ask whether there is
one: there, both select tokens by their index.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Window", "join_windows", "split_windows"]


class Window(NamedTuple):
    """What a window takes of a map.

    Attributes:
        tall: Tokens from top to bottom.
        wide: Tokens from left to right.
        dilation: Positions from a token to the next; as many windows are interleaved, squared.
    """

    tall: int
    wide: int
    dilation: int = 1


def split_windows(
    x: Float[Tensor, "image dim height width"], window: Window
) -> Float[Tensor, "window token dim"]:
    """Cut a map into windows, padding it right and bottom with zeros."""
    images, dim, height, width = x.shape
    tall, wide, step = window
    if not _are_integers(height, width):
        # One position more, null, is what windows hold outside the map.
        x = F.pad(x.flatten(2), (0, 1)).index_select(2, _sources(x, window))
        return x.transpose(1, 2).flatten(0, 1).unflatten(0, (-1, tall * wide))
    rows, columns = _counts(window, height, width)
    padding = (0, columns * wide * step - width, 0, rows * tall * step - height)
    x = F.pad(x, padding) if any(padding) else x
    grid = x.reshape(images, dim, rows, tall, step, columns, wide, step)
    return grid.permute(0, 2, 5, 4, 7, 3, 6, 1).reshape(-1, tall * wide, dim)


def join_windows(
    tokens: Float[Tensor, "window token dim"],
    shape: tuple[int, int, int, int],
    window: Window,
) -> Float[Tensor, "image dim height width"]:
    """Return the map of this shape that ``split_windows`` cut, without the padding."""
    images, dim, height, width = shape
    tall, wide, step = window
    if not _are_integers(height, width):
        x = tokens.flatten(0, 1).reshape(images, -1, dim).transpose(1, 2)
        x = x.index_select(2, _places(x, height, width, window))
        return x.reshape(images, dim, height, width)
    rows, columns = _counts(window, height, width)
    grid = tokens.reshape(images, rows, columns, step, step, tall, wide, dim)
    x = grid.permute(0, 7, 1, 5, 3, 2, 6, 4).flatten(5, 7).flatten(2, 4)
    return x[..., :height, :width]


def _counts(window: Window, height: int, width: int) -> tuple[int, int]:
    """Return how many windows fit above and beside one another, interleaved ones counted once.

    It is no method: ``torch.compile`` does not see through that of a tuple.
    """
    tall, wide = window.tall * window.dilation, window.wide * window.dilation
    # ONNX divides integers towards zero: only positive ones are rounded up right.
    return (height + tall - 1) // tall, (width + wide - 1) // wide


def _are_integers(*sizes: int) -> bool:
    return all(isinstance(size, int) for size in sizes)


def _sources(x: Float[Tensor, "image dim height width"], window: Window) -> Int[Tensor, " token"]:
    """Return which position of the map each token is, the one after the last if it is outside."""
    images, _, height, width = x.shape
    tall, wide, step = window
    rows, columns = _counts(window, height, width)
    # One window more, all outside, if there may be but one in a graph that fixes one image.
    alone = isinstance(images, int) and images == 1 and not torch.onnx.is_in_onnx_export()
    token = torch.arange((rows * columns + int(alone)) * step**2 * tall * wide, device=x.device)
    token, across = token // wide, token % wide
    token, down = token // tall, token % tall
    token, right = token // step, token % step
    token, low = token // step, token % step
    above, beside = _divided(token, columns)
    row = (above * tall + down) * step + low
    column = (beside * wide + across) * step + right
    inside = (row < height) & (column < width)
    return torch.where(inside, row * width + column, height * width)


def _places(x: Tensor, height: int, width: int, window: Window) -> Int[Tensor, " position"]:
    """Return which token each position of the map is."""
    tall, wide, step = window
    _, columns = _counts(window, height, width)
    position = torch.arange(height * width, device=x.device)
    row, column = _divided(position, width)
    row, low, column, right = row // step, row % step, column // step, column % step
    number = (row // tall * columns + column // wide) * step**2 + low * step + right
    return (number * tall + row % tall) * wide + column % wide


def _divided(number: Tensor, by: int) -> tuple[Tensor, Tensor]:
    """Return the quotient and the remainder, that ONNX lacks where the size is free."""
    quotient = number // by
    return quotient, number - quotient * by
