"""Feed the training loop: photos augmented as the recipe says, in an order that can be resumed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from timm.data import rand_augment_transform
from torch import Tensor
from torch.utils.data import Dataset, Sampler
from torchvision.transforms import v2

from vitrine.recipes import Recipe, epoch_seed

__all__ = ["EpochOrder", "Photos"]


class Photos(Dataset):
    """Photos of one part of a split, augmented as the recipe says.

    Args:
        pixels: Decoded photos, larger than the recipe's size so that a crop has room.
        labels: Class of each.
        recipe: Says which augmentations, and the size they end at.
    """

    def __init__(
        self,
        pixels: UInt8[np.ndarray, "image size size 3"],
        labels: Int[np.ndarray, " image"],
        recipe: Recipe,
    ) -> None:
        self.pixels, self.labels = pixels, labels
        self.randaugment = (
            rand_augment_transform(recipe.randaugment, {"img_mean": (255, 255, 255)})
            if recipe.randaugment
            else None
        )
        size = recipe.image_size
        steps: list[Any] = [
            v2.RandomResizedCrop(size, (recipe.crop_scale, 1.0), antialias=True)
            if recipe.crop_scale < 1
            else v2.Resize((size, size), antialias=True)
        ]
        if recipe.flip:
            steps.append(v2.RandomHorizontalFlip())
        if recipe.jitter:
            steps.append(v2.ColorJitter(recipe.jitter, recipe.jitter, recipe.jitter))
        self.augment = v2.Compose(steps)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[UInt8[Tensor, "3 size size"], int]:
        pixels = np.array(self.pixels[i])
        if self.randaugment:
            pixels = np.array(self.randaugment(v2.functional.to_pil_image(pixels)))
        return self.augment(torch.from_numpy(pixels).permute(2, 0, 1)), int(self.labels[i])


class EpochOrder(Sampler[int]):
    """A shuffle that depends on (seed, epoch) alone, shared out between processes.

    Args:
        length: Images to choose from.
        keep: How many of them an epoch sees: whole batches only.
        seed: Seed of the run.
        rank: Number of this process.
        world: Number of processes; each sees every ``world``-th image of the same shuffle.
    """

    def __init__(self, length: int, keep: int, seed: int, *, rank: int = 0, world: int = 1) -> None:
        self.length, self.keep, self.seed = length, keep, seed
        self.rank, self.world, self.epoch = rank, world, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; Lightning calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.keep // self.world

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng(epoch_seed(self.seed, self.epoch)).permutation(self.length)
        return iter(order[: self.keep][self.rank :: self.world].tolist())
