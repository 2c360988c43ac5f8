"""Time three token mixers against the number of tokens: scan, attention, convolution."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vitrine.bench.clock import Bench, inferring
from vitrine.models.mambavision import AttentionMixer, ScanMixer

__all__ = ["LENGTHS", "ConvolutionMixer", "measure_lengths"]

LENGTHS = (49, 100, 196, 400, 784, 1600, 3136, 4096)
"""Windows of 7, 10, 14, 20, 28, 40, 56 and 64 tokens a side."""
WIDTH, HEADS = 320, 8
"""Those of the third stage of MambaVision-T."""

Tokens = Float[Tensor, "image token dim"]


class ConvolutionMixer(nn.Module):
    """Mix neighbours only: the same two projections as the other mixers, a convolution between.

    Args:
        dim: Width of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.in_proj = nn.Linear(dim, dim, bias=False)
        self.conv = nn.Conv1d(dim, dim, 3, padding=1, groups=dim, bias=False)
        self.out_proj = nn.Linear(dim, dim, bias=False)

    def forward(self, tokens: Tokens) -> Tokens:
        """Return the mixed tokens, in the same order."""
        mixed = self.conv(self.in_proj(tokens).transpose(1, 2)).transpose(1, 2)
        return self.out_proj(F.silu(mixed))


def measure_lengths(bench: Bench, lengths: Sequence[int] = LENGTHS) -> list[dict[str, Any]]:
    """Return the milliseconds of each mixer at each length, for one image and equal width.

    Args:
        bench: How it is asked for.
        lengths: Numbers of tokens.
    """
    torch.manual_seed(0)
    mixers = {
        "scan": ScanMixer(WIDTH).to(bench.device),
        "attention": AttentionMixer(WIDTH, HEADS).to(bench.device),
        "convolution": ConvolutionMixer(WIDTH).to(bench.device),
    }
    rows = []
    for length in lengths:
        tokens = torch.randn(1, length, WIDTH, device=bench.device)
        work = {name: inferring(mixer, tokens) for name, mixer in mixers.items()}
        timings = bench.time(work)
        for name in mixers:
            row = {"mixer": name, "length": length, "milliseconds": timings.milliseconds(name)}
            rows.append({**row, "batch": 1, "width": WIDTH})
        said = (f"{row['mixer']} {row['milliseconds']:.2f}" for row in rows[-len(mixers) :])
        bench.tell(f"mixing {length:4} tokens, ms: {', '.join(said)}")
    return rows
