"""A sweep whose trainings are staged: quick, told in a log, and deadly where asked."""

import os
import signal
import time

import dask
import numpy as np
import pandas as pd

from vitrine.data.splits import Split
from vitrine.training import session
from vitrine.training.runs import RunFolder, prediction_rows
from vitrine.training.sweep import job as jobs

IMAGES = pd.DataFrame({"image": [f"{i}.jpg" for i in range(7)], "label": range(7)})
DEADLY, LOG = "deadly.txt", "log.txt"


class Here(session.Session):
    """A session without photos."""

    def catalog(self):
        """Return what no staged training looks at."""

    def folds(self):
        """Return folds of which each is the same split."""
        return self

    def fold(self, *_):
        """Return the split."""
        return self.split


def begin(base, deadly=()):
    """Prepare a folder of runs, and name the jobs that kill their worker the first time."""
    (base / DEADLY).write_text("\n".join(deadly))


def told(base, event):
    """Return the names of the jobs of which the log tells an event, in order."""
    path = base / LOG
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[1] for line in lines if line.startswith(event)]


def fit(recipe, split, catalog, *, seed, base, **_):
    """Make a run without training; die half-way, the first time, where that is asked."""
    root = next(folder for folder in (base, *base.parents) if (folder / DEADLY).exists())
    name = (base / recipe.name / f"seed-{seed}").relative_to(root).as_posix()
    _tell(root, "begun", name)
    time.sleep(0.2)
    if name in (root / DEADLY).read_text().split() and told(root, "begun").count(name) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    _tell(root, "made", name)
    rows = prediction_rows(IMAGES, np.full((len(IMAGES), 7), 1 / 7), "test")
    return RunFolder(recipe, seed, base).finish([rows], {})


def watched(job):
    """Tell whether the worker keeps a profile of itself."""
    return jobs.Outcome(name=job.name, made=dask.config.get("distributed.worker.profile.enabled"))


def _tell(root, event, name):
    with (root / LOG).open("a") as log:
        log.write(f"{event} {name}\n")


def trainer_of(recipe):
    """Return the staged training, whatever the recipe."""
    return fit


def perform(base, job):
    """Make a job as a worker does, but for the training."""
    session.trainer_of = trainer_of
    split = Split("staged", IMAGES, "0")
    return jobs.perform(job, Here(profile="published", split=split, base=base, photos=False))
