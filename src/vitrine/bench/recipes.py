"""What each published recipe costs to run: multiply-adds and images per second of one core.

Each recipe is built and timed in a process of its own, so that TensorFlow and PyTorch never meet.
Weights do not change what a network costs: fresh ones are timed.
"""

import multiprocessing
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from vitrine import recipes, runs
from vitrine.bench import sheet
from vitrine.bench.clock import Progress, clock_of, side_by_side
from vitrine.recipes import Recipe

__all__ = ["cost", "measure"]

BATCH = 16
Pixels = Any


def measure(
    *,
    device: str = "cpu",
    turns: int = 5,
    quick: bool = False,
    tell: Callable[[str], None] = print,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the sheet of the published recipes: a row each, no bar.

    Args:
        device: ``cpu``; the published predictions are computed there.
        turns: Times that each batch is timed.
        quick: Whether to time the two cheapest probes alone, for tests.
        tell: Told each result as a line.
        progress: Told of the recipes done and of their number.
    """
    found = sheet.header("vitrine bench recipes", device, turns=turns, quick=quick)
    names = sorted({name.split("/")[0] for name in runs.names()} & set(recipes.RECIPES))
    if quick:
        names = [name for name in names if name in ("histogram-hog", "majority")]
    spawn, rows = multiprocessing.get_context("spawn"), []
    for done, name in enumerate(names, start=1):
        with ProcessPoolExecutor(1, spawn) as alone:
            rows.append(alone.submit(cost, name, turns).result())
        speed, adds = rows[-1]["images_per_second"], rows[-1]["multiply_adds"]
        tell(f"recipe {name:32} {speed:9.1f} img/s {(adds or 0) / 1e6:9.1f} M multiply-adds")
        if progress is not None:
            progress(done, len(names))
    return {**found, "rows": rows, "bars": []}


def cost(name: str, turns: int) -> dict[str, Any]:
    """Return the row of one recipe.

    ``images_per_second`` counts decoded images in a batch of ``BATCH``, per second of processor on
    one thread; ``multiply_adds`` are those of one image, ``None`` where nothing counts them.

    Args:
        name: Name of the recipe.
        turns: Times that the batch is timed; the median is kept.
    """
    recipe = recipes.find(name)
    side = recipe.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    predict, adds = {"torch": _torch, "keras": _keras, "probe": _probe}[recipe.trainer](recipe)
    timings = side_by_side({name: lambda: predict(pixels)}, turns=turns, clock=clock_of("cpu"))
    milliseconds = statistics.median(timings.turns[name])
    return {
        "recipe": name, "side": side, "batch": BATCH, "milliseconds": milliseconds,
        "images_per_second": 1e3 * BATCH / max(milliseconds, 1e-3), "multiply_adds": adds,
    }  # fmt: skip


def _torch(recipe: Recipe) -> tuple[Callable[[Pixels], object], float | None]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from vitrine.train_torch.network import build, predict

    torch.set_num_threads(1)
    network = build(recipe).eval()
    side = recipe.image_size
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, side, side, dtype=torch.uint8))
    return (lambda pixels: predict(network, pixels)), counter.get_total_flops() / 2


def _keras(recipe: Recipe) -> tuple[Callable[[Pixels], object], float | None]:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as frozen,
    )

    from vitrine.train_keras.network import build, predict

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = build(recipe)
    side = recipe.image_size
    spec = tf.TensorSpec((1, side, side, 3), tf.float32)
    called = tf.function(lambda image: network(image, training=False)).get_concrete_function(spec)
    adds = sum(map(_multiply_adds, frozen(called).graph.get_operations()))
    return (lambda pixels: predict(network, pixels)), float(adds)


def _multiply_adds(operation: Any) -> int:
    """Count those of a convolution or a matrix product of a frozen TensorFlow graph."""
    if operation.type not in ("Conv2D", "DepthwiseConv2dNative", "MatMul"):
        return 0
    kernel = operation.inputs[1].shape.as_list()
    places = int(np.prod(operation.outputs[0].shape.as_list()[1:-1]))
    return places * int(np.prod(kernel))


def _probe(recipe: Recipe) -> tuple[Callable[[Pixels], object], float | None]:
    from vitrine.probe import extract

    return (lambda pixels: extract(recipe, pixels)), None
