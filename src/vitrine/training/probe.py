"""Fit a linear probe on frozen features, or a baseline (majority class, histogram and HOG).

``fit`` computes the features of every photo once, then a logistic regression whose strength of
regularisation is chosen on validation alone; a recipe with epochs has its head learned by gradient
descent instead. It is cheap enough to be repeated over folds.

Source: Kornblith, Shlens and Le, "Do Better ImageNet Models Transfer Better?", arXiv 1805.08974.
"""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image
from skimage.color import rgb2gray, rgb2hsv
from skimage.feature import hog
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from vitrine import paths
from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.shards import Shards
from vitrine.data.splits import Split
from vitrine.training import head
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.repeated import Mask, everywhere
from vitrine.training.runs import Meter, Run, RunFolder, data_facts, start

__all__ = ["STRENGTHS", "as_layer", "choose", "extract", "fit", "head_on", "learn"]

STRENGTHS = tuple(10.0**k for k in range(-5, 1))
"""Values of C, the inverse of the penalty, that validation chooses from."""

KNOWN_FILES = {
    "mobilenet_v2_1.0_224_quant.tflite": (
        "https://github.com/google-coral/test_data/raw/master/mobilenet_v2_1.0_224_quant.tflite",
        "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776",
    ),
}
"""Address and SHA-256 of the weights that a recipe names by file."""

Pixels = UInt8[np.ndarray, "image size size 3"]
Features = Float[np.ndarray, "image feature"]
Seen = tuple[Float[np.ndarray, "train feature"], Float[np.ndarray, "validation feature"]]
Known = tuple[Int[np.ndarray, " train"], Int[np.ndarray, " validation"]]
Layer = tuple[Float[np.ndarray, "category feature"], Float[np.ndarray, " category"]]


def _weights_file(recipe: Recipe) -> Path:
    """Find the weights that a recipe names, and check them where their hash is known."""
    name = Path(recipe.weights).name
    kept = (folder / "weights" / name for folder in (paths.data(), paths.shared()))
    found = next((place for place in (Path(recipe.weights), *kept) if place.is_file()), None)
    address, digest = KNOWN_FILES.get(name, ("", ""))
    if found is None:
        source = f", from {address}" if address else ""
        raise RecipeError(
            f"expected the weights {name} of {recipe.name}, found none; place the file in "
            f"data/weights/{source}, or give `--weights PATH`"
        )
    if digest and hashlib.sha256(found.read_bytes()).hexdigest() != digest:
        raise RecipeError(
            f"expected {name} to have the SHA-256 {digest[:12]}…, found another content; "
            f"download it again from {address}"
        )
    return found


