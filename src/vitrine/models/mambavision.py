"""MambaVision: convolutions while the map is large, then scans and attention inside windows.

Source: Hatamizadeh and Kautz, "MambaVision: A Hybrid Mamba-Transformer Vision Backbone",
https://arxiv.org/abs/2407.08083. The letters ``A, B, C, D`` and ``delta`` are those of Gu and Dao,
https://arxiv.org/abs/2312.00752. Written from both papers and from the observed behaviour of the
published network, not from its code; where that network departs from the paper, so does this one.
Its weights load as they are, and are for non-commercial use only: see ``checkpoints``.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from os import PathLike

import torch
import torch.nn.functional as F
from jaxtyping import Float
from timm.layers import DropPath, Mlp, SelectAdaptivePool2d, trunc_normal_
from timm.models import checkpoint
from timm.models._features import feature_take_indices
from torch import Tensor, nn

from vitrine.models import checkpoints
from vitrine.models.mixers import AttentionMixer, ScanMixer, Tokens, mixer_named

__all__ = ["AttentionMixer", "MambaVision", "ScanMixer"]

Image = Float[Tensor, "image in_chans in_height in_width"]
Map = Float[Tensor, "image dim height width"]

LEVELS, CONV_LEVELS = 4, 2


def _conv(in_dim: int, out_dim: int, stride: int, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_dim, out_dim, kernel_size=3, stride=stride, padding=1, bias=bias)


def _patch_embed(in_chans: int, in_dim: int, dim: int) -> nn.Sequential:
    steps = []
    for source, target in ((in_chans, in_dim), (in_dim, dim)):
        # These two norms have eps=1e-4; all the others of the network have PyTorch's 1e-5.
        steps += [_conv(source, target, stride=2), nn.BatchNorm2d(target, eps=1e-4), nn.ReLU()]
    return nn.Sequential(OrderedDict(conv_down=nn.Sequential(*steps)))


class ConvBlock(nn.Module):
    """Two 3 x 3 convolutions around a residual; nothing follows the addition.

    Args:
        dim: Number of channels.
        drop_path: Probability that an image skips the block while training.
    """

    def __init__(self, dim: int, drop_path: float) -> None:
        super().__init__()
        self.conv1 = _conv(dim, dim, stride=1, bias=True)
        self.norm1 = nn.BatchNorm2d(dim)
        self.act = nn.GELU(approximate="tanh")
        self.conv2 = _conv(dim, dim, stride=1, bias=True)
        self.norm2 = nn.BatchNorm2d(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Map) -> Map:
        """Return the map refined, at the same size."""
        hidden = self.act(self.norm1(self.conv1(x)))
        return x + self.drop_path(self.norm2(self.conv2(hidden)))


class MixerBlock(nn.Module):
    """A mixer and a perceptron, each normalised before and added to its input.

    Args:
        mixer: What mixes the tokens.
        dim: Width of a token.
        mlp_ratio: Width of the perceptron's hidden layer, in units of ``dim``.
        gamma: Initial value of the learned scales of the two branches; None for no scale.
        drop_path: Probability that a window skips either branch while training.
    """

    def __init__(
        self, mixer: nn.Module, dim: int, mlp_ratio: float, gamma: float | None, drop_path: float
    ) -> None:
        super().__init__()
        self.gamma_1 = None if gamma is None else nn.Parameter(torch.full((dim,), gamma))
        self.gamma_2 = None if gamma is None else nn.Parameter(torch.full((dim,), gamma))
        self.norm1, self.mixer = nn.LayerNorm(dim), mixer
        self.norm2, self.mlp = nn.LayerNorm(dim), Mlp(dim, int(mlp_ratio * dim))
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tokens) -> Tokens:
        """Return the tokens refined, in the same order."""
        y = self.mixer(self.norm1(tokens))
        tokens = tokens + self.drop_path(y if self.gamma_1 is None else self.gamma_1 * y)
        y = self.mlp(self.norm2(tokens))
        return tokens + self.drop_path(y if self.gamma_2 is None else self.gamma_2 * y)


class Level(nn.Module):
    """Blocks at one resolution, then the halving that leads to the next.

    With a window, the map is padded right and bottom with zeros and cut, once for all the blocks;
    the padding lives on as ordinary tokens, from block to block, until the map is cropped.

    Args:
        blocks: The blocks, in order.
        dim: Channels of the map.
        window_size: Side of a window, in positions; None for blocks that take the map itself.
        halves: Whether the level ends in the halving, that doubles the channels.
    """

    def __init__(
        self, blocks: Sequence[nn.Module], dim: int, window_size: int | None, halves: bool
    ) -> None:
        super().__init__()
        self.blocks, self.downsample = nn.ModuleList(blocks), nn.Identity()
        if halves:
            reduction = nn.Sequential(_conv(dim, 2 * dim, stride=2))
            self.downsample = nn.Sequential(OrderedDict(reduction=reduction))
        self.window_size, self.grad_checkpointing = window_size, False

    def encode(self, x: Map) -> Map:
        """Return the map refined by the blocks, before the halving."""
        if self.window_size is None:
            for block in self.blocks:
                x = block(x)
            return x
        (height, width), side = x.shape[-2:], self.window_size
        if height % side or width % side:
            x = F.pad(x, (0, -width % side, 0, -height % side))
        grid = x.unflatten(3, (-1, side)).unflatten(2, (-1, side))
        rows, columns = grid.shape[2], grid.shape[4]
        tokens = grid.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)
        for block in self.blocks:
            tokens = checkpoint(block, tokens) if self.grad_checkpointing else block(tokens)
        grid = tokens.unflatten(1, (side, side)).unflatten(0, (-1, rows, columns))
        return grid.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)[..., :height, :width]

    def forward(self, x: Map) -> Float[Tensor, "image out_dim out_height out_width"]:
        """Return the input of the next level."""
        return self.downsample(self.encode(x))


def _init_linear(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _check_count(count: int, **given: Sequence[int]) -> None:
    for name, sizes in given.items():
        if len(sizes) != count or min(sizes) < 1:
            raise ValueError(f"expected {count} positive {name}, received {tuple(sizes)}")


class MambaVision(nn.Module):
    """Two convolutional levels, then two windowed ones: scans in their first half, attention after.

    From a level to the next the width doubles and the side halves, starting from ``dim`` and a
    quarter of the image. Any image size is accepted; a map that is a multiple of its window wastes
    nothing. State-dict keys and shapes are those of the published weights.

    Args:
        depths: Number of blocks in each of the four levels.
        dim: Channels of the first level.
        in_dim: Channels between the two convolutions of the patch embedding.
        num_heads: Attention heads of the last two levels.
        window_size: Sides of the windows of the last two levels; no weight depends on them.
        mlp_ratio: Width of the perceptrons' hidden layer, in units of their level's width.
        layer_scale: Initial scale of the residual branches of the last two levels; None: no scale.
        num_classes: Size of the head; 0 for no head.
        in_chans: Channels of the image.
        global_pool: ``avg``, ``max``, ``avgmax`` or ``catavgmax``; empty to keep the map.
        drop_rate: Dropout before the head.
        drop_path_rate: Stochastic depth of the last block, growing linearly from 0 at the first.
        mixer: What the first half of a windowed level mixes its tokens with: ``scan``, the paper's,
            or what may stand in its place, ``identity``, ``conv`` or ``attention``.

    Raises:
        ValueError: If the sizes do not fit one another, or if the mixer is unknown.
    """

    def __init__(
        self,
        depths: Sequence[int],
        dim: int,
        in_dim: int,
        num_heads: Sequence[int],
        window_size: Sequence[int] = (14, 7),
        mlp_ratio: float = 4.0,
        layer_scale: float | None = None,
        num_classes: int = 1000,
        in_chans: int = 3,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        mixer: str = "scan",
    ) -> None:
        super().__init__()
        _check_count(LEVELS, depths=depths)
        _check_count(LEVELS - CONV_LEVELS, num_heads=num_heads, window_size=window_size)
        self.patch_embed = _patch_embed(in_chans, in_dim, dim)
        self.levels, self.feature_info = nn.ModuleList(), []
        rates = iter(torch.linspace(0, drop_path_rate, sum(depths), device="cpu").tolist())
        for i, depth in enumerate(depths):
            width, side = dim * 2**i, None
            if i < CONV_LEVELS:
                blocks = [ConvBlock(width, next(rates)) for _ in range(depth)]
            else:
                heads, side = num_heads[i - CONV_LEVELS], window_size[i - CONV_LEVELS]
                mixers = [mixer_named(mixer, width, heads) for _ in range(math.ceil(depth / 2))]
                mixers += [AttentionMixer(width, heads) for _ in range(depth // 2)]
                shape = (width, mlp_ratio, layer_scale)
                blocks = [MixerBlock(chosen, *shape, next(rates)) for chosen in mixers]
            self.levels.append(Level(blocks, width, side, halves=i + 1 < LEVELS))
            # The map of a level is the one that enters the halving, as published detectors take it.
            tap = {"module": f"levels.{i}.downsample", "hook_type": "forward_pre"}
            self.feature_info.append({"num_chs": width, "reduction": 4 * 2**i, **tap})
        self.in_chans, self.num_features = in_chans, width
        self.norm, self.head_drop = nn.BatchNorm2d(width), nn.Dropout(drop_rate)
        self.reset_classifier(num_classes, global_pool)
        self.apply(_init_linear)

    def forward_features(self, image: Image) -> Map:
        """Return the normalised map of the last level."""
        x = self.patch_embed(image)
        for level in self.levels:
            x = level(x)
        return self.norm(x)

    def forward_head(self, x: Map, pre_logits: bool = False) -> Float[Tensor, " image *feature"]:
        """Pool the map and classify it; ``pre_logits`` stops before the classifier."""
        pooled = self.head_drop(self.global_pool(x))
        return pooled if pre_logits else self.head(pooled)

    def forward(self, image: Image) -> Float[Tensor, " image *feature"]:
        """Return the class logits."""
        return self.forward_head(self.forward_features(image))

    def forward_intermediates(
        self,
        image: Image,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]]:
        """Return the final map and those of the levels, taken before their halving.

        The arguments are timm's. ``indices`` are levels, or how many of the last; ``norm`` concerns
        the last one alone, the others have none; ``output_fmt`` has to be ``NCHW``, else a
        ValueError is raised.
        """
        if output_fmt != "NCHW":
            raise ValueError(f"expected output_fmt NCHW, received {output_fmt}; permute the maps")
        take, stop = feature_take_indices(len(self.levels), indices)
        x, maps = self.patch_embed(image), []
        for i, level in enumerate(self.levels):
            encoded = x = level.encode(x)
            if last := i + 1 == len(self.levels):
                x = self.norm(encoded)
            if i in take:
                maps.append(x if last and norm else encoded)
            if last or (stop_early and i == stop):
                break
            x = level.downsample(encoded)
        return maps if intermediates_only else (x, maps)

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Drop what the maps at ``indices`` do not need, and return these indices."""
        take, stop = feature_take_indices(len(self.levels), indices)
        shortened = stop + 1 < len(self.levels)
        self.levels = self.levels[: stop + 1]
        self.levels[-1].downsample = nn.Identity()
        self.num_features = self.feature_info[stop]["num_chs"]
        if prune_norm or shortened:
            self.norm = nn.Identity()
        if prune_head or shortened:
            self.reset_classifier(0, "")
        return take

    def get_classifier(self) -> nn.Module:
        """Return the head."""
        return self.head

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the head by a fresh one, none for 0, and the pooling if one is named.

        Raises:
            ValueError: If a head is asked for over a map that is not pooled.
        """
        pool = self.global_pool.pool_type if global_pool is None else global_pool
        if num_classes and not pool:
            raise ValueError(
                f"expected a pooling before a head of {num_classes} classes, received none; choose "
                "global_pool avg, max, avgmax or catavgmax, or num_classes=0"
            )
        self.global_pool = SelectAdaptivePool2d(pool_type=pool, flatten=bool(pool))
        self.num_classes = num_classes
        self.head_hidden_size = self.num_features * self.global_pool.feat_mult()
        head = nn.Linear(self.head_hidden_size, num_classes) if num_classes else nn.Identity()
        self.head = head.to(next(self.patch_embed.parameters()))
        _init_linear(self.head)

    def no_weight_decay(self) -> set[str]:
        """Return the names of the decay rates and of the skips of the scans."""
        names = (name for name, _ in self.named_parameters())
        return {name for name in names if name.endswith((".A_log", ".D"))}

    def group_matcher(self, coarse: bool = False) -> dict:
        """Return the patterns that order the parameters by depth, for a decay by layer."""
        level, with_previous = r"^levels\.(\d+)", (99999,)
        fine = [(level + r"\.blocks\.(\d+)", None), (level + r"\.downsample", with_previous)]
        blocks = [(level, None)] if coarse else fine
        return {"stem": r"^patch_embed", "blocks": [*blocks, (r"^norm", with_previous)]}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Recompute the windowed blocks in the backward pass, instead of keeping what they made.

        The convolutional blocks are kept: computed twice, their batch norms would count twice.
        """
        for level in self.levels:
            level.grad_checkpointing = enable and level.window_size is not None

    def load_pretrained(self, path: str | PathLike[str]) -> None:
        """Load a checkpoint, as timm asks for: other classes or channels adapt to the model's."""
        checkpoints.load_checkpoint(self, path, swap_head=True, adapt_stem=True)
