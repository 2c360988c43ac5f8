"""MambaVision: convolutions while the map is large, then scans and attention inside windows.

Source: Hatamizadeh and Kautz, "MambaVision: A Hybrid Mamba-Transformer Vision Backbone",
https://arxiv.org/abs/2407.08083. The letters ``A, B, C, D`` and ``delta`` are those of Gu and Dao,
https://arxiv.org/abs/2312.00752. Written from both papers and from the observed behaviour of the
published network, not from its code; where that network departs from the paper, so does this one.
Its weights load as they are, and are for non-commercial use only: see ``checkpoints``.
"""

import functools
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from timm.layers import DropPath, Mlp
from timm.models import checkpoint
from timm.models._features import feature_take_indices
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from vitrine.models.backbone import Backbone, Side, check_count, init_linear
from vitrine.models.inputs import check_image, pair
from vitrine.models.mixers import AttentionMixer, ScanMixer, Tokens, Windowed, mixer_named
from vitrine.models.windows import Window, join_windows, split_windows

__all__ = ["AttentionMixer", "MambaVision", "ScanMixer"]

Image = Float[Tensor, "image in_chans in_height in_width"]
Map = Float[Tensor, "image dim height width"]
Run = Callable[[Callable[[Tokens], Tokens], Tokens], Tokens]

LEVELS, CONV_LEVELS = 4, 2
PRODUCTS = (torch.ops.aten.mm.default, torch.ops.aten.addmm.default)
CONVOLUTION = torch.ops.aten.convolution.default
ATTENTIONS = (
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default,
    torch.ops.aten._scaled_dot_product_flash_attention.default,
    torch.ops.aten._scaled_dot_product_efficient_attention.default,
)
WIDEST = 4
"""Outputs for an input in a product worth keeping: more cost little to make again."""

# A graph calls these three: their conditions have no answer while one traces.
torch.fx.wrap("check_image")
torch.fx.wrap("split_windows")
torch.fx.wrap("join_windows")


def _conv(in_dim: int, out_dim: int, stride: int, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_dim, out_dim, kernel_size=3, stride=stride, padding=1, bias=bias)


class PatchEmbed(nn.Module):
    """Two convolutions that each halve the image.

    Args:
        in_chans: Channels of the image.
        in_dim: Channels between the two convolutions.
        dim: Channels of the map.
    """

    def __init__(self, in_chans: int, in_dim: int, dim: int) -> None:
        super().__init__()
        steps = []
        for source, target in ((in_chans, in_dim), (in_dim, dim)):
            # These two norms have eps=1e-4; all the others of the network have PyTorch's 1e-5.
            steps += [_conv(source, target, stride=2), nn.BatchNorm2d(target, eps=1e-4), nn.ReLU()]
        self.conv_down = nn.Sequential(*steps)
        self.img_size, self.strict_img_size = None, False

    def forward(self, image: Image) -> Map:
        """Return a map of a quarter of the image's sides."""
        in_chans = getattr(self.conv_down[0], "in_channels", None)
        check_image(image, in_chans, self.img_size if self.strict_img_size else None)
        return self.conv_down(image)


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

    def forward(self, tokens: Tokens, run: Run | None = None) -> Tokens:
        """Return the tokens refined, in the same order; ``run`` calls the branches, if given."""
        y = self._mix(tokens) if run is None else run(self._mix, tokens)
        tokens = tokens + self.drop_path(y if self.gamma_1 is None else self.gamma_1 * y)
        y = self._transform(tokens) if run is None else run(self._transform, tokens)
        return tokens + self.drop_path(y if self.gamma_2 is None else self.gamma_2 * y)

    def _mix(self, tokens: Tokens) -> Tokens:
        return self.mixer(self.norm1(tokens))

    def _transform(self, tokens: Tokens) -> Tokens:
        return self.mlp(self.norm2(tokens))


