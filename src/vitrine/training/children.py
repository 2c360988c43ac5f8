"""Child processes that end with the one that asked for them, however it ends.

They never hear Ctrl-C, which a terminal sends to every process: the one that asked hears it, ends
them, and says one sentence; each of them would add its traceback. A killed process says nothing to
its children: these wait, in a thread, for the end of what they share with it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from typing import Any, cast

__all__ = ["alone", "deaf", "end_with_parent", "interruptible"]


@contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that the processes started meanwhile are ended too.

    Python would end at once, and leave them. In the main thread alone: others hear no signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@contextmanager
def deaf() -> Iterator[None]:
    """Block SIGINT in the processes and threads started meanwhile; here, it waits until the end.

    They inherit the mask of blocked signals, which Windows lacks.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # now: to start it, multiprocessing unblocks the signal
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def alone(work: Callable[..., Any], *given: Any) -> Any:
    """Return what a function returns in a new process, in which no library is loaded yet.

    Args:
        work: A function of a module, which the new process imports.
        given: Its arguments; like the answer, they are pickled.

    Raises:
        RuntimeError: If the process dies. An exception of the function is raised as it is.
    """
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_answer, args=(there, work, given))
    try:
        with deaf():
            process.start()
        there.close()  # so that its end, with the process, is read here
        answer, error = here.recv()
    except EOFError as end:
        process.join()
        raise RuntimeError(
            f"expected an answer of {work.__qualname__}, found its process dead (exit code "
            f"{process.exitcode}); look for memory, then run the same command again"
        ) from end
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
    if error is not None:
        raise error
    return answer


def _answer(there: Any, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
    parent = cast(Any, multiprocessing.parent_process())
    threading.Thread(target=_follow, args=(parent.join,), daemon=True).start()
    try:
        there.send((work(*given), None))
    except Exception as error:
        there.send((None, error))


def end_with_parent() -> None:
    """End this process, and those it started, once its standard input ends: with its parent.

    The parent keeps the other end of that pipe; the process leads a group of its own.
    """
    # Not by ``sys.stdin``, of which a thread that reads it keeps the lock while Python ends.
    threading.Thread(target=_follow, args=(partial(os.read, 0, 1),), daemon=True).start()


def _follow(wait: Callable[[], object]) -> None:
    wait()
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
