"""Feed the training loop: photos augmented as the recipe says, each from a seed of its own."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from timm.data import rand_augment_transform
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import v2

from vitrine.data.shards import Shards
from vitrine.training.recipes import Recipe, epoch_seed

__all__ = ["Photos", "Plain"]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draw from a seed of one's own, and leave every generator as it was."""
    others = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        yield
    random.setstate(others[0])
    np.random.set_state(others[1])


class Plain(Dataset):
    """Photos as they are, read from the disk one at a time: those of validation.

    Args:
        pixels: Decoded photos, at the side that the network reads.
        labels: Class of each.
    """

    def __init__(
        self, pixels: UInt8[np.ndarray, "image size size 3"] | Shards, labels: np.ndarray
    ) -> None:
        self.pixels, self.labels = pixels, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[UInt8[Tensor, "3 size size"], int]:
        return torch.from_numpy(np.array(self.pixels[i])).permute(2, 0, 1), int(self.labels[i])


class Photos(Dataset):
    """Photos of one part of a split, augmented as the recipe says.

    An item is asked for by epoch and position, and its augmentation depends on nothing else: not
    on what was drawn before, nor on the number of workers or of processes.

    Args:
        pixels: Decoded photos, larger than the recipe's size so that a crop has room.
        labels: Class of each.
        recipe: Says which augmentations, and the size they end at.
        seed: Seed of the run.
    """

    def __init__(
        self,
        pixels: UInt8[np.ndarray, "image size size 3"] | Shards,
        labels: Int[np.ndarray, " image"],
        recipe: Recipe,
        seed: int,
    ) -> None:
        self.pixels, self.labels, self.seed = pixels, labels, seed
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

    def __getitem__(self, key: tuple[int, int]) -> tuple[UInt8[Tensor, "3 size size"], int]:
        epoch, i = key
        pixels = np.array(self.pixels[i])
        with _seeded(epoch_seed(epoch_seed(self.seed, epoch), i)):
            if self.randaugment:
                pixels = np.array(self.randaugment(v2.functional.to_pil_image(pixels)))
            augmented = self.augment(torch.from_numpy(pixels).permute(2, 0, 1))
        return augmented, int(self.labels[i])
