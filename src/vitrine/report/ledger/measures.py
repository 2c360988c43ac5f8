"""Values of the published runs: scores, costs, calibration, and the announced gaps."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from vitrine.data import splits
from vitrine.metrics import Interval, calibration
from vitrine.metrics.decision import selective_curve
from vitrine.metrics.folds import corrected_interval, corrected_p_value
from vitrine.metrics.metrics import Metric, accuracy, macro_f1
from vitrine.metrics.paired import holm, mcnemar, sign_flip
from vitrine.metrics.panel import METRICS, panel
from vitrine.metrics.resampling import over_seeds
from vitrine.metrics.table import recipe_gap, recipe_score
from vitrine.report.ledger.context import ANSWERED, clean
from vitrine.report.ledger.pairs import COMPARISONS, on_split
from vitrine.report.ledger.values import (
    COMPARISON,
    COUNT,
    P_VALUE,
    PERCENT,
    Row,
    Value,
    provenance,
    table,
)
from vitrine.training import runs
from vitrine.training.recipes import BESIDE, CONTROLS, EQUAL_START, parent, started_as
from vitrine.training.runs import OutOfFold, Predictions, Run, align

__all__ = [
    "COMPARISONS", "compared", "compute", "corrected", "fold_gap", "fold_gaps", "fold_scores",
    "fold_values", "gaps", "has_folds", "published", "repeated_gap", "scores",
]  # fmt: skip


def compared(
    key: str, baseline: Sequence[OutOfFold], candidate: Sequence[OutOfFold], notebook: str
) -> Iterator[tuple[str, Value]]:
    """Yield the gaps of two recipes, the p-value of their test, and the discordant share of seed 0.

    Args:
        key: Prefix of the entries.
        baseline: Answers of each seed of the recipe that the other is compared with.
        candidate: Those of the other, about the same images in the same order; a positive gap is in
            its favour.
        notebook: Chapter that shows it.
    """
    truth = baseline[0].answers.truth
    sides = [[one.answers.probabilities for one in side] for side in (baseline, candidate)]
    every = [run for one in (*baseline, *candidate) for run in one.runs]
    first = [run for one in (baseline[0], candidate[0]) for run in one.runs]
    more = {"n": len(truth), "notebook": notebook}
    rows: dict[str, Row] = {
        f"{key}.{metric.name}": (recipe_gap(truth, *sides, metric), *PERCENT)
        for metric in (accuracy, macro_f1)
    }
    rows[f"{key}.p"] = (sign_flip(truth, *sides), *P_VALUE)
    yield from table(rows, **provenance(every), **more)
    apart = mcnemar(truth, sides[0][0], sides[1][0]).discordance
    yield from table({f"{key}.discordance": (apart, "%", 0)}, **provenance(first), **more)


def corrected(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the p-values of a family of comparisons, corrected over it (Holm)."""
    tests = [key for key in values if key.endswith(".p")]
    if tests:
        adjusted = holm(np.array([values[key].value for key in tests]))
        for key, p in zip(tests, adjusted, strict=True):
            yield f"{key.removesuffix('.p')}.holm", replace(values[key], value=float(p))


TRAINING = {"keras": "03_baseline_tensorflow", "torch": "04_sota_pytorch"}


def published(*, equal_start: bool = False) -> dict[str, list[Run]]:
    """Return the finished runs of each known recipe, by seed; those from a file of weights apart.

    Args:
        equal_start: Whether to return those of the chapter where every network starts from the
            same images, or those of the comparison that the protocol announces.
    """
    found = defaultdict(list)
    for name in runs.names():
        recipe = name.split("/")[0]
        made_by = parent(recipe)
        told = made_by and made_by not in (*BESIDE, *CONTROLS)
        if told and (made_by in EQUAL_START) == equal_start:
            found[recipe].append(runs.load(name))
    return {recipe: sorted(group, key=lambda r: r.meta["seed"]) for recipe, group in found.items()}


def compute() -> dict[str, Value]:
    """Compute the values of the published runs and of the announced comparisons, by key."""
    values: dict[str, Value] = {}
    groups = published()
    for recipe, group in groups.items():
        values.update((f"{recipe}.{key}", value) for key, value in _recipe(recipe, group))
    for family in on_split(list(groups)):
        found = dict(gap for a, b in family for gap in gaps(a, b, groups))
        values.update(found | dict(corrected(found)))
    return dict(sorted(values.items()))


