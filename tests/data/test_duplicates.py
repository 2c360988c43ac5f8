"""Near duplicates are found by an index, and are those that comparing every pair would find."""

import numpy as np
import pandas as pd
import pytest

from vitrine.data import duplicates
from vitrine.data.duplicates import NEAR, near_duplicates


def prints(codes):
    return pd.DataFrame(
        {
            "image": [f"{k}.png" for k in range(len(codes))],
            "sha256": [f"{code:x}" for code in codes],
            "phash": [f"{code:016x}" for code in codes],
        }
    )


def drawn(seed, count, *, flips):
    """Draw codes around a few centres, some of them copies, as the hashes of a shop's photos."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(rng.integers(0, 2**64, 9, dtype=np.uint64), count)
    for _ in range(flips):
        bit = np.uint64(1) << rng.integers(0, 64, count, dtype=np.uint64)
        codes = np.where(rng.random(count) < 0.6, codes ^ bit, codes)
    return codes


def by_hand(codes, most):
    return [
        (i, j, (int(codes[i]) ^ int(codes[j])).bit_count())
        for i in range(len(codes))
        for j in range(i + 1, len(codes))
        if (int(codes[i]) ^ int(codes[j])).bit_count() <= most
    ]


@pytest.mark.parametrize("most", [0, 1, 2, NEAR - 1, NEAR, NEAR + 1, 20])
@pytest.mark.parametrize("seed", range(4))
def test_the_pairs_found_are_those_of_comparing_every_pair(seed, most):
    codes = drawn(seed, 150, flips=2 * seed + 3)

    found = near_duplicates(prints(codes), most)

    wanted = by_hand(codes, most)
    told = zip(found.image_a, found.image_b, found.distance, strict=True)
    assert list(told) == [(f"{i}.png", f"{j}.png", distance) for i, j, distance in wanted]
    assert found.exact.tolist() == [distance == 0 for *_, distance in wanted]


@pytest.mark.parametrize("most", [1, 3, NEAR])
def test_no_pair_at_the_threshold_escapes_wherever_its_bits_differ(most):
    rng = np.random.default_rng(most)
    code = rng.integers(0, 2**64, dtype=np.uint64)
    for _ in range(200):
        moved = rng.choice(64, most + 1, replace=False).astype(np.uint64)
        bits = np.uint64(1) << moved
        pair = np.array([code, code ^ np.bitwise_or.reduce(bits[:most])])
        beyond = np.array([code, code ^ np.bitwise_or.reduce(bits)])

        assert duplicates._indexed(pair, most).shape == (2, 1)
        assert duplicates._indexed(beyond, most).shape == (2, 0)


@pytest.mark.parametrize("count", [0, 1])
def test_a_photo_alone_has_no_duplicate(count):
    found = near_duplicates(prints(np.zeros(count, dtype=np.uint64)))

    assert found.empty and list(found) == ["image_a", "image_b", "distance", "exact"]


def test_the_only_near_pair_of_a_hundred_thousand_hashes_is_found():
    codes = np.random.default_rng(0).integers(0, 2**64, 100_000, dtype=np.uint64)
    codes[-1] = codes[0] ^ np.uint64(0b111)

    found = near_duplicates(prints(codes))

    assert found[["image_a", "image_b", "distance"]].to_numpy().tolist() == [
        ["0.png", "99999.png", 3]
    ]
