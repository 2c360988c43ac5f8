"""A pool of threads with a bounded queue: what does not fit is refused at once.

A queue without a bound answers everyone too late. Here a request takes a place or is told to come
back, and its place is free again when its work has really ended, not when its client lost patience:
threads cannot be stopped, so a place given back early would be a place too many.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from vitrine.serving.problems import ProblemError

__all__ = ["Done", "WorkerPool"]

Result = TypeVar("Result")


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
        places: Pieces of work that may be computed or wait at once.
        timeout: Seconds after which a piece of work is given up.
        on_change: Told how many places are taken, at each change; called from any thread.
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
        self._taken, self._on_change = 0, on_change

    async def run(self, work: Callable[[], Result]) -> Done[Result]:
        """Compute in a thread.

        Raises:
            ProblemError: ``surcharge`` where every place is taken, ``prediction_trop_longue`` where
                the answer does not come in time.
        """
        if self._taken >= self.places:
            raise ProblemError("surcharge")
        self._move(1)
        loop, asked = asyncio.get_running_loop(), time.perf_counter()

        def timed() -> Done[Result]:
            queued = time.perf_counter() - asked
            return Done(work(), queued)

        future = self._threads.submit(timed)
        future.add_done_callback(lambda _: _tell(loop, self._move, -1))
        try:
            async with asyncio.timeout(self.timeout):
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError as error:
            _give_up(future)
            raise ProblemError("prediction_trop_longue") from error

    def _move(self, step: int) -> None:
        self._taken += step
        self._on_change(self._taken)

    def close(self) -> None:
        """Wait for what is being computed, and stop."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def _tell(loop: asyncio.AbstractEventLoop, move: Callable[[int], None], step: int) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(move, step)


def _give_up(future: Future) -> None:
    """Forget work that has not begun; what is being computed ends, and nobody reads it."""
    future.cancel()
