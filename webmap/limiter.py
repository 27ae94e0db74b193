"""How many requests may do something costly at once: the others wait a little, or are asked to come back.

Every request holds a thread of the server for as long as it is answered, so that costly ones must never
hold them all: whoever asks for a light page finds a free one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from webmap.problems import BusyError

MAKING = 8  # requests of one process that wait for files of child processes
COMPUTING, COMPUTING_WAITING = 2, 2  # that work out answers of their own, and that wait for their turn


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
