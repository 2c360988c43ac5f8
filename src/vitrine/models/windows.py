"""Cut a map into windows of tokens, and put the tokens back.

Where sizes are integers, both are a change of axes and one copy. A graph that leaves them free has
no axis for the rows of windows or for the columns, because an exporter would ask whether there is
one: there, both select tokens by their index.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["join_windows", "split_windows"]


def split_windows(
    x: Float[Tensor, "image dim height width"], tall: int, wide: int
) -> Float[Tensor, "window token dim"]:
    """Cut a map into windows, row by row, padding it right and bottom with zeros.

    Args:
        x: The map.
        tall: Height of a window, in positions.
        wide: Its width.
    """
    images, dim, height, width = x.shape
    rows, columns = -(-height // tall), -(-width // wide)
    if not _are_integers(height, width):
        # One position more, null, is what windows hold outside the map.
        x = F.pad(x.flatten(2), (0, 1)).index_select(2, _sources(x, tall, wide))
        return x.transpose(1, 2).flatten(0, 1).unflatten(0, (-1, tall * wide))
    if height % tall or width % wide:
        x = F.pad(x, (0, columns * wide - width, 0, rows * tall - height))
    grid = x.reshape(images, dim, rows, tall, columns, wide).permute(0, 2, 4, 3, 5, 1)
    return grid.reshape(images * rows * columns, tall * wide, dim)


def join_windows(
    tokens: Float[Tensor, "window token dim"],
    shape: tuple[int, int, int, int],
    tall: int,
    wide: int,
) -> Float[Tensor, "image dim height width"]:
    """Return the map that ``split_windows`` cut, without the padding.

    Args:
        tokens: The tokens of the windows.
        shape: Shape of the map.
        tall: Height of a window, in positions.
        wide: Its width.
    """
    images, dim, height, width = shape
    rows, columns = -(-height // tall), -(-width // wide)
    if not _are_integers(height, width):
        x = tokens.flatten(0, 1).unflatten(0, (images, -1)).transpose(1, 2)
        return x.index_select(2, _places(x, width, height, tall, wide)).unflatten(2, (height, width))
    grid = tokens.reshape(images, rows, columns, tall, wide, dim).permute(0, 5, 1, 3, 2, 4)
    return grid.reshape(images, dim, rows * tall, columns * wide)[..., :height, :width]


def _are_integers(*sizes: int) -> bool:
    return all(isinstance(size, int) for size in sizes)


def _sources(x: Tensor, tall: int, wide: int) -> Int[Tensor, " token"]:
    """Return where each token of the windows lies in the map, or just after it if outside."""
    height, width = x.shape[-2:]
    rows, columns = -(-height // tall), -(-width // wide)
    token = torch.arange(rows * columns * tall * wide, device=x.device)
    window, place = token // (tall * wide), token % (tall * wide)
    row = window // columns * tall + place // wide
    column = window % columns * wide + place % wide
    inside = (row < height) & (column < width)
    return torch.where(inside, row * width + column, height * width)


def _places(x: Tensor, width: int, height: int, tall: int, wide: int) -> Int[Tensor, " position"]:
    """Return which token of the windows each position of the map is."""
    columns = -(-width // wide)
    position = torch.arange(height * width, device=x.device)
    row, column = position // width, position % width
    window = row // tall * columns + column // wide
    return window * (tall * wide) + row % tall * wide + column % wide
