"""A process apart answers, and ends with the one that asked for it."""

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from vitrine.training import children

SCRIPT = "import time; from vitrine.training import children; children.alone(time.sleep, 600)"
PATIENCE = 60
"""Seconds to wait for what takes one, on a machine that is busy."""


def child_of(process, mark):
    """Wait for the descendant whose command line holds a mark."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it ended meanwhile
                if mark in " ".join(child.cmdline()):
                    return child
        time.sleep(0.05)
    raise AssertionError(f"no {mark}: {process.communicate()}")


def test_a_function_answers_or_raises_from_another_process():
    assert children.alone(os.getpid) != os.getpid()
    with pytest.raises(ValueError, match="math domain error"):
        children.alone(math.sqrt, -1)
    with pytest.raises(RuntimeError, match=r"answer of _exit, found its process dead"):
        children.alone(os._exit, 3)


def test_a_process_apart_does_not_hear_the_ctrl_c_that_a_terminal_sends_it_too():
    asking = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    child = child_of(asking, "spawn_main")
    time.sleep(0.5)

    child.send_signal(signal.SIGINT)
    ended = psutil.wait_procs([child], 1)[0]
    asking.kill()
    _, said = asking.communicate(timeout=PATIENCE)

    assert (ended, said) == ([], "")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=lambda stop: stop.name)
def test_a_process_ends_with_the_one_that_asked_and_says_nothing(stop):
    asking = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    child = child_of(asking, "spawn_main")
    time.sleep(0.5)

    if stop == signal.SIGINT:
        os.killpg(asking.pid, stop)  # as a terminal does: to each process
    else:
        asking.send_signal(stop)
    _, said = asking.communicate(timeout=PATIENCE)

    assert psutil.wait_procs([child], PATIENCE)[1] == []
    assert said.count("Traceback") == (stop == signal.SIGINT)
