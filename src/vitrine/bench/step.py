"""One pass of a network of timm, timed by whoever asks: here, or in a program of another commit.

Run by its path, it answers on its standard output: a line of milliseconds for each line of JSON
that it reads. It imports nothing of this room, so that any commit with the network can run it.
"""

import json
import sys
import time
from collections.abc import Callable

import timm
import torch
import torch.nn.functional as F

import vitrine.models  # noqa: F401  (registers the models)

__all__ = ["timed"]


def timed(
    name: str, kind: str, dtype: str, *, batch: int, side: int, **options: object
) -> Callable[[], float]:
    """Return what runs one pass of a fresh network and returns its milliseconds of processor.

    Args:
        name: In timm's registry.
        kind: ``forward`` or ``training``: forward, cross-entropy, backward.
        dtype: ``float32``, or ``bfloat16`` for autocast.
        batch: Number of images.
        side: Of the image, in pixels.
        options: What else to say to ``timm.create_model``.
    """
    torch.manual_seed(0)
    model = timm.create_model(name, **options).to(memory_format=torch.channels_last)
    model.train(kind == "training")
    image = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    target, half = torch.arange(batch), dtype == "bfloat16"

    def run() -> float:
        begun = time.process_time_ns()
        with (
            torch.set_grad_enabled(kind == "training"),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=half),
        ):
            logits = model(image)
        if kind == "training":
            F.cross_entropy(logits.float(), target).backward()
            model.zero_grad()
        return (time.process_time_ns() - begun) / 1e6

    return run


def _answer_each_line() -> None:
    torch.set_num_threads(1)
    asked, run = None, None
    for line in sys.stdin:
        if line != asked or run is None:
            asked, run = line, timed(**json.loads(line))
        print(run(), flush=True)


if __name__ == "__main__":
    _answer_each_line()
