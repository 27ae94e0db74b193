"""How many requests may do something costly at once, and how many one client may send.

The others wait a little, or are asked to come back. Every request holds a thread of the server for as long
as it is answered, so that costly ones must never hold them all: whoever asks for a light page finds a free
one.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from webmap.problems import BusyError, TooManyError

MAKING = 8  # requests of one process that wait for files of child processes
SHARING = 64  # that wait for a file which another of them has made
COMPUTING, COMPUTING_WAITING = 2, 2  # that work out answers of their own, and that wait for their turn
BURST_S = 10.0  # of requests that a client may send at once: a page brings a dozen files along
MOST_CLIENTS = 10_000  # that are remembered; those go first that have not asked for the longest time


class Limiter:
    """Lets `at_once` through, and `waiting` more wait for `patience_s` seconds."""

    def __init__(self, at_once: int, waiting: int = 0, patience_s: float = 0) -> None:
        self._admitted = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience_s = patience_s

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the turns; raises :class:`~webmap.problems.BusyError` where there is none in time."""
        if not self._admitted.acquire(blocking=False):
            raise BusyError
        try:
            if not self._turns.acquire(timeout=self._patience_s):
                raise BusyError
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._admitted.release()


# Of this process: what is worked out while the request waits, such as the shares of a polygon.
computing = Limiter(COMPUTING, COMPUTING_WAITING, patience_s=2.0)


class Rates:
    """Lets each client ask `per_s` times a second, and as often at once as in :data:`BURST_S`.

    Of each client it is kept when all that it asked would be due if it came evenly (the generic cell
    rate algorithm of ITU-T I.371). `clock` gives seconds.
    """

    def __init__(self, per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_s = 1 / per_s
        self._clock = clock
        self._due: dict[str, float] = {}  # by client, the latest last
        self._taking = threading.Lock()

    def take(self, address: str) -> None:
        """Count a request; raises :class:`~webmap.problems.TooManyError` where it is one too many."""
        client = name_client(address)
        with self._taking:
            now = self._clock()
            due = max(self._due.pop(client, now), now) + self._pause_s
            wait_s = due - now - BURST_S
            self._due[client] = due if wait_s <= 0 else due - self._pause_s
            if len(self._due) > MOST_CLIENTS:
                del self._due[next(iter(self._due))]
        if wait_s > 0:
            raise TooManyError(wait_s)


@lru_cache(maxsize=1024)
def name_client(address: str) -> str:
    """Return what is counted as one client: an IPv4 address, or the network that a host of IPv6 is given.

    >>> name_client("::ffff:10.0.0.7"), name_client("2001:db8::1:2"), name_client("")
    ('10.0.0.7', '2001:db8::/64', '')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found), 64), strict=False))
