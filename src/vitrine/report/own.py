"""Report on a user's own photos: tables, verdicts and gallery of errors, in French or English.

Every photo is answered for by a model that had not learned it: the folds of the first repetition.
Recipes are compared in pairs, on the same photos, and their tests are corrected together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from babel.numbers import format_decimal, format_percent
from pandas.io.formats.style import Styler

from vitrine import paths
from vitrine.data import catalog as catalogue
from vitrine.data import dataset, images, splits
from vitrine.data.catalog import Catalog
from vitrine.data.splits import Split
from vitrine.data.translations import said
from vitrine.explain.occlusion import occlusion
from vitrine.metrics import Interval
from vitrine.metrics.classes import confusion
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.paired import holm, mcnemar, paired_bootstrap
from vitrine.metrics.resampling import bootstrap
from vitrine.metrics.settling import settled
from vitrine.report.names import model_name
from vitrine.report.own_gallery import SIDE, Gallery, gallery, heated
from vitrine.report.tables.panels import SMALLEST_P
from vitrine.training import recipes, runs, trained
from vitrine.training.runs import Predictions, RunError
from vitrine.training.trained import Kept

__all__ = ["Gallery", "OwnReport", "load", "shown"]

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
        unfinished: Recipes of ``vitrine.toml`` that have no such answers yet, each with the number
            of folds that it has been trained on.
    """

    catalog: Catalog
    split: Split
    answers: Mapping[str, Predictions]
    unfinished: Mapping[str, int] = field(default_factory=dict)

    def _say(self, key: str, count: int | None = None, **told: str) -> str:
        return said(self.catalog.dataset.language, key, count, **told)

    @property
    def _shown(self) -> list[str]:
        return list(self.catalog.dataset.classes.values())

    def data(self) -> pd.DataFrame:
        """Return the photos of each class in each part."""
        frame, name, total = self.split.frame, self._say("class"), self._say("total")
        counts = pd.crosstab(frame.label, frame.part).reindex(columns=list(splits.PARTS))
        counts.columns = [self._say("train"), self._say("validation"), self._say("test")]
        counts[total] = counts.sum(axis=1)
        counts.insert(0, name, self._shown)
        if (others := len(counts) - 2 * SHOWN) > 1:  # the ends tell what the report is worth
            counts = counts.sort_values(total, ascending=False, kind="stable")
            between = counts[SHOWN:-SHOWN].sum()
            between[name] = self._say("others", others)
            counts = pd.concat([counts[:SHOWN], between.to_frame().T, counts[-SHOWN:]])
        return counts.reset_index(drop=True)

    def scores(self) -> pd.DataFrame:
        """Return accuracy and macro F1 of each recipe, each with its interval at 95 %."""
        rows = []
        for recipe, part in self.answers.items():
            right = int((part.predicted == part.truth).sum())
            f1 = bootstrap(part.truth, part.probabilities, macro_f1)
            shares = wilson(right, len(part.truth)), f1
            rows.append((self._name(recipe), *map(self._interval, shares)))
        return self._table("model", "accuracy", "f1", rows=rows)

    def left_out(self) -> str:
        """Return a sentence on the recipes that are not in the report yet, empty without any."""
        told = (
            self._say("folds_made", count, name=self._name(recipe), of=str(splits.FOLDS))
            for recipe, count in self.unfinished.items()
        )
        return self._say("left_out", names=", ".join(told)) if self.unfinished else ""

    def gaps(self) -> pd.DataFrame:
        """Return the gap of accuracy of each pair of recipes, its corrected test, its verdict.

        The pairs are those that ``vitrine.toml`` announces; every pair, where it announces none.
        """
        rows = [
            (
                self._say("against", one=self._name(second), other=self._name(first)),
                self._interval(gap, sign=True),
                self._p_value(p),
                self._say("settled" if settled(gap, p) else "unsettled"),
            )
            for first, second, gap, p in self._compared()
        ]
        return self._table("pair", "gap", "p", "verdict", rows=rows)

    def verdicts(self) -> list[str]:
        """Return a sentence for each pair of recipes: which one does better, or that none does."""
        told = []
        for first, second, gap, p in self._compared():
            sure = settled(gap, p)
            if sure and gap.value < 0:
                first, second = second, first
                gap = Interval(-gap.value, -gap.high, -gap.low)
            names = {"one": self._name(second), "other": self._name(first)}
            size = self._interval(gap, sign=True)
            told.append(self._say("better" if sure else "undecided", size=size, **names))
        return told

    def confusions(self, recipe: str) -> pd.DataFrame:
        """Return the pairs of classes that a recipe takes most often one for the other."""
        part = self.answers[recipe]
        counts = confusion(part.truth, part.predicted, categories=len(self._shown))
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:SHOWN]
        places = [np.unravel_index(place, counts.shape) for place in order]
        rows = [
            (self._shown[true], self._shown[given], int(counts[true, given]))
            for true, given in places
            if counts[true, given]
        ]
        return self._table("true", "given", "photos", rows=rows)

    def errors(self, recipe: str) -> Gallery:
        """Return the photos on which a recipe is wrong, the surest first."""
        part = self.answers[recipe]
        chosen = self._surest_errors(part)[:SHOWN]
        shown = [
            (images.preprocess(self.catalog.path(part.image[place]), SIDE), line)
            for place, line in chosen
        ]
        return gallery(shown, self._say("no_error"))

    def looks(self) -> Gallery:
        """Return what a model looks at on the photos of the test where it is surely wrong.

        Each place is hidden in turn (``explain.occlusion``), and coloured by what the class given
        loses. The model is the best of those that can be asked again, trained on the train part.
        """
        found = next(filter(None, map(self._asked_again, reversed(self.answers))), None)
        if found is None:
            return gallery([], self._say("blind"))
        model, test = found
        shown = []
        for place, line in self._surest_errors(test)[:LOOKED]:
            path = self.catalog.path(test.image[place])
            photo = images.preprocess(path, model.recipe.image_size)
            drop = occlusion(model.predict, photo, int(test.predicted[place]))
            shown.append((heated(photo, drop), line))
        return gallery(shown, self._say("no_error"), lead=self._name(model.recipe.name))

    def _asked_again(self, recipe: str) -> tuple[Kept, Predictions] | None:
        """Return the model of a recipe and what it answered to the test, where it can be had."""
        if f"{recipe}/seed-0" not in runs.names():
            return None  # trained on folds alone
        run = runs.load(recipe)
        told = run.recipe
        blind = told.architecture == "majority" or told.letterbox
        if blind or told.trainer not in ("probe", "torch", "keras"):
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
            true, given = (self._shown[k] for k in (part.truth[place], part.predicted[place]))
            share = format_percent(sure[place], locale=self.catalog.dataset.language)
            lines.append((place, self._say("error", true=true, given=given, share=share)))
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
        return model_name(recipe, self.catalog.dataset.language)

    def _table(self, *keys: str, rows: Sequence[tuple]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=[self._say(key) for key in keys])

    def _number(self, value: float, decimals: int, *, sign: bool = False) -> str:
        value, digits = round(value, decimals), f"#,##0.{decimals * '0'}"
        plus = "+" if sign and value else ""
        pattern = f"{plus}{digits};\N{MINUS SIGN}{digits}" if value else digits
        return format_decimal(value, format=pattern, locale=self.catalog.dataset.language)

    def _p_value(self, p: float) -> str:
        below = "< " if p < SMALLEST_P else ""
        return below + self._number(max(p, SMALLEST_P), 3)

    def _interval(self, interval: Interval, *, sign: bool = False) -> str:
        value, low, high = (
            self._number(100 * share, 1, sign=sign)
            for share in (interval.value, interval.low, interval.high)
        )
        return self._say("interval", value=value, low=low, high=high)


def shown(table: pd.DataFrame) -> Styler:
    """Return a table as a page shows it: without its index, with the room the theme leaves."""
    return table.style.hide().set_table_attributes('class="table"')


def load() -> OwnReport:
    """Read what the project at hand has: its photos, its split, its runs.

    Raises:
        RecipeError: If ``vitrine.toml`` names a recipe that is none.
        RunError: If there is no trained model yet, if one that is announced is not, if a recipe
            was changed after its run, or if a run does not answer for every photo.
    """
    data = dataset.current()
    named = [recipes.find(name).name for name in data.recipes]
    folded = runs.across_folds()
    for run in (run for group in folded.values() for one in group for run in one.runs):
        if run.recipe.name in recipes.known():
            run.require_made_by(recipes.find(run.recipe.name))
    found = {recipe: group[0].answers for recipe, group in folded.items()}
    if not found:
        raise RunError(
            "expected a trained model to report on, found none; start with `vitrine train majority`"
        )
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
    unfinished = {name: runs.folds_made(name) for name in named if name not in found}
    return OwnReport(catalogue.load(), splits.load(), dict(ranked), unfinished)


def _accuracy(part: Predictions) -> float:
    return accuracy(part.truth, part.probabilities)
