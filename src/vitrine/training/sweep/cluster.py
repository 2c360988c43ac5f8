"""Share the jobs of a sweep out to the workers of a Dask cluster, local by default.

Source: Rocklin, "Dask: Parallel Computation with Blocked Algorithms and Task Scheduling", SciPy
2015. A worker that dies loses nothing but its present epoch: the scheduler gives its job to
another, and its nanny starts a new one in its place.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, cast

import psutil

from vitrine import paths
from vitrine.training import children
from vitrine.training.sweep.job import Job, Outcome, in_new_process

__all__ = ["sweep"]

ANY_PORT = "127.0.0.1:0"
"""Where the scheduler tells how it is: its usual port may be another program's."""
SELDOM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}
"""How seldom Dask watches itself: a worker that waits for its job takes a fifth of the processor
that it did (0.1 % of a core against 0.6 %, on an idle machine)."""
PATIENCE = 30
"""Seconds to wait for a scheduler that does not answer, or that has no worker."""
HELP = (
    "start one with `dask scheduler` and workers with `dask worker ADDRESS --nthreads 1`, or leave "
    "--scheduler out to use this machine"
)


def sweep(
    jobs: Sequence[Job],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    perform: Callable[[Job], Outcome] = in_new_process,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Make every job that is not finished, and return what became of each, in order.

    A job that fails for good is told and does not stop the others. An interruption ends those that
    run, wherever their workers are.

    Args:
        jobs: What to make.
        scheduler: Address of a Dask scheduler; by default, a cluster of this machine is made.
        workers: Workers of that cluster, each of which makes one job at a time; by default one a
            core, or one alone where there are GPUs, all of which its job takes.
        perform: What a worker does with a job; workers have to be able to import it.
        tell: Told each outcome as it comes.

    Raises:
        OSError: If no scheduler answers at that address, or if it has no worker for ``PATIENCE``
            seconds.
    """
    from dask.distributed import Client

    logging.getLogger("distributed").setLevel(logging.WARNING)  # each greeting would be a line
    found: dict[str, Outcome] = {}
    with ExitStack() as stack:
        stack.enter_context(children.interruptible())
        elsewhere = scheduler is not None  # here, a nanny starts each worker again
        address = scheduler or stack.enter_context(
            _local(min(workers or _workers(jobs), len(jobs) or 1))
        )
        client = stack.enter_context(_client(Client, address))
        here = str(paths.root())  # a worker may have been started in another project, or in none
        futures = {
            client.submit(perform, replace(job, root=here), key=job.name, pure=False): job.name
            for job in jobs
        }
        for future in _finished(client, futures, elsewhere):
            name = futures[future]
            error = future.exception()
            found[name] = Outcome(name=name, error=_said(error)) if error else future.result()
            tell(found[name])
    return [found[job.name] for job in jobs]


@contextmanager
def _local(workers: int) -> Iterator[object]:
    """Make a cluster of this machine, whose workers are killed where the sweep is interrupted."""
    import dask
    from dask.distributed import LocalCluster

    with children.deaf(), dask.config.set(SELDOM):
        made = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=None,  # jobs are processes of their own
            silence_logs=logging.ERROR,  # of a job cancelled by Ctrl-C, a worker would warn
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": ANY_PORT},
        )
    with made:
        try:
            yield made
        except KeyboardInterrupt:  # asked to end, they would wait for their jobs, and say so
            logging.getLogger("distributed").setLevel(logging.CRITICAL)
            for pid in filter(None, [nanny.pid for nanny in made.workers.values()]):
                with suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).kill()
            raise


def _workers(jobs: Sequence[Job]) -> int:
    import torch

    if torch.cuda.is_available() and any(job.device != "cpu" for job in jobs):
        return 1
    return os.cpu_count() or 1


def _client(client: type, scheduler: object) -> Any:
    try:
        return client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:  # the second: it is no address
        raise ConnectionError(
            f"expected a Dask scheduler at {scheduler}, none answered; {HELP}"
        ) from error


def _finished(client: Any, futures: Iterable[Any], elsewhere: bool) -> Iterator[Any]:
    """Yield futures as they end; give up where no worker is left to make them."""
    from dask.distributed import wait

    waiting = set(futures)
    while waiting:
        try:
            ended = cast(Any, wait(waiting, timeout=PATIENCE, return_when="FIRST_COMPLETED"))
        except TimeoutError:
            if elsewhere:
                _require_a_worker(client)
            continue
        waiting -= ended.done
        yield from ended.done


def _require_a_worker(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise ConnectionError(
            f"expected a worker of the Dask scheduler at {client.scheduler.address}, found none in "
            f"{PATIENCE} seconds; {HELP}"
        ) from error


def _said(error: BaseException) -> str:
    """Return the sentence of an error; Dask's own on dead workers is a paragraph."""
    if type(error).__name__ == "KilledWorker":
        return (
            "expected a worker to live through it, found each of them dead; look for memory, or "
            "give fewer --workers"
        )
    return str(error)
