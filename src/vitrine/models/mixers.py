"""What mixes the tokens of a window in MambaVision: the scan, attention, and what can replace it.

The scan and the attention are those of Hatamizadeh and Kautz, "MambaVision: A Hybrid
Mamba-Transformer Vision Backbone", https://arxiv.org/abs/2407.08083. The others stand in the scan's
place, at the same width, to tell what it adds: Yu and Wang, "MambaOut: Do We Really Need Mamba for
Vision?", https://arxiv.org/abs/2405.07992.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from timm.layers import use_fused_attn
from torch import Tensor, nn

from vitrine.models.inputs import pair
from vitrine.models.scan import selective_scan

__all__ = ["AttentionMixer", "ConvMixer", "ScanMixer", "Tokens", "Windowed", "mixer_named"]

Tokens = Float[Tensor, "window token dim"]

STATE_DIM = 8

# A traced graph calls these three: the types that they look at are not known while one traces.
torch.fx.wrap("selective_scan")
torch.fx.wrap("_attend")
torch.fx.wrap("_rates")


def _rates(A_log: Float[Tensor, "channel state"]) -> Float[Tensor, "channel state"]:
    # Decays compound along the sequence: they stay in float32 in a half-precision model.
    return -torch.exp(A_log.to(torch.promote_types(A_log.dtype, torch.float32)))


class ScanMixer(nn.Module):
    r"""Mix the tokens of a window with two half-width branches: one scans, one only convolves.

    .. math::
        X &= \mathrm{Scan}(\mathrm{SiLU}(\mathrm{Conv}_x(W_x T))) \\
        Z &= \mathrm{SiLU}(\mathrm{Conv}_z(W_z T)) \\
        Y &= W_o\,[X ; Z]

    Unlike Mamba, the convolutions see both neighbours and the second branch is concatenated instead
    of gating the first. The scan runs row by row, in one direction; no convolution has a bias.

    Args:
        dim: Width of a token, even.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        half, rank = dim // 2, math.ceil(dim / 16)
        self.splits = (rank, STATE_DIM, STATE_DIM)
        self.A_log = nn.Parameter(torch.arange(1.0, STATE_DIM + 1).log().repeat(half, 1))
        self.D = nn.Parameter(torch.ones(half))
        self.in_proj = nn.Linear(dim, dim, bias=False)
        self.x_proj = nn.Linear(half, sum(self.splits), bias=False)
        self.dt_proj = nn.Linear(rank, half)
        self.out_proj = nn.Linear(dim, dim, bias=False)
        self.conv1d_x = nn.Conv1d(half, half, 3, padding=1, groups=half, bias=False)
        self.conv1d_z = nn.Conv1d(half, half, 3, padding=1, groups=half, bias=False)

    def forward(self, tokens: Tokens) -> Tokens:
        """Return the mixed tokens, in the same order."""
        x, z = self.in_proj(tokens).transpose(1, 2).chunk(2, dim=1)
        x = F.silu(self.conv1d_x(x)).transpose(1, 2)
        z = F.silu(self.conv1d_z(z)).transpose(1, 2)
        step, B, C = self.x_proj(x).split(self.splits, dim=-1)
        A = _rates(self.A_log)
        # dt_proj adds its bias and the scan adds it again: the published weights were trained so.
        delta, bias = self.dt_proj(step), _bias(self.dt_proj, step)
        y = selective_scan(x, delta, A, B, C, self.D, bias, delta_softplus=True)
        return self.out_proj(torch.cat([y, z], dim=-1))


def _bias(projection: nn.Module, x: Tensor) -> Tensor | None:
    """Return the bias of a linear layer, or of what has replaced it: its answer to zeros."""
    if isinstance(projection, nn.Linear):
        return projection.bias
    return projection(x.new_zeros(1, x.shape[-1]))[0]


