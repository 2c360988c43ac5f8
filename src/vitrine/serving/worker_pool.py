"""A pool of threads with a bounded queue: what does not fit is refused at once.

A queue without a bound answers everyone too late. Here a request takes a place or is told to come
back, and its place is free again when its work has really ended, not when its client lost patience:
threads cannot be stopped, so a place given back early would be a place too many. Work that is made
of stages asks between them whether it is still waited for.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from vitrine.serving.problems import ProblemError

__all__ = ["Done", "GivenUpError", "WorkerPool", "stop_if_given_up"]

Result = TypeVar("Result")
_WORK = threading.local()


class GivenUpError(Exception):
    """Nobody waits any more for what a worker computes."""


def stop_if_given_up() -> None:
    """Stop the work of this thread if nobody waits for it; outside a worker, do nothing.

    Raises:
        GivenUpError: If its time is over.
    """
    given_up = getattr(_WORK, "given_up", None)
    if given_up and given_up.is_set():
        raise GivenUpError


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A piece of work that has ended.

    Attributes:
        result: What it returned.
        queued: Seconds that it waited for a worker.
    """

    result: Result
    queued: float


class WorkerPool:
    """A pool of threads with a bounded queue in front of it.

    Args:
        workers: Threads.
        places: What may be computed or wait at once, in units of ``cost``.
        timeout: Seconds after which a piece of work is given up.
        on_change: Told how many places are taken, at each change.
    """

    def __init__(
        self,
        workers: int,
        places: int,
        timeout: float,
        on_change: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.places, self.timeout = places, timeout
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._taken = 0
        self._on_change = on_change

    async def run(
        self,
        work: Callable[[], Result],
        *,
        cost: int = 1,
        within: float | None = None,
        admitted: bool = False,
    ) -> Done[Result]:
        """Compute in a thread.

        Args:
            work: What to compute.
            cost: Places that it takes; it is admitted where one of them at least is free.
            within: Seconds after which it is given up, by default ``timeout``.
            admitted: Whether it is part of what holds a place already: it is never refused.

        Raises:
            ProblemError: ``surcharge`` where every place is taken, ``prediction_trop_longue`` where
                the answer does not come in time.
        """
        if not admitted:
            self._refuse_if_full()
        loop, asked, given_up = asyncio.get_running_loop(), time.perf_counter(), threading.Event()

        def timed() -> Done[Result]:
            queued = time.perf_counter() - asked
            _WORK.given_up = given_up
            return Done(work(), queued)

        future = self._threads.submit(contextvars.copy_context().run, timed)
        self._move(cost)
        future.add_done_callback(lambda _: _tell(loop, self._move, -cost))
        try:
            async with asyncio.timeout(self.timeout if within is None else within):
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError as error:
            raise ProblemError("prediction_trop_longue") from error
        finally:  # a client that is gone has given up too
            given_up.set()
            future.cancel()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place for work that comes in several pieces, each run as ``admitted``.

        Raises:
            ProblemError: ``surcharge`` where every place is taken.
        """
        self._refuse_if_full()
        self._move(1)
        try:
            yield
        finally:
            self._move(-1)

    def _refuse_if_full(self) -> None:
        if self._taken >= self.places:
            raise ProblemError("surcharge")

    def _move(self, step: int) -> None:
        self._taken += step
        self._on_change(self._taken)

    def close(self) -> None:
        """Wait for what is being computed, and stop."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def _tell(loop: asyncio.AbstractEventLoop, move: Callable[[int], None], step: int) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(move, step)
