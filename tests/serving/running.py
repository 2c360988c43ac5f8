"""A server of the service on a free port of this machine, in a thread or in a process."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from vitrine.serving.api import UVICORN
from vitrine.serving.server import server_of


@contextlib.contextmanager
def in_a_thread(app):
    """Run an application as ``serve`` does; yields its port."""
    server = server_of(app, **UVICORN)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def until(true, seconds=60):
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def free_port():
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def listens(port):
    """Tell whether something accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def process(*arguments, **environment):
    """Start ``python -m vitrine.serving``, or another command, with its output in pipes."""
    command = [sys.executable, *(arguments or ("-m", "vitrine.serving"))]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return subprocess.Popen(
        command, env=kept | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answers(address):
    """Tell whether an address answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def stopped(started, port, ready, sent):
    """Have a process stop, once it answers on a path, while a client stalls after raw bytes.

    Returns what the client receives, and the seconds that the stop takes.
    """
    received = b""
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}{ready}"))
        with socket.create_connection(("127.0.0.1", port), timeout=25) as stalled:
            stalled.sendall(sent)
            time.sleep(0.5)
            begun = time.monotonic()
            started.send_signal(signal.SIGTERM)
            while piece := stalled.recv(65_536):
                received += piece
            started.communicate(timeout=25)
    finally:
        started.kill()
    return received, time.monotonic() - begun


def exchange(port, sent, seconds=20):
    """Send raw bytes and return all that comes back until the server closes or falls silent."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        with contextlib.suppress(ConnectionError):
            for piece in [sent] if isinstance(sent, bytes) else sent:
                line.sendall(piece)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while piece := line.recv(65_536):
                received += piece
    return received
