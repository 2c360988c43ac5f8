"""Run a grid of trainings, recipes x seeds x folds, on the workers of a Dask cluster.

::

    grid -> jobs -Dask-> workers -each job in a new process-> runs/, each run once

A worker that dies gives its jobs back, and another takes them up from their last epoch. A finished
run is never made again: the same command may be typed twice, or while another one works.
"""

from vitrine.training.sweep.cluster import sweep
from vitrine.training.sweep.job import Job, Outcome, SweepError, grid

__all__ = ["Job", "Outcome", "SweepError", "grid", "sweep"]
