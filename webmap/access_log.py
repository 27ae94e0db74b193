"""What the server answered, for those who watch over it: a line of JSON a request, and what went wrong.

A thread that answers only leaves a record behind. Another thread takes the records up, writes the lines
and counts, so that neither a full disk nor a stalled reader of the log holds a request up. No text of a
request can begin a line of its own: access lines are JSON in ASCII, and of what went wrong every line but
the first is marked.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

STDOUT = "-"
ROUTE, RELEASE = "weihai_layout.route", "weihai_layout.release"  # what an application says of itself in WSGI
ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SHOWN = 256  # characters of a path that are logged
PIECE = 4096  # bytes that a pipe takes at once: longer writes of several processes would mix
GATHER_S = 0.05  # for records to gather, so that a busy server writes seldom
IDLE_S = 1.0  # after which the sinks are called though there is nothing new
MOST_WAITING = 20_000  # records; more are counted and dropped
END_S = 2.0
REPEATED = "| "  # marks the lines of an entry after its first
_LOG = logging.getLogger(__name__)
request_id: ContextVar[str] = ContextVar("request_id", default="")  # of the request that is being answered


class Exchange(NamedTuple):
    """A request and how it was answered.

    Attributes
    ----------
    begun
        Seconds since 1970, UTC.
    client
        The address that it came from, which a trusted proxy may have named.
    path
        As it was asked for, decoded and without its query: what people look for is theirs.
    route
        The template of the path where the application named one.
    size
        Bytes of the body.
    release
        That answered, where one did.
    """

    begun: float
    id: str
    client: str
    method: str
    path: str
    route: str
    status: int
    size: int
    ms: float
    release: str


Sink = Callable[[Sequence[Exchange]], None]


def choose_id(given: str | None) -> str:
    """Return the id of a request: the one that it came with, where that can be one, or a new one.

    >>> choose_id("4bf92f3577b34da6")
    '4bf92f3577b34da6'
    >>> len(choose_id("a b"))
    16
    """
    if given and ID.fullmatch(given):
        return given
    return f"{random.getrandbits(64):016x}"


class Recorder:
    """Takes records of what was answered, and passes them to `sinks` in a thread of its own.

    The sinks are called at least once a second, with nothing where nothing came.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._queue: queue.SimpleQueue[Exchange | None] = queue.SimpleQueue()
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, exchange: Exchange) -> None:
        """Leave a record; returns at once."""
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(exchange)
        else:
            self.dropped += 1

    def close(self) -> None:
        """Return when what was added before is with the sinks, or soon."""
        self._queue.put(None)
        self._thread.join(END_S)

    def _work(self) -> None:
        going = True
        while going:
            batch = []
            with suppress(queue.Empty):
                batch = [self._queue.get(timeout=IDLE_S)]
                if batch[0] is not None:
                    time.sleep(GATHER_S)
                while True:
                    batch.append(self._queue.get_nowait())
            going = None not in batch
            exchanges = [one for one in batch if one is not None]
            for sink in self._sinks:
                try:
                    sink(exchanges)
                except Exception:  # noqa: BLE001 - whatever it is, the next records may fare better
                    _LOG.exception("records of requests")


class AccessLog:
    """A sink that writes a line for each record to `target`: a file, or :data:`STDOUT`.

    The file is opened anew each time, so that it may be moved away or removed by who rotates logs.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._torn = False  # the last line lacks its end
        self._lost = 0  # lines

    def __call__(self, exchanges: Sequence[Exchange]) -> None:
        """Write lines; those that cannot be written are counted, and told once."""
        if not exchanges:
            return
        lines = [to_line(one) for one in exchanges]
        written = 0
        try:
            for piece, count in _gather(lines):
                self._write(piece)
                written += count
        except OSError as error:
            if not self._lost:
                _LOG.error("the access log %s cannot be written: %s", self._target, error.strerror)
            self._lost += len(lines) - written
        else:
            if self._lost:
                _LOG.warning("the access log is written again; %d lines were lost", self._lost)
            self._lost = 0

    def _write(self, piece: bytes) -> None:
        if self._target == STDOUT:
            self._write_to(sys.__stdout__.fileno() if sys.__stdout__ else 1, piece)
            return
        handle = os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            self._write_to(handle, piece)
        finally:
            os.close(handle)

    def _write_to(self, handle: int, piece: bytes) -> None:
        rest = b"\n" + piece if self._torn else piece
        while rest:
            count = os.write(handle, rest)
            rest = rest[count:]
            self._torn = bool(rest)


def to_line(exchange: Exchange) -> bytes:
    r"""Return a record as a line of the log, ASCII and shorter than :data:`PIECE`.

    >>> to_line(Exchange(0, "a1", "::1", "GET", "/x\n{", "", 200, 5, 1.25, "ab"))[:69]
    b'{"time":"1970-01-01T00:00:00.000Z","id":"a1","client":"::1","method":'
    """
    when = datetime.fromtimestamp(exchange.begun, UTC).isoformat(timespec="milliseconds")
    row = {
        "time": when.replace("+00:00", "Z"),
        "id": exchange.id,
        "client": exchange.client,
        "method": exchange.method[:SHOWN],
        "path": exchange.path[:SHOWN],
        "status": exchange.status,
        "bytes": exchange.size,
        "ms": round(exchange.ms, 2),
        "release": exchange.release,
    }
    return json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n"


def _gather(lines: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield lines joined to pieces that are written at once, each with their number."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIECE:
            yield b"".join(piece), len(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield b"".join(piece), len(piece)


class ErrorFormatter(logging.Formatter):
    """One entry of the log of errors: time, level, id of the request, where, and what; then its traceback.

    Nothing that cannot be printed goes out, and every line but the first begins with :data:`REPEATED`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry, in one line or several."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = f"{when.replace('+00:00', 'Z')} {record.levelname} {request_id.get() or '-'} {record.name}: "
        entry = head + super().format(record)
        return f"\n{REPEATED}".join(map(_printable, entry.split("\n")))


def _printable(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)


def log_errors() -> None:
    """Have what the program logs go to standard error, each entry with the id of its request."""
    handler = logging.StreamHandler()
    handler.setFormatter(ErrorFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def is_log_target(text: str) -> bool:
    """Tell whether `text` names standard output, or a file in a folder there is."""
    path = Path(text)
    return text == STDOUT or (path.is_absolute() and path.parent.is_dir() and not path.is_dir())
