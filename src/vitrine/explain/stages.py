"""How strongly each stage of a PyTorch network answers, place by place.

The map of a stage is the mean over its channels of the absolute activation: it shows where the
stage is active, not what for.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

__all__ = ["activations"]


def activations(
    network: nn.Module, photo: UInt8[np.ndarray, "height width 3"]
) -> dict[str, Float[np.ndarray, "rows columns"]]:
    """Return the map of each stage, the finest first, named from ``stage-1`` on.

    Args:
        network: Normalisation, then a timm network, whose ``feature_info`` names its stages.
        photo: At the side that the network reads.
    """
    body = network[1]
    infos = body.feature_info
    modules = [info["module"] for info in infos]
    found: dict[str, np.ndarray] = {}

    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            found[name] = output[0].abs().mean(dim=0).numpy().astype(float)

        return hook

    hooks = [
        body.get_submodule(module).register_forward_hook(keep(f"stage-{number}"))
        for number, module in enumerate(modules, start=1)
    ]
    try:
        with torch.no_grad():
            network.eval()(torch.from_numpy(photo.copy()).permute(2, 0, 1)[None])
    finally:
        for hook in hooks:
            hook.remove()
    return found
