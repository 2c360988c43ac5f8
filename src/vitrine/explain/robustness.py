"""Robustness: accuracy on corrupted photos, reduced photos and other input sizes.

Source: Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", arXiv 1903.12261; for the side of the input, Touvron et al., "Fixing the Train-Test
Resolution Discrepancy", arXiv 1906.06423.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from vitrine.data import images
from vitrine.data.catalog import Catalog
from vitrine.data.corruptions import CORRUPTIONS, PHOTO_SIDE, STRENGTHS, corrupt, resize
from vitrine.metrics import Interval
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import accuracy
from vitrine.metrics.paired import paired_bootstrap
from vitrine.training.runs import Predictions
from vitrine.training.trained import Kept

__all__ = ["ASIS", "INPUT_SIDES", "THUMBNAILS", "answers", "curve", "loss", "turned"]

THUMBNAILS = (32, 48, 64, 96, 128)
"""Sides that photos are reduced to, then enlarged from: what a small photo leaves to see."""
INPUT_SIDES = (64, 96, 128, 160, 192, 224)
"""Sides of the square that the network itself receives, where it accepts others than its own."""
THUMBNAIL, INPUT = "thumbnail", "input"
ASIS = ("none", 0)
"""The condition that leaves photos as they are."""


def answers(
    kept: Kept,
    frame: pd.DataFrame,
    catalog: Catalog,
    *,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Predict photos under each corruption and strength, reduced, and at other input sides.

    A corruption spoils the photo at ``PHOTO_SIDE`` pixels, whatever the side that the model reads:
    all models then see the same spoiled photo. The reference, ``none``, takes the same way.

    Args:
        kept: The model.
        frame: Photos: columns ``row``, ``image`` and ``label``.
        catalog: Where they are.
        seed: Seeds the noise and the crops.
        tell: Told of each condition.

    Returns:
        ``corruption``, ``strength`` (a side in pixels for ``thumbnail`` and ``input``), ``row``,
        ``predicted`` and ``p_truth``, the probability of the true class.
    """
    labels = frame.label.to_numpy()
    tables = []
    for corruption, strength, given in _conditions(kept, frame, catalog, seed):
        tell(f"{corruption} {strength}")
        rows = pd.DataFrame({"corruption": corruption, "strength": strength, "row": frame.row})
        rows["predicted"] = given.argmax(axis=1)
        rows["p_truth"] = given[np.arange(len(labels)), labels].round(3)
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def _conditions(
    kept: Kept, frame: pd.DataFrame, catalog: Catalog, seed: int
) -> Iterator[tuple[str, int, Float[np.ndarray, "image category"]]]:
    side, names = kept.recipe.image_size, frame.image.tolist()
    photos = images.cached(catalog, names, PHOTO_SIDE)
    yield *ASIS, kept.predict(resize(photos, side))
    for corruption in CORRUPTIONS:
        for strength in STRENGTHS:
            pairs = zip(photos, names, strict=True)
            spoiled = [
                corrupt(np.asarray(p), corruption, strength, name=n, seed=seed) for p, n in pairs
            ]
            yield corruption, strength, kept.predict(resize(np.stack(spoiled), side))
    for small in THUMBNAILS:
        yield THUMBNAIL, small, kept.predict(resize(resize(photos, small), side))
    if kept.at_side is None:
        return
    for other in INPUT_SIDES:
        yield INPUT, other, kept.at_side(other)(images.cached(catalog, names, other))


def _condition(
    table: pd.DataFrame, corruption: str, strength: int, labels: pd.Series
) -> tuple[Int[np.ndarray, " image"], Int[np.ndarray, " image"]]:
    rows = table[(table.corruption == corruption) & (table.strength == strength)]
    rows = rows.sort_values("row")
    return labels.loc[rows.row].to_numpy(), rows.predicted.to_numpy()


def curve(table: pd.DataFrame, corruption: str, labels: pd.Series) -> dict[int, Interval]:
    """Return the accuracy at each strength of a corruption, with Wilson's interval.

    Args:
        table: As ``answers`` returns it.
        corruption: One of ``CORRUPTIONS`` (its strength 0 is the photo as it is), ``thumbnail`` or
            ``input``.
        labels: True class by ``row``.
    """
    strengths = sorted(table.strength[table.corruption == corruption].unique().tolist())
    points = [(corruption, strength) for strength in strengths]
    if corruption in CORRUPTIONS:
        points.insert(0, ASIS)
    found = {}
    for kind, strength in points:
        truth, predicted = _condition(table, kind, strength, labels)
        found[strength] = wilson(int((truth == predicted).sum()), len(truth))
    return found


def turned(table: pd.DataFrame, published: Predictions, frame: pd.DataFrame) -> int:
    """Count the answers that resizing through ``PHOTO_SIDE`` changes, without any corruption.

    Args:
        table: As ``answers`` returns it.
        published: What the run answered for the same photos.
        frame: Photos: columns ``row`` and ``image``.
    """
    plain = table[(table.corruption == ASIS[0]) & (table.strength == ASIS[1])]
    said = frame.set_index("row").image.loc[plain.row]
    before = pd.Series(published.predicted, index=published.image)
    return int((before.loc[said].to_numpy() != plain.predicted.to_numpy()).sum())


def loss(
    table: pd.DataFrame,
    corruption: str,
    strength: int,
    labels: pd.Series,
    reference: tuple[str, int] = ASIS,
) -> Interval:
    """Return the change of accuracy that a condition brings, below 0 if it costs.

    It is paired photo by photo, as is its bootstrap interval.

    Args:
        table: As ``answers`` returns it.
        corruption: Name of the condition.
        strength: Its strength, or its side in pixels.
        labels: True class by ``row``.
        reference: The condition that it is compared with.
    """
    truth, before = _condition(table, *reference, labels)
    _, after = _condition(table, corruption, strength, labels)
    return paired_bootstrap(truth, before, after, accuracy)
