"""Serve from processes that each hold the whole release, behind one port, and replace those that die.

The supervisor listens from the start and keeps listening whatever becomes of the workers: who comes
while one is started waits. On Linux each worker has a socket of its own on the port, among which the
system shares connections out. A worker holds one end of a pipe whose other end only the supervisor
has, so that it ends with it, however that ends. Asked to, the supervisor exchanges the workers one by one:
a new one serves before the old one stops accepting, so that nobody notices.
"""

from __future__ import annotations

import gc
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
from typing import TYPE_CHECKING

from layers.store import read_current
from scripts.bilingual import say, warn
from scripts.postgis_sync import bring_later
from webmap.access_log import AccessLog, Recorder, Sink, log_errors
from webmap.export_worker import ExportWorker
from webmap.i18n import LANGUAGES
from webmap.live import Live, share_arenas
from webmap.server import LIMITS, Server
from webmap.settings import Settings

if TYPE_CHECKING:
    from webmap.metrics import WorkerState

STEADY_S = 60.0  # a worker that lived so long died of something new
LONGEST_PAUSE_S = 30.0
IMPATIENT = 2  # signals after which nothing is waited for
PARTING_S = LIMITS.linger_s + LIMITS.drain_s + 5.0  # for a worker that was told to stop
READY = "ready"
Make = Callable[[int], Server]
Closable = Connection | socket.socket
# A fork has what was imported and read already; elsewhere than on Linux it is not safe.
_PROCESSES = get_context("fork") if sys.platform == "linux" else get_context("spawn")


def make_server(settings: Settings, code: str, number: int, *, waiting: bool = False) -> Server:
    """Return the server of worker `number`, on the live release of the settings; `code` is the hash of ours.

    Where the release is `waiting` for its database, the first worker goes on trying to load it.
    """
    release = read_current(settings.home)
    if release is None:
        raise FileNotFoundError(settings.home)
    live = Live(release, settings, code=code)
    if waiting and number == 0:
        bring_later(settings)
    sinks: list[Sink] = [AccessLog(settings.access_log)] if settings.access_log else []
    if settings.metrics:
        # Only who asks for figures pays for the library.
        from webmap.metrics import Metrics

        sinks.append(Metrics(lambda: _describe(live, server)))
    server = Server(
        live,
        live.app.extensions["strings"],
        recorder=Recorder(sinks) if sinks else None,
        limit_body=live.limit_body,
        postpones=True,
    )
    return server


def _describe(live: Live, server: Server) -> WorkerState:
    from webmap.metrics import WorkerState

    extensions = live.app.extensions
    export_worker: ExportWorker = extensions["export_worker"]
    return WorkerState(
        release=extensions["content"].release.id,
        children=export_worker.running,
        children_waiting=export_worker.waiting,
        faults=len(extensions["inspection"].faults),
        **server.measure(),
    )


def make_metrics_server(settings: Settings, _: int) -> Server:
    """Return the server of the figures."""
    from webmap.metrics import build_metrics_app

    release = read_current(settings.home)
    if release is None:
        raise FileNotFoundError(settings.home)
    strings = {language: release.read_json(f"pages/{language}/strings.json") for language in LANGUAGES}
    return Server(build_metrics_app(settings), strings)


@dataclass
class Worker:
    """A process that serves; `since` as :func:`time.monotonic` gives it."""

    process: BaseProcess
    line: Connection  # the supervisor's end; closed, it tells the worker to stop
    since: float
    said: str = ""  # what it said last
    leaves_by: float = 0.0  # when one that was told to stop is ended


@dataclass
class WorkerSlot:
    """A place for one worker, taken or about to be."""

    number: int
    listener: socket.socket
    make: Make
    serves: bool = True  # the site, and not figures about it
    worker: Worker | None = None
    coming: Worker | None = None  # that is to take the place of the worker once it serves
    stale: bool = False  # whether the worker is to be exchanged
    due: float = 0.0  # when one is to be started where there is none
    deaths: int = 0  # in a row


