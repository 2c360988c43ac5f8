"""The teacher of a distillation: a network with ImageNet weights, limited to a corpus's classes.

It is frozen, under a linear head: the one that it came with, cut to the classes of the corpus, or a
probe, learned from the labels of the corpus's own crops, that knows how such small images look once
enlarged.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import timm
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float16, Float32, Int, UInt8
from timm.data import ImageNetInfo
from torch import Tensor, nn

from vitrine.models.checkpoints import load_checkpoint
from vitrine.training import head
from vitrine.training.pretrain.corpus import Corpus
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import start
from vitrine.training.torch.network import Normalise

__all__ = ["PROBE", "Teacher", "imagenet_classes", "source"]

PROBE = {"epochs": 10, "batch_size": 256, "learning_rate": 1e-3, "weight_decay": 0.1}
"""How a probe is learned on the features of the first crop of each image."""


def source(recipe: Recipe) -> Recipe:
    """Return a recipe that starts from the teacher's weights, to find them as any others."""
    return Recipe(
        name=recipe.name, trainer="probe", architecture=f"timm:{recipe.teacher}",
        weights="imagenet", backbone="frozen", source=recipe.source,
    )  # fmt: skip


def imagenet_classes(names: Sequence[str]) -> list[int]:
    """Return the position of each class of a corpus, told by name, among ImageNet's thousand.

    Both are sorted by WordNet's identifiers, which tells apart two classes of one name (the bird
    and the machine that are called « crane »).

    Raises:
        RecipeError: If a class of the corpus is none of ImageNet's.
    """
    info = ImageNetInfo("imagenet-1k")
    told = [info.index_to_description(k) for k in range(info.num_classes())]
    found: list[int] = []
    for name in names:
        after = found[-1] + 1 if found else 0
        places = (k for k in range(after, len(told)) if name in (told[k], told[k].split(",")[0]))
        if (place := next(places, None)) is None:
            raise RecipeError(
                f"expected classes of ImageNet-1k in its order, found {name!r} in the corpus; "
                "train a recipe without a teacher on it"
            )
        found.append(place)
    return found


class Teacher(nn.Module):
    """A network of timm with its ImageNet weights, in half precision, without its head.

    Args:
        recipe: Names the network and the side that images are resized to.
        corpus: Its classes are the ones that the head answers about.

    Raises:
        RecipeError: If its weights cannot be had, or do not know the classes.
    """

    def __init__(self, recipe: Recipe, corpus: Corpus) -> None:
        super().__init__()
        self.recipe, kept = recipe, imagenet_classes(corpus.classes)
        network = cast(Any, timm.create_model(recipe.teacher))
        load_checkpoint(network, start.find(source(recipe)))
        config, known = network.pretrained_cfg, network.get_classifier()
        self.own = head.Head(*(p.detach().numpy()[kept] for p in (known.weight, known.bias)))
        self.scale = Normalise(config["mean"], config["std"])
        self.network = network.to(torch.bfloat16, memory_format=torch.channels_last)
        self.width = network.num_features
        self.eval()

    @torch.inference_mode()
    def forward(
        self, pixels: UInt8[Tensor, "image 3 height width"]
    ) -> Float16[Tensor, "image feature"]:
        """Return the pooled features of images resized to its side, which a head reads."""
        size = (self.recipe.teacher_size, self.recipe.teacher_size)
        large = F.interpolate(pixels.float(), size, mode="bicubic", align_corners=False)
        x = self.scale(large.round().clamp(0, 255).to(torch.uint8))
        x = x.to(torch.bfloat16, memory_format=torch.channels_last)
        maps = self.network.forward_features(x)
        return self.network.forward_head(maps, pre_logits=True).half()

    def head(
        self, features: Float[np.ndarray, "image feature"], labels: Int[np.ndarray, " image"]
    ) -> head.Head:
        """Return what answers from features: its own head, or a probe learned from these."""
        if self.recipe.teacher_head == "own":
            return self.own
        probe = replace(source(self.recipe), **PROBE)
        return head.fit(probe, features, labels, classes=len(self.own.bias))


def log_probabilities(
    judge: head.Head, features: Float[np.ndarray, "image feature"]
) -> Float32[np.ndarray, "image category"]:
    """Return the log-probabilities that a head gives, finite however small they are."""
    logits = features.astype(np.float32) @ judge.weight.T + judge.bias
    return torch.from_numpy(logits).log_softmax(dim=1).numpy()
