"""Maps of a PyTorch network's stages: where it is active, and where attention goes.

The map of a stage is the mean over its channels of the absolute activation: it shows where the
stage is active, not what for.

The map of a level is that of its last attention block: the mean, over heads and over the places
that ask, of the weight given to each place, in units of an even share. It shows where the block
gathers from, which is not what the answer rests on.

Source: Vaswani et al., "Attention Is All You Need", arXiv 1706.03762; for what may not be concluded
from such a map, Jain and Wallace, "Attention is not Explanation", arXiv 1902.10186.
"""

from contextlib import ExitStack
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vitrine.models.mambavision import AttentionMixer, Level

__all__ = ["activations", "received"]


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

    with ExitStack() as hooks:
        for number, info in enumerate(body.feature_info, start=1):
            module, name = body.get_submodule(info["module"]), f"stage-{number}"
            if info.get("hook_type") == "forward_pre":  # the stage is what enters this module
                hook = partial(lambda name, _module, inputs: keep(name, inputs[0]), name)
                hooks.enter_context(module.register_forward_pre_hook(hook))
            else:
                hook = partial(lambda name, _module, _inputs, output: keep(name, output), name)
                hooks.enter_context(module.register_forward_hook(hook))
        _answer(network, photo)
    return found


def received(
    network: nn.Sequential, photo: UInt8[np.ndarray, "height width 3"]
) -> dict[str, Float[np.ndarray, "rows columns"]]:
    """Return the map of each level that attends, named after its stage, such as ``attention-3``.

    A network without attention has none.

    Args:
        network: Normalisation, then the network.
        photo: At the side that the network reads.
    """
    entered: dict[nn.Module, Tensor] = {}
    levels = {}
    for number, level in enumerate(cast(Any, getattr(network[1], "levels", ())), start=1):
        mixers = [m for m in level.modules() if isinstance(m, AttentionMixer)]
        if mixers:
            levels[f"attention-{number}"] = (level, mixers[-1])
    with ExitStack() as hooks, torch.no_grad():
        for module in (module for pair in levels.values() for module in pair):
            hooks.enter_context(
                module.register_forward_pre_hook(lambda m, inputs: entered.update({m: inputs[0]}))
            )
        _answer(network, photo)
        return {
            name: _laid_out(_weights(mixer, entered[mixer]), level, entered[level])
            for name, (level, mixer) in levels.items()
        }


@torch.no_grad()
def _answer(network: nn.Sequential, photo: UInt8[np.ndarray, "height width 3"]) -> Tensor:
    return network.eval()(torch.from_numpy(photo.copy()).permute(2, 0, 1)[None])


def _weights(
    mixer: AttentionMixer, tokens: Float[Tensor, "window token dim"]
) -> Float[Tensor, "window token"]:
    """Return what each token receives from the tokens of its window, 1 for an even share."""
    qkv = mixer.qkv(tokens).unflatten(-1, (3, mixer.num_heads, -1))
    query, key, _ = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    given = (query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5).softmax(dim=-1)
    return given.mean(dim=(1, 2)) * given.shape[-1]


def _laid_out(
    weights: Float[Tensor, "window token"],
    level: Level,
    entered: Float[Tensor, "1 dim height width"],
) -> Float[np.ndarray, "height width"]:
    """Merge windows into one map, without the padding of the last ones."""
    (height, width), side = entered.shape[-2:], cast(int, level.window_size)
    windows = weights.unflatten(1, (side, side)).unflatten(0, (-1, -(-width // side)))
    whole = windows.transpose(1, 2).flatten(2, 3).flatten(0, 1)
    return whole[:height, :width].numpy().astype(float)
