"""Explain single photos with a PyTorch network: maps by class, sanity checks, one drawn photo.

No photo of a product can be shown, so that what is kept of the test photos are means over a class
and checks; the maps of one photo are those of a drawing of ``vitrine.data.demo``.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from torch import nn

from vitrine.data.corruptions import resize
from vitrine.explain import drawn
from vitrine.explain.attention import received
from vitrine.explain.gradients import STEPS, integrated_gradients
from vitrine.explain.grids import Map, laid_out, pool
from vitrine.explain.occlusion import occlusion
from vitrine.explain.sanity import likeness, randomised
from vitrine.explain.stages import activations
from vitrine.training.torch.network import predict
from vitrine.training.trained import Kept

__all__ = ["PER_CLASS", "STEPS", "maps", "on_drawing", "on_photos"]

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
