"""Run an application with uvicorn on a port that was taken before anything slow is done."""

import ctypes
import errno
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from vitrine.serving.settings import ServerSettings, SettingsError

__all__ = ["listen", "run", "server_of"]

HEADER = "X-Vitrine-Revision"
"""Tells which commit answers: the former image goes on answering while a new one starts."""

ARENAS = -8
"""``M_ARENA_MAX`` of GNU's C library: how many heaps the threads of a process may have."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a port.

    Its connections send without delay: an answer is two writes, its headers and its body, and the
    second would otherwise wait 40 ms for the client to acknowledge the first.

    Raises:
        SettingsError: If the address cannot be listened on.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:  # the latter, of what is no name of a host
        if isinstance(error, UnicodeError | socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                f"expected an address of this machine to listen on, found {host}; give 127.0.0.1, "
                "or 0.0.0.0 for other machines too, with HOST or --host"
            ) from error
        why = "in use" if error.errno == errno.EADDRINUSE else "out of reach"
        raise SettingsError(
            f"expected the port {port} of {host} to be free, found it {why}; stop what uses it or "
            "choose another with PORT or --port"
        ) from error
    # asyncio asks this of the sockets that it opens itself, not of one that it is given.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def run(
    settings: ServerSettings,
    create_app: Callable[[], ASGIApp],
    announce: Callable[[str], object] = lambda _: None,
    **options: Any,
) -> None:
    """Take the port, make the application, announce its address, serve until told to stop.

    Args:
        settings: Where to listen.
        create_app: Makes the application, or raises why it cannot be served.
        announce: Told the address, once the port is held and the application made.
        options: Of uvicorn.

    Raises:
        SettingsError: If the address cannot be listened on.
    """
    _share_a_heap()
    with listen(settings.host, settings.port) as listening:
        server = server_of(create_app(), settings.revision, **options)
        host, port = listening.getsockname()[:2]
        announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        server.run(sockets=[listening])


def _share_a_heap() -> None:
    """Have all threads allocate from one heap: theirs hold 4 MB more, and answer no faster."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(ARENAS, 1)


class _Server(uvicorn.Server):
    """A server that tells its application when it is asked to stop, before it waits for requests.

    The lifespan of ASGI ends after them, and a body that comes slowly would hold the stop.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = getattr(self.config.app, "state", None)
        getattr(state, "stop", lambda: None)()
        await super().shutdown(sockets)


def server_of(app: ASGIApp, revision: str = "", **options: Any) -> uvicorn.Server:
    """Return the server of an application, which tells no more of itself than its revision."""
    headers = [(HEADER, revision)] if revision else []
    return _Server(
        uvicorn.Config(app, access_log=False, server_header=False, headers=headers, **options)
    )
