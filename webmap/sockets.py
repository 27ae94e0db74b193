"""Sockets as the system has them: those that workers share a port with, and their connections."""

from __future__ import annotations

import os
import select
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Container, Iterator
from contextlib import suppress
from typing import NamedTuple

if sys.platform == "linux":
    import fcntl
    import termios
if sys.platform != "win32":
    import resource

BACKLOG = 1024
CONNECTIONS = 8192  # of one worker, where it may open as many files
OWN_FILES = 40  # that a worker opens beside its connections; an eighth of all is for requests under way
# Of what Linux tells of a connection, and where tcpi_last_data_recv and tcpi_bytes_acked lie in it.
TCP_INFO_BYTES, SILENT_AT, ARRIVED_AT = 192, 52, 120
LOOK_S = 0.5  # between two looks at who waits to be accepted
IDLE_MS = 1000  # who has said nothing for so long makes room for one who waits
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


def count_connections(most: int = CONNECTIONS, files: int | None = None) -> int:
    """Return how many of `most` connections a process holds that may open `files`; by default this one.

    >>> [count_connections(files=files) for files in (64, 1024, 65536)]
    [16, 856, 8192]
    """
    if files is None:
        files = most_files()
    return max(1, min(most, files - files // 8 - OWN_FILES))


def most_files(*, ever: bool = False) -> int:
    """Return how many files this process may open, or might once it asks for it."""
    if sys.platform == "win32":
        return sys.maxsize
    found = resource.getrlimit(resource.RLIMIT_NOFILE)[ever]
    return sys.maxsize if found == resource.RLIM_INFINITY else found


class Held(NamedTuple):
    """A connection of this process, as the system knows it."""

    socket: socket.socket
    number: int
    peer: str  # as Granian writes it
    waiting: int  # bytes that are to be sent, or have not arrived
    arrived: int  # bytes
    silent_ms: int  # since something came


class Connections:
    """Cuts off who holds a connection for nothing; on Linux alone, which tells of each how it stands.

    That is who takes so little of an answer that it would be held for hours; and, while all of `most` are
    taken and others wait, who has asked for nothing that is still to be answered: :attr:`answering` holds
    those who have.
    """

    def __init__(
        self, listening: int, most: int, reader_s: float, reader_bytes: int, answering: Container[str]
    ) -> None:
        with socket.socket(fileno=os.dup(listening)) as listener:
            self._port = listener.getsockname()[1]
        self._listening = listening
        self._most = most
        self._reader_s = reader_s
        self._reader_bytes = reader_bytes
        self._seen: dict[tuple[int, str], int] = {}  # bytes that had arrived, by number and peer
        self._answering = answering

    def watch(self, ended: threading.Event) -> None:
        """Look again and again until `ended`."""
        due = time.monotonic() + self._reader_s
        while not ended.wait(min(LOOK_S, self._reader_s)):
            with suppress(OSError):  # no file more may be opened just now
                if is_awaited(self._listening):
                    self._make_room()
                if time.monotonic() >= due:
                    due += self._reader_s
                    self._look()

    def _look(self) -> None:
        """Cut off who took too little since the last look, and had more to take then and now."""
        seen, self._seen = self._seen, {}
        for one in self._list():
            key = one.number, one.peer
            if one.waiting:
                self._seen[key] = one.arrived
                if key in seen and one.arrived - seen[key] < self._reader_bytes:
                    # Without a farewell, so that the system keeps nothing for the reader either.
                    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    _cut(one)

    def _make_room(self) -> None:
        if sum(1 for _ in self._list()) >= self._most:
            for one in self._list():
                if one.silent_ms > IDLE_MS and not one.waiting and one.peer not in self._answering:
                    _cut(one)

    def _list(self) -> Iterator[Held]:
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - thousands, as numbers
            with suppress(OSError, ValueError):  # no connection, or closed as we look
                handle = os.dup(int(name))
                if not stat.S_ISSOCK(os.fstat(handle).st_mode):
                    os.close(handle)
                    continue
                with socket.socket(fileno=handle) as one:
                    if one.family in {socket.AF_INET, socket.AF_INET6} and one.getsockname()[1] == self._port:
                        yield Held(one, int(name), *_measure(one))


def _cut(one: Held) -> None:
    with suppress(OSError):  # it has gone
        one.socket.shutdown(socket.SHUT_RDWR)


def _measure(one: socket.socket) -> tuple[str, int, int, int]:
    host, port, *_ = one.getpeername()
    (waiting,) = struct.unpack("i", fcntl.ioctl(one, termios.TIOCOUTQ, bytes(4)))
    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    (silent_ms,), (arrived,) = (
        struct.unpack_from(*at) for at in (("=I", info, SILENT_AT), ("=Q", info, ARRIVED_AT))
    )
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}", waiting, arrived, silent_ms
