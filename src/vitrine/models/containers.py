"""Open a file of weights without running what it may hold.

Two containers are read: what ``torch.save`` writes (NVIDIA's ``.pth.tar``) and safetensors (the
Hugging Face hub), in one file or in several that an index lists. A pickle can run code while it is
opened, so nothing but tensors, plain values and ``argparse.Namespace`` is let through; the values
of NumPy that a training writes beside its weights are passed over.
"""

import argparse
import json
import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

__all__ = ["INDEX", "CheckpointError", "opened", "parts", "some"]

INDEX = ".safetensors.index.json"
NUMPY = (
    "numpy.dtype", "numpy.ndarray",
    *(f"numpy.{core}.multiarray.{make}" for core in ("core", "_core") for make in
      ("scalar", "_reconstruct")),
)  # fmt: skip
NAMED_AT_MOST = 12
PICKLE, ZIP = b"\x80", b"PK"
"""First byte of a pickle, which ``torch.save`` once wrote bare."""


class CheckpointError(ValueError):
    """Weights that cannot be fetched, opened safely, or fitted to the model."""


class _PassedOver:
    """Takes the place of NumPy's types and functions in a pickle, and does nothing."""

    def __new__(cls, *_: object) -> "_PassedOver":
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


def opened(path: Path) -> Any:
    """Return what a file holds, told by its suffix: safetensors, the index of several, or a pickle.

    Raises:
        CheckpointError: If it cannot be opened safely.
    """
    if path.name.endswith(INDEX):
        return _open_shards(path)
    return _open_safetensors(path) if path.suffix == ".safetensors" else _open_pickle(path)


def parts(index: Path) -> list[str]:
    """Return the names of the files that an index lists, which lie beside it.

    Raises:
        CheckpointError: If it is no such index.
    """
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        if any(Path(name).name != name for name in names):
            raise ValueError("a path")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(index, error) from error
    return names


def _open_shards(index: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for part in parts(index):
        if not (path := index.with_name(part)).is_file():
            raise CheckpointError(
                f"expected {part} beside {index.name}, found no file; download all the parts"
            )
        state |= _open_safetensors(path)
    return state


def _open_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:
        raise _unreadable(path, error) from error


def _open_pickle(path: Path) -> Any:
    with path.open("rb") as file:
        if not file.read(len(ZIP)).startswith((PICKLE, ZIP)):
            raise _unreadable(path, ValueError("no pickle"))
    try:
        passed_over = [(_PassedOver, name) for name in NUMPY]
        with torch.serialization.safe_globals([argparse.Namespace, *passed_over]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"expected tensors, plain values and argparse.Namespace in {path.name}, found a pickle "
            f"that asks for {_globals(path)}; nothing of it was run: get safetensors weights, or "
            "have its authors save the state dict alone"
        ) from error
    except Exception as error:  # on bytes that are no checkpoint, torch.load raises anything
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"expected a checkpoint written by torch.save or safetensors in {path.name}, found bytes "
        f"that cannot be read ({type(error).__name__}); compare its size, download it again"
    )


def _globals(path: Path) -> str:
    try:
        asked = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # it lists those of the zip format only
        asked = []
    known = {"argparse.Namespace", *NUMPY}
    return some([name for name in asked if name not in known]) or "something else"


def some(names: list[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
