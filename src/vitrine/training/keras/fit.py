"""Train a network of Keras on the product photos, keep its state between epochs, seal its run."""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf

from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training import probe
from vitrine.training.keras.network import build, freeze, pooled, predict, set_head
from vitrine.training.keras.photos import batches
from vitrine.training.recipes import Recipe, RecipeError, best_epoch, epoch_seed
from vitrine.training.runs import Meter, Run, RunError, RunFolder, require_finite, start

__all__ = ["BEST", "LAST", "Steps", "compile_for", "fit", "load_state", "save_state"]


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


def _device(asked: str, threads: int) -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if asked == "cuda" and not gpus:
        raise RecipeError(
            "expected a GPU that TensorFlow can use, found none; train with --device cpu, or "
            "--device auto to take what there is"
        )
    try:
        if asked == "cpu" and gpus:
            tf.config.set_visible_devices([], "GPU")
        if tf.config.threading.get_intra_op_parallelism_threads() != threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise RecipeError(
            "expected to choose the device and the threads before TensorFlow starts, found it "
            "running; train in a new process"
        ) from error
    return "cuda" if gpus and asked != "cpu" else "cpu"


class Steps(keras.callbacks.Callback):
    """Set the learning rate of each step from the recipe, and stop where the loss diverges."""

    def __init__(self, recipe: Recipe, epoch: int, steps: int) -> None:
        super().__init__()
        self.recipe, self.first, self.steps = recipe, epoch, steps

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Assign the rate of this step."""
        passes = self.first + (batch + 0.5) / self.steps
        self.model.optimizer.learning_rate.assign(self.recipe.learning_rate_at(passes))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Refuse to go on from a loss that is not finite: every later step would be lost."""
        if logs:
            require_finite(self.recipe, self.first + 1, logs["loss"])


def compile_for(network: keras.Model, recipe: Recipe, epoch: int) -> None:
    """Freeze what this epoch freezes and give the network a fresh optimiser."""
    frozen = recipe.backbone == "frozen" or epoch < recipe.head_epochs
    freeze(network, frozen=frozen, norm=recipe.frozen_norm)
    optimizer = keras.optimizers.AdamW(
        recipe.learning_rate, weight_decay=recipe.weight_decay, epsilon=1e-8
    )
    vectors = [v for v in network.trainable_variables if len(v.shape) <= 1]
    optimizer.exclude_from_weight_decay(var_list=vectors)
    network.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        ),
        metrics=["accuracy"],
        jit_compile=False,
    )
    optimizer.build(network.trainable_variables)


def _reseed(network: keras.Model, seed: int) -> None:
    """Restart every generator of the network, dropout's included, from one seed.

    ``keras.utils.set_random_seed`` would make TensorFlow forget the graphs that it has prepared:
    six seconds of each epoch, on one core.
    """
    states = [v for v in network.variables if v.path.endswith("seed_generator_state")]
    for i, state in enumerate(states):
        state.assign(np.array([seed, i]))


