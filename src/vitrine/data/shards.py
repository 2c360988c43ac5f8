"""Read pixels kept in several files as one array, of which no more is in memory than is asked for.

One file would have to be written again after an interruption, and be found whole on the disk.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

__all__ = ["PHOTOS", "Shards"]

PHOTOS = 8192
"""Photos of a file, the last one excepted: at 256 pixels a side, 1.6 GB."""
PIECE = 512
"""Photos that ``pieces`` has in memory at once."""


class Shards:
    """An array of photos that lies in several memory-mapped files, cut along its first axis.

    It is read as an array is: by a position, a slice, an array of positions or a mask.

    Args:
        files: The arrays, all of ``PHOTOS`` photos but the last one.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, files: Sequence[UInt8[np.ndarray, "_ size size 3"]]) -> None:
        self.files, self.each = files, len(files[0])
        self.shape = (sum(map(len, files)), *files[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(
        self, key: int | np.integer | slice | np.ndarray | Sequence[int]
    ) -> UInt8[np.ndarray, "..."]:
        if isinstance(key, int | np.integer):
            number, place = divmod(range(len(self))[key], self.each)
            return self.files[number][place]
        if isinstance(key, slice):
            return self._taken(np.arange(*key.indices(len(self))))
        return self._taken(np.arange(len(self))[np.asarray(key)])

    def _taken(self, places: Int[np.ndarray, " chosen"]) -> UInt8[np.ndarray, "chosen size size 3"]:
        taken = np.empty((len(places), *self.shape[1:]), dtype=self.dtype)
        numbers, within = np.divmod(places, self.each)
        for number in np.unique(numbers):
            here = numbers == number
            taken[here] = self.files[number][within[here]]
        return taken

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        for file in self.files:
            yield from file

    def pieces(self) -> Iterator[UInt8[np.ndarray, "image size size 3"]]:
        """Yield the photos in order, a few of them in memory at a time."""
        for start in range(0, len(self), PIECE):
            yield self[start : start + PIECE]

    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> np.ndarray:
        return np.concatenate(self.files).astype(dtype or self.dtype, copy=False)
