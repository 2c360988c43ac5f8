"""Run a Keras network through its ONNX file, without TensorFlow in the process.

The file is made in a process of its own, where the weights cross to PyTorch: the caller, in which
TensorFlow may run, loads ONNX Runtime alone.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float, UInt8
from scipy.special import softmax

from vitrine.explain import INPUT, LOGITS, NAMES
from vitrine.training import children, trained
from vitrine.training.recipes import Recipe
from vitrine.training.trained import KeptError

__all__ = ["answering", "graph", "predicting", "predictor", "session"]

BATCH = 32
TOLERANCE = 1e-4
"""Largest difference of a probability between the file and the network."""

Pixels = UInt8[np.ndarray, "image height width 3"]
Predict = Callable[[Pixels], Float[np.ndarray, "image category"]]
Answer = Callable[[np.ndarray], list[np.ndarray]]


def graph(recipe: Recipe, path: Path) -> bytes:
    """Return the ONNX file of a Keras network.

    Args:
        recipe: Of the network.
        path: Its weights.
    """
    return children.alone(_graph, recipe, path)


def answering(
    model: bytes, own: Predict, sample: UInt8[np.ndarray, "image height width 3"]
) -> Predict:
    """Return the function that the file of a network computes.

    Args:
        model: What ``graph`` returned.
        own: What the network itself answers.
        sample: Photos on which the two must agree.

    Raises:
        KeptError: If they do not.
    """
    predict = predictor(model)
    gap = float(np.abs(predict(sample) - own(sample)).max())
    if not gap <= TOLERANCE:  # nor where it is no number
        raise KeptError(
            f"expected the exported file to answer as its network within {TOLERANCE:g}, found a "
            f"difference of {gap:.3g}; look at how its weights cross"
        )
    return predict


def session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """Return what runs an ONNX file on the processor, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def predictor(model: bytes) -> Predict:
    """Return the function that gives the softmax of photos, in batches, on one thread.

    Args:
        model: An ONNX file that takes bytes and gives logits.
    """
    running = session(model)
    return predicting(lambda batch: running.run([LOGITS], {INPUT: batch}))


def predicting(answer: Answer) -> Predict:
    """Return the function that gives the softmax of photos, in batches.

    Args:
        answer: Gives the outputs of a network for a batch, logits first.
    """

    def predict(pixels: Pixels) -> np.ndarray:
        pieces = [np.ascontiguousarray(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH)]
        logits = np.concatenate([answer(piece)[0] for piece in pieces])
        return softmax(logits.astype(float), axis=1)

    return predict


def _graph(recipe: Recipe, path: Path) -> bytes:
    from vitrine.models.graph import float_graph

    return float_graph(trained.carried(recipe, path), recipe.image_size, names=NAMES)
