"""Rebuild the trained model of a finished run from its weights: photos in, probabilities out.

What comes out is checked against ``predictions.csv``: facts derived from other weights than those
of the run would be false and look right.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training import children, exchange
from vitrine.training.recipes import Recipe
from vitrine.training.runs import Run, RunError

__all__ = ["Kept", "KeptError", "load", "weights"]

TOLERANCE = 2e-3
"""Largest difference of a probability between the run's and those computed again."""
CHANGED = 0.02
"""Largest share of the test photos on which a classifier fitted again may answer otherwise: it
depends on every pixel that it is fitted on, and on the algebra of the machine. With another version
of Pillow an eighth of the pixels of a tall photo moved, by one level for most, and 1 answer of 158
changed for ``histogram-hog``, 2 for ``mobilenetv2-int8-probe``."""
CHECKED = 32
"""Test photos predicted again to check the weights."""
FILES = {"keras": "model.weights.h5", "torch": "model.pt"}
"""Where each trainer leaves its weights."""

Pixels = UInt8[np.ndarray, "image height width 3"]
Predict = Callable[[Pixels], Float[np.ndarray, "image category"]]


class KeptError(RunError):
    """The weights at hand are not those of the run.

    Attributes:
        exit_code: What the command line exits with: a verification found a mismatch.
    """

    exit_code = 3


@dataclass(frozen=True)
class Kept:
    """The trained model of a run, rebuilt from its weights.

    Attributes:
        recipe: What was trained; its ``image_size`` is the side of the photos expected.
        predict: From photos to the softmax of each.
        features: From photos to what the last linear layer reads.
        at_side: Returns ``predict`` for photos of another side; ``None`` where the input is fixed.
        network: The network of PyTorch, that of a probe ended by the layer fitted on its features;
            ``None`` for what is no single network of PyTorch.
        sha256: Hash of each file of weights, by name.
    """

    recipe: Recipe
    predict: Predict
    features: Callable[[Pixels], Float[np.ndarray, "image feature"]]
    at_side: Callable[[int], Predict] | None
    network: Any
    sha256: dict[str, str]


def load(run: Run, split: Split, catalog: Catalog) -> Kept:
    """Return the function of a run, after checking it against the run's own predictions.

    The weights of a network are read from the run's folder; the classifier of a probe is fitted
    again, which takes as long as its features.

    Args:
        run: A finished run.
        split: The split it was made on.
        catalog: Where the photos are.

    Raises:
        RunError: If the weights were not kept, or if the photos were letterboxed.
        KeptError: If they, or the photos, are not those of the run.
    """
    recipe = run.recipe
    if recipe.letterbox:
        raise RunError(
            f"expected a run on photos squashed to a square, as the service brings them, found "
            f"{run.name}, on letterboxed ones; choose the run of another recipe"
        )
    if recipe.trainer == "probe":
        kept = _probe(run, split.present(catalog), catalog)
    elif recipe.trainer == "keras":
        kept = _keras(recipe, weights(run), len(run.classes))
    else:
        kept = _torch(recipe, weights(run), len(run.classes))
    _check(kept, run, catalog)
    return kept


def weights(run: Run) -> Path:
    """Return the file of the weights that a network was left with.

    Raises:
        RunError: If they were not kept, or if the run has no network.
    """
    trainer = run.recipe.trainer
    if trainer not in FILES:
        raise RunError(
            f"expected the run of a network, found {run.name}, a {trainer}, which keeps no weights"
        )
    name = FILES[trainer]
    path = run.folder / "weights" / name
    if not path.is_file():
        raise RunError(
            f"expected the weights {name} of the run {run.name}, found none: git does not keep "
            "them; train the recipe again, or choose a run whose weights are on this machine"
        )
    return path


def carried(recipe: Recipe, path: Path) -> Any:
    """Return the PyTorch network that computes what a Keras one does.

    TensorFlow reads the weights in a process of its own, so that the two never meet.

    Args:
        recipe: Of the Keras network.
        path: Its weights.

    Raises:
        ExchangeError: If its weights have no place in a network of PyTorch.
    """
    import torch

    from vitrine.training.torch.network import build

    name = exchange.torch_architecture(recipe.architecture)
    arrays = children.alone(_keras_arrays, recipe, path)
    network = build(replace(recipe, trainer="torch", architecture=name), pretrained=False)
    state = exchange.to_torch(arrays)
    network[1].load_state_dict({key: torch.from_numpy(state[key].copy()) for key in state})
    return network.eval()


