"""Sanity check of saliency maps: compare them with those of shuffled weights.

A map that stays the same once the weights are destroyed shows the photo, not the model.

Source: Adebayo et al., "Sanity Checks for Saliency Maps", arXiv 1810.03292.
"""

import copy

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import rankdata
from torch import nn

__all__ = ["likeness", "randomised"]


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
