"""What the published runs scored and cost, and the gaps that the protocol announces."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from vitrine.data import splits
from vitrine.metrics import Interval
from vitrine.metrics.decision import selective_curve
from vitrine.metrics.folds import corrected_interval, corrected_p_value
from vitrine.metrics.metrics import Metric, accuracy, macro_f1
from vitrine.metrics.panel import METRICS, panel
from vitrine.metrics.seeds import over_seeds
from vitrine.metrics.table import recipe_score
from vitrine.report.ledger import calibration
from vitrine.report.ledger.context import ANSWERED, clean
from vitrine.report.ledger.gaps import compared, corrected
from vitrine.report.ledger.pairs import COMPARISONS, on_split
from vitrine.report.ledger.values import Value, from_runs
from vitrine.training import runs
from vitrine.training.recipes import BESIDE, CONTROLS, EQUAL_START, RECIPES
from vitrine.training.runs import OutOfFold, Run

__all__ = [
    "COMPARISONS", "compute", "fold_gap", "fold_gaps", "fold_scores", "fold_values", "gaps",
    "has_folds", "published", "repeated_gap",
]  # fmt: skip

COMPARISON = "05_comparaison"
TRAINING = {"keras": "03_baseline_tensorflow", "torch": "04_sota_pytorch"}


def published(*, equal_start: bool = False) -> dict[str, list[Run]]:
    """Return the finished runs of each known recipe, by seed.

    Args:
        equal_start: Whether to return those of the chapter where every network starts from the
            same images, or those of the comparison that the protocol announces.
    """
    found = defaultdict(list)
    for name in runs.names():
        recipe = name.split("/")[0]
        told = recipe in RECIPES and recipe not in (*BESIDE, *CONTROLS)
        if told and (recipe in EQUAL_START) == equal_start:
            found[recipe].append(runs.load(name))
    return {recipe: sorted(group, key=lambda r: r.meta["seed"]) for recipe, group in found.items()}


def compute() -> dict[str, Value]:
    """Compute the values of the published runs and of the announced comparisons, by key."""
    values: dict[str, Value] = {}
    groups = published()
    for recipe, group in groups.items():
        values.update((f"{recipe}.{key}", value) for key, value in _recipe(recipe, group))
    for family in on_split(list(groups)):
        found = dict(gap for pair in family for gap in gaps(*pair, groups))
        values.update(found | dict(corrected(found)))
    return dict(sorted(values.items()))


def _recipe(recipe: str, group: list[Run]) -> Iterator[tuple[str, Value]]:
    notebook = TRAINING.get(RECIPES[recipe].trainer, COMPARISON)
    parts = runs.align(*group)
    truth = parts[0].truth
    yield "seeds", from_runs(len(group), group, unit="count", decimals=0, notebook=notebook)
    first = panel(truth, parts[0].probabilities)
    for name, metric in METRICS.items():
        more = {"unit": "%" if metric.is_share else "", "decimals": metric.decimals}
        more |= {"n": len(truth), "notebook": notebook}
        if len(group) == 1:
            yield name, from_runs(first[name], group, **more)
            continue
        summary = over_seeds(truth, [p.probabilities for p in parts], metric)
        yield name, from_runs(summary.mean, group, **more)
        yield f"{name}_between_seeds", from_runs(summary.between_seeds, group, **more)
    kept = clean(parts[0].image)
    cleaned = [part.probabilities[kept] for part in parts]
    more = {"unit": "%", "decimals": 1, "n": int(kept.sum()), "notebook": notebook}
    for metric in (accuracy, macro_f1):
        score = recipe_score(truth[kept], cleaned, metric)
        yield f"{metric.name}_clean", from_runs(score, group, **more)
    more |= {"n": len(truth)}
    yield "accuracy_one_run", from_runs(first["accuracy"], group[:1], **more)
    curve = selective_curve(truth, parts[0].probabilities)
    place = curve.point(ANSWERED)
    surest = Interval(*(float(end[place]) for end in (curve.accuracy, curve.low, curve.high)))
    more |= {"n": round(curve.coverage[place] * len(truth))}  # images are whole, and ties stay
    yield "accuracy_answered", from_runs(surest, group[:1], **more)
    yield (
        "parameters",
        from_runs(
            group[0].meta["parameters"] / 1e6, group[:1], unit="M", decimals=2, notebook=notebook
        ),
    )
    if group[0].history.empty:
        yield from fold_values(group[0], notebook)
    else:
        yield from calibration.values(group, notebook)
        yield from _cost(group, notebook)


def _cost(group: list[Run], notebook: str) -> Iterator[tuple[str, Value]]:
    seconds = np.concatenate([run.history.seconds.to_numpy() for run in group])
    minutes = np.mean([run.meta["timing"]["training_seconds"] / 60 for run in group])
    epochs = [len(run.history) for run in group]
    yield "epochs", from_runs(np.mean(epochs), group, unit="count", decimals=0, notebook=notebook)
    yield (
        "epoch_seconds",
        from_runs(np.median(seconds), group, unit="s", decimals=0, notebook=notebook),
    )
    yield "training_minutes", from_runs(minutes, group, unit="min", decimals=0, notebook=notebook)


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
    for metric in (accuracy, macro_f1):
        scores = fold_scores(run, metric)
        interval = corrected_interval(scores, test_over_train=splits.TEST_OVER_TRAIN)
        more = {"unit": "%", "decimals": 1, "notebook": notebook}
        n = int(run.table.image.nunique())
        yield f"cv_{metric.name}", from_runs(interval, [run], n=n, **more)
        spread = 100 * float(scores.std(ddof=1))
        yield f"cv_{metric.name}_sd", from_runs(spread, [run], n=n, **more | {"unit": "points"})


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
    sources, n = [baseline, candidate], int(baseline.table.image.nunique())
    more = {"n": n, "notebook": notebook}
    yield f"{key}.cv_accuracy", from_runs(interval, sources, unit="%", decimals=1, **more)
    yield f"{key}.cv_p", from_runs(p_value, sources, unit="", decimals=3, notebook=notebook)