class AttentionMixer(nn.Module):
    """Mix the tokens of a window by plain multi-head self-attention: no mask, no position.

    As in timm's networks, ``timm.layers.set_fused_attn(False)`` before it is made has it run in
    plain operations, which can be differentiated twice and in forward mode.

    Args:
        dim: Width of a token.
        num_heads: Number of heads.

    Raises:
        ValueError: If the heads do not divide the width.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(f"expected num_heads to divide the width {dim}, received {num_heads}")
        self.num_heads, self.fused_attn = num_heads, use_fused_attn()
        self.qkv = nn.Linear(dim, 3 * dim)
        self.attn, self.attn_drop = _Weights(), nn.Identity()
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tokens) -> Tokens:
        """Return the mixed tokens, in the same order."""
        qkv = self.qkv(tokens).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused_attn:
            y = _attend(query, key, value)
        else:
            y = self.attn_drop(self.attn(query, key)) @ value
        return self.proj(y.transpose(1, 2).flatten(2))


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return what attention makes of the values, by the kernel, or what trains faster than it."""
    learning = torch.is_grad_enabled() and query.requires_grad
    if learning and query.device.type == "cpu" and query.dtype == torch.bfloat16:
        # The kernel's backward pass is half as fast as its products: 9 % of a training step.
        return _Weights()(query, key).to(value.dtype) @ value
    return F.scaled_dot_product_attention(query, key, value)


class _Weights(nn.Module):
    """Compute the weights of attention, where ``timm.utils.AttentionExtract`` looks for them.

    By default it hooks what is named ``attn_drop``, or takes the ``softmax`` of what is named
    ``attn``.
    """

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return ((query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)).softmax(dim=-1)


class ConvMixer(nn.Module):
    """Mix the tokens of a window by a depthwise 3 x 3 convolution between two projections.

    It is the scan's mixer without the scan, whose convolutions see a row alone where this one sees
    both directions. Both branches are then the same operation, so that there is one.

    Args:
        dim: Width of a token.
    """

    window: tuple[int, int] | None = None
    """Height and width of a window; None for a square."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.in_proj = nn.Linear(dim, dim, bias=False)
        self.conv = nn.Conv2d(dim, dim, 3, padding=1, groups=dim, bias=False)
        self.out_proj = nn.Linear(dim, dim, bias=False)

    def forward(self, tokens: Tokens) -> Tokens:
        """Return the mixed tokens, in the same order.

        Raises:
            ValueError: If, without the shape of a window, they are not those of a square.
        """
        window = self.window or (math.isqrt(tokens.shape[1]),) * 2
        if window[0] * window[1] != tokens.shape[1]:
            raise ValueError(
                f"expected the {window[0]} x {window[1]} tokens of a window, received "
                f"{tokens.shape[1]}; set the height and width of the windows as `window`"
            )
        x = self.in_proj(tokens).transpose(1, 2).unflatten(2, window)
        return self.out_proj(F.silu(self.conv(x)).flatten(2).transpose(1, 2))


class Windowed(nn.Module):
    """What cuts a map into windows, and tells their shape to the convolutions that it holds."""

    @property
    def window_size(self) -> int | Sequence[int] | None:
        """Side of a window, or its height and width, in positions; None without windows."""
        return self._window_size

    @window_size.setter
    def window_size(self, size: int | Sequence[int] | None) -> None:
        self._window_size = size
        for module in self.modules():
            if isinstance(module, ConvMixer):
                module.window = pair(size) if size else None


def mixer_named(name: str, dim: int, num_heads: int) -> nn.Module:
    """Return a new mixer of tokens.

    Args:
        name: ``scan``, ``identity`` (tokens stay apart), ``conv`` or ``attention``.
        dim: Width of a token.
        num_heads: Heads, where it is attention.

    Raises:
        ValueError: If the name is unknown.
    """
    mixers = {
        "scan": ScanMixer,
        "identity": nn.Identity,
        "conv": ConvMixer,
        "attention": lambda dim: AttentionMixer(dim, num_heads),
    }
    if name not in mixers:
        raise ValueError(f"expected a mixer among {', '.join(mixers)}, received {name!r}")
    return mixers[name](dim)
