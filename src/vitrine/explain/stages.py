"""Activation maps: mean size of the activations of each stage of a PyTorch network.

The map of a stage is the mean over its channels of the absolute activation: it shows where the
stage is active, not what for.
"""

from functools import partial

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

__all__ = ["activations"]


def activations(
    network: nn.Sequential, photo: UInt8[np.ndarray, "height width 3"]
) -> dict[str, Float[np.ndarray, "rows columns"]]:
    """Return the map of each stage, the finest first, named from ``stage-1`` on.

    Args:
        network: Normalisation, then a timm network, whose ``feature_info`` names its stages.
        photo: At the side that the network reads.
    """
    body = network[1]
    found: dict[str, np.ndarray] = {}

    def keep(name: str, output: Tensor) -> None:
        found[name] = output[0].abs().mean(dim=0).numpy().astype(float)

    hooks = []
    for number, info in enumerate(body.feature_info, start=1):
        module, name = body.get_submodule(info["module"]), f"stage-{number}"
        if info.get("hook_type") == "forward_pre":  # the stage is what enters this module
            hook = partial(lambda name, _module, inputs: keep(name, inputs[0]), name)
            hooks.append(module.register_forward_pre_hook(hook))
        else:
            hook = partial(lambda name, _module, _inputs, output: keep(name, output), name)
            hooks.append(module.register_forward_hook(hook))
    try:
        with torch.no_grad():
            network.eval()(torch.from_numpy(photo.copy()).permute(2, 0, 1)[None])
    finally:
        for hook in hooks:
            hook.remove()
    return found
