"""Build the Keras network that a recipe names, and predict with it."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np
from jaxtyping import Float, UInt8
from safetensors import SafetensorError
from safetensors.numpy import load_file

from vitrine.data import dataset
from vitrine.training import exchange
from vitrine.training.keras.lite import DROP_PATH_RATE, VARIANTS, efficientnet_lite
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.runs import start

__all__ = ["arrays", "build", "fill", "freeze", "pooled", "predict", "set_head"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation of ImageNet's pixels in [0, 1], as the pretrained networks expect."""
LITE_MEAN = LITE_STD = (0.5, 0.5, 0.5)
"""Those that EfficientNet-Lite expects."""
BACKBONE, HEAD = "backbone", "head"


def build(recipe: Recipe, classes: int | None = None, *, pretrained: bool = True) -> keras.Model:
    """Return the recipe's network: normalisation inside, pixels in [0, 255] in, logits out.

    The network is the same wherever its weights come from: ``keras.applications`` hides the mean
    and deviation of ImageNet's pixels partly in the downloaded weights, partly in a layer that it
    adds for ``imagenet`` alone; here they stand in front, once, for every recipe.

    Args:
        recipe: What to build.
        classes: Outputs of the head; by default, the classes of the project's data set.
        pretrained: Whether to start from the recipe's weights; without, nothing is downloaded, and
            the network is one to load the weights of a finished run into.

    Raises:
        RecipeError: If there is no such architecture, or if its weights cannot be had.
    """
    shape = (recipe.image_size, recipe.image_size, 3)
    body = _body(recipe, shape)
    mean, std = (LITE_MEAN, LITE_STD) if recipe.architecture in VARIANTS else (MEAN, STD)
    backbone = body(weights=None, name=BACKBONE)
    if pretrained and recipe.weights != "none":
        _start(backbone, _source(recipe, body))
    for layer in _drops(backbone):  # stochastic depth, whose last rate Keras fixes at 0.2
        layer.rate *= recipe.drop_path_rate / DROP_PATH_RATE
        layer.rate_of_recipe = layer.rate
    pixels = keras.Input(shape)
    scaled = keras.layers.Rescaling(  # (p / 255 - mean) / std, times the 255 it is divided by next
        [1 / s for s in std], [-255 * m / s for m, s in zip(mean, std, strict=True)]
    )(pixels)
    features = keras.layers.Dropout(recipe.drop_rate)(backbone(scaled))
    classes = classes or len(dataset.current().classes)
    logits = keras.layers.Dense(classes, name=HEAD, dtype="float32")(features)
    return keras.Model(pixels, logits)


def _body(recipe: Recipe, shape: tuple[int, int, int]) -> Callable[..., keras.Model]:
    """Return what makes the recipe's network without its head: of ``weights`` and ``name``."""
    if recipe.architecture in VARIANTS:
        return partial(efficientnet_lite, recipe.architecture, shape)
    architecture = getattr(keras.applications, recipe.architecture, None)
    if not callable(architecture):
        raise RecipeError(
            f"recipe {recipe.name}: expected an architecture of keras.applications, or "
            f"EfficientNetLite0 to Lite4, found {recipe.architecture!r}"
        )
    return partial(architecture, include_top=False, input_shape=shape, pooling="avg")


def freeze(network: keras.Model, *, frozen: bool, norm: bool = False) -> None:
    """Freeze the backbone whole, or thaw it: weights, statistics, and the paths that it drops.

    ``trainable`` alone would leave a frozen backbone drop paths, and its features be random.

    Args:
        network: What ``build`` returned; it is to be compiled after this.
        frozen: Whether the backbone is frozen.
        norm: Whether its batch normalisation is, even where the rest learns.
    """
    backbone = network.get_layer(BACKBONE)
    backbone.trainable = not frozen
    if norm:
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False  # it then answers with its statistics, in training too
    for layer in _drops(backbone):
        layer.rate = 0.0 if frozen else layer.rate_of_recipe


def _drops(backbone: keras.Model) -> list[keras.layers.Dropout]:
    return [layer for layer in backbone.layers if isinstance(layer, keras.layers.Dropout)]


def _source(recipe: Recipe, body: Callable[..., keras.Model]) -> keras.Model:
    """Return the network of Keras whose weights the recipe starts from."""
    packaged = recipe.architecture in VARIANTS  # Keras downloads no Lite
    path = start.find(recipe) if packaged or start.is_local(recipe) else None
    if path and path.suffix == ".safetensors":
        return _crossed(recipe, path, body(weights=None))
    try:
        return body(weights=str(path) if path else "imagenet")
    except Exception as error:
        if path:
            raise _unreadable(recipe, path, error) from error
        raise RecipeError(
            f"expected the weights {recipe.weights!r} of {recipe.architecture}, found none "
            f"({type(error).__name__}); with a network Keras downloads them, without one place "
            f"the file {recipe.architecture.lower()}_notop.h5 in the folder ~/.keras/models, or "
            "give `--weights PATH`, or train with `--weights none`"
        ) from error


