"""Project the features of the last layer on a plane, and measure what the projection keeps.

Source: van der Maaten and Hinton, "Visualizing Data using t-SNE", Journal of Machine Learning
Research 9 (2008); Kobak and Berens, "The Art of Using t-SNE for Single-Cell Transcriptomics", doi
10.1038/s41467-019-13056-x, for the start from principal components, which keeps the large distances
meaningful and the map the same from one computation to the next.
"""

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

__all__ = ["PERPLEXITY", "embed", "neighbours_kept"]

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
    features: Float[np.ndarray, "image feature"],
    places: Float[np.ndarray, "image 2"],
    *,
    neighbours: int = 10,
) -> float:
    """Return the share of the nearest neighbours of a photo that the map keeps, on average.

    A map in two dimensions cannot keep them all; what it loses must be said beside it.

    Args:
        features: What was mapped.
        places: The map.
        neighbours: Neighbours counted.
    """
    scaled = StandardScaler().fit_transform(features.astype(float))
    before, after = (_nearest(points, neighbours) for points in (scaled, places))
    shared = [len(set(a) & set(b)) for a, b in zip(before, after, strict=True)]
    return float(np.mean(shared)) / neighbours


def _nearest(points: np.ndarray, neighbours: int) -> np.ndarray:
    distances = np.square(points[:, None] - points[None]).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :neighbours]
