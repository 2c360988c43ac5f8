"""Selective copying: tokens to repeat, lost among blanks, and two layers to learn it.

Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
https://arxiv.org/abs/2312.00752, section 3.1. Theirs has 4096 positions and two gated blocks; this
one is small enough to be learned while the reader waits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from vitrine.models.scan import selective_scan

__all__ = ["LAYERS", "Copier", "Learned", "Task", "learn", "score"]

BLANK, CUE = 0, 1
STATE_DIM = 8
LAYERS = ("selective", "fixed", "convolution")
"""What may mix the positions: a chosen step, the same layer with fixed steps, any convolution."""
STEPS = (0.02, 0.5)
"""Range of the steps that the channels start with: from a long memory to a short one."""
RATE, SEED, ASKED = 0.02, 0, 256
"""Highest learning rate; seed of the weights and the draws; new sequences that are scored."""

Tokens = Int[Tensor, "batch length"]
Channels = Float[Tensor, "batch length dim"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to copy: a few symbols among blanks, then as many cues, at which to repeat them.

    Attributes:
        symbols: Kinds of symbols.
        copied: Symbols to repeat, in their order.
        length: Positions before the cues.
        scattered: Whether the symbols fall anywhere; else they open the sequence.
    """

    symbols: int = 6
    copied: int = 3
    length: int = 32
    scattered: bool = True

    @property
    def vocabulary(self) -> int:
        """Number of tokens: the blank, the cue and the symbols."""
        return 2 + self.symbols

    def draw(
        self, batch: int, generator: torch.Generator
    ) -> tuple[Tokens, Int[Tensor, "batch copied"]]:
        """Return sequences and what must be answered at their cues."""
        wanted = 2 + torch.randint(self.symbols, (batch, self.copied), generator=generator)
        tokens = torch.full((batch, self.length + self.copied), BLANK)
        tokens[:, self.length :] = CUE
        places = torch.arange(self.copied).expand(batch, -1)
        if self.scattered:
            shuffled = torch.rand(batch, self.length, generator=generator).argsort(dim=1)
            places = shuffled[:, : self.copied].sort(dim=1).values
        return tokens.scatter(1, places, wanted), wanted


class StateSpaceMixer(nn.Module):
    """A state-space layer, whose steps are fixed or chosen by each token, for all the channels.

    Args:
        dim: Number of channels.
        selective: Whether tokens choose; else each channel learns one step for all tokens.
    """

    def __init__(self, dim: int, *, selective: bool) -> None:
        super().__init__()
        low, high = STEPS
        steps = torch.logspace(0, 1, dim, base=high / low) * low
        self.bias = nn.Parameter(torch.log(torch.expm1(steps)))  # the softplus of it is the step
        self.choose = nn.Linear(dim, 1, bias=False) if selective else None
        self.A_log = nn.Parameter(torch.arange(1.0, STATE_DIM + 1).log().repeat(dim, 1))
        self.B = nn.Parameter(torch.ones(STATE_DIM))
        self.C = nn.Parameter(torch.randn(STATE_DIM))

    def steps(self, u: Channels) -> Channels:
        """Return how far each token moves the state of each channel."""
        chosen = 0 if self.choose is None else self.choose(u)
        return F.softplus(self.bias + chosen).expand_as(u)

    def forward(self, u: Channels) -> Channels:
        """Return the output of the scan, at each position."""
        B, C = (weight.expand(*u.shape[:2], -1) for weight in (self.B, self.C))
        return selective_scan(u, self.steps(u), -torch.exp(self.A_log), B, C)


class CopyingConvolution(nn.Module):
    """One free convolution a channel, over the whole past: any layer with fixed steps is one.

    Args:
        dim: Number of channels.
        length: Longest past.
    """

    def __init__(self, dim: int, length: int) -> None:
        super().__init__()
        self.taps = nn.Parameter(torch.randn(dim, length) * length**-0.5)

    def forward(self, u: Channels) -> Channels:
        """Return the output of the convolution, at each position, through the Fourier transform."""
        length = u.shape[1]
        taps, heard = (
            torch.fft.rfft(x, 2 * length) for x in (self.taps[:, :length], u.transpose(1, 2))
        )
        return torch.fft.irfft(taps * heard, 2 * length)[..., :length].transpose(1, 2)


class Copier(nn.Module):
    """An embedding, one layer that mixes the positions, and a perceptron that reads its output.

    In double precision: rounding then does not decide what is learned.

    Args:
        task: What it will have to copy.
        layer: One of ``LAYERS``.
        dim: Number of channels.

    Raises:
        ValueError: If there is no such layer.
    """

    def __init__(self, task: Task, layer: str, *, dim: int = 32) -> None:
        super().__init__()
        if layer not in LAYERS:
            raise ValueError(f"expected a layer among {', '.join(LAYERS)}, received {layer!r}")
        length, tokens = task.length + task.copied, task.vocabulary
        self.embed = nn.Embedding(tokens, dim)
        if layer == "convolution":
            self.mix = CopyingConvolution(dim, length)
        else:
            self.mix = StateSpaceMixer(dim, selective=layer == "selective")
        self.read = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, tokens))
        self.double()

    def forward(self, tokens: Tokens) -> Float[Tensor, "batch length token"]:
        """Return the score of each token at each position."""
        return self.read(self.mix(self.embed(tokens)))


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A trained copier and its learning curve.

    Attributes:
        model: The copier, after its last step.
        curve: Share of symbols repeated right, on new sequences, by number of steps.
    """

    model: Copier
    curve: dict[int, float]


def learn(
    task: Task,
    layer: str,
    *,
    steps: int = 250,
    every: int = 25,
    batch: int = 64,
) -> Learned:
    """Train a copier from scratch; its weights and what it sees are the same each time.

    The learning rate goes down to zero along half a cosine.

    Args:
        task: What to copy.
        layer: One of ``LAYERS``.
        steps: Number of optimisation steps.
        every: Steps from a score to the next.
        batch: Sequences drawn at each step.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = Copier(task, layer)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    curve = {0: score(model, task)}
    for step, (tokens, wanted) in zip(range(1, steps + 1), _draws(task, batch), strict=False):
        answered = model(tokens)[:, task.length :]
        loss = F.cross_entropy(answered.flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % every == 0:
            curve[step] = score(model, task)
    return Learned(model=model, curve=curve)


def _draws(task: Task, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(SEED)
    while True:
        yield task.draw(batch, generator)


@torch.no_grad()
def score(model: Copier, task: Task) -> float:
    """Return the share of symbols that a copier repeats right, on sequences it has not seen."""
    tokens, wanted = task.draw(ASKED, torch.Generator().manual_seed(SEED + 10**6))
    answered = model(tokens)[:, task.length :].argmax(dim=-1)
    return (answered == wanted).double().mean().item()
