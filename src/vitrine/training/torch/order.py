"""The order in which an epoch shows its images: one that can be resumed, and shared."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from torch.utils.data import Sampler

from vitrine.training.recipes import epoch_seed

__all__ = ["EpochOrder"]


@runtime_checkable
class Place(Protocol):
    """Where training stands; a Lightning ``Trainer`` is one."""

    current_epoch: int
    global_rank: int
    world_size: int


class EpochOrder(Sampler[tuple[int, int]]):
    """A shuffle that depends on (seed, epoch) alone, shared out between processes.

    Each of ``n`` processes takes every n-th image, so that the batches they compute together are
    those that one process alone would. Lightning makes the first iterator of a resumed run before
    it announces the epoch to a sampler, so the epoch is asked for instead.

    Args:
        length: Images to choose from.
        keep: How many of them an epoch sees: whole batches only.
        seed: Seed of the run.
        place: Tells the epoch that begins, the number of this process and how many there are.
    """

    def __init__(self, length: int, keep: int, seed: int, place: Place) -> None:
        self.length, self.keep, self.seed, self.place = length, keep, seed, place

    def __len__(self) -> int:
        return self.keep // self.place.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = self.place.current_epoch
        order = np.random.default_rng(epoch_seed(self.seed, epoch)).permutation(self.length)
        mine = order[: self.keep][self.place.global_rank :: self.place.world_size]
        return iter([(epoch, int(i)) for i in mine])