def _validate(network: keras.Model, pixels: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the plain cross-entropy and the accuracy."""
    given = predict(network, pixels)
    truth = given[np.arange(len(labels)), labels]
    loss = float(-np.log(np.maximum(truth, 1e-12)).mean())
    return loss, float((given.argmax(axis=1) == labels).mean())


def fit(
    recipe: Recipe,
    split: Split,
    catalog: Catalog,
    *,
    seed: int = 0,
    base: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    resume: bool = False,
) -> Run:
    """Train a network of ``keras.applications`` as the recipe says and seal the run.

    Args:
        recipe: What to train and how.
        split: Who is train, validation, test.
        catalog: Where the photos are.
        seed: Seeds the weights, the augmentation and the order of the batches. Not the split.
        base: Folder that holds the runs; by default the project's ``runs/``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads to compute with on a CPU; by default all cores.
        resume: Go on from the last epoch of an interrupted run.

    Raises:
        RecipeError: If the architecture, its weights or the device cannot be had.
        RunError: If the run is finished already, or begun and not resumed, or if the loss stops
            being finite.
        KeyboardInterrupt: If training is interrupted; the last whole epoch is kept.
    """
    threads = threads or os.cpu_count() or 1
    obtained = _device(device, threads)
    split = split.present(catalog)
    train, validation = split.part("train"), split.part("validation")
    recipe = recipe.for_photos(len(train))
    folder = RunFolder(recipe, seed, base)
    folder.prepare(resume=resume)
    gpu = tf.config.list_physical_devices("GPU") if obtained == "cuda" else []
    name = tf.config.experimental.get_device_details(gpu[0]).get("device_name") if gpu else None
    meter = Meter(obtained, asked=device, gpu=name, threads=threads)

    steps = len(train) // recipe.batch_size
    labels, shape = train.label.to_numpy(), {"letterbox": recipe.letterbox}
    large = images.train_side(recipe.image_size)
    pixels = images.cached(catalog, train.image.tolist(), large, **shape)
    held_out = images.cached(catalog, validation.image.tolist(), recipe.image_size, **shape)

    policy = _policy(recipe, obtained)
    keras.config.set_dtype_policy(policy)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(epoch_seed(seed, recipe.epochs))
    classes = len(catalog.dataset.classes)
    network, began = build(recipe, classes), start.facts(recipe)
    if recipe.head == "probe" and not (folder.weights / LAST).is_file():
        set_head(network, *probe.head_on(partial(pooled, network), recipe, split, catalog))
    compile_for(network, recipe, epoch=0)
    history = load_state(network, folder.weights / LAST, partial(compile_for, network, recipe))

    for epoch in range(len(history), recipe.epochs):
        losses = [row["val_loss"] for row in history]
        if losses and recipe.stops(losses):  # now, or before an interruption
            break
        if epoch == recipe.head_epochs and epoch:
            compile_for(network, recipe, epoch)
        _reseed(network, epoch_seed(seed, epoch))
        data = batches(pixels, labels, recipe, seed=seed, epoch=epoch, classes=classes)
        clock = time.perf_counter()
        followed = Steps(recipe, epoch, steps)
        logs = network.fit(data, epochs=1, verbose=0, callbacks=[followed], shuffle=False).history
        seconds = time.perf_counter() - clock
        val_loss, val_accuracy = _validate(network, held_out, validation.label.to_numpy())
        require_finite(recipe, epoch + 1, val_loss)
        history.append(
            {
                "epoch": epoch + 1,
                "seconds": seconds,
                "learning_rate": float(network.optimizer.learning_rate),
                "train_loss": logs["loss"][0],
                "train_accuracy": logs["accuracy"][0],
                "val_loss": val_loss,
                "val_accuracy": val_accuracy,
                "wall_time": time.time(),
            }
        )
        if recipe.patience and best_epoch([row["val_loss"] for row in history]) == epoch:
            save_state(network, folder.weights / BEST, history)  # first: a kill may come between
        save_state(network, folder.weights / LAST, history)
        folder.write_history(history)

    if recipe.patience:
        load_state(network, folder.weights / BEST, partial(compile_for, network, recipe))
    if policy != "float32":
        keras.config.set_dtype_policy("float32")
        trained, network = network, build(recipe, classes, pretrained=False)
        network.set_weights(trained.get_weights())
    network.save_weights(folder.weights / "model.weights.h5")
    facts = meter.facts(history, steps * recipe.batch_size)
    facts["parameters"] = int(sum(np.prod(v.shape) for v in _weights(network)))
    facts["precision"] = policy
    facts |= began
    run = folder.seal(split, catalog, partial(predict, network), facts, history)
    for left in (LAST, BEST):
        (folder.weights / left).unlink(missing_ok=True)
    return run


def _weights(network: keras.Model) -> list:
    """Return the variables that training moves by gradient, whether frozen here or not."""
    network.trainable = True
    return network.trainable_variables


def _policy(recipe: Recipe, device: str) -> str:
    if recipe.precision == "auto":
        return "mixed_bfloat16" if device == "cuda" else "float32"
    return {"float32": "float32", "bfloat16": "mixed_bfloat16"}[recipe.precision]
