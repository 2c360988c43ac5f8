"""Compute the derived facts of a run and write them beside it, with the hashes of their inputs.

Source: van der Maaten and Hinton, "Visualizing Data using t-SNE", Journal of Machine Learning
Research 9 (2008); Kobak and Berens, "The Art of Using t-SNE for Single-Cell Transcriptomics", doi
10.1038/s41467-019-13056-x, for the start from principal components, which keeps the large distances
meaningful and the map the same from one computation to the next.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.explain import importance
from vitrine.explain import robustness as robust
from vitrine.explain.grids import laid_out
from vitrine.explain.occlusion import PLACES, occlusion
from vitrine.training import trained
from vitrine.training.runs import Run, derived
from vitrine.training.trained import Kept, Predict

__all__ = ["PERPLEXITY", "embed", "explain", "neighbours_kept", "robustness"]


Tell = Callable[[str], None]
HIDDEN_PER_CLASS = 10
"""Test photos of each class, the first ones, in which every place is hidden in turn."""
NEIGHBOURS = 10
"""Nearest photos of each that a map should keep near it."""


def _facts(
    model: Kept, split: Split, catalog: Catalog, writer: str, **settings: Any
) -> dict[str, Any]:
    return {
        "writer": writer,
        "inputs": {
            "weights_sha256": model.sha256,
            "manifest_sha256": catalog.manifest_sha256,
            "split_sha256": split.sha256,
        },
        "edition": catalog.edition,
        "preprocessing": images.PREP_ID,
        "settings": settings,
    }


def robustness(
    run: Run, split: Split, catalog: Catalog, *, seed: int = 0, tell: Tell = lambda _: None
) -> None:
    """Write ``derived/robustness.csv``: the test photos under every corruption and resolution.

    Raises:
        RunError: If the weights of the run are absent, or not its own.
    """
    model = trained.load(run, split, catalog)
    test = split.present(catalog).part("test")
    table = robust.answers(model, test, catalog, seed=seed, tell=tell)
    facts = _facts(model, split, catalog, "vitrine robustness", seed=seed)
    derived.write(run, "robustness", table, facts)


def explain(
    run: Run,
    split: Split,
    catalog: Catalog,
    *,
    seed: int = 0,
    quick: bool = False,
    tell: Tell = lambda _: None,
) -> None:
    """Write what explains a run on its test photos.

    For every model ``importance.csv`` (answers with each part borrowed), ``embedding.csv`` (place
    of each photo on the map of what the last layer reads) and ``occlusion.csv`` (mean over
    photos of a class of what hiding each place costs); for a network of PyTorch also
    ``gradients.csv``, ``checks.csv`` and, for the published classes, ``drawing.csv``: see
    ``local``.

    Args:
        run: A finished run, whose weights are here.
        split: The split it was made on.
        catalog: Where the photos are.
        seed: Seeds what is drawn at random.
        quick: Whether to look at one photo of each class alone, to see that it runs.
        tell: Told the name of each table written.

    Raises:
        RunError: If the weights of the run are absent, or not its own.
    """
    model = trained.load(run, split, catalog)
    test = split.present(catalog).part("test")
    pixels = images.cached(catalog, test.image.tolist(), model.recipe.image_size)

    def write(name: str, table: pd.DataFrame, **settings: Any) -> None:
        facts = _facts(model, split, catalog, "vitrine explain", seed=seed, **settings)
        derived.write(run, name, table, facts)
        tell(name)

    rows = test.row.to_numpy()
    write(
        "importance",
        importance.answers(model.predict, pixels, rows, seed=seed),
        repeats=importance.REPEATS,
        low_cycles=importance.LOW_CYCLES,
    )
    table, kept_share = _embedding(model, pixels, rows, seed)
    write("embedding", table, perplexity=PERPLEXITY, neighbours_kept=kept_share)
    hidden, asked = 1 if quick else HIDDEN_PER_CLASS, _asked(model, run, pixels)
    table = _occlusion(asked, pixels, test.label, hidden)
    through = {} if asked is model.predict else {"through": "onnx"}
    write("occlusion", table, places=PLACES, per_class=hidden, **through)
    if model.recipe.trainer == "torch":
        from vitrine.explain import local  # it brings PyTorch

        looked_at = 1 if quick else local.PER_CLASS
        shares, checks = local.on_photos(model, test, pixels, per_class=looked_at, seed=seed)
        write("gradients", shares, steps=local.STEPS, per_class=looked_at)
        write("checks", checks, per_class=looked_at)
        if catalog.dataset.own:  # of classes that have no drawing
            return
        drawing, followed = local.on_drawing(model, seed=seed)
        write("drawing", drawing, **followed)


def _embedding(
    model: Kept, pixels: np.ndarray, rows: np.ndarray, seed: int
) -> tuple[pd.DataFrame, float]:
    features = model.features(np.asarray(pixels))
    places = embed(features, seed=seed)
    table = pd.DataFrame({"row": rows, "x": places[:, 0].round(3), "y": places[:, 1].round(3)})
    return table, round(neighbours_kept(features, places), 3)


def _asked(model: Kept, run: Run, pixels: np.ndarray) -> Predict:
    """Return the function that occlusion asks: a Keras network answers through its ONNX file."""
    if model.recipe.trainer != "keras":
        return model.predict
    from vitrine.explain import exported  # it brings ONNX Runtime

    sample = np.asarray(pixels[: trained.CHECKED])
    file = exported.graph(model.recipe, trained.weights(run))
    return exported.answering(file, model.predict, sample)


def _occlusion(
    predict: Predict, pixels: np.ndarray, labels: pd.Series, per_class: int
) -> pd.DataFrame:
    tables = []
    for label, chosen in labels.groupby(labels).head(per_class).groupby(labels):
        photos = [np.asarray(pixels[place]) for place in chosen.index]
        maps = [occlusion(predict, photo, int(label)) for photo in photos]
        tables.append(laid_out(np.mean(maps, axis=0)).assign(label=int(label)))
    return pd.concat(tables)


PERPLEXITY = 20.0
"""About how many neighbours each photo keeps: the number of test photos of a class."""
COMPONENTS = 50


def embed(
    features: Float[np.ndarray, "image feature"], *, seed: int = 0
) -> Float[np.ndarray, "image 2"]:
    """Return the place of each photo on the map.

    Args:
        features: What the last layer reads of each photo.
        seed: Seeds the descent.
    """
    scaled = StandardScaler().fit_transform(features.astype(float))
    components = min(COMPONENTS, *scaled.shape)
    reduced = PCA(components, random_state=seed).fit_transform(scaled)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    plan = TSNE(perplexity=perplexity, init="pca", random_state=seed, method="exact")
    return plan.fit_transform(reduced).astype(float)


def neighbours_kept(
    features: Float[np.ndarray, "image feature"], places: Float[np.ndarray, "image 2"]
) -> float:
    """Return the share of the nearest neighbours of a photo that the map keeps, on average.

    A map in two dimensions cannot keep them all; what it loses must be said beside it.

    Args:
        features: What was mapped.
        places: The map.
    """
    scaled = StandardScaler().fit_transform(features.astype(float))
    before, after = (_nearest(points) for points in (scaled, places))
    shared = [len(set(a) & set(b)) for a, b in zip(before, after, strict=True)]
    return float(np.mean(shared)) / NEIGHBOURS


def _nearest(points: np.ndarray) -> np.ndarray:
    distances = np.square(points[:, None] - points[None]).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :NEIGHBOURS]