def _recipe(recipe: str, group: list[Run]) -> Iterator[tuple[str, Value]]:
    notebook = TRAINING.get(started_as(recipe).trainer, COMPARISON)
    parts = runs.align(*group)
    truth = parts[0].truth
    first, several = panel(truth, parts[0].probabilities), len(group) > 1
    rows: dict[str, Row] = {}
    for name, metric in METRICS.items():
        unit = ("%" if metric.is_share else "", metric.decimals)
        if several:
            summary = over_seeds(truth, [p.probabilities for p in parts], metric)
            rows[f"{name}_between_seeds"] = (summary.between_seeds, *unit)
        rows[name] = (summary.mean if several else first[name], *unit)
    yield from table(rows, n=len(truth), **provenance(group), notebook=notebook)
    kept = clean(parts[0].image)
    cleaned = [part.probabilities[kept] for part in parts]
    rows = {
        f"{metric.name}_clean": (recipe_score(truth[kept], cleaned, metric), *PERCENT)
        for metric in (accuracy, macro_f1)
    }
    yield from table(rows, n=int(kept.sum()), **provenance(group), notebook=notebook)
    yield from _first_run(group[0], parts[0], first["accuracy"], notebook)
    seeds: dict[str, Row] = {"seeds": (len(group), *COUNT)}
    if group[0].history.empty:
        yield from fold_values(group[0], notebook)
    else:
        yield from _calibration(group, notebook)
        seeds |= _cost(group)
    yield from table(seeds, **provenance(group), notebook=notebook)


def scores(
    group: Sequence[Run], metrics: Iterable[Metric], notebook: str
) -> Iterator[tuple[str, Value]]:
    """Yield the mean scores of the seeds of a recipe on the test photos, with their intervals."""
    parts = runs.align(*group)
    truth, answers = parts[0].truth, [part.probabilities for part in parts]
    rows = {m.name: (recipe_score(truth, answers, m), *PERCENT) for m in metrics}
    yield from table(rows, n=len(truth), notebook=notebook, **provenance(group))


def _first_run(
    run: Run, part: Predictions, score: Interval, notebook: str
) -> Iterator[tuple[str, Value]]:
    """Yield the values of one run: its accuracy, that of its surest answers, its parameters."""
    more, truth = provenance([run]) | {"notebook": notebook}, part.truth
    yield from table({"accuracy_one_run": (score, *PERCENT)}, n=len(truth), **more)
    curve = selective_curve(truth, part.probabilities)
    place = curve.point(ANSWERED)
    surest = Interval(*(float(end[place]) for end in (curve.accuracy, curve.low, curve.high)))
    answered = round(curve.coverage[place] * len(truth))  # images are whole, and ties stay
    yield from table({"accuracy_answered": (surest, *PERCENT)}, n=answered, **more)
    yield from table({"parameters": (run.meta["parameters"] / 1e6, "M", 2)}, **more)


def _cost(group: list[Run]) -> dict[str, Row]:
    seconds = np.concatenate([run.history.seconds.to_numpy() for run in group])
    minutes = [run.meta["timing"]["training_seconds"] / 60 for run in group]
    return {
        "epochs": (np.mean([len(run.history) for run in group]), *COUNT),
        "epoch_seconds": (np.median(seconds), "s", 0),
        "training_minutes": (np.mean(minutes), "min", 0),
    }


def fold_scores(run: Run, metric: Metric) -> Float[np.ndarray, " fold"]:
    """Return the score of a run on each fold of each repetition."""
    return _by_fold([run], metric)[0]


def fold_gaps(baseline: Run, candidate: Run, metric: Metric) -> Float[np.ndarray, " fold"]:
    """Return by how much a run exceeds another on each fold of each repetition.

    Raises:
        RunError: If they were not made on the same folds.
    """
    a, b = _by_fold([baseline, candidate], metric)
    return b - a


def _by_fold(group: Sequence[Run], metric: Metric) -> Float[np.ndarray, "run fold"]:
    every = itertools.product(range(splits.REPEATS), range(splits.FOLDS))
    folds = [runs.align_fold(*group, repeat=repeat, fold=fold) for repeat, fold in every]
    return np.array([[metric(p.truth, p.probabilities) for p in fold] for fold in folds]).T