def _crossed(recipe: Recipe, path: Path, network: keras.Model) -> keras.Model:
    """Fill a network without its head from what PyTorch learned, by the names of its layers."""
    start.require_own(recipe, exchange.torch_architecture(recipe.architecture))
    try:
        learned = exchange.to_keras(load_file(path))
        body = {name: a for name, a in learned.items() if not name.startswith(f"{HEAD}/")}
        _assign(_named(network.layers), body)
    except SafetensorError as error:
        raise _unreadable(recipe, path, error) from error
    except ValueError as error:
        raise RecipeError(
            f"recipe {recipe.name}: expected the weights of {recipe.architecture} in {path.name}, "
            f"found others ({error}); give the file of this architecture"
        ) from error
    return network


def _unreadable(recipe: Recipe, path: Path, error: Exception) -> RecipeError:
    return RecipeError(
        f"expected {path.name} to hold weights of {recipe.architecture}, found another content "
        f"({type(error).__name__}); give `--weights PATH` with the path of a whole checkpoint of "
        "this architecture, .h5 or .safetensors"
    )


def _start(backbone: keras.Model, source: keras.Model) -> None:
    """Copy what was learned; the mean and deviation of the pixels are in front already."""
    learned = [
        [x for x in network.layers if x.weights and not isinstance(x, keras.layers.Normalization)]
        for network in (backbone, source)
    ]
    for ours, theirs in zip(*learned, strict=True):
        ours.set_weights(theirs.get_weights())


def arrays(network: keras.Model) -> dict[str, np.ndarray]:
    """Return the weights of a network by name, as ``vitrine.training.exchange`` reads them.

    Args:
        network: What ``build`` returned.
    """
    return {name: weight.numpy() for name, weight in _named(_layers(network)).items()}


def fill(network: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Put weights into a network, by name.

    Args:
        network: What ``build`` returned.
        arrays: As the function of that name returns them.

    Raises:
        ValueError: If a name is missing or too many, or a shape is another.
    """
    _assign(_named(_layers(network)), arrays)


def _assign(named: dict[str, keras.Variable], arrays: Mapping[str, np.ndarray]) -> None:
    if odd := named.keys() ^ arrays.keys():
        raise ValueError(
            f"expected the {len(named)} weights of the network, found {len(arrays)}; "
            f"{sorted(odd)[0]} is on one side only"
        )
    for name, weight in named.items():
        weight.assign(arrays[name])


def _layers(network: keras.Model) -> list[keras.Layer]:
    return [*network.get_layer(BACKBONE).layers, network.get_layer(HEAD)]


def _named(layers: list[keras.Layer]) -> dict[str, keras.Variable]:
    return {
        f"{layer.name}/{weight.name}": weight
        for layer in layers
        if not isinstance(layer, keras.layers.Normalization)
        for weight in layer.weights
    }


def pooled(
    network: keras.Model, pixels: UInt8[np.ndarray, "image size size 3"]
) -> Float[np.ndarray, "image feature"]:
    """Return the pooled features of each photo, which the head reads, in evaluation mode.

    Args:
        network: What ``build`` returned.
        pixels: Photos preprocessed at the recipe's size.
    """
    body = keras.Model(network.input, network.get_layer(HEAD).input)
    pieces = (pixels[k : k + 32].astype(np.float32) for k in range(0, len(pixels), 32))
    return np.concatenate([body(piece, training=False).numpy() for piece in pieces])


def set_head(
    network: keras.Model,
    weight: Float[np.ndarray, "category feature"],
    bias: Float[np.ndarray, " category"],
) -> None:
    """Start from this linear layer, laid out as PyTorch lays it."""
    network.get_layer(HEAD).set_weights([weight.T, bias])


def predict(
    network: keras.Model, pixels: UInt8[np.ndarray, "image size size 3"], batch: int = 32
) -> Float[np.ndarray, "image category"]:
    """Return the softmax of each photo, on the CPU, in the precision that the network was built in.

    Args:
        network: What ``build`` returned, trained.
        pixels: Photos preprocessed at the recipe's size.
        batch: Photos computed at once.
    """
    import tensorflow as tf

    answers = []
    with tf.device("/CPU:0"):
        for start in range(0, len(pixels), batch):
            piece = np.asarray(pixels[start : start + batch], dtype=np.float32)
            answers.append(keras.ops.softmax(network(piece, training=False)).numpy())
    return np.concatenate(answers)
