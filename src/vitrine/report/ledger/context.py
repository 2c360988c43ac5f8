"""Values that no run of ours changes: the data, cited results, the power of the rule."""

from collections.abc import Iterator

import numpy as np

from vitrine.data import dataset, facts, splits, tracked
from vitrine.metrics.paired import holm, mcnemar_bound
from vitrine.metrics.power import smallest_unpaired_gap
from vitrine.metrics.settling import World, smallest_settled_gap
from vitrine.report.ledger.pairs import COMPARISONS
from vitrine.report.ledger.values import COMPARISON, COUNT, P_VALUE, PERCENT, Row, Value, table

__all__ = [
    "ANNOUNCED", "ANSWERED", "DISCORDANCE", "MARGIN", "POC_ACCURACY", "clean", "on_folds",
    "on_split", "photos", "values",
]  # fmt: skip

DISCORDANCE = 0.2
"""Share of test images on which just one of two models is right: the protocol's assumption."""
SEEDS, BETWEEN = 3, 0.05
"""Seeds of a network, and share of test images on which two of one recipe differ: fewer than our
runs show, for the more they differ, the more their mean tells."""
MARGIN = 0.03
"""Gap of accuracy under which two libraries that start from the same weights are worth the same."""
ANNOUNCED = len(COMPARISONS)
"""Comparisons that the protocol announces, whose p-values are corrected together."""
ANSWERED = 0.8
"""Share of the photos that a model answers, the surest, where it may leave the rest to a person."""
POC_ACCURACY = 0.8
"""Accuracy around which two published results are told apart: about that of those we cite."""
IMAGES, PAIRS = "data/facts/images.csv", "data/facts/pairs.csv"
POC, TRIAL = "ressources/prior_poc.csv", "ressources/prior_trial.csv"
GOALS = "ressources/goals.csv"
_CITED = ("model", "backbone", "test_accuracy", "test_macro_f1", "n_test")
HERE = "vitrine.report.ledger.context"
ELONGATED = 4
"""Ratio of the sides beyond which a photo is counted as elongated."""
SIZES, _B0 = ("t", "s", "b"), "efficientnetb0_custom-finetuned"


def values() -> dict[str, Value]:
    """Return the values that no run of ours changes, by key."""
    return dict([*_data(), *_cited(), *_power()])


def on_split(images: int) -> World:
    """Return what the protocol supposes of two networks, trained with several seeds each."""
    return World(images=images, discordance=DISCORDANCE, runs=SEEDS, between=BETWEEN)


def on_folds(images: int) -> World:
    """Return what it supposes of two recipes that answer once for every photo."""
    return World(images=images, discordance=DISCORDANCE)


def photos() -> int:
    """Return how many photos the folds share: those that our edition of the data holds."""
    return int(facts.load("images").red.notna().sum())


def clean(images: np.ndarray) -> np.ndarray:
    """Return a mask of the images that have no duplicate, exact or near, in another part."""
    pairs = facts.load("pairs")
    crossing = pairs[pairs.part_a != pairs.part_b]
    return ~np.isin(images, np.r_[crossing.image_a.to_numpy(), crossing.image_b.to_numpy()])


def _data() -> Iterator[tuple[str, Value]]:
    split, images, pairs = splits.load(), facts.load("images"), facts.load("pairs")
    present = images[images.red.notna()]
    megapixels = images.width * images.height / 1e6
    ratio = (images.width / images.height).dropna()
    elongated = int((np.maximum(ratio, 1 / ratio) > ELONGATED).sum())
    test = split.part("test").image.to_numpy()
    classes = len(dataset.current().classes)
    parts = {f"data.{part}": len(split.part(part)) for part in splits.PARTS}
    counts = {
        "data/splits/published.csv": parts
        | {
            "data.products": len(split.frame),
            "data.classes": classes,
            "data.per_class": len(split.frame) / classes,
        },
        IMAGES: {
            "data.present": len(present),
            "data.absent": len(images) - len(present),
            "data.elongated": elongated,
        },
        PAIRS: {
            "data.pairs_exact": pairs.exact.sum(),
            "data.pairs_near": (~pairs.exact).sum(),
            "data.pairs_crossing": (pairs.part_a != pairs.part_b).sum(),
            "data.pairs_mixed_labels": (pairs.label_a != pairs.label_b).sum(),
            "data.test_leaked": (~clean(test)).sum(),
            "data.test_clean": clean(test).sum(),
        },
        "vitrine.data.splits": {"data.near_bits": splits.NEAR},
    }
    more = {"notebook": "02_donnees"}
    for source, found in counts.items():
        rows = {key: (number, *COUNT) for key, number in found.items()}
        yield from table(rows, source=source, **more)
    sizes = {
        "data.megapixels_median": (megapixels.median(), "Mpx", 1),
        "data.megapixels_largest": (megapixels.max(), "Mpx", 1),
        "data.white_half": ((present.white_share > 1 / 2).mean(), "%", 0),
    }
    yield from table(sizes, source=IMAGES, **more)


