"""What a MambaVision is made of, read from the module itself: stages, blocks, shapes, padding.

A network is run once, on the ``meta`` device: shapes are real, nothing is computed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import timm
import torch
from timm.layers import DropPath
from torch import Tensor, nn

import vitrine.models.variants  # noqa: F401  (registers the models)
from vitrine.models.mambavision import AttentionMixer, ConvBlock, ScanMixer

__all__ = ["Part", "Stage", "parts", "stages"]

KINDS = {ConvBlock: "convolution", ScanMixer: "scan", AttentionMixer: "attention"}
IDLE = (nn.Dropout, nn.Identity, DropPath)
"""What returns what it is given, outside of training."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a network.

    Attributes:
        shape: Channels, height and width of its map.
        blocks: Kind of each of its blocks: ``convolution``, ``scan`` or ``attention``.
        window: Side of its windows, in tokens; ``None`` where blocks take the map itself.
        tokens: Tokens that its blocks compute for one image, padding included; 0 without windows.
        parameters: Number of weights, the halving that ends the stage included.
    """

    shape: tuple[int, int, int]
    blocks: tuple[str, ...]
    window: int | None
    tokens: int
    parameters: int

    @property
    def padding(self) -> float:
        """Share of the tokens that are padding."""
        _, height, width = self.shape
        return 1 - height * width / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """A module of a block, in the order in which it ran.

    Attributes:
        name: Its name in the block, such as ``mixer.in_proj``.
        kind: Name of its class.
        shape: Shape of what it returned, without the batch.
        parameters: Number of its own weights.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def stages(name: str, height: int = 224, width: int | None = None) -> list[Stage]:
    """Return the stages of a registered network, for one image.

    Args:
        name: A name of timm's registry that is a MambaVision.
        height: Height of the image, in pixels.
        width: Its width; the height by default.
    """
    network = _on_meta(name)
    seen: dict[nn.Module, tuple[int, ...]] = {}
    inputs = [level.blocks[0] for level in network.levels]
    image = torch.zeros(1, 3, height, width or height, device="meta")
    with _watched(inputs, lambda module, given, _: seen.update({module: given[0].shape})):
        maps = network.forward_intermediates(image, intermediates_only=True)
    found = []
    for level, reached in zip(network.levels, maps, strict=True):
        blocks = tuple(KINDS[type(getattr(block, "mixer", block))] for block in level.blocks)
        windows = seen[level.blocks[0]]
        found.append(
            Stage(
                shape=tuple(reached.shape[1:]),
                blocks=blocks,
                window=level.window_size,
                tokens=windows[0] * windows[1] if level.window_size else 0,
                parameters=sum(p.numel() for p in level.parameters()),
            )
        )
    return found


def parts(name: str, stage: int, block: int) -> list[Part]:
    """Return the modules that do the work of one block, in the order in which they run.

    Args:
        name: A name of timm's registry that is a MambaVision.
        stage: Number of the stage, from 1.
        block: Number of the block in it, from 1.
    """
    network = _on_meta(name)
    chosen = network.levels[stage - 1].blocks[block - 1]
    leaves = {
        module: name
        for name, module in chosen.named_modules()
        if not (list(module.children()) or isinstance(module, IDLE))
    }
    found: list[Part] = []

    def keep(module: nn.Module, _: object, returned: Tensor) -> None:
        found.append(
            Part(
                name=leaves[module],
                kind=type(module).__name__,
                shape=tuple(returned.shape[1:]),
                parameters=sum(p.numel() for p in module.parameters()),
            )
        )

    with _watched(list(leaves), keep):
        network(torch.zeros(1, 3, 224, 224, device="meta"))
    return found


def _on_meta(name: str) -> Any:
    return timm.create_model(name, device="meta").eval()


@contextmanager
def _watched(modules: list[nn.Module], tell: Callable[..., None]) -> Iterator[None]:
    handles = [module.register_forward_hook(tell) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