def _tflite(recipe: Recipe, tensor: str, pixels: Pixels) -> Features:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    path = _weights_file(recipe)
    try:
        interpreter = Interpreter(
            str(path),
            num_threads=1,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise RecipeError(
            f"expected a whole TFLite network in {path.name}, found another content "
            f"({type(error).__name__}: {error}); give `--weights PATH` with the path of a .tflite "
            "file"
        ) from error
    details = {item["name"]: item for item in interpreter.get_tensor_details()}
    if tensor not in details:
        raise RecipeError(f"recipe {recipe.name}: found no tensor {tensor!r} in {recipe.weights}")
    entry, output = interpreter.get_input_details()[0], details[tensor]
    scale, zero = output["quantization"]
    side = int(entry["shape"][1])
    rows = []
    for image in pixels:
        read = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
        interpreter.set_tensor(entry["index"], np.asarray(read)[None])
        interpreter.invoke()
        raw = interpreter.get_tensor(output["index"]).reshape(-1)
        rows.append(scale * (raw.astype(np.float32) - zero) if scale else raw.astype(np.float32))
    return np.stack(rows)


def _timm(recipe: Recipe, names: str, pixels: Pixels, seed: int) -> Features:
    """Return the pooled features of one network of timm, or of several side by side."""
    import torch

    from vitrine.training.torch.network import build, pooled

    def features(name: str) -> Features:
        torch.manual_seed(seed)
        return pooled(build(replace(recipe, architecture=name)), pixels)

    return np.concatenate([features(name) for name in names.split("+")], axis=1)


def _threads() -> int:
    """Return the threads that scikit-learn's algebra may take: all cores, unless it is told."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def _histogram_hog(image: UInt8[np.ndarray, "size size 3"]) -> Float[np.ndarray, " feature"]:
    """Describe a photo by its colours (8 x 4 x 4 bins of HSV) and its oriented gradients."""
    colours, _ = np.histogramdd(
        rgb2hsv(image).reshape(-1, 3), bins=(8, 4, 4), range=((0, 1), (0, 1), (0, 1))
    )
    shape = hog(rgb2gray(image), orientations=9, pixels_per_cell=(16, 16), cells_per_block=(2, 2))
    return np.concatenate([np.sqrt(colours.ravel() / colours.sum()), shape]).astype(np.float32)


def extract(recipe: Recipe, pixels: Pixels | Shards, seed: int = 0) -> Features:
    """Return the frozen features of each photo that the recipe's architecture names.

    Args:
        recipe: Its ``architecture`` is ``tflite:<tensor>``, ``timm:<name>`` (or several names
            joined by ``+``), ``histogram+hog`` or ``majority`` (one constant: the classifier sees
            nothing).
        pixels: Photos preprocessed at the recipe's size; a TFLite network of one size only reads
            them brought to it.
        seed: Draws the weights of a network of timm that starts from none.

    Raises:
        RecipeError: If the features are unknown or their weights cannot be had.
    """
    if isinstance(pixels, Shards):
        return np.concatenate([extract(recipe, piece, seed) for piece in pixels.pieces()])
    kind, _, name = recipe.architecture.partition(":")
    if kind == "timm":
        return _timm(recipe, name, pixels, seed)
    if kind == "tflite":
        return _tflite(recipe, name, pixels)
    if kind == "histogram+hog":
        return np.stack([_histogram_hog(image) for image in pixels])
    if kind == "majority":
        return np.ones((len(pixels), 1), np.float32)
    raise RecipeError(
        f"recipe {recipe.name}: expected features among tflite:, timm:, histogram+hog, "
        f"majority, found {recipe.architecture!r}"
    )


def choose(features: Seen, labels: Known) -> tuple[Pipeline, dict[str, float]]:
    """Fit one classifier a strength on the training part; keep the best of validation.

    Args:
        features: Features of the training part, then of validation.
        labels: Classes of each.

    Returns:
        The classifier with the lowest validation log-loss, and the loss of each strength.
    """
    losses, best = {}, None
    for strength in STRENGTHS:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=3000))
        model.fit(features[0], labels[0])
        given = model.predict_proba(features[1])
        losses[f"{strength:g}"] = float(log_loss(labels[1], given, labels=model.classes_))
        if losses[f"{strength:g}"] == min(losses.values()):
            best = model
    return best, losses


def as_layer(classifier: BaseEstimator) -> Layer:
    """Return the linear layer that a classifier of ``learn`` amounts to: its weight and bias.

    Standardisation is folded in, so that the layer reads the features as they are. The constant
    answer of ``majority`` is none.
    """
    if isinstance(classifier, head.Head):
        return classifier.weight, classifier.bias
    scaler, regression = classifier.named_steps.values()
    weight, bias = regression.coef_, regression.intercept_
    if len(weight) == 1:  # of two classes scikit-learn tells one apart: the other is its contrary
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    weight = weight / scaler.scale_
    return weight, bias - weight @ scaler.mean_


def head_on(
    features: Callable[[Pixels], Features], recipe: Recipe, split: Split, catalog: Catalog
) -> Layer:
    """Return the linear layer that a probe learns on what a network makes of the photos."""
    frames = [split.part(part) for part in ("train", "validation")]
    size, shape = recipe.image_size, {"letterbox": recipe.letterbox}
    photos = (images.cached(catalog, part.image.tolist(), size, **shape) for part in frames)
    seen, labels = map(features, photos), (part.label.to_numpy() for part in frames)
    return as_layer(choose(tuple(seen), tuple(labels))[0])


def learn(
    recipe: Recipe,
    features: Seen,
    labels: Known,
    seed: int = 0,
    *,
    classes: int | None = None,
) -> tuple[BaseEstimator, dict[str, float]]:
    """Fit the classifier that a recipe puts on its features.

    ``majority`` answers with the shares of the classes in the training part, whatever the photo:
    its most probable class is the most frequent one, the first in the order of classes on a tie.

    Args:
        recipe: What is probed; with epochs, its head is learned by gradient descent.
        features: Features of the training part, then of validation.
        labels: Classes of each.
        seed: Of that descent; the other classifiers draw nothing at random.
        classes: How many there are, some met by no photo here; by default, up to the last one met.

    Returns:
        The classifier, and the validation log-loss of each strength where one was chosen.
    """
    if recipe.architecture == "majority":
        return DummyClassifier(strategy="prior").fit(features[0], labels[0]), {}
    if recipe.epochs:
        classes = classes or int(max(known.max() for known in labels)) + 1
        return head.fit(recipe, features[0], labels[0], classes=classes, seed=seed), {}
    return choose(features, labels)


def fit(
    recipe: Recipe,
    split: Split,
    catalog: Catalog,
    *,
    folds: Split | None = None,
    seed: int = 0,
    base: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Run:
    """Fit a probe as the recipe says and seal the run.

    Args:
        recipe: What to probe.
        split: Who is train, validation, test.
        catalog: Where the photos are.
        folds: Repeated folds to predict as well: in each, the fold is the test part, the next one
            is validation, the other three train.
        seed: Names the run, and draws what a recipe leaves to chance: random weights of a network,
            the start of a head learned by gradient descent.
        base: Folder that holds the runs; by default the project's ``runs/``.
        report: Told of each finished step.

    Raises:
        RecipeError: If the features are unknown or their weights cannot be had.
        RunError: If the run is finished already.
    """
    folder = RunFolder(recipe, seed, base)
    folder.prepare(resume=True)
    split = split.present(catalog)
    meter = Meter("cpu", asked="cpu", threads=_threads())
    frame = split.frame
    clock = time.perf_counter()
    shape = {"letterbox": recipe.letterbox}
    pixels = images.cached(catalog, frame.image.tolist(), recipe.image_size, **shape)
    features = extract(recipe, pixels, seed)
    extraction = time.perf_counter() - clock
    report(f"{folder.name}: features of {len(frame)} photos in {extraction:.1f} s")
    labels, classes = frame.label.to_numpy(), len(catalog.dataset.classes)

    def taught(train: Mask, validation: Mask) -> tuple[BaseEstimator, dict[str, float]]:
        seen = features[train], features[validation]
        return learn(recipe, seen, (labels[train], labels[validation]), seed, classes=classes)

    tables, (losses, *_) = everywhere(
        frame, features, taught, folds, lambda said: report(f"{folder.name}: {said}")
    )
    facts = meter.facts([], 0, features_seconds=round(extraction, 2))
    facts["parameters"] = int(features.shape[1] + 1) * classes
    facts["selection"] = {"validation_log_loss": losses}
    facts |= start.facts(recipe) if recipe.architecture.startswith("timm:") else {}
    facts["data"] = data_facts(catalog, split) | {"folds_sha256": folds.sha256 if folds else None}
    return folder.finish(tables, facts)
