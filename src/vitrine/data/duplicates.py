"""Find the photos that are the same, or nearly: hashes of their bytes and of what they show.

Not every pair is compared: hashes are sorted by some of their bits, and those that agree on them
are neighbours. Manku, Jain and Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007.
"""

import hashlib
from collections.abc import Iterable
from itertools import combinations, pairwise
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from jaxtyping import Int, UInt64
from PIL import Image

from vitrine.data import images
from vitrine.data.catalog import Catalog

__all__ = ["NEAR", "fingerprint", "fingerprints", "groups", "near_duplicates"]

NEAR = 6
"""Largest distance, in bits of 64, between the perceptual hashes of near duplicates.

Half the bits of each hash are set, those above the median of its coefficients, so that a distance
is even: 7 would find the same pairs. Chosen on the data: the chapter on the data draws
``data/facts/distances.csv``, where the distances of unrelated pairs only begin above it.
"""
BITS, EQUAL = 64, 3
"""Bits of a hash, and the bands of them that must be equal for two hashes to be compared."""
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
    """Return the pairs of images that are the same, or nearly: all of them, and no other.

    Args:
        prints: What ``fingerprints`` returned.
        most: Largest distance between perceptual hashes, in bits of 64.

    Returns:
        One row a pair: ``image_a``, ``image_b``, ``distance`` (bits) and ``exact`` (same bytes).
    """
    codes = np.array([int(text, 16) for text in prints.phash], dtype=np.uint64)
    first, second = _near(codes, most)
    digests, names = prints.sha256.to_numpy(), prints.image.to_numpy()
    return pd.DataFrame(
        {
            "image_a": names[first],
            "image_b": names[second],
            "distance": np.bitwise_count(codes[first] ^ codes[second]).astype(int),
            "exact": digests[first] == digests[second],
        }
    )


def groups(catalog: Catalog, prints: pd.DataFrame | None) -> np.ndarray:
    """Return a name for each row, the same for rows that must stay in one part.

    Args:
        catalog: The data set.
        prints: What ``fingerprints`` returned, to keep duplicates together; ``None`` for groups of
            the table alone.
    """
    products = catalog.products
    group = pd.Series(
        products["group" if "group" in products else "image"].to_numpy(), index=products.image
    )
    group = group.where(group.str.strip() != "", group.index)  # no group: alone
    if prints is None:
        return group.to_numpy()
    number, names = pd.factorize(group)
    pairs = near_duplicates(prints)
    places = (group.index.get_indexer(pairs[side]) for side in ("image_a", "image_b"))
    ends = (number[place].tolist() for place in places)
    return names.to_numpy()[_joined(len(names), zip(*ends, strict=True))[number]]


def _joined(count: int, pairs: Iterable[tuple[int, int]]) -> Int[np.ndarray, " group"]:
    """Return, for each group, the one that stands for all those that pairs tie it to."""
    heads = list(range(count))

    def head(one: int) -> int:
        while heads[one] != one:
            heads[one] = heads[heads[one]]  # half of the way less for who comes next
            one = heads[one]
        return one

    for first, second in pairs:
        heads[head(second)] = head(first)
    return np.array([head(one) for one in heads], dtype=np.int64)


def _near(
    codes: UInt64[np.ndarray, " image"], most: int
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Return the positions of the two codes of each pair at most so many bits apart, in order."""
    values, begins, counts = np.unique(np.sort(codes), return_index=True, return_counts=True)
    places = np.argsort(codes, kind="stable")
    copied = np.flatnonzero(counts > 1)
    found = _compared(values, most) if most > NEAR else _indexed(values, most)
    one, other = np.concatenate([found, [copied, copied]], axis=1)
    # Each copy of one code meets each of the other; a code meets itself once for two copies.
    sizes = counts[one] * counts[other]
    number = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    one, other = np.repeat(one, sizes), np.repeat(other, sizes)
    rank, rank_other = np.divmod(number, counts[other])
    kept = (one != other) | (rank < rank_other)
    pair = places[begins[one] + rank][kept], places[begins[other] + rank_other][kept]
    first, second = np.minimum(*pair), np.maximum(*pair)
    order = np.lexsort((second, first))
    return first[order], second[order]


def _indexed(values: UInt64[np.ndarray, " code"], most: int) -> Int[np.ndarray, "2 pair"]:
    """Return the pairs of codes at most so many bits apart, comparing those that share a band.

    Codes are cut into ``most + EQUAL`` bands. Each bit that differs spoils one of them at most, so
    that ``EQUAL`` are the same in any pair to be found: codes are sorted by each choice of as many.
    """
    edges = np.linspace(0, BITS, most + EQUAL + 1).round().astype(int)
    bands = [(1 << int(end)) - (1 << int(begin)) for begin, end in pairwise(edges)]
    found = [np.empty(0, dtype=np.int64)]
    for chosen in combinations(bands, EQUAL):
        key = values & np.uint64(sum(chosen))
        order = np.argsort(key)
        key, code = key[order], values[order]
        here, step = np.flatnonzero(key[1:] == key[:-1]), 1
        while len(here):  # until no run of equal keys is as long
            hit = here[np.bitwise_count(code[here] ^ code[here + step]) <= most]
            one, other = order[hit], order[hit + step]
            found.append(np.minimum(one, other) * len(values) + np.maximum(one, other))
            step += 1
            here = here[here + step < len(key)]
            here = here[key[here] == key[here + step]]
    return np.stack(np.divmod(np.unique(np.concatenate(found)), max(len(values), 1)))


def _compared(values: UInt64[np.ndarray, " code"], most: int) -> Int[np.ndarray, "2 pair"]:
    """Return what ``_indexed`` does by comparing every pair: exact, and quick for wide distances.

    The bands of a wide distance are so narrow that an index compares more pairs than there are.
    """
    found = [np.empty((2, 0), dtype=np.int64)]
    for start in range(0, len(values), BLOCK):
        near = np.bitwise_count(values[start : start + BLOCK, None] ^ values[start:]) <= most
        found.append(np.stack(np.nonzero(np.triu(near, k=1))) + start)
    return np.concatenate(found, axis=1)
