"""Start the service and its interface together, watch them, stop them together."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from vitrine.serving.server import listen
from vitrine.serving.settings import SettingsError

__all__ = ["SupervisorError", "child", "run", "wait_until"]

START_SECONDS, STOP_SECONDS = 120, 25
_PAUSE = 0.2


class SupervisorError(RuntimeError):
    """One of the two did not start, or stopped by itself.

    Attributes:
        exit_code: The one it stopped with.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(
    *, port: int, api_port: int, tell: Callable[[str], None], model: Path | None = None
) -> None:
    """Start both on this machine alone, tell where the page is, and wait.

    Ctrl-C, or a request to terminate, stops both; that is the normal end.

    Args:
        port: Of the interface.
        api_port: Of the service.
        tell: Told what goes on, in sentences for a developer.
        model: What to serve, as ``settings.Settings.model_dir``; by default from the environment.

    Raises:
        SettingsError: If a port is taken, or the same is given to both.
        SupervisorError: If one of the two does not start, or stops by itself. What it said is on
            the standard error.
    """
    if port == api_port:
        raise SettingsError(
            f"expected a port for the page and another for the service, found {port} for both; "
            "change --port or --api-port"
        )
    for each in (port, api_port):
        listen("127.0.0.1", each).close()
    api, page = (f"http://127.0.0.1:{each}" for each in (api_port, port))
    shared = {"HOST": "127.0.0.1", "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING")}
    with _stopped_by_signals(), contextlib.ExitStack() as both:
        tell("starting the service and its interface")
        served = {"PORT": str(api_port)} | ({"MODEL_DIR": str(model)} if model else {})
        service = both.enter_context(child(["-m", "vitrine.serving"], shared | served))
        running = {"the service": service}
        wait_until(running, (f"{api}/readyz",))  # the page asks it which photos to offer
        shown = both.enter_context(
            child(["-m", "vitrine.serving.ui"], shared | {"PORT": str(port), "API_URL": api})
        )
        running["the interface"] = shown
        wait_until(running, (f"{page}/healthz",))
        tell(f"open {page} in a browser; Ctrl-C stops both")
        while True:
            _refuse_stopped(running)
            time.sleep(_PAUSE)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Take a request to stop, of any kind, as the end of the block."""

    class Stop(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Stop

    kinds = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else ())]
    before = {kind: signal.signal(kind, stop) for kind in kinds}
    try:
        with contextlib.suppress(Stop):
            yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


@contextlib.contextmanager
def child(words: Sequence[str], settings: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """Run Python beside us, in a group of its own: Ctrl-C reaches it through us, once.

    Args:
        words: What follows ``python``.
        settings: Variables to add to ours.
    """
    process = subprocess.Popen(
        [sys.executable, *words], env=os.environ | settings, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(running: Mapping[str, subprocess.Popen], addresses: tuple[str, ...]) -> None:
    """Return once every address answers 200.

    Args:
        running: The processes that are waited for, by what to call them.
        addresses: What to ask.

    Raises:
        SupervisorError: If one of them stops, or does not answer in time.
    """
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        for address in addresses:
            while not _answers(client, address):
                _refuse_stopped(running)
                if time.monotonic() > deadline:
                    raise SupervisorError(
                        f"expected {address} to answer within {START_SECONDS} s, found no answer; "
                        f"start {' and '.join(running)} apart to see why",
                        exit_code=1,
                    )
                time.sleep(_PAUSE)


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _refuse_stopped(running: Mapping[str, subprocess.Popen]) -> None:
    for name, process in running.items():
        if (code := process.poll()) is not None:
            raise SupervisorError(
                f"expected {name} to go on, found it stopped with exit code {code}; its own "
                "message is above",
                exit_code=code if code > 0 else 1,
            )