class Level(Windowed):
    """Blocks at one resolution, then the halving that leads to the next.

    With a window, the map is padded right and bottom with zeros and cut, once for all the blocks;
    the padding lives on as ordinary tokens, from block to block, until the map is cropped.

    Args:
        blocks: The blocks, in order.
        dim: Channels of the map.
        window_size: Side of a window, or its height and width, in positions; None for blocks that
            take the map itself.
        halves: Whether the level ends in the halving, that doubles the channels.
    """

    def __init__(
        self, blocks: Sequence[nn.Module], dim: int, window_size: Side | None, halves: bool
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.encoded, self.downsample = nn.Identity(), nn.Identity()
        if halves:
            reduction = nn.Sequential(_conv(dim, 2 * dim, stride=2))
            self.downsample = nn.Sequential(OrderedDict(reduction=reduction))
        self.window_size, self.dilation = window_size, 1
        self.grad_checkpointing = self.keep_products = False

    def encode(self, x: Map) -> Map:
        """Return the map refined by the blocks, before the halving."""
        if self.window_size is None:
            for block in self.blocks:
                x = block(x)
            return x
        window = Window(*pair(self.window_size), self.dilation)
        tokens = split_windows(x, window)
        for block in self.blocks:
            tokens = self._recomputed(block, tokens) if self.grad_checkpointing else block(tokens)
        return join_windows(tokens, x.shape, window)

    def _recomputed(self, block: nn.Module, tokens: Tokens) -> Tokens:
        if not self.keep_products:
            return checkpoint(block, tokens)
        # Branch by branch: the product that ends one is then made once, for nothing after it asks.
        half = tokens.dtype != torch.float32 or torch.is_autocast_enabled(tokens.device.type)
        policy = functools.partial(_policy, half=half)
        kept = functools.partial(create_selective_checkpoint_contexts, policy)
        return block(tokens, functools.partial(checkpoint, context_fn=kept))

    def forward(self, x: Map) -> Float[Tensor, "image out_dim out_height out_width"]:
        """Return the input of the next level."""
        return self.downsample(self.encoded(self.encode(x)))


def _policy(_: Any, operator: Any, *arguments: Any, half: bool, **__: Any) -> CheckpointPolicy:
    """Keep what costs more time than memory, and what the rest is made from.

    In half precision products weigh half: there is room for the scans, which are in float32 even
    so, for convolutions, and for products that do not widen.
    """
    kept = operator in ATTENTIONS
    if operator in PRODUCTS:
        inputs, outputs = arguments[-1].shape
        # What does not widen begins a scan's branch, cheap, or ends one: nothing asks for it.
        kept = inputs < outputs <= WIDEST * inputs or (half and inputs == outputs)
    elif operator is CONVOLUTION or getattr(operator, "namespace", "") == "vitrine":
        kept = half
    return CheckpointPolicy.MUST_SAVE if kept else CheckpointPolicy.PREFER_RECOMPUTE


class MambaVision(Backbone):
    """Two convolutional levels, then two windowed ones: scans in their first half, attention after.

    From a level to the next the width doubles and the side halves, starting from ``dim`` and a
    quarter of the image. Any image size is accepted; a map that is a multiple of its window wastes
    nothing. State-dict keys and shapes are those of the published weights.

    Args:
        depths: Number of blocks in each of the four levels.
        dim: Channels of the first level.
        in_dim: Channels between the two convolutions of the patch embedding.
        num_heads: Attention heads of the last two levels.
        window_size: Sides of the windows of the last two levels, or their heights and widths; no
            weight depends on them.
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
        window_size: Sequence[Side] = (14, 7),
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
        check_count(LEVELS, depths=depths)
        check_count(LEVELS - CONV_LEVELS, num_heads=num_heads, window_size=window_size)
        self.patch_embed = PatchEmbed(in_chans, in_dim, dim)
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
            tap = f"levels.{i}.encoded"
            self.feature_info.append({"num_chs": width, "reduction": 4 * 2**i, "module": tap})
        self.in_chans, self.num_features = in_chans, width
        self.norm, self.head_drop = nn.BatchNorm2d(width), nn.Dropout(drop_rate)
        self.reset_classifier(num_classes, global_pool)
        self.apply(init_linear)

    @property
    def scanned(self) -> tuple[str, ...]:
        """Names of the modules that scan, or that stand in the place of a scan."""
        return tuple(
            f"levels.{i}.blocks.{k}.mixer"
            for i, level in enumerate(self.levels)
            for k in range(math.ceil(len(level.blocks) / 2))
            if i >= CONV_LEVELS
        )

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
        the last one alone, the others have none; ``output_fmt`` is ``NCHW``, or ``NLC`` for maps
        laid out as tokens, row by row.

        Raises:
            ValueError: If ``output_fmt`` is another.
        """
        if output_fmt not in ("NCHW", "NLC"):
            raise ValueError(
                f"expected output_fmt NCHW or NLC, received {output_fmt}; permute the maps"
            )
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
        if output_fmt == "NLC":
            maps = [encoded.flatten(2).transpose(1, 2) for encoded in maps]
        return maps if intermediates_only else (x, maps)
