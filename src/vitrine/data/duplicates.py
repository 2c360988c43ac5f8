"""Find the photos that are the same, or nearly: hashes of their bytes and of what they show."""

import hashlib
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from vitrine.data import images
from vitrine.data.catalog import Catalog

__all__ = ["NEAR", "fingerprint", "fingerprints", "near_duplicates"]

NEAR = 6
"""Largest distance, in bits of 64, between the perceptual hashes of near duplicates.

Half the bits of each hash are set, those above the median of its coefficients, so that a distance
is even: 7 would find the same pairs. Chosen on the data: the chapter on the data draws
``data/facts/distances.csv``, where the distances of unrelated pairs only begin above it.
"""
BLOCK = 512
"""Photos compared with all others at once, to bound the memory."""


def fingerprints(catalog: Catalog) -> pd.DataFrame:
    """Return, for each image present, the SHA-256 of its file and its 64-bit perceptual hash.

    The hash is the sign of the low frequencies of the image's cosine transform (Zauner, 2010,
    "Implementation and benchmarking of perceptual image hash functions"), by ImageHash.
    """
    return pd.DataFrame(
        [
            fingerprint(catalog.path(product.image), product.image, product.label)
            for product in catalog.products[catalog.products.present].itertuples()
        ]
    )


def fingerprint(path: Path, image: str, label: int) -> dict[str, str | int]:
    """Return the row of ``fingerprints`` for one image.

    Raises:
        ImageError: If the file is no image that can be used.
    """
    pixels = images.decode(path, target=64)
    return {
        "image": image,
        "label": label,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "phash": str(imagehash.phash(Image.fromarray(pixels))),
    }


def near_duplicates(prints: pd.DataFrame, most: int = NEAR) -> pd.DataFrame:
    """Return the pairs of images that are the same, or nearly.

    Args:
        prints: What ``fingerprints`` returned.
        most: Largest distance between perceptual hashes, in bits of 64.

    Returns:
        One row a pair: ``image_a``, ``image_b``, ``distance`` (bits) and ``exact`` (same bytes).
    """
    codes = np.array([int(text, 16) for text in prints.phash], dtype=np.uint64)
    found = [
        (first + start, second + start, distance[first, second])
        for start in range(0, max(len(codes), 1), BLOCK)
        for distance in [np.bitwise_count(codes[start : start + BLOCK, None] ^ codes[start:])]
        for first, second in [np.nonzero(np.triu(distance <= most, k=1))]
    ]
    first, second, distance = (np.concatenate(part) for part in zip(*found, strict=True))
    digests = prints.sha256.to_numpy()
    return pd.DataFrame(
        {
            "image_a": prints.image.to_numpy()[first],
            "image_b": prints.image.to_numpy()[second],
            "distance": distance.astype(int),
            "exact": digests[first] == digests[second],
        }
    )