def has_folds(run: Run) -> bool:
    """Tell whether a run answered in every repetition of the folds, as one cheap enough does."""
    return {f"repeat-{repeat}" for repeat in range(splits.REPEATS)} <= set(run.table.split)


def fold_values(run: Run, notebook: str) -> Iterator[tuple[str, Value]]:
    """Yield the scores of a run over the repeated folds, where it was repeated."""
    if not has_folds(run):
        return
    rows: dict[str, Row] = {}
    for metric in (accuracy, macro_f1):
        scores = fold_scores(run, metric)
        mean = corrected_interval(scores, test_over_train=splits.TEST_OVER_TRAIN)
        rows[f"cv_{metric.name}"] = (mean, *PERCENT)
        rows[f"cv_{metric.name}_sd"] = (100 * float(scores.std(ddof=1)), "points", 1)
    yield from table(rows, n=_images(run), **provenance([run]), notebook=notebook)


def _images(run: Run) -> int:
    return int(run.table.image.nunique())


def gaps(
    baseline: str, candidate: str, groups: dict[str, list[Run]], *, notebook: str = COMPARISON
) -> Iterator[tuple[str, Value]]:
    """Yield the gap of two recipes on the same images, with its interval and its test.

    Args:
        baseline: Recipe that the other is compared with.
        candidate: The other; a positive gap is in its favour.
        groups: Runs of both, by recipe.
        notebook: Chapter that shows it.
    """
    key = f"gap.{candidate}.{baseline}"
    a, b = groups[baseline], groups[candidate]
    parts = runs.align(*a, *b)
    answered = [OutOfFold(r.name, (r,), part) for r, part in zip(a + b, parts, strict=True)]
    yield from compared(key, answered[: len(a)], answered[len(a) :], notebook)
    yield from fold_gap(key, a[0], b[0], notebook)


def repeated_gap(baseline: Run, candidate: Run) -> Interval | None:
    """Return the gap of accuracy over repeated folds, where both runs have them."""
    if not has_folds(baseline) or not has_folds(candidate):
        return None
    differences = fold_gaps(baseline, candidate, accuracy)
    return corrected_interval(differences, test_over_train=splits.TEST_OVER_TRAIN)


def fold_gap(key: str, baseline: Run, candidate: Run, notebook: str) -> Iterator[tuple[str, Value]]:
    """Yield the gap of two runs fold by fold, where both were repeated over all folds.

    Args:
        key: Prefix of the entries.
        baseline: Run that the other is compared with.
        candidate: The other.
        notebook: Chapter that shows it.
    """
    interval = repeated_gap(baseline, candidate)
    if interval is None:
        return
    differences = fold_gaps(baseline, candidate, accuracy)
    p_value = corrected_p_value(differences, test_over_train=splits.TEST_OVER_TRAIN)
    more = provenance([baseline, candidate]) | {"notebook": notebook}
    yield from table({f"{key}.cv_accuracy": (interval, *PERCENT)}, n=_images(baseline), **more)
    yield from table({f"{key}.cv_p": (p_value, *P_VALUE)}, **more)


def _calibration(group: list[Run], notebook: str) -> Iterator[tuple[str, Value]]:
    """Yield the calibration of a recipe: its error in one run, its direction over all of them.

    The error cannot be negative and is large by chance alone, so that it comes with what honest
    probabilities would show; the direction is a plain mean, which every seed makes sharper.

    Args:
        group: Runs of the recipe, by seed.
        notebook: Chapter that shows them.
    """
    parts = align(*group)
    truth, first = parts[0].truth, parts[0].probabilities
    more = {"n": len(truth), "notebook": notebook}
    observed = calibration.expected_calibration_error(truth, first)
    one_run = {
        "calibration_error_one_run": (observed, *PERCENT),
        "calibration_error_if_honest": (calibration.calibrated_error(first), *PERCENT),
    }
    yield from table(one_run, **provenance(group[:1]), **more)
    excess = recipe_score(truth, [part.probabilities for part in parts], calibration.overconfidence)
    yield from table({"overconfidence": (excess, *PERCENT)}, **provenance(group), **more)