class Supervisor:
    """Keeps a worker behind every listener; each slot has what makes its server, in its process.

    `gone` is told the process id of every worker that has ended.
    """

    def __init__(
        self, slots: list[WorkerSlot], ready: Callable[[], None], gone: Callable[[int], None] | None = None
    ) -> None:
        self._slots = slots
        self._leaving: list[Worker] = []
        self._ready = ready
        self._gone = gone
        self._announced = False
        self._stops = 0  # signals that asked to stop
        self._reload = False  # whether a signal asked for new workers
        self._woken, self._wake = _PROCESSES.Pipe(duplex=False)

    def run(self) -> int:
        """Serve until a signal asks to stop; return 1 if no worker could be started, else 0.

        Calls `ready` once a worker serves. A first SIGINT or SIGTERM lets requests under way end, a second
        does not. SIGHUP exchanges the workers, unless it comes from a terminal that is closed.
        """
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self._stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._stop if _is_in_terminal() else self._exchange)
        failed = False
        gc.freeze()  # what workers share with this process stays shared
        try:
            while not self._stops and not failed:
                self._start_due()
                gc.enable()
                self._wait()
                failed = any(self._bury(slot) for slot in self._slots)
                self._part_with_leaving()
        finally:
            self._end()
        return int(failed)

    def _stop(self, *_: object) -> None:
        self._stops += 1
        self._wake.send(None)

    def _exchange(self, *_: object) -> None:
        self._reload = True
        self._wake.send(None)

    def _start_due(self) -> None:
        """Start the workers that are missing, and one that is to take the place of another."""
        now = time.monotonic()
        if self._reload:
            self._reload = False
            for slot in self._slots:
                slot.stale = slot.worker is not None
        for slot in self._slots:
            if slot.worker is None and slot.due <= now:
                slot.worker, slot.stale = self._start(slot), False
        changing = any(slot.coming for slot in self._slots)
        for slot in self._slots:
            if slot.stale and not changing:
                slot.coming, slot.stale, changing = self._start(slot), False, True

    def _start(self, slot: WorkerSlot) -> Worker:
        line, end = _PROCESSES.Pipe()
        others: list[Closable] = []
        if sys.platform == "linux":  # a fork has everything that the supervisor has
            others += [line, *(one.line for one in self._list_workers())]
            others += [one.listener for one in self._slots if one is not slot]
        process = _PROCESSES.Process(
            target=_work,
            args=(slot.make, slot.number, slot.listener, end, others),
            name=f"worker-{slot.number}",
        )
        process.start()
        end.close()
        return Worker(process, line, time.monotonic())

    def _list_workers(self) -> list[Worker]:
        return [
            one for slot in self._slots for one in (slot.worker, slot.coming) if one is not None
        ] + self._leaving

    def _wait(self) -> None:
        """Return when a worker says something or dies, a signal comes, or something is due."""
        lines = {
            worker.line: (slot, worker)
            for slot in self._slots
            for worker in (slot.worker, slot.coming)
            if worker and not worker.said
        }
        due = [slot.due for slot in self._slots if not slot.worker]
        due += [worker.leaves_by for worker in self._leaving]
        ends = [worker.process.sentinel for worker in self._list_workers()]
        pause = max(0.0, min(due) - time.monotonic()) if due else None
        for one in wait([self._woken, *lines, *ends], pause):
            if one is self._woken:
                self._woken.recv()
            elif isinstance(one, Connection):
                self._hear(*lines[one])

    def _hear(self, slot: WorkerSlot, worker: Worker) -> None:
        with suppress(EOFError, OSError):
            worker.said = worker.line.recv()
        if worker.said != READY:
            return
        if slot.serves and not self._announced:
            self._announced = True
            self._ready()
        if worker is slot.coming:
            if slot.worker:
                self._part(slot.worker)
            slot.worker, slot.coming = worker, None
            if not any(one.stale for one in self._slots):
                say("workers_exchanged")

    def _part(self, worker: Worker) -> None:
        """Tell a worker to stop; it answers what it has taken on."""
        worker.line.close()
        worker.leaves_by = time.monotonic() + PARTING_S
        self._leaving.append(worker)

    def _part_with_leaving(self) -> None:
        now = time.monotonic()
        for worker in self._leaving[:]:
            if worker.process.is_alive() and worker.leaves_by <= now:
                worker.process.kill()
                worker.process.join()
            if not worker.process.is_alive():
                self._leaving.remove(worker)
                self._forget(worker)

    def _forget(self, worker: Worker) -> None:
        if self._gone and worker.process.pid:
            self._gone(worker.process.pid)

    def _bury(self, slot: WorkerSlot) -> bool:
        """Say what dead workers died of, and when the next one starts; True where none ever served."""
        for worker in (slot.coming, slot.worker):
            if worker is None or worker.process.is_alive():
                continue
            if not worker.said and worker.line.poll():
                self._hear(slot, worker)
            worker.line.close()
            self._forget(worker)
            reason = _name_end(worker.process.exitcode) if worker.said in {"", READY} else worker.said
            if worker is slot.worker:
                if self._replace_dead(slot, worker, reason):
                    return True
            else:
                slot.coming = None
                for one in self._slots:
                    one.stale = False
                warn("worker_not_exchanged", reason=reason)
        return False

    def _replace_dead(self, slot: WorkerSlot, worker: Worker, reason: str) -> bool:
        now = time.monotonic()
        slot.deaths = 1 if now - worker.since > STEADY_S else slot.deaths + 1
        pause = min(2.0 ** (slot.deaths - 2), LONGEST_PAUSE_S) if slot.deaths > 1 else 0.0
        slot.worker, slot.coming, slot.due = slot.coming, None, now + pause
        if self._stops:
            return False
        if not self._announced:
            warn("worker_failed", reason=reason)
            return True
        warn("worker_died", pid=worker.process.pid, reason=reason, seconds=round(pause))
        return False

    def _end(self) -> None:
        """Accept no more, tell the workers to stop, and end those that do not, or all at a second signal."""
        last = time.monotonic() + PARTING_S
        for slot in self._slots:
            slot.listener.close()
        workers = self._list_workers()
        for worker in workers:
            worker.line.close()
            if worker.said != READY and not self._announced:
                worker.process.terminate()  # else it takes those who have connected to its listener meanwhile
        while self._stops < IMPATIENT and (running := _list_running(workers)) and time.monotonic() < last:
            ends = [one.sentinel for one in running]
            if self._woken in wait([self._woken, *ends], last - time.monotonic()):
                self._woken.recv()
        for process in _list_running(workers):
            process.kill()
            process.join()


def _list_running(workers: list[Worker]) -> list[BaseProcess]:
    return [one.process for one in workers if one.process.is_alive()]


def _is_in_terminal() -> bool:
    return bool(sys.stdin and sys.stdin.isatty())


def _work(make: Make, number: int, listener: socket.socket, line: Connection, others: list[Closable]) -> None:
    """Be a worker until the supervisor closes or loses its end of `line`."""
    for one in others:  # the supervisor's, and the sockets of other workers
        one.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave_it)
    log_errors()
    share_arenas()
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
    """Do nothing: what a terminal sends reaches every process, and the supervisor tells the workers."""


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
