"""Values of the chapter where both architectures are pretrained on the same images."""

from collections.abc import Iterator, Sequence

from vitrine import paths
from vitrine.metrics import Interval
from vitrine.metrics.classes import top
from vitrine.metrics.intervals import wilson
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.report.ledger import measures
from vitrine.report.ledger.measures import corrected
from vitrine.report.ledger.pairs import PAIRS
from vitrine.report.ledger.values import COUNT, MINUTES, PERCENT, Row, Value, provenance, table
from vitrine.training import runs
from vitrine.training.recipes import CONTROLS
from vitrine.training.runs import Run, meter

__all__ = [
    "COMPARISONS", "PRETRAINED", "PROBES", "SAME_NORM", "TAUGHT", "controls", "first_guesses",
    "pretrained", "values",
]  # fmt: skip

NOTEBOOK = "07_a_armes_egales"
PRETRAINED = (
    "efficientnet-b0-pretrain",
    "mambavision-micro-pretrain",
    "mambavision-micro-pretrain-clock",
)
"""The pretrainings, in the order of the chapter."""
TAUGHT = ("mambavision-micro-distilled", "efficientnet-b0-distilled")
"""Those that learn from a teacher's answers."""
COMPARISONS = PAIRS["equal-start"]
"""Baseline and candidate of each gap that the chapter announces."""
PROBES = PAIRS["probes"]
"""The same for frozen features, compared fold by fold."""
SAME_NORM = PAIRS["same-norm"]
"""The same once batch normalisation forgets as fast in both networks: MambaVision's way, then
EfficientNet-B0's. Not announced, and in no table of tests."""


def pretrained(among: Sequence[str] = PRETRAINED) -> dict[str, Run]:
    """Return the published pretrainings, by recipe.

    Args:
        among: Recipes to look for.
    """
    base = paths.runs() / "pretrain"
    made = set(runs.names(base))
    return {name: runs.load(name, base) for name in among if f"{name}/seed-0" in made}


def controls() -> dict[str, tuple[Run, Run]]:
    """Return, by control, the run whose setting it changes, and the control, of the same seed."""
    made = set(runs.names())
    own = [name for name in CONTROLS if name.endswith("-short-norm")]
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
    for recipe, run in pretrained(PRETRAINED + TAUGHT).items():
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
        row = {f"{control}.changed": ((before != after).sum(), *COUNT)}
        more = {"n": len(after), "notebook": NOTEBOOK}
        yield from table(row, **provenance([usual, changed]), **more)
    yield from _gaps(SAME_NORM, groups).items()


def _gaps(pairs: Sequence[tuple[str, str]], groups: dict[str, list[Run]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for baseline, candidate in pairs:
        if baseline in groups and candidate in groups:
            found.update(measures.gaps(baseline, candidate, groups, notebook=NOTEBOOK))
    return found


def _pretraining(run: Run) -> Iterator[tuple[str, Value]]:
    timing, spent = run.meta["timing"], meter.watt_hours(run.meta)
    more = provenance([run]) | {"notebook": NOTEBOOK}
    guesses = {f"top{count}": (first_guesses(run, count), *PERCENT) for count in (1, 5)}
    if teacher := run.meta.get("teacher"):
        right = round(teacher["top_1"] * len(run.table))
        guesses["teacher_top1"] = (wilson(right, len(run.table)), *PERCENT)
    halfway = run.history.val_accuracy.iloc[len(run.history) // 2 - 1]
    guesses["top1_halfway"] = (wilson(round(halfway * len(run.table)), len(run.table)), *PERCENT)
    yield from table(guesses, n=len(run.table), **more)
    rows: dict[str, Row] = {
        "epochs": (len(run.history), *COUNT),
        "images_seen": (run.history.images.iloc[-1], *COUNT),
        "minutes": (timing["training_seconds"] / 60, *MINUTES),
        "processor_minutes": (timing["cpu_seconds"] / 60, *MINUTES),
        "speed": (timing["images_per_second"], "images/s", 1),
        "waited": (timing["waited_share"], "%", 2),
    }
    yield from table(rows | ({} if spent is None else {"watt_hours": (spent, "Wh", 0)}), **more)


def _on_photos(group: list[Run]) -> Iterator[tuple[str, Value]]:
    yield from measures.scores(group, (accuracy, macro_f1), NOTEBOOK)
    rows: dict[str, Row] = {"seeds": (len(group), *COUNT)}
    if group[0].history.empty:
        yield from measures.fold_values(group[0], NOTEBOOK)
    else:
        seconds = sum(run.meta["timing"]["training_seconds"] for run in group) / len(group)
        rows["training_minutes"] = (seconds / 60, "min", 0)
        rows["epochs"] = (len(group[0].history), *COUNT)
    yield from table(rows, notebook=NOTEBOOK, **provenance(group))
