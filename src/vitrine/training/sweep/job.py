"""Run one job of a sweep (a recipe, a seed, perhaps a fold), once, in a new process.

A job runs in a process of its own, so that TensorFlow and PyTorch never meet and memory comes back;
that process ends with the worker, or once no sweep waits for its job any more.
It holds a lock on its run meanwhile: a job that was given to a second worker, because the first
one fell silent without dying, waits and then finds it finished.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from vitrine.data import archive, splits
from vitrine.training import children, recipes, runs, session
from vitrine.training.recipes import Recipe
from vitrine.training.runs import start
from vitrine.training.runs.folder import lock
from vitrine.training.runs.folds import place

__all__ = ["Job", "Outcome", "SweepError", "grid", "in_new_process", "perform"]

POLL = 1.0
"""Seconds between two looks at whether a sweep still waits for a running job."""
RETRIES = 2
"""Times that a job is tried again where its error may pass; dead workers count apart, up to Dask's
``distributed.scheduler.allowed-failures``."""
PASSING = (RuntimeError, OSError, MemoryError)
"""Errors that may pass by themselves: of memory, of a device, of a disk."""
LASTING = (archive.ArchiveError, FileNotFoundError, PermissionError)
"""Those of them that do not."""
FOLDS = tuple((repeat, fold) for repeat in range(splits.REPEATS) for fold in range(splits.FOLDS))


class SweepError(RuntimeError):
    """A grid that cannot be made, or of which jobs failed."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a sweep, as a worker receives it.

    Attributes:
        recipe: Name of the recipe, followed by ``=`` and the weights to start from, if others.
        seed: Seed of the run.
        fold: Repetition and fold to test on; ``None`` for the published split.
        profile: ``published`` or ``smoke``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads to compute with on a CPU.
        retrain: Whether to make a published run again, under ``build/retrain``.
        root: Folder of the project, wherever its worker was started; empty for the worker's own.
    """

    recipe: str
    seed: int
    fold: tuple[int, int] | None = None
    profile: str = "published"
    device: str = "auto"
    threads: int = 1
    retrain: bool = False
    root: str = ""

    @property
    def place(self) -> str:
        """Folder of its runs, from that of the runs of its profile; empty without a fold."""
        return place(*self.fold) if self.fold else ""

    @property
    def name(self) -> str:
        """What it is called: the name of its run, after its fold where it has one."""
        return f"{self.place}/{self.recipe}/seed-{self.seed}".removeprefix("/")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job.

    Attributes:
        name: Its name.
        made: Whether it was made now; if not, it was finished before.
        error: Why it could not be made, empty where it was.
    """

    name: str
    made: bool = False
    error: str = ""


def grid(
    names: Iterable[str],
    seeds: Sequence[int],
    folds: Sequence[tuple[int, int]] | None = None,
    **common: Any,
) -> list[Job]:
    """Return the jobs of a grid, the folds of a recipe side by side.

    Args:
        names: Names of recipes for the photos.
        seeds: Seeds of the runs.
        folds: Repetitions and folds; without, the published split.
        common: What the jobs share, as ``Job`` takes it.

    Raises:
        SweepError: If a recipe is no recipe for the photos, or if a fold does not exist.
    """
    if strange := [fold for fold in folds or () if fold not in FOLDS]:
        raise SweepError(
            f"expected repetitions below {splits.REPEATS} and folds below {splits.FOLDS}, found "
            f"{'.'.join(map(str, strange[0]))}; correct --folds"
        )
    for name in (names := list(names)):
        if _started(recipes.find(name.partition("=")[0]), name).trainer == "pretrain":
            raise SweepError(
                f"expected recipes for the photos, found {name}; start it with `vitrine pretrain`"
            )
    return list(_jobs(names, seeds, folds or (None,), common))


def _started(recipe: Recipe, asked: str) -> Recipe:
    """Return a recipe that starts from the weights that a name such as ``recipe=FILE`` tells."""
    _, told, weights = asked.partition("=")
    if told and not weights:
        raise SweepError(f"expected RECIPE or RECIPE=WEIGHTS, found {asked}; name the weights")
    return start.started(recipe, weights) if told else recipe


def _jobs(names: list[str], seeds: Sequence[int], folds: Sequence, common: dict) -> Iterator[Job]:
    for name in names:
        for seed in seeds:
            for fold in folds:
                yield Job(recipe=name, seed=seed, fold=fold, **common)


def in_new_process(job: Job) -> Outcome:
    """Make a job in a new process, which ends with this one, and tell what became of it.

    An error that may pass, of memory, of a device or of a disk, or a process that died, is tried
    ``RETRIES`` times again. Any other is told at once.

    Raises:
        SweepError: If the sweep was interrupted; the process is ended.
    """
    for _ in range(1 + RETRIES):
        done = _attempt(job)
        if done.returncode == 0:
            return Outcome(**json.loads(done.stdout.splitlines()[-1]))
    said = done.stderr.strip().splitlines() or [f"its process ended with code {done.returncode}"]
    return Outcome(name=job.name, error=said[-1])


def _attempt(job: Job) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps(asdict(job))]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    asked = {"VITRINE_ROOT": job.root} if job.root else {}
    process = subprocess.Popen(command, **pipes, text=True, process_group=0, env=os.environ | asked)
    # The job ends where this pipe does, and ``communicate`` would close it at once.
    process.stdin, held = None, cast(IO[str], process.stdin)
    with process, closing(held):
        while True:
            with suppress(subprocess.TimeoutExpired):
                said, errors = process.communicate(timeout=POLL)
                return subprocess.CompletedProcess(command, process.returncode, said, errors)
            if _abandoned():
                raise SweepError("interrupted: no sweep waits for this job any more")


def _abandoned() -> bool:
    """Tell whether the Dask worker of this thread, if any, has been told to forget its job."""
    from dask.distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # a job that no sweep asked for
        return False
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == "cancelled"


def perform(job: Job, here: session.Session) -> Outcome:
    """Make the run of a job here, unless it is finished; go on from its last epoch if it was begun.

    Args:
        job: What to make.
        here: The data and the runs of its profile.
    """
    recipe = _started(here.recipe(job.recipe.partition("=")[0]), job.recipe)
    base = here.base / job.place
    name = f"{recipe.name}/seed-{job.seed}"
    with lock(base / name):
        if name in runs.names(base):
            runs.load(name, base).require_made_by(recipe)
            return Outcome(name=job.name)
        split = None if job.fold is None else here.folds().fold(*job.fold)
        here.fit(
            recipe, seed=job.seed, split=split, base=base, device=job.device, threads=job.threads,
            resume=True,
        )  # fmt: skip
    return Outcome(name=job.name, made=True)


def _main(text: str) -> None:
    children.end_with_parent()
    fields = json.loads(text)
    job = Job(**fields | {"fold": tuple(fields["fold"]) if fields["fold"] else None})
    try:
        here = session.begin(job.profile)
        outcome = perform(job, here.again() if job.retrain else here)
    except Exception as error:
        said = re.sub(r"^(run|recipe) \S+: ", "", str(error) or type(error).__name__)
        if isinstance(error, PASSING) and not isinstance(error, LASTING):
            sys.exit(said)
        outcome = Outcome(name=job.name, error=said)
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    _main(sys.argv[1])
