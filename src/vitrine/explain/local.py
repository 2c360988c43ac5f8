"""Explain single photos with a PyTorch network: maps by class, integrated gradients, checks.

No photo of a product can be shown, so that what is kept of the test photos are means over a class
and checks; the maps of one photo are those of a drawing of ``vitrine.data.demo``.

A map that stays the same once the weights are destroyed shows the photo, not the model.

Source: Adebayo et al., "Sanity Checks for Saliency Maps", arXiv 1810.03292.

Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", arXiv 1703.01365,
computed by Captum (Kokhlikyan et al., arXiv 2009.07896).
"""

import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from captum.attr import IntegratedGradients
from jaxtyping import Float, UInt8
from scipy.stats import rankdata
from torch import Tensor, nn

from vitrine.data.corruptions import resize
from vitrine.explain import drawn
from vitrine.explain.grids import Map, laid_out, pool
from vitrine.explain.occlusion import occlusion
from vitrine.explain.stages import activations, received
from vitrine.training.torch.network import predict
from vitrine.training.trained import Kept

__all__ = [
    "PER_CLASS", "STEPS", "Attribution", "integrated_gradients", "likeness", "maps", "on_drawing",
    "on_photos", "randomised",
]  # fmt: skip


STEPS = 32
"""Points of the path at which the gradient is computed."""
WHITE = 255


@dataclass(frozen=True)
class Attribution:
    """What each pixel adds to the logit of a class, on the way from a blank photo to this one.

    Attributes:
        pixels: Sum over the three channels, in logits.
        total: Logit of the photo minus logit of the blank one: what the pixels must sum to.
    """

    pixels: Float[np.ndarray, "height width"]
    total: float

    @property
    def incompleteness(self) -> float:
        """Part of ``total`` that the pixels do not account for, relative to their total size.

        Completeness is an axiom of the method; what is missing is the error of the sum that stands
        for the integral.
        """
        size = max(float(np.abs(self.pixels).sum()), abs(self.total), np.finfo(float).tiny)
        return abs(float(self.pixels.sum()) - self.total) / size


def integrated_gradients(
    network: nn.Sequential,
    photo: UInt8[np.ndarray, "height width 3"],
    label: int,
    *,
    steps: int = STEPS,
) -> Attribution:
    """Attribute the logit of a class to the pixels of a photo, along the way from a white one.

    Args:
        network: Normalisation, then the network, as ``training.torch.network.build`` returns them.
        photo: At the side that the network reads.
        label: The class.
        steps: Points of the path; more come closer to the integral.
    """
    network.eval()
    normalise, body = network[0], network[1]

    def enter(pixels: np.ndarray) -> Tensor:
        with torch.no_grad():
            return normalise(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None])

    inputs, blank = enter(photo), enter(np.full_like(photo, WHITE))
    method = IntegratedGradients(body, multiply_by_inputs=True)
    found = method.attribute(
        inputs, blank, target=label, n_steps=steps, method="gausslegendre", internal_batch_size=16
    )
    with torch.no_grad():
        total = float((body(inputs) - body(blank))[0, label])
    return Attribution(found.detach()[0].sum(dim=0).numpy().astype(float), total)


def randomised(network: nn.Module, *, seed: int = 0) -> nn.Module:
    """Return a copy of a network whose weights are shuffled within each tensor.

    What the weights learned is gone; their size, and so that of the activations, stays. So do the
    running statistics of batch normalisation, which tell the size of activations too.

    Args:
        network: Trained.
        seed: Seeds the shuffling.
    """
    shuffled = copy.deepcopy(network).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in shuffled.parameters():
            order = torch.randperm(weight.numel(), generator=generator)
            weight.copy_(weight.flatten()[order].view_as(weight))
    return shuffled


def likeness(
    first: Float[np.ndarray, "rows columns"], second: Float[np.ndarray, "rows columns"]
) -> float:
    """Return Spearman's rank correlation of two maps: 1 for the same order of all places.

    It is 0 where a map is constant, which orders nothing.
    """
    ranks = [rankdata(each.ravel()) for each in (first, second)]
    a, b = (rank - rank.mean() for rank in ranks)
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else 0.0


PER_CLASS = 4
"""Test photos of each class that are explained one by one."""


def maps(
    network: nn.Sequential, photo: UInt8[np.ndarray, "side side 3"], label: int
) -> tuple[dict[str, Map], float]:
    """Return every map of a photo, and how far its integrated gradients are from complete.

    Args:
        network: Normalisation, then a timm network.
        photo: At the side that it reads.
        label: The class that the maps explain.
    """
    attribution = integrated_gradients(network, photo, label)
    found = {
        "occlusion": occlusion(partial(predict, network), photo, label),
        "gradients": pool(attribution.pixels),
    }
    stages = activations(network, photo) | received(network, photo)
    found |= {name: pool(stage) for name, stage in stages.items()}
    return found, attribution.incompleteness


def on_photos(
    model: Kept, test: pd.DataFrame, pixels: np.ndarray, *, per_class: int = PER_CLASS, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Explain the first test photos of each class, and check each method on them.

    Returns:
        By class and cell, the mean share of the absolute integrated gradients; and, by photo, the
        value of each check: ``incompleteness`` of the gradients, and the ``likeness`` of each map
        to that of the same network with shuffled weights.
    """
    destroyed = randomised(model.network, seed=seed)
    chosen = test.groupby("label").head(per_class)
    shares: dict[int, list[np.ndarray]] = {}
    checks = []
    for place, photo in chosen.iterrows():
        learned, missing = maps(model.network, np.asarray(pixels[place]), int(photo.label))
        empty, _ = maps(destroyed, np.asarray(pixels[place]), int(photo.label))
        size = np.abs(learned["gradients"])
        shares.setdefault(int(photo.label), []).append(size / size.sum())
        found = {"incompleteness": missing}
        for name in learned:
            found[f"likeness-{name}"] = likeness(np.abs(learned[name]), np.abs(empty[name]))
        checks += [
            {"row": photo.row, "check": k, "value": float(f"{v:.4g}")} for k, v in found.items()
        ]
    means = [laid_out(np.mean(each, axis=0)).assign(label=k) for k, each in shares.items()]
    return pd.concat(means), pd.DataFrame(checks)


def on_drawing(model: Kept, *, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Explain the drawn photo, with the network and with its weights shuffled.

    Returns:
        ``map``, ``network`` (``learned`` or ``shuffled``), ``y``, ``x``, ``value``; and the class
        that the network gives, which the maps explain, with its probability.
    """
    photo = resize(drawn.picture()[None], model.recipe.image_size)
    given = model.predict(photo)[0]
    label = int(given.argmax())
    networks = {"learned": model.network, "shuffled": randomised(model.network, seed=seed)}
    tables = [
        laid_out(grid).assign(map=name, network=which)
        for which, network in networks.items()
        for name, grid in maps(network, photo[0], label)[0].items()
    ]
    followed = {
        "drawn": drawn.CATEGORY,
        "label": label,
        "probability": round(float(given[label]), 3),
    }
    return pd.concat(tables), followed
