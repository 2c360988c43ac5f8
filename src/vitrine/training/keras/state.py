"""Keep the whole state of a Keras training between two epochs: weights, optimiser, history."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from vitrine.training.runs import RunError

__all__ = ["BEST", "LAST", "load_state", "save_state"]

LAST, BEST = "last.npz", "best.npz"


def save_state(network: keras.Model, path: Path, history: list[dict[str, Any]]) -> None:
    """Write the state beside the former one, then put it in its place."""
    arrays = {f"model_{i}": v.numpy() for i, v in enumerate(network.variables)}
    arrays |= {f"optimizer_{i}": v.numpy() for i, v in enumerate(network.optimizer.variables)}
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, history=json.dumps(history), **arrays)
    part.replace(path)


def load_state(
    network: keras.Model, path: Path, compile_for: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Put a saved state back into the network and its optimiser, and return the history.

    Args:
        network: The same network, built and compiled.
        path: What ``save_state`` wrote; where there is none, nothing changes and the history is
            empty.
        compile_for: Compiles the network as the given epoch trains it, so that the optimiser has
            the variables that were saved.

    Raises:
        RunError: If the file is damaged.
    """
    if not path.exists():
        return []
    try:
        with np.load(path) as file:
            arrays = dict(file)
        history = json.loads(str(arrays["history"]))
    except (BadZipFile, EOFError, KeyError, ValueError) as error:
        run = path.parents[1]
        raise RunError(
            f"run {run.parent.name}/{run.name}: expected a whole checkpoint in {path.name}, found "
            "a damaged file; move the folder of the run away to start again"
        ) from error
    compile_for(len(history) - 1)
    for name, variables in (
        ("model", network.variables),
        ("optimizer", network.optimizer.variables),
    ):
        for i, variable in enumerate(variables):
            variable.assign(arrays[f"{name}_{i}"])
    return history
