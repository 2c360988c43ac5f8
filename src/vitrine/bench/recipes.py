"""Benchmark the predictions of each published recipe: multiply-adds, images per second.

Each recipe is built and timed in a process of its own, so that TensorFlow and PyTorch never meet.
Weights do not change what a network costs: fresh ones are timed.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vitrine.bench.clock import Bench, clock_of, side_by_side
from vitrine.training import children, recipes, runs
from vitrine.training.recipes import Recipe, RecipeError

__all__ = ["cost", "measure"]

BATCH = {"cpu": 16, "cuda": 256}
"""Images answered at once: a core is full with few, a card with many."""
Pixels = Any
Predict = Callable[[Pixels], object]


def measure(bench: Bench) -> dict[str, Any]:
    """Return the results of the published recipes: a row each, no bar.

    Those of the equal start are left out, the same networks at the same size; so are the text and
    fusions, which cost what their parts do. On ``cpu`` it is the processor time of one thread; on
    ``cuda`` the wall time, until the answers are back with the host, of the networks alone, as
    probes do not compute there.
    """
    on_card = bench.device == "cuda"
    published = {name.split("/")[0] for name in runs.names()}
    beside = {*recipes.BESIDE, *recipes.EQUAL_START, *recipes.CONTROLS}
    names = sorted(published & set(recipes.RECIPES) - beside)
    timed = BUILDERS.keys() - ({"probe"} if on_card else set())
    names = [name for name in names if recipes.find(name).trainer in timed]
    if bench.quick:
        names = [name for name in names if name in ("histogram-hog", "majority")]
    rows = []
    for done, name in enumerate(names, start=1):
        rows.append(children.alone(cost, name, bench.turns, bench.device))
        speed, adds = rows[-1]["images_per_second"], rows[-1]["multiply_adds"]
        bench.tell(f"recipe {name:32} {speed:9.1f} img/s {(adds or 0) / 1e6:9.1f} M multiply-adds")
        bench.progress(done, len(names))
    clock = {"clock": "wall time until the answers are back with the host"} if on_card else {}
    return clock | {"rows": rows}


def cost(name: str, turns: int, device: str = "cpu") -> dict[str, Any]:
    """Return the row of one recipe.

    ``images_per_second`` counts decoded images in batches of ``BATCH``; ``multiply_adds`` are those
    of one image, ``None`` where nothing counts them.

    Args:
        name: Name of the recipe.
        turns: Times that the batch is timed; the median is kept.
        device: As ``measure``.
    """
    recipe = recipes.find(name)
    side, batch = recipe.image_size, BATCH[device]
    pixels = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), dtype=np.uint8)
    predict, adds = BUILDERS[recipe.trainer](recipe, device)
    clock = clock_of("cpu") if device == "cpu" else _wall_milliseconds
    timings = side_by_side({name: lambda: predict(pixels)}, turns=turns, clock=clock)
    milliseconds = statistics.median(timings.turns[name])
    return {
        "recipe": name, "side": side, "batch": batch, "milliseconds": milliseconds,
        "images_per_second": 1e3 * batch / max(milliseconds, 1e-3), "multiply_adds": adds,
    }  # fmt: skip


def _wall_milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6


def _torch(recipe: Recipe, device: str) -> tuple[Predict, float | None]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from vitrine.models.scan.derivatives import flops_outside_scans
    from vitrine.training.torch.network import build, predict

    torch.set_num_threads(1)
    network = build(recipe, pretrained=False).eval()
    side = recipe.image_size
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, side, side, dtype=torch.uint8))
    adds = flops_outside_scans(counter) / 2
    if device == "cpu":
        return (lambda pixels: predict(network, pixels)), adds
    network = network.to(device, memory_format=torch.channels_last)

    def on_card(pixels: Pixels) -> object:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
            given = network(torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2))
            return given.float().softmax(dim=1).cpu()

    return on_card, adds


def _keras(recipe: Recipe, device: str) -> tuple[Predict, float | None]:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as frozen,
    )

    from vitrine.training.keras.network import build, predict

    if device == "cuda" and not tf.config.list_physical_devices("GPU"):
        raise RecipeError("expected a GPU that TensorFlow can use, found none; measure on the CPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = build(recipe, pretrained=False)
    side = recipe.image_size
    spec = tf.TensorSpec((1, side, side, 3), tf.float32)
    called = tf.function(lambda image: network(image, training=False)).get_concrete_function(spec)
    adds = float(sum(map(_multiply_adds, frozen(called).graph.get_operations())))
    if device == "cpu":
        return (lambda pixels: predict(network, pixels)), adds

    @tf.function
    def on_card(pixels: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(network(tf.cast(pixels, tf.float32), training=False))

    return (lambda pixels: on_card(tf.constant(pixels)).numpy()), adds


def _multiply_adds(operation: Any) -> int:
    """Count those of a convolution or a matrix product of a frozen TensorFlow graph."""
    if operation.type not in ("Conv2D", "DepthwiseConv2dNative", "MatMul"):
        return 0
    kernel = operation.inputs[1].shape.as_list()
    places = int(np.prod(operation.outputs[0].shape.as_list()[1:-1]))
    return places * int(np.prod(kernel))


def _probe(recipe: Recipe, device: str) -> tuple[Predict, float | None]:
    from vitrine.training.probe import extract

    return (lambda pixels: extract(recipe, pixels)), None


BUILDERS = {"torch": _torch, "keras": _keras, "probe": _probe}
"""By trainer, what builds a recipe to be timed: photos in, answers out, and its multiply-adds."""
