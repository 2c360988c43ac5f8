"""Numbers of the chapter where both architectures learn the same images before the photos."""

from collections.abc import Iterator, Sequence

from vitrine import paths
from vitrine.metrics import Interval
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.ranking import top
from vitrine.metrics.table import recipe_score
from vitrine.report.ledger import measures
from vitrine.report.ledger.gaps import corrected
from vitrine.report.ledger.values import Value, from_runs
from vitrine.training import runs
from vitrine.training.recipes import CONTROLS
from vitrine.training.runs import Run, energy

__all__ = [
    "COMPARISONS", "PRETRAINED", "PROBES", "SAME_NORM", "controls", "first_guesses", "pretrained",
    "values",
]  # fmt: skip

NOTEBOOK = "07_a_armes_egales"
PRETRAINED = (
    "efficientnet-b0-pretrain",
    "mambavision-micro-pretrain",
    "mambavision-micro-pretrain-clock",
)
"""The pretrainings, in the order of the chapter."""
COMPARISONS = (
    ("efficientnet-b0-short", "mambavision-micro-short"),
    ("efficientnet-b0-short", "efficientnet-b0-transfer"),
    ("mambavision-micro-short", "mambavision-micro-transfer"),
    ("efficientnet-b0-transfer", "mambavision-micro-transfer"),
    ("efficientnet-b0-transfer", "mambavision-micro-transfer-clock"),
    ("efficientnet-b0-transfer", "efficientnet-b0-keras-transfer"),
)
"""Baseline and candidate of each gap that the chapter announces."""
PROBES = (
    ("efficientnet-b0-transfer-probe", "mambavision-micro-transfer-probe"),
    ("efficientnet-b0-transfer-probe", "mambavision-micro-transfer-clock-probe"),
)
"""The same for frozen features, compared fold by fold."""
SAME_NORM = (
    ("efficientnet-b0-short-norm", "mambavision-micro-short"),
    ("efficientnet-b0-short", "mambavision-micro-short-norm"),
)
"""The same once batch normalisation forgets as fast in both networks: MambaVision's way, then
EfficientNet-B0's. Not announced, and in no table of tests."""


def pretrained() -> dict[str, Run]:
    """Return the published pretrainings, by recipe."""
    base = paths.runs() / "pretrain"
    made = set(runs.names(base))
    return {name: runs.load(name, base) for name in PRETRAINED if f"{name}/seed-0" in made}


def controls() -> dict[str, tuple[Run, Run]]:
    """Return, by control, the run whose setting it changes, and the control, of the same seed."""
    made = set(runs.names())
    own = [name for name in CONTROLS if name.endswith("-norm")]
    names = {name: (f"{name.removesuffix('-norm')}/seed-0", f"{name}/seed-0") for name in own}
    return {
        name: (runs.load(usual), runs.load(changed))
        for name, (usual, changed) in names.items()
        if made >= {usual, changed}
    }


def first_guesses(run: Run, count: int) -> Interval:
    """Return the share of validation images whose class is among the first guesses of a run.

    Args:
        run: A pretraining.
        count: How many guesses count.
    """
    labels, guesses = run.table.label.to_numpy(), run.table.filter(like="top_").to_numpy()
    return wilson(round(top(labels, guesses, count) * len(labels)), len(labels))


def values() -> Iterator[tuple[str, Value]]:
    """Yield what each pretraining cost and learned, then what became of it on the photos."""
    for recipe, run in pretrained().items():
        yield from ((f"{recipe}.{key}", value) for key, value in _pretraining(run))
    groups = measures.published(equal_start=True)
    for recipe, group in groups.items():
        yield from ((f"{recipe}.{key}", value) for key, value in _on_photos(group))
    announced = _gaps(COMPARISONS, groups)
    yield from (announced | dict(corrected(announced))).items()
    yield from _gaps(PROBES, groups).items()
    for control, (usual, changed) in controls().items():
        groups[control] = [changed]
        before, after = (run.part("test").predicted for run in (usual, changed))
        more = {"unit": "count", "decimals": 0, "n": len(after), "notebook": NOTEBOOK}
        yield f"{control}.changed", from_runs((before != after).sum(), [usual, changed], **more)
    yield from _gaps(SAME_NORM, groups).items()


def _gaps(pairs: Sequence[tuple[str, str]], groups: dict[str, list[Run]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for baseline, candidate in pairs:
        if baseline in groups and candidate in groups:
            found.update(measures.gaps(baseline, candidate, groups, notebook=NOTEBOOK))
    return found


def _pretraining(run: Run) -> Iterator[tuple[str, Value]]:
    timing, history = run.meta["timing"], run.history
    more = {"notebook": NOTEBOOK, "decimals": 1}
    for count in (1, 5):
        score = first_guesses(run, count)
        yield f"top{count}", from_runs(score, [run], unit="%", n=len(run.table), **more)
    yield (
        "images_seen",
        from_runs(history.images.iloc[-1], [run], unit="count", notebook=NOTEBOOK, decimals=0),
    )
    yield "minutes", from_runs(timing["training_seconds"] / 60, [run], unit="min", **more)
    yield (
        "processor_minutes",
        from_runs(timing["cpu_seconds"] / 60, [run], unit="min", **more),
    )
    yield "speed", from_runs(timing["images_per_second"], [run], unit="images/s", **more)
    yield (
        "waited",
        from_runs(timing["waited_share"], [run], unit="%", notebook=NOTEBOOK, decimals=2),
    )
    spent = energy.watt_hours(run.meta)
    if spent is not None:
        yield "watt_hours", from_runs(spent, [run], unit="Wh", notebook=NOTEBOOK, decimals=0)


def _on_photos(group: list[Run]) -> Iterator[tuple[str, Value]]:
    parts = runs.align(*group)
    truth, answers = parts[0].truth, [part.probabilities for part in parts]
    more = {"unit": "%", "decimals": 1, "notebook": NOTEBOOK}
    yield "seeds", from_runs(len(group), group, unit="count", decimals=0, notebook=NOTEBOOK)
    for metric in (accuracy, macro_f1):
        score = recipe_score(truth, answers, metric)
        yield metric.name, from_runs(score, group, n=len(truth), **more)
    if group[0].history.empty:
        yield from measures.fold_values(group[0], NOTEBOOK)
    else:
        minutes = sum(run.meta["timing"]["training_seconds"] for run in group) / len(group) / 60
        yield (
            "training_minutes",
            from_runs(minutes, group, unit="min", decimals=0, notebook=NOTEBOOK),
        )
        yield (
            "epochs",
            from_runs(len(group[0].history), group, unit="count", decimals=0, notebook=NOTEBOOK),
        )
