"""Classify products by their title or description: TF-IDF and a logistic regression, no photo.

Words, or words and pieces of words, are weighted by TF-IDF and read by a logistic regression. Which
of the two, and the strength of the penalty, are chosen on validation alone. Neither the text nor a
word of it leaves this module: a run keeps answers and counts.

Source: Joachims, "Text Categorization with Support Vector Machines", doi 10.1007/BFb0026683, for
linear models of weighted words.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.training.recipes import Recipe, RecipeError
from vitrine.training.repeated import Mask, everywhere
from vitrine.training.runs import Meter, Run, RunFolder, data_facts

__all__ = ["FIELDS", "READERS", "STRENGTHS", "choose", "fit"]

FIELDS = {
    "tfidf:title": ("product_name",),
    "tfidf:title+description": ("product_name", "description"),
}
"""By architecture, the columns of the product table that are read, one after the other."""
STRENGTHS = (10.0, 30.0, 100.0, 300.0, 1000.0)
"""Values of C, the inverse of the penalty, that validation chooses from."""


def _words() -> BaseEstimator:
    return TfidfVectorizer(sublinear_tf=True)


def _words_and_characters() -> BaseEstimator:
    pieces = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), min_df=2)
    return make_union(_words(), pieces)


READERS = {"words": _words, "words+characters": _words_and_characters}
"""Ways to weight a text that validation chooses from: pieces are two to five letters of a word."""


def choose(
    texts: tuple[Shaped[np.ndarray, " train"], Shaped[np.ndarray, " validation"]],
    labels: tuple[Int[np.ndarray, " train"], Int[np.ndarray, " validation"]],
) -> tuple[Pipeline, dict[str, float]]:
    """Fit one classifier a way of reading and a strength; keep the best of validation.

    The vocabulary and the rarity of its words are those of the training part.

    Args:
        texts: Texts of the training part, then of validation.
        labels: Classes of each.

    Returns:
        The classifier with the lowest validation log-loss, and the losses as ``<reader> <C>``.
    """
    losses, best = {}, None
    for name, make in READERS.items():
        reader = make()
        train, validation = reader.fit_transform(texts[0]), reader.transform(texts[1])
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=3000).fit(train, labels[0])
            given = model.predict_proba(validation)
            loss = float(log_loss(labels[1], given, labels=model.classes_))
            losses[f"{name} {strength:g}"] = loss
            if loss == min(losses.values()):
                best = make_pipeline(reader, model)
    return best, losses


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
    """Fit a model of the text as the recipe says and seal the run.

    Only products whose photo is present count, so that it is compared with models of the photos on
    the same products.

    Args:
        recipe: Which fields to read.
        split: Who is train, validation, test.
        catalog: Where the texts are.
        folds: Repeated folds to predict as well.
        seed: Names the run; nothing is drawn at random.
        base: Folder that holds the runs; by default the project's ``runs/``.
        report: Told of each finished repetition.

    Raises:
        RecipeError: If the fields are unknown.
        RunError: If the run is finished already.
    """
    if recipe.architecture not in FIELDS:
        raise RecipeError(
            f"recipe {recipe.name}: expected fields among {', '.join(FIELDS)}, found "
            f"{recipe.architecture!r}"
        )
    folder = RunFolder(recipe, seed, base)
    folder.prepare(resume=True)
    split = split.present(catalog)
    meter = Meter("cpu", asked="cpu", threads=1)
    texts = catalog.texts(split.frame.image, FIELDS[recipe.architecture])
    labels = split.frame.label.to_numpy()

    def learn(train: Mask, validation: Mask) -> tuple[Pipeline, tuple[dict[str, float], int]]:
        model, losses = choose(
            (texts[train], texts[validation]), (labels[train], labels[validation])
        )
        return model, (losses, model[-1].coef_.shape[1])

    tables, notes = everywhere(
        split.frame, texts, learn, folds, lambda said: report(f"{folder.name}: {said}")
    )
    losses, features = notes[0]
    facts = meter.facts([], 0)
    facts["parameters"] = (features + 1) * len(set(labels))
    chosen = Counter(min(found, key=found.get) for found, _ in notes[1:])
    facts["selection"] = {"validation_log_loss": losses, "chosen_by_folds": dict(chosen)}
    facts["data"] = data_facts(catalog, split) | {"folds_sha256": folds.sha256 if folds else None}
    return folder.finish(tables, facts)
