"""Report on a user's own photos: tables, verdicts and gallery of errors, in French or English.

Every photo is answered for by a model that had not learned it: the folds of the first repetition.
Recipes are compared in pairs, on the same photos, and their tests are corrected together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from vitrine import paths
from vitrine.data import catalog as catalogue
from vitrine.data import dataset, images, splits
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.explain.occlusion import occlusion
from vitrine.metrics import Interval
from vitrine.metrics.classes import confusion
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.paired import holm, mcnemar, paired_bootstrap
from vitrine.metrics.resampling import bootstrap
from vitrine.metrics.settling import settled
from vitrine.report import fr
from vitrine.report.names import model_name
from vitrine.report.own_gallery import SIDE, Gallery, gallery, heated
from vitrine.report.tables.panels import SMALLEST_P
from vitrine.training import runs, trained
from vitrine.training.runs import Predictions, RunError
from vitrine.training.trained import Kept

__all__ = ["WORDS", "Gallery", "OwnReport", "load", "shown"]

WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "class": "Catégorie", "train": "Entraînement", "validation": "Validation", "test": "Test",
        "total": "Total", "model": "Modèle", "accuracy": "Exactitude (%)", "f1": "Macro F1 (%)",
        "pair": "Comparaison", "gap": "Écart d’exactitude (points)", "p": "p corrigée",
        "verdict": "Verdict", "settled": "établi", "open": "non établi", "true": "Vraie catégorie",
        "given": "Catégorie donnée", "count": "Photos", "against": "{0} contre {1}",
        "better": "{0} fait mieux que {1} : {2} points d’exactitude, écart établi.",
        "unsettled": "Entre {0} et {1}, ces photos ne tranchent pas : {2} points d’exactitude.",
        "error": "{0}, prise pour {1} à {2}", "none": "Aucune erreur.",
        "others": "{0} autres catégories", "percent": "\N{NO-BREAK SPACE}%",
        "blind": "Aucun modèle entraîné ici ne peut être interrogé de nouveau.",
    },
    "en": {
        "class": "Class", "train": "Training", "validation": "Validation", "test": "Test",
        "total": "Total", "model": "Model", "accuracy": "Accuracy (%)", "f1": "Macro F1 (%)",
        "pair": "Comparison", "gap": "Gap of accuracy (points)", "p": "Corrected p",
        "verdict": "Verdict", "settled": "settled", "open": "not settled", "true": "True class",
        "given": "Class given", "count": "Photos", "against": "{0} against {1}",
        "better": "{0} does better than {1}: {2} points of accuracy, a settled gap.",
        "unsettled": "Between {0} and {1} these photos do not decide: {2} points of accuracy.",
        "error": "{0}, taken for {1} at {2}", "none": "No error.",
        "others": "{0} other classes", "percent": "%",
        "blind": "No model that was trained here can be asked again.",
    },
}  # fmt: skip
"""Every word of the report, by language."""
SHOWN, LOOKED = 12, 4
"""Errors and confusions shown, and errors on which a model is asked what it looks at."""
FITTED_AGAIN = 20_000
"""Photos beyond which a probe is not fitted again to be asked: it would take its time twice."""


@dataclass(frozen=True)
class OwnReport:
    """What a report says of a user's photos.

    Attributes:
        catalog: The photos.
        split: Who is train, validation, test.
        answers: By recipe, from the least accurate, what was answered for every photo by models
            that had not learned it.
    """

    catalog: Catalog
    split: Split
    answers: Mapping[str, Predictions]

    @property
    def _words(self) -> dict[str, str]:
        return WORDS[self.catalog.dataset.language]

    @property
    def _shown(self) -> list[str]:
        return list(self.catalog.dataset.classes.values())

    def data(self) -> pd.DataFrame:
        """Return the photos of each class in each part."""
        words, frame = self._words, self.split.frame
        counts = pd.crosstab(frame.label, frame.part).reindex(columns=list(splits.PARTS))
        counts.columns = [words[part] for part in splits.PARTS]
        counts[words["total"]] = counts.sum(axis=1)
        counts.insert(0, words["class"], self._shown)
        if (others := len(counts) - 2 * SHOWN) > 1:  # the ends tell what the report is worth
            counts = counts.sort_values(words["total"], ascending=False, kind="stable")
            between = counts[SHOWN:-SHOWN].sum()
            between[words["class"]] = words["others"].format(others)
            counts = pd.concat([counts[:SHOWN], between.to_frame().T, counts[-SHOWN:]])
        return counts.reset_index(drop=True)

    def scores(self) -> pd.DataFrame:
        """Return accuracy and macro F1 of each recipe, each with its interval at 95 %."""
        words, rows = self._words, []
        for recipe, part in self.answers.items():
            right = int((part.predicted == part.truth).sum())
            f1 = bootstrap(part.truth, part.probabilities, macro_f1)
            rows.append(
                {
                    words["model"]: self._name(recipe),
                    words["accuracy"]: self._interval(wilson(right, len(part.truth))),
                    words["f1"]: self._interval(f1),
                }
            )
        return pd.DataFrame(rows)

    def gaps(self) -> pd.DataFrame:
        """Return the gap of accuracy of each pair of recipes, its corrected test, its verdict.

        The pairs are those that ``vitrine.toml`` announces; every pair, where it announces none.
        """
        words = self._words
        return pd.DataFrame(
            [
                {
                    words["pair"]: words["against"].format(*map(self._name, (second, first))),
                    words["gap"]: self._interval(gap, sign=True),
                    words["p"]: self._p_value(p),
                    words["verdict"]: words["settled" if settled(gap, p) else "open"],
                }
                for first, second, gap, p in self._compared()
            ],
            columns=[words[key] for key in ("pair", "gap", "p", "verdict")],
        )

    def verdicts(self) -> list[str]:
        """Return a sentence for each pair of recipes: which one does better, or that none does."""
        words, told = self._words, []
        for first, second, gap, p in self._compared():
            ahead, behind = (second, first) if gap.value >= 0 else (first, second)
            low, high = sorted((abs(gap.low), abs(gap.high))) if gap.low * gap.high > 0 else (
                gap.low, gap.high
            )  # fmt: skip
            if settled(gap, p):
                size = self._interval(Interval(abs(gap.value), low, high), sign=True)
                told.append(words["better"].format(self._name(ahead), self._name(behind), size))
            else:
                size = self._interval(gap, sign=True)
                told.append(words["unsettled"].format(self._name(second), self._name(first), size))
        return told

    def confusions(self, recipe: str) -> pd.DataFrame:
        """Return the pairs of classes that a recipe takes most often one for the other."""
        words, part = self._words, self.answers[recipe]
        counts = confusion(part.truth, part.predicted, categories=len(self._shown))
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:SHOWN]
        places = [np.unravel_index(place, counts.shape) for place in order]
        return pd.DataFrame(
            [
                {
                    words["true"]: self._shown[true],
                    words["given"]: self._shown[given],
                    words["count"]: int(counts[true, given]),
                }
                for true, given in places
                if counts[true, given]
            ],
            columns=[words[key] for key in ("true", "given", "count")],
        )

    def errors(self, recipe: str) -> Gallery:
        """Return the photos on which a recipe is wrong, the surest first."""
        part = self.answers[recipe]
        chosen = self._surest_errors(part)[:SHOWN]
        shown = [
            (images.preprocess(self.catalog.path(part.image[place]), SIDE), line)
            for place, line in chosen
        ]
        return gallery(shown, self._words["none"])

    def looks(self) -> Gallery:
        """Return what a model looks at on the photos of the test where it is surely wrong.

        Each place is hidden in turn (``explain.occlusion``), and coloured by what the class given
        loses. The model is the best of those that can be asked again, trained on the train part.
        """
        found = next(filter(None, map(self._asked_again, reversed(self.answers))), None)
        if found is None:
            return gallery([], self._words["blind"])
        model, test = found
        shown = []
        for place, line in self._surest_errors(test)[:LOOKED]:
            path = self.catalog.path(test.image[place])
            photo = images.preprocess(path, model.recipe.image_size)
            drop = occlusion(model.predict, photo, int(test.predicted[place]))
            shown.append((heated(photo, drop), line))
        return gallery(shown, self._words["none"], lead=self._name(model.recipe.name))

    def _asked_again(self, recipe: str) -> tuple[Kept, Predictions] | None:
        """Return the model of a recipe and what it answered to the test, where it can be had."""
        if f"{recipe}/seed-0" not in runs.names():
            return None  # trained on folds alone
        run = runs.load(recipe)
        told = trained.recipe_of(run)
        if told.architecture == "majority" or told.trainer not in ("probe", "torch", "keras"):
            return None
        if told.trainer == "probe" and len(self.split.frame) > FITTED_AGAIN:
            return None
        if told.trainer != "probe" and not any((run.folder / "weights").glob("model.*")):
            return None  # git does not keep them
        return trained.load(run, self.split, self.catalog), run.part("test")

    def _surest_errors(self, part: Predictions) -> list[tuple[int, str]]:
        """Return the place of each wrong answer with its line, the surest first."""
        sure = part.probabilities.max(axis=1)
        wrong = np.flatnonzero(part.predicted != part.truth)
        lines = []
        for place in wrong[np.argsort(-sure[wrong], kind="stable")].tolist():
            labels = (self._shown[k] for k in (part.truth[place], part.predicted[place]))
            share = f"{self._number(100 * sure[place])}{self._words['percent']}"
            lines.append((place, self._words["error"].format(*labels, share)))
        return lines

    def best(self) -> str:
        """Return the recipe of the highest accuracy."""
        return max(self.answers, key=lambda recipe: _accuracy(self.answers[recipe]))

    def _compared(self) -> list[tuple[str, str, Interval, float]]:
        """Return each pair of recipes with its gap and its p-value, corrected over all pairs."""
        pairs = list(self.catalog.dataset.comparisons or combinations(self.answers, 2))
        found = []
        for pair in pairs:
            one, other = (self.answers[recipe] for recipe in pair)
            said = (one.truth, one.probabilities, other.probabilities)
            found.append((paired_bootstrap(*said, accuracy), mcnemar(*said).p_value))
        corrected = holm(np.array([p for _, p in found])) if found else []
        return [
            (*pair, gap, float(p))
            for pair, (gap, _), p in zip(pairs, found, corrected, strict=True)
        ]

    def _name(self, recipe: str) -> str:
        return model_name(recipe) if self.catalog.dataset.language == "fr" else recipe

    def _number(self, value: float, decimals: int = 0, *, sign: bool = False) -> str:
        if self.catalog.dataset.language == "fr":
            return fr.number(value, decimals, sign=sign)
        return f"{value:{'+' if sign else ''}.{decimals}f}"

    def _p_value(self, p: float) -> str:
        below = "< " if p < SMALLEST_P else ""
        return below + self._number(max(p, SMALLEST_P), 3)

    def _interval(self, interval: Interval, *, sign: bool = False) -> str:
        value, low, high = (
            self._number(100 * share, 1, sign=sign)
            for share in (interval.value, interval.low, interval.high)
        )
        ends = (
            fr.bracket(low, high) if self.catalog.dataset.language == "fr" else f"[{low}, {high}]"
        )
        return f"{value} {ends}"


def shown(table: pd.DataFrame) -> Styler:
    """Return a table as a page shows it: without its index, with the room the theme leaves."""
    return table.style.hide().set_table_attributes('class="table"')


def load() -> OwnReport:
    """Read what the project at hand has: its photos, its split, its runs.

    Raises:
        RunError: If there is no trained model yet, if one that is announced is not, or if a run
            does not answer for every photo.
    """
    found = {recipe: group[0].answers for recipe, group in runs.across_folds().items()}
    if not found:
        raise RunError(
            "expected a trained model to report on, found none; start with `vitrine train majority`"
        )
    data = dataset.current()
    if lacking := sorted({name for pair in data.comparisons for name in pair} - set(found)):
        raise RunError(
            f"expected a run over folds of each recipe of a comparison of {paths.CONFIG}, found "
            f"none of {', '.join(lacking)}; make them with `vitrine sweep`, or announce others"
        )
    images_of = [tuple(part.image) for part in found.values()]
    if len(set(images_of)) > 1:
        raise RunError(
            "expected runs that answer for the same photos, found some that differ; train again "
            "those made before the photos changed"
        )
    ranked = sorted(found.items(), key=lambda item: _accuracy(item[1]))  # the gaps are progress
    return OwnReport(catalogue.load(), splits.load(), dict(ranked))


def _accuracy(part: Predictions) -> float:
    return accuracy(part.truth, part.probabilities)
