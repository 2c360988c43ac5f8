"""Feed a pretraining: whole batches read from the decoded corpus, augmented on the device.

A worker only copies bytes; crops, mirrors and RandAugment are computed on the batch, where the
network is. The numbers drawn come from the generator of the CPU, so that they are the same
whatever the device.
"""

import math
import re
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import v2

from vitrine.training.recipes import Recipe, RecipeError

__all__ = ["DRAWN", "Augment", "Part", "Taught", "whole"]

RATIO = 4 / 3
"""Largest aspect ratio of a random crop, torchvision's; the smallest is its inverse."""
DRAWN_TOGETHER = 8
"""Images that share a draw of RandAugment: one for each would be eight times as many kernels."""
DRAWN = 5
"""Numbers that tell a box of an image."""
BINS = 31
"""Strengths that torchvision's RandAugment divides its range into."""

Images = UInt8[Tensor, "image 3 height width"]
Batch = tuple[Images, Int[Tensor, " image"]]


class Part(Dataset):
    """Dataset of one part of a corpus, indexed by whole batches.

    Args:
        pixels: Decoded images, memory-mapped.
        labels: Class of each.
    """

    def __init__(
        self, pixels: UInt8[np.ndarray, "image side side 3"], labels: Int[np.ndarray, " image"]
    ) -> None:
        self.pixels, self.labels = pixels, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> Batch:
        """Return the images of a batch, told by (epoch, position): the epoch changes nothing."""
        order = np.array([i for _, i in keys])
        return torch.from_numpy(self.pixels[order]).permute(0, 3, 1, 2), torch.from_numpy(
            self.labels[order]
        )


class Taught(Part):
    """The training part with a teacher's answers: one of the fixed crops of each image an epoch.

    Args:
        pixels: Decoded images, memory-mapped.
        labels: Class of each.
        draws: The numbers that tell each crop, as ``Augment.cut`` reads them.
        given: The teacher's log-probabilities for each crop.
    """

    def __init__(
        self,
        pixels: UInt8[np.ndarray, "image side side 3"],
        labels: Int[np.ndarray, " image"],
        draws: Float[np.ndarray, "crop image 5"],
        given: Float[np.ndarray, "crop image category"],
    ) -> None:
        super().__init__(pixels, labels)
        self.draws, self.given = draws, given

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """Return a batch and, for each image, its crop of the epoch and the answers to it."""
        order, crop = np.array([i for _, i in keys]), keys[0][0] % len(self.draws)
        told = (self.draws[crop, order], self.given[crop, order])
        return *super().__getitems__(keys), *map(torch.from_numpy, told)


def whole(batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Collate nothing: ``Part`` returns whole batches already."""
    return batch


class Augment:
    """Crop and mirror each image of a batch at random, then RandAugment.

    Source of RandAugment: Cubuk et al., "RandAugment: Practical Automated Data Augmentation with a
    Reduced Search Space", arXiv 1909.13719; the operations are torchvision's.

    Args:
        recipe: Says which, and the size they end at.

    Raises:
        RecipeError: If it asks for a RandAugment that tensors cannot have.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.size, self.smallest, self.flip = recipe.image_size, recipe.crop_scale, recipe.flip
        self.randaugment = None
        if recipe.randaugment:
            asked = re.fullmatch(r"rand-m(\d|10)-n(\d)", recipe.randaugment)
            if asked is None:
                raise RecipeError(
                    f"recipe {recipe.name}: expected randaugment to be rand-m<0 to 10>-n<0 to 9>, "
                    f"found {recipe.randaugment!r}"
                )
            strength = round(int(asked[1]) * (BINS - 1) / 10)
            self.randaugment = v2.RandAugment(int(asked[2]), strength, BINS)

    def __call__(self, pixels: Images) -> Images:
        """Return the batch augmented, of the recipe's size."""
        cropped = self.crop(pixels)
        if self.randaugment is None:
            return cropped
        return torch.cat([self.randaugment(piece) for piece in cropped.split(DRAWN_TOGETHER)])

    def crop(self, pixels: Images) -> Images:
        """Return a random box of each image, resampled once, mirrored half of the time."""
        return self.cut(pixels, torch.rand(DRAWN, len(pixels)))

    def cut(self, pixels: Images, draws: Float[Tensor, "5 image"]) -> Images:
        """Return the box of each image that numbers drawn in [0, 1) tell, resampled once.

        Args:
            pixels: Images of any size.
            draws: By image: area, ratio, horizontal and vertical place of the box, and whether it
                is mirrored.
        """
        count = len(pixels)
        area = self.smallest + (1 - self.smallest) * draws[0]
        ratio = torch.exp((2 * draws[1] - 1) * math.log(RATIO))
        width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        if self.smallest == 1:
            width, height = torch.ones(count), torch.ones(count)
        # the centre of the box, so that it stays inside an image that spans [-1, 1]
        x, y = (1 - width) * (2 * draws[2] - 1), (1 - height) * (2 * draws[3] - 1)
        mirror = torch.where(draws[4] < 1 / 2, -1.0, 1.0) if self.flip else torch.ones(count)
        zero = torch.zeros(count)
        rows = torch.stack([mirror * width, zero, x, zero, height, y], dim=1).view(-1, 2, 3)
        # half precision would place the pixels to within four of them only
        with torch.autocast(pixels.device.type, enabled=False):
            grid = F.affine_grid(
                rows.to(pixels.device), [count, 3, self.size, self.size], align_corners=False
            )
            taken = F.grid_sample(
                pixels.float(), grid, padding_mode="reflection", align_corners=False
            )
        return taken.round().clamp(0, 255).to(torch.uint8)
