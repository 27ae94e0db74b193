"""Serve from processes that each hold the whole release, behind one port, and replace those that die.

The supervisor listens from the start and keeps listening whatever becomes of the workers: who comes
while one is started waits. On Linux each worker has a socket of its own on the port, among which the
system shares connections out. A worker holds one end of a pipe whose other end only the supervisor
has, so that it ends with it, however that ends.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from layers.store import read_current
from scripts.messages import warn
from scripts.postgis_sync import bring_later
from webmap.live import Live
from webmap.server import LIMITS, Server
from webmap.settings import Settings

STEADY_S = 60.0  # a worker that lived so long died of something new
LONGEST_PAUSE_S = 30.0
IMPATIENT = 2  # signals after which nothing is waited for
GRACE_S = 5.0  # beyond the time that a worker has to drain
READY = "ready"
Make = Callable[[int], Server]
Closable = Connection | socket.socket
# A fork has what was imported and read already; elsewhere than on Linux it is not safe.
_PROCESSES = get_context("fork") if sys.platform == "linux" else get_context("spawn")


def make_server(settings: Settings, number: int, *, waiting: bool = False) -> Server:
    """Return the server of worker `number`, on the live release of the settings.

    Where the release is `waiting` for its database, the first worker goes on trying to load it.
    """
    release = read_current(settings.home)
    if release is None:
        raise FileNotFoundError(settings.home)
    live = Live(release, settings)
    if waiting and number == 0:
        bring_later(settings)
    return Server(live, live.app.extensions["strings"])


@dataclass
class WorkerSlot:
    """A place for one worker, taken or about to be; times as :func:`time.monotonic` gives them."""

    number: int
    listener: socket.socket
    process: BaseProcess | None = None
    line: Connection | None = None  # the supervisor's end; closed, it tells the worker to stop
    said: str = ""  # what the worker said last
    since: float = 0.0  # when it was started, or is to be started
    deaths: int = 0  # in a row


class Supervisor:
    """Keeps a worker behind every listener; `make` makes the server of one, in its process."""

    def __init__(self, listeners: list[socket.socket], make: Make, ready: Callable[[], None]) -> None:
        self._slots = [WorkerSlot(number, listener) for number, listener in enumerate(listeners)]
        self._make = make
        self._ready = ready
        self._announced = False
        self._stops = 0  # signals that asked to stop
        self._woken, self._wake = _PROCESSES.Pipe(duplex=False)

    def run(self) -> int:
        """Serve until a signal asks to stop; return 1 if no worker could be started, else 0.

        Calls `ready` once a worker serves. A first signal lets requests under way end, a second does not.
        """
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self._stop)
        failed = False
        try:
            while not self._stops and not failed:
                self._start_due()
                self._wait()
                failed = any(self._bury(slot) for slot in self._slots)
        finally:
            self._end()
        return int(failed)

    def _stop(self, *_: object) -> None:
        self._stops += 1
        self._wake.send(None)

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.process is None and slot.since <= now:
                self._start(slot)

    def _start(self, slot: WorkerSlot) -> None:
        slot.line, end = _PROCESSES.Pipe()
        others: list[Closable] = []
        if sys.platform == "linux":  # a fork has everything that the supervisor has
            others += [one.line for one in self._slots if one.line]
            others += [one.listener for one in self._slots if one is not slot]
        slot.process = _PROCESSES.Process(
            target=_work,
            args=(self._make, slot.number, slot.listener, end, others),
            name=f"worker-{slot.number}",
        )
        slot.said, slot.since = "", time.monotonic()
        slot.process.start()
        end.close()

    def _wait(self) -> None:
        """Return when a worker says something or dies, a signal comes, or a worker is to be started."""
        running = [slot for slot in self._slots if slot.process]
        due = [slot.since for slot in self._slots if not slot.process]
        lines = {slot.line: slot for slot in running if slot.line and not slot.said}
        ends = [slot.process.sentinel for slot in running if slot.process]
        pause = max(0.0, min(due) - time.monotonic()) if due else None
        for one in wait([self._woken, *lines, *ends], pause):
            slot = lines.get(one) if isinstance(one, Connection) else None
            if slot is not None:
                self._hear(slot)

    def _hear(self, slot: WorkerSlot) -> None:
        with suppress(EOFError, OSError):
            slot.said = slot.line.recv() if slot.line else ""
        if slot.said == READY and not self._announced:
            self._announced = True
            self._ready()

    def _bury(self, slot: WorkerSlot) -> bool:
        """Say what a dead worker died of and when the next one starts; True where none ever served."""
        if slot.process is None or slot.process.is_alive():
            return False
        if slot.line and not slot.said and slot.line.poll():
            self._hear(slot)
        process, now = slot.process, time.monotonic()
        reason = _name_end(process.exitcode) if slot.said in {"", READY} else slot.said
        slot.deaths = 1 if now - slot.since > STEADY_S else slot.deaths + 1
        pause = min(2.0 ** (slot.deaths - 2), LONGEST_PAUSE_S) if slot.deaths > 1 else 0.0
        slot.process, slot.since = None, now + pause
        if slot.line:
            slot.line.close()
            slot.line = None
        if self._stops:
            return False
        if not self._announced:
            warn("worker_failed", reason=reason)
            return True
        warn("worker_died", pid=process.pid, reason=reason, seconds=round(pause))
        return False

    def _end(self) -> None:
        """Accept no more, tell the workers to stop, and end those that do not, or all at a second signal."""
        last = time.monotonic() + LIMITS.drain_s + GRACE_S
        for slot in self._slots:
            slot.listener.close()
            if slot.line:
                slot.line.close()
            if slot.process and slot.said != READY:
                slot.process.terminate()  # it listens to nothing yet
        while self._stops < IMPATIENT and (running := self._list_running()) and time.monotonic() < last:
            ends = [one.sentinel for one in running]
            if self._woken in wait([self._woken, *ends], last - time.monotonic()):
                self._woken.recv()
        for process in self._list_running():
            process.kill()
            process.join()

    def _list_running(self) -> list[BaseProcess]:
        return [slot.process for slot in self._slots if slot.process and slot.process.is_alive()]


def _work(make: Make, number: int, listener: socket.socket, line: Connection, others: list[Closable]) -> None:
    """Be a worker until the supervisor closes or loses its end of `line`."""
    for one in others:  # the supervisor's, and the sockets of other workers
        one.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _leave_it)
    try:
        server = make(number)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        threading.Thread(target=_stop_with, args=(line, server.stop), daemon=True).start()
        server.run(listener, partial(line.send, READY))
    except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor says it
        with suppress(OSError):  # the supervisor has gone, or heard enough
            line.send(f"{type(error).__name__}: {error}")
        sys.exit(1)


def _leave_it(*_: object) -> None:
    """Do nothing: Ctrl+C reaches every process of a terminal, and the supervisor tells the workers."""


def _stop_with(line: Connection, stop: Callable[[], None]) -> None:
    with suppress(EOFError, OSError):
        line.recv()
    stop()


def _name_end(code: int | None) -> str:
    """Return how a process ended.

    >>> _name_end(-9), _name_end(3)
    ('SIGKILL', 'exit 3')
    """
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit {code}"
