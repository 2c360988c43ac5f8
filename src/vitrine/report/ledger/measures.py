"""What the published runs scored and cost, and the gaps that the protocol announces."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from vitrine.data import splits
from vitrine.metrics import Interval
from vitrine.metrics.decision import selective_curve
from vitrine.metrics.folds import corrected_interval, corrected_p_value
from vitrine.metrics.metrics import Metric, accuracy, macro_f1
from vitrine.metrics.paired import holm, mcnemar
from vitrine.metrics.panel import METRICS, panel
from vitrine.metrics.seeds import over_seeds
from vitrine.metrics.table import recipe_gap, recipe_score
from vitrine.report.ledger import calibration
from vitrine.report.ledger.context import ANSWERED, clean
from vitrine.report.ledger.values import Value, from_runs
from vitrine.training import runs
from vitrine.training.recipes import BESIDE, CONTROLS, EQUAL_START, RECIPES
from vitrine.training.runs import Run

__all__ = [
    "COMPARISONS", "compute", "corrected", "fold_gaps", "fold_scores", "fold_values", "gaps",
    "has_folds", "published",
]  # fmt: skip

COMPARISONS = (
    ("efficientnet-b0-keras-scratch", "efficientnet-b0-torch-scratch"),
    ("efficientnet-b0-torch-scratch", "mambavision-micro-scratch"),
    ("histogram-hog", "efficientnet-b0-keras-scratch"),
    ("histogram-hog", "mobilenetv2-int8-probe"),
    ("efficientnet-b0-keras-scratch", "mobilenetv2-int8-probe"),
)
"""Baseline and candidate of each gap that the protocol announces."""

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
    for baseline, candidate in COMPARISONS:
        if baseline in groups and candidate in groups:
            values.update(gaps(baseline, candidate, groups))
    values.update(corrected(values))
    return dict(sorted(values.items()))


def _recipe(recipe: str, group: list[Run]) -> Iterator[tuple[str, Value]]:
    notebook = TRAINING.get(RECIPES[recipe].trainer, COMPARISON)
    parts = runs.align(*group)
    truth = parts[0].truth
    unit = {"share": ("%", 1), "nat": ("", 2)}
    yield "seeds", from_runs(len(group), group, unit="count", decimals=0, notebook=notebook)
    first = panel(truth, parts[0].probabilities)
    for name, metric in METRICS.items():
        shown, decimals = unit.get(metric.unit, ("", 2))
        more = {"unit": shown, "decimals": decimals, "n": len(truth), "notebook": notebook}
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
    """Tell whether a run was repeated over folds, as one cheap enough is."""
    return "repeat-0" in set(run.table.split)


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
    first, second = parts[0], parts[len(a)]
    more = {"unit": "%", "decimals": 1, "n": len(first.truth), "notebook": notebook}
    given = [part.probabilities for part in parts]
    answers = given[: len(a)], given[len(a) :]
    for metric in (accuracy, macro_f1):
        gap = recipe_gap(first.truth, *answers, metric)
        yield f"{key}.{metric.name}", from_runs(gap, a + b, **more)
    test = mcnemar(first.truth, first.probabilities, second.probabilities)
    yield f"{key}.discordance", from_runs(test.discordance, [a[0], b[0]], **more | {"decimals": 0})
    yield (
        f"{key}.mcnemar_p",
        from_runs(
            test.p_value, [a[0], b[0]], unit="", decimals=3, n=len(first.truth),
            notebook=notebook,
        ),
    )  # fmt: skip
    if has_folds(a[0]) and has_folds(b[0]):
        differences = fold_gaps(a[0], b[0], accuracy)
        share = splits.TEST_OVER_TRAIN
        interval = corrected_interval(differences, test_over_train=share)
        everyone = more | {"n": int(a[0].table.image.nunique())}
        yield f"{key}.cv_accuracy", from_runs(interval, [a[0], b[0]], **everyone)
        yield (
            f"{key}.cv_p",
            from_runs(
                corrected_p_value(differences, test_over_train=share), [a[0], b[0]], unit="",
                decimals=3, notebook=notebook,
            ),
        )  # fmt: skip


def corrected(values: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the p-values of the announced comparisons, corrected over the table of them."""
    tests = [key for key in values if key.endswith(".mcnemar_p")]
    if tests:
        adjusted = holm(np.array([values[key].value for key in tests]))
        for key, p in zip(tests, adjusted, strict=True):
            yield f"{key.removesuffix('_p')}_holm", replace(values[key], value=float(p))
