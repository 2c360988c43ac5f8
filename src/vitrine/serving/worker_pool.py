"""A pool of threads whose queue admits what will be answered in time, and refuses the rest at once.

A queue without a bound answers everyone too late; one of a few places refuses requests that would
have been answered. Here a request is refused where the work before it, at the pace of the latest
work, would not leave time for it, or where every place is taken. A place is free again when its
work has really ended, not when its client lost patience: threads cannot be stopped, so a place
given back early would be a place too many. Work that is made of stages asks between them whether it
is still waited for.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vitrine.serving.problems import ProblemError

__all__ = ["Done", "GivenUpError", "WorkerPool", "stop_if_given_up"]

Result = TypeVar("Result")
LATEST = 0.1
"""Weight of a piece of work in the pace, a moving average of some twenty pieces."""
_WORK = threading.local()
_HELD: contextvars.ContextVar[tuple["WorkerPool", list[asyncio.Future[Any]]] | None] = (
    contextvars.ContextVar("held", default=None)
)
"""The pool where this task holds a place, and the pieces of its work that were run there."""


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

    Attributes:
        pace: Seconds that a worker lately spent for a place; 0 before any work has ended.
    """

    def __init__(
        self,
        workers: int,
        places: int,
        timeout: float,
        on_change: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.workers, self.places, self.timeout = workers, places, timeout
        self.pace = 0.0
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
            cost: Places that it takes; one of them at least has to be free.
            within: Seconds after which it is given up, by default ``timeout``.
            admitted: Whether it is part of what holds a place already: it is never refused.

        Raises:
            ProblemError: ``surcharge`` where every place is taken or the answer would come too
                late, ``prediction_trop_longue`` where it does not come in time.
        """
        seconds = self.timeout if within is None else within
        if not admitted:
            self._refuse_if_full(seconds)
        asked, given_up = time.perf_counter(), threading.Event()

        def timed() -> Done[Result]:
            begun = time.perf_counter()
            _WORK.given_up = given_up
            try:
                return Done(work(), begun - asked)
            finally:
                self._learn((time.perf_counter() - begun) / cost)

        future = self._threads.submit(contextvars.copy_context().run, timed)
        ended, held = asyncio.wrap_future(future), _HELD.get() if admitted else None
        taken = cost
        if held and held[0] is self:
            taken -= 1  # the place that is held counts already
            held[1].append(ended)
        self._move(taken)
        ended.add_done_callback(lambda _: self._move(-taken))
        ended.add_done_callback(_forgive)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(ended)
        except TimeoutError as error:
            raise ProblemError("prediction_trop_longue") from error
        finally:  # a client that is gone has given up too
            given_up.set()
            future.cancel()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place for work that comes in several pieces, each run as ``admitted``.

        A piece that was given up and goes on keeps the place until it has ended.

        Raises:
            ProblemError: ``surcharge``, as ``run``.
        """
        self._refuse_if_full(self.timeout)
        self._move(1)
        pieces: list[asyncio.Future[Any]] = []
        before = _HELD.set((self, pieces))
        try:
            yield
        finally:
            _HELD.reset(before)
            if going := [piece for piece in pieces if not piece.done()]:
                going[-1].add_done_callback(lambda _: self._move(-1))
            else:
                self._move(-1)

    def _refuse_if_full(self, within: float) -> None:
        """Refuse work for which no place is free, or for which workers would be free too late.

        Work that a free worker would begin at once is never too late: it is how the pace of a pool
        that was slow for a while is learnt again.
        """
        waits = self._taken >= self.workers
        late = waits and self.pace * self._taken / self.workers > within
        if late or self._taken >= self.places:
            raise ProblemError("surcharge")

    def _learn(self, spent: float) -> None:
        self.pace += (spent - self.pace) * (LATEST if self.pace else 1)

    def _move(self, step: int) -> None:
        self._taken += step
        self._on_change(self._taken)

    def close(self) -> None:
        """Wait for what is being computed, and stop."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def _forgive(ended: asyncio.Future[Any]) -> None:
    """Look at the failure of work that nobody waits for, of which asyncio would make an error."""
    if not ended.cancelled():
        ended.exception()