def _keras_arrays(recipe: Recipe, path: Path) -> dict[str, np.ndarray]:
    from vitrine.training.keras import network

    built = network.build(recipe, pretrained=False)
    built.load_weights(path)
    return network.arrays(built)


def _digest(path: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


def _torch(recipe: Recipe, path: Path, classes: int) -> Kept:
    import torch

    from vitrine.training.torch import network as torch_network

    network = torch_network.build(recipe, classes, pretrained=False)
    network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    network.float().eval()

    predict = partial(torch_network.predict, network)
    features = partial(torch_network.pooled, network, batch=32)
    return Kept(recipe, predict, features, lambda _: predict, network, _digest(path))


def _keras(recipe: Recipe, path: Path, classes: int) -> Kept:
    import keras

    from vitrine.training.keras import network as keras_network

    def at_side(side: int) -> keras.Model:
        network = keras_network.build(replace(recipe, image_size=side), classes, pretrained=False)
        network.load_weights(path)
        return network

    network = at_side(recipe.image_size)
    features = partial(keras_network.pooled, network)

    def predict_at(side: int) -> Predict:
        other = network if side == recipe.image_size else at_side(side)
        return lambda pixels: keras_network.predict(other, pixels)

    predict = predict_at(recipe.image_size)
    return Kept(recipe, predict, features, predict_at, network, _digest(path))


def _probe(run: Run, split: Split, catalog: Catalog) -> Kept:
    from vitrine.training import probe

    recipe, seed, classes = run.recipe, run.meta["seed"], len(run.classes)
    if recipe.architecture == "majority":
        raise RunError("expected a model that looks at photos, found the constant answer")

    def features(pixels: Pixels) -> np.ndarray:
        return probe.extract(recipe, pixels, seed)

    parts = [split.part(part) for part in ("train", "validation")]
    photos = (images.cached(catalog, part.image.tolist(), recipe.image_size) for part in parts)
    labels = tuple(part.label.to_numpy() for part in parts)
    model, _ = probe.learn(recipe, tuple(map(features, photos)), labels, seed, classes=classes)

    def predict(pixels: Pixels) -> np.ndarray:
        given = np.zeros((len(pixels), classes))
        given[:, model.classes_] = model.predict_proba(features(pixels))
        return given

    file = probe.KNOWN_FILES.get(Path(recipe.weights).name)
    hashes = {Path(recipe.weights).name: file[1]} if file else {}
    network = _probed(recipe, probe.as_layer(model), seed)
    return Kept(recipe, predict, features, None, network, hashes)


def _probed(recipe: Recipe, layer: tuple[np.ndarray, np.ndarray], seed: int) -> Any:
    """Return the network of timm whose features a probe reads, ended by the layer fitted on them.

    Of another library, or of several networks side by side, there is none: ``None``.
    """
    kind, _, name = recipe.architecture.partition(":")
    if kind != "timm" or "+" in name:
        return None
    import torch

    from vitrine.training.torch import network as torch_network

    torch.manual_seed(seed)  # what it starts from, where that is chance
    network = torch_network.build(replace(recipe, architecture=name), len(layer[1]))
    torch_network.set_head(network, *layer)
    return network.eval()


def _check(kept: Kept, run: Run, catalog: Catalog) -> None:
    test = run.part("test")
    fitted_again = kept.recipe.trainer == "probe"
    names = test.image[: None if fitted_again else CHECKED].tolist()
    again = kept.predict(images.cached(catalog, names, kept.recipe.image_size))
    remedy = "use the weights and the edition of the photos that the run was made with"
    if fitted_again:
        changed = float((again.argmax(axis=1) != test.predicted).mean())
        if changed > CHANGED:
            raise KeptError(
                f"expected the classifier fitted again to answer as {run.name} on all but "
                f"{CHANGED:.0%} of the test photos, found other answers on {changed:.0%}; {remedy}"
            )
        return
    gap = float(np.abs(again - test.probabilities[: len(names)]).max())
    if not gap <= TOLERANCE:  # nor where it is no number
        raise KeptError(
            f"expected the weights at hand to give the predictions of {run.name} within "
            f"{TOLERANCE}, found a difference of {gap:.3g}; {remedy}"
        )