def _cited() -> Iterator[tuple[str, Value]]:
    """Yield what others published: single runs, no interval; the trial, and what was aimed at."""
    more = {"source": POC, "notebook": COMPARISON}
    there = more | {"hardware": "GTX 1650 (résultat cité)"}
    cited, published = {}, tracked.read(POC, _CITED)
    for row in published.itertuples():
        state = "frozen" if row.backbone == "frozen" else "finetuned"
        name = f"{row.model.lower()}-{state}"
        own = {f"{name}.{m}": float(getattr(row, f"test_{m}")) for m in ("accuracy", "macro_f1")}
        cited |= own
        rows = {f"poc.{key}": (score, *PERCENT) for key, score in own.items()}
        yield from table(rows, n=int(row.n_test), **there)
    gaps = {
        f"poc_gap.mambavision-{size}.{m}": (
            cited[f"mambavision-{size}-1k-finetuned.{m}"] - cited[f"{_B0}.{m}"],
            *PERCENT,
        )
        for size in SIZES
        for m in ("accuracy", "macro_f1")
    }
    yield from table(gaps, **there)
    yield from table(_bounds(cited, images := int(published.n_test.max())), n=images, **more)
    for prefix, source in (("trial", TRIAL), ("goal", GOALS)):
        for row in tracked.read(source, ("key", "value", "unit")).itertuples():
            yield from table({f"{prefix}.{row.key}": (row.value, row.unit, 0)}, source=source)


def _bounds(cited: dict[str, float], images: int) -> dict[str, Row]:
    """Return the photos that make each published gap, and the p-value that they could give at best.

    Corrected together: as the three p-values grow, so do those that Holm's method returns.
    """
    rows: dict[str, Row] = {}
    reference, bounds = round(images * cited[f"{_B0}.accuracy"]), {}
    for size in SIZES:
        right = round(images * cited[f"mambavision-{size}-1k-finetuned.accuracy"])
        key = f"poc_gap.mambavision-{size}"
        bounds[key] = mcnemar_bound(reference, right, images)
        rows |= {
            f"{key}.photos": (right - reference, *COUNT),
            f"{key}.p_bound": (bounds[key], *P_VALUE),
        }
    for key, p in zip(bounds, holm(np.array([*bounds.values()])), strict=True):
        rows[f"{key}.holm_bound"] = (p, *P_VALUE)
    return rows


def _power() -> Iterator[tuple[str, Value]]:
    """Yield the smallest gaps that our rule settles, by simulation, and what they assume."""
    test, oof = len(splits.load().part("test")), photos()
    seeds = on_split(test)
    here, settled = {"notebook": COMPARISON}, "vitrine.metrics.settling"
    gaps = {
        "smallest_gap": (smallest_settled_gap(seeds), test, settled),
        "smallest_gap_corrected": (smallest_settled_gap(seeds, tests=ANNOUNCED), test, settled),
        "oof_smallest_gap": (smallest_settled_gap(on_folds(oof)), oof, settled),
        "smallest_unpaired_gap": (
            smallest_unpaired_gap(images=test, accuracy=POC_ACCURACY), test,
            "vitrine.metrics.power",
        ),
    }  # fmt: skip
    for name, (gap, n, source) in gaps.items():
        yield from table({f"power.{name}": (gap * 100, "points", 1)}, n=n, source=source, **here)
    assumed: dict[str, Row] = {
        "power.discordance": (DISCORDANCE, "%", 0),
        "power.between_seeds": (BETWEEN, "%", 0),
        "power.answered": (ANSWERED, "%", 0),
        "power.margin": (100 * MARGIN, "points", 0),
    }
    yield from table(assumed, source=HERE)
