"""What results are read against: the data, what others published, what so few images can show."""

from collections.abc import Iterator
from typing import SupportsFloat

import numpy as np

from vitrine.data import facts, splits, tracked
from vitrine.data.catalog import CLASSES
from vitrine.metrics.paired import holm, mcnemar_bound
from vitrine.metrics.power import smallest_unpaired_gap
from vitrine.metrics.settling import World, smallest_settled_gap
from vitrine.report.ledger.values import Value

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
ANNOUNCED = 5
"""Comparisons that the protocol announces, whose p-values are corrected together."""
ANSWERED = 0.8
"""Share of the photos that a model answers, the surest, where it may leave the rest to a person."""
POC_ACCURACY = 0.8
"""Accuracy around which two published results are told apart: about that of those we cite."""
IMAGES, PAIRS = "data/facts/images.csv", "data/facts/pairs.csv"
POC, TRIAL = "ressources/prior_poc.csv", "ressources/prior_trial.csv"
_CITED = ("model", "backbone", "test_accuracy", "test_macro_f1", "n_test")
COMPARISON = "05_comparaison"
HERE = "vitrine.report.ledger.context"


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
    notebook = "02_donnees"
    split, images, pairs = splits.load(), facts.load("images"), facts.load("pairs")

    def count(number: SupportsFloat, source: str, unit: str = "count", decimals: int = 0) -> Value:
        return Value(
            value=float(number), unit=unit, decimals=decimals, source=source, notebook=notebook
        )

    table = "data/splits/published.csv"
    yield "data.products", count(len(split.frame), table)
    yield "data.classes", count(len(CLASSES), table)
    yield "data.per_class", count(len(split.frame) / len(CLASSES), table)
    for part in ("train", "validation", "test"):
        yield f"data.{part}", count(len(split.part(part)), table)
    table = IMAGES
    present = images[images.red.notna()]
    yield "data.present", count(len(present), table)
    yield "data.absent", count(len(images) - len(present), table)
    megapixels = images.width * images.height / 1e6
    yield "data.megapixels_median", count(megapixels.median(), table, "Mpx", 1)
    yield "data.megapixels_largest", count(megapixels.max(), table, "Mpx", 1)
    ratio = (images.width / images.height).dropna()
    yield "data.elongated", count((np.maximum(ratio, 1 / ratio) > 4).sum(), table)  # noqa: PLR2004
    yield "data.white_half", count((present.white_share > 1 / 2).mean(), table, "%")
    table = PAIRS
    crossing = pairs[pairs.part_a != pairs.part_b]
    yield "data.pairs_exact", count(pairs.exact.sum(), table)
    yield "data.pairs_near", count((~pairs.exact).sum(), table)
    yield "data.pairs_crossing", count(len(crossing), table)
    yield "data.near_bits", count(splits.NEAR, "vitrine.data.splits")
    test = split.part("test").image.to_numpy()
    yield "data.test_leaked", count((~clean(test)).sum(), table)
    yield "data.test_clean", count(clean(test).sum(), table)
    yield "data.pairs_mixed_labels", count((pairs.label_a != pairs.label_b).sum(), table)


def _cited() -> Iterator[tuple[str, Value]]:
    """Yield what others published: single runs, no interval; and the trial told in the protocol."""
    more = {
        "unit": "%", "decimals": 1, "source": POC, "notebook": COMPARISON,
        "hardware": "GTX 1650 (résultat cité)",
    }  # fmt: skip
    cited, table = {}, tracked.read(POC, _CITED)
    for row in table.itertuples():
        state = "frozen" if row.backbone == "frozen" else "finetuned"
        for metric in ("accuracy", "macro_f1"):
            score = float(getattr(row, f"test_{metric}"))
            cited[f"{row.model.lower()}-{state}.{metric}"] = score
            yield (
                f"poc.{row.model.lower()}-{state}.{metric}",
                Value(value=score, n=int(row.n_test), **more),
            )
    baseline = "efficientnetb0_custom-finetuned"
    for size in ("t", "s", "b"):
        candidate = f"mambavision-{size}-1k-finetuned"
        for metric in ("accuracy", "macro_f1"):
            gap = cited[f"{candidate}.{metric}"] - cited[f"{baseline}.{metric}"]
            yield f"poc_gap.mambavision-{size}.{metric}", Value(value=gap, **more)
    yield from _bounds(cited, baseline, images=int(table.n_test.max()))
    for row in tracked.read(TRIAL, ("key", "value", "unit")).itertuples():
        yield f"trial.{row.key}", Value(value=float(row.value), unit=row.unit, source=TRIAL)


def _bounds(cited: dict[str, float], baseline: str, *, images: int) -> Iterator[tuple[str, Value]]:
    """Yield the photos that make each published gap, and the p-value that they could give at best.

    Corrected together: as the three p-values grow, so do those that Holm's method returns.
    """
    more = {"n": images, "source": POC, "notebook": COMPARISON}
    reference, bounds = round(images * cited[f"{baseline}.accuracy"]), {}
    for size in ("t", "s", "b"):
        right = round(images * cited[f"mambavision-{size}-1k-finetuned.accuracy"])
        key = f"poc_gap.mambavision-{size}"
        bounds[key] = mcnemar_bound(reference, right, images)
        yield f"{key}.photos", Value(value=float(right - reference), unit="count", **more)
        yield f"{key}.p_bound", Value(value=bounds[key], unit="", decimals=3, **more)
    for key, p in zip(bounds, holm(np.array([*bounds.values()])), strict=True):
        yield f"{key}.holm_bound", Value(value=float(p), unit="", decimals=3, **more)


def _power() -> Iterator[tuple[str, Value]]:
    """Yield the smallest gaps that our rule settles, by simulation, and what they assume."""
    images = {"test": len(splits.load().part("test")), "oof": photos()}
    seeds, once = on_split(images["test"]), on_folds(images["oof"])
    unpaired = smallest_unpaired_gap(images=images["test"], accuracy=POC_ACCURACY)
    gaps = {
        "smallest_gap": (smallest_settled_gap(seeds), "test"),
        "smallest_gap_corrected": (smallest_settled_gap(seeds, tests=ANNOUNCED), "test"),
        "oof_smallest_gap": (smallest_settled_gap(once), "oof"),
    }
    for name, (gap, where) in gaps.items():
        yield (
            f"power.{name}",
            Value(
                value=gap * 100, unit="points", decimals=1, n=images[where],
                source="vitrine.metrics.settling", notebook=COMPARISON,
            ),
        )  # fmt: skip
    yield (
        "power.smallest_unpaired_gap",
        Value(
            value=unpaired * 100, unit="points", decimals=1, n=images["test"],
            source="vitrine.metrics.power", notebook=COMPARISON,
        ),
    )  # fmt: skip
    shares = {"discordance": DISCORDANCE, "between_seeds": BETWEEN, "answered": ANSWERED}
    for name, share in shares.items():
        yield f"power.{name}", Value(value=share, unit="%", source=HERE)
    yield "power.margin", Value(value=100 * MARGIN, unit="points", source=HERE)
