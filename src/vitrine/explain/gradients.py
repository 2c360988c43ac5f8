"""Integrated gradients of a PyTorch network, and the check that they account for its answer.

Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", arXiv 1703.01365,
computed by Captum (Kokhlikyan et al., arXiv 2009.07896).
"""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients
from jaxtyping import Float, UInt8
from torch import Tensor, nn

__all__ = ["STEPS", "Attribution", "integrated_gradients"]

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
    fill: int = WHITE,
) -> Attribution:
    """Attribute the logit of a class to the pixels of a photo.

    Args:
        network: Normalisation, then the network, as ``training.torch.network.build`` returns them.
        photo: At the side that the network reads.
        label: The class.
        steps: Points of the path; more come closer to the integral.
        fill: Level of the blank photo that the path starts from; white is the usual background.
    """
    network.eval()
    normalise, body = network[0], network[1]

    def enter(pixels: np.ndarray) -> Tensor:
        with torch.no_grad():
            return normalise(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None])

    inputs, blank = enter(photo), enter(np.full_like(photo, fill))
    method = IntegratedGradients(body, multiply_by_inputs=True)
    found = method.attribute(
        inputs, blank, target=label, n_steps=steps, method="gausslegendre", internal_batch_size=16
    )
    with torch.no_grad():
        total = float((body(inputs) - body(blank))[0, label])
    return Attribution(found.detach()[0].sum(dim=0).numpy().astype(float), total)
