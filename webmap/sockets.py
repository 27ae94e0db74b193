"""Sockets that workers share a port with, as the system has them."""

from __future__ import annotations

import os
import select
import socket
import sys

BACKLOG = 1024
STALLED_MS = 30_000  # a reader that takes nothing for so long is cut off by the system


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Return a listening socket for each of `count` workers, all on one port; raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family = found[0][0]
    # Taken first without a share, so that a port on which others listen is refused.
    first = socket.create_server((host, port), family=family, backlog=BACKLOG)
    if sys.platform != "linux":
        return [first] * count
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place = (host, first.getsockname()[1])
    more = [
        socket.create_server(place, family=family, backlog=BACKLOG, reuse_port=True) for _ in range(count - 1)
    ]
    for listener in (first, *more):  # connections inherit these
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return [first, *more]


def is_awaited(listening: int) -> bool:
    """Tell whether somebody who has connected waits to be accepted, and would be cut off."""
    if sys.platform != "linux":
        return False
    look = select.poll()
    look.register(listening, select.POLLIN)
    return bool(look.poll(0))


def exchange_for_idle(listening: int) -> None:
    """Put a socket on which nothing comes in place of one that is listened on, in this process alone.

    What other processes hold of it goes on, with all who wait to be accepted.
    """
    if sys.platform != "linux":
        return
    with socket.create_server(("127.0.0.1", 0)) as idle:  # of a kind that Granian knows the address of
        idle.setblocking(False)  # noqa: FBT003 - as the library has it
        os.dup2(idle.fileno(), listening, inheritable=False)
