"""Deterministic weights and images for tests: each number follows from its tensor's name.

Two implementations that never exchanged a file can so be compared: both fill the same network, both
see the same image, and their logits must agree. The weights are not those of a trained network, but
they have its orders of magnitude, and none of its quantities is zero: unlike fresh weights, they
let a mistake in any of them show.

Source of the generator: SplitMix64, of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
Generators", https://doi.org/10.1145/2660193.2660195, seeded by the CRC-32 of a name.
"""

import math
import zlib

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["fill", "image", "stream", "weight"]


def stream(name: str, count: int) -> Float[np.ndarray, " count"]:
    """Return the first numbers of the stream of a name, uniform between -1 and 1."""
    golden, first, second = map(
        np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
    )
    z = np.uint64(zlib.crc32(name.encode()) << 32)
    z = z + np.arange(1, count + 1, dtype=np.uint64) * golden
    z = (z ^ (z >> np.uint64(30))) * first
    z = (z ^ (z >> np.uint64(27))) * second
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """Return the tensor of a state-dict key, in float32; its law follows from the key's ending.

    Raises:
        ValueError: If the key has none of the endings of MambaVision's.
    """
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    v = stream(key, math.prod(shape)).reshape(shape)
    fan_in = math.prod(shape[1:])
    rules = {
        "running_mean": lambda: 0.1 * v,
        "running_var": lambda: 1 + 0.25 * v,
        "A_log": lambda: np.log(np.arange(shape[1]) + 1) + 0.2 * v,
        ".D": lambda: 1 + 0.25 * v,
        "dt_proj.bias": lambda: v - 1,
        "gamma_1": lambda: 0.5 + 0.25 * v,
        "gamma_2": lambda: 0.5 + 0.25 * v,
        "bias": lambda: 0.1 * v,
        "mixer.qkv.weight": lambda: v * 2 * np.sqrt(3 / fan_in),
        "weight": lambda: 1 + 0.25 * v if len(shape) == 1 else v * np.sqrt(3 / fan_in),
    }
    rule = next((rule for suffix, rule in rules.items() if key.endswith(suffix)), None)
    if rule is None:
        raise ValueError(
            f"expected a key that ends in {', '.join(rules)}, received {key!r}; fill a MambaVision"
        )
    return torch.from_numpy(rule().astype(np.float32))


def fill(model: nn.Module) -> nn.Module:
    """Give a network the weights of its keys and return it."""
    model.load_state_dict({key: weight(key, t.shape) for key, t in model.state_dict().items()})
    return model


def image(batch: int, height: int, width: int) -> Float[Tensor, "batch 3 height width"]:
    """Return a batch of images of noise, that follows from its own shape."""
    v = stream(f"input:{batch}x{height}x{width}", batch * 3 * height * width)
    return torch.from_numpy(v.astype(np.float32)).reshape(batch, 3, height, width)
