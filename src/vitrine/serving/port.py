"""The port that a server listens on, taken before anything slow is done."""

import errno
import socket

from vitrine.serving.settings import SettingsError

__all__ = ["listen"]


def listen(host: str, port: int) -> socket.socket:
    """Take a port, so that one in use is told at once.

    Its connections send without delay: an answer is two writes, its headers and its body, and the
    second would otherwise wait 40 ms for the client to acknowledge the first.

    Raises:
        SettingsError: If the address cannot be listened on.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = "in use" if error.errno == errno.EADDRINUSE else "out of reach"
        raise SettingsError(
            f"expected the port {port} of {host} to be free, found it {why}; stop what uses it or "
            "choose another with PORT or --port"
        ) from error
    # asyncio asks this of the sockets that it opens itself, not of one that it is given.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
