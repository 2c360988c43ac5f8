"""Convert the weights of an EfficientNet between Keras and timm, by name.

``keras.applications`` and timm's ``tf_efficientnet_*`` are one network (Tan and Le, "EfficientNet",
arXiv:1905.11946) under two systems of names and two layouts of kernels; so are our Lite in Keras
and timm's. Nothing here imports either library: arrays go in and out, so that the two frameworks
need not meet in one process. They are contiguous: ``safetensors.numpy`` writes a transposed view in
the order of the memory under the shape of the view, and never says so.
"""

import re
from collections.abc import Mapping

import numpy as np

__all__ = ["ExchangeError", "to_keras", "to_torch", "torch_architecture"]

ENDS = {
    "stem_conv": "conv_stem",
    "stem_bn": "bn1",
    "top_conv": "conv_head",
    "top_bn": "bn2",
    "head": "classifier",
}
SHARED = {"dwconv": "conv_dw", "se_reduce": "se.conv_reduce", "se_expand": "se.conv_expand"}
FIRST = SHARED | {"bn": "bn1", "project_conv": "conv_pw", "project_bn": "bn2"}
"""Parts of a block of the first stage, which does not widen its input."""
LATER = SHARED | {
    "expand_conv": "conv_pw", "expand_bn": "bn1", "bn": "bn2", "project_conv": "conv_pwl",
    "project_bn": "bn3",
}  # fmt: skip
NORM = {
    "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var",
}  # fmt: skip
COUNTER = "num_batches_tracked"
"""What PyTorch's batch normalisation counts, and Keras does not."""

Arrays = Mapping[str, np.ndarray]


class ExchangeError(ValueError):
    """An array that belongs to no EfficientNet."""


def torch_architecture(architecture: str) -> str:
    """Return timm's name of an EfficientNet of Keras, plain or Lite.

    Raises:
        ExchangeError: If it is another network, whose names are not known here.
    """
    found = re.fullmatch(r"EfficientNet(B[0-7]|Lite[0-4])", architecture)
    if not found:
        raise ExchangeError(
            f"expected an EfficientNet, B0 to B7 or Lite0 to Lite4, found {architecture!r}; "
            "the weights of other networks do not cross"
        )
    return f"tf_efficientnet_{found[1].lower()}"


def to_torch(arrays: Arrays) -> dict[str, np.ndarray]:
    """Return the state dict of timm's network.

    Args:
        arrays: Weights of the Keras network, as ``<layer>/<variable>``; its classifier is ``head``.

    Raises:
        ExchangeError: If a name is not one of an EfficientNet.
    """
    state = {}
    for name, array in arrays.items():
        layer, _, variable = name.partition("/")
        module = _module(layer)
        if "bn" in layer:
            state[f"{module}.{_look_up(NORM, variable, name)}"] = array
        elif variable == "bias":
            state[f"{module}.bias"] = array
        else:
            state[f"{module}.weight"] = array.transpose(_to_torch(layer))
    return {name: np.ascontiguousarray(array) for name, array in state.items()}


def to_keras(state: Arrays) -> dict[str, np.ndarray]:
    """Return the weights of the Keras network; ``to_torch`` undoes it.

    Args:
        state: State dict of timm's network, as arrays.

    Raises:
        ExchangeError: If a name is not one of an EfficientNet.
    """
    norms = {theirs: ours for ours, theirs in NORM.items()}
    arrays = {}
    for name, array in state.items():
        module, _, variable = name.rpartition(".")
        if variable == COUNTER:
            continue
        layer = _layer(module)
        if "bn" in layer:
            arrays[f"{layer}/{_look_up(norms, variable, name)}"] = array
        elif variable == "bias":
            arrays[f"{layer}/bias"] = array
        else:
            order = _to_torch(layer)
            arrays[f"{layer}/kernel"] = array.transpose(np.argsort(order))
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _to_torch(layer: str) -> tuple[int, ...]:
    """Return the order of the axes, from Keras' kernels to PyTorch's."""
    if layer == "head":
        return (1, 0)
    if layer.endswith("dwconv"):  # height, width, channel, one -> channel, one, height, width
        return (2, 3, 0, 1)
    return (3, 2, 0, 1)  # height, width, in, out -> out, in, height, width


def _module(layer: str) -> str:
    """Return timm's name of a layer of Keras."""
    if layer in ENDS:
        return ENDS[layer]
    found = re.fullmatch(r"block([1-7])([a-z])_(\w+)", layer)
    if not found:
        raise _unknown(layer)
    stage, place = int(found[1]), ord(found[2]) - ord("a")
    part = _look_up(FIRST if stage == 1 else LATER, found[3], layer)
    return f"blocks.{stage - 1}.{place}.{part}"


def _layer(module: str) -> str:
    """Return Keras' name of a module of timm."""
    ends = {theirs: ours for ours, theirs in ENDS.items()}
    if module in ends:
        return ends[module]
    found = re.fullmatch(r"blocks\.([0-6])\.(\d+)\.([\w.]+)", module)
    if not found:
        raise _unknown(module)
    stage, place = int(found[1]), chr(int(found[2]) + ord("a"))
    parts = {theirs: ours for ours, theirs in (LATER if stage else FIRST).items()}
    return f"block{stage + 1}{place}_{_look_up(parts, found[3], module)}"


def _look_up(table: Mapping[str, str], key: str, name: str) -> str:
    if key not in table:
        raise _unknown(name)
    return table[key]


def _unknown(name: str) -> ExchangeError:
    return ExchangeError(f"expected the name of a weight of an EfficientNet, found {name!r}")
