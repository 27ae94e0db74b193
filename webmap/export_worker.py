"""Make files in child processes: sheets, pictures and exports are heavy, and may not outlive their limits.

There is one pool for all processes that serve a home: its places are lock files, which the system frees when
their holder dies. Answers of which nothing is kept, such as joins, may take minutes: one place of several is
never theirs, so that files go on being made. A child has limits of time and memory and goes with its parent;
see :mod:`layers.child_job`. What it makes is kept in the pool's :class:`~webmap.file_cache.FileCache`.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from layers.child_job import BROKEN, ENVIRONMENT, OUT_OF_MEMORY, OUT_OF_SPACE
from layers.store import BrokenReleaseError
from webmap.file_cache import ABANDONED_S, FileCache, choose_folder
from webmap.limiter import MAKING, SHARING, Limiter
from webmap.problems import BusyError, FailedError, TooCostlyError
from webmap.settings import Settings

TRACEBACK = "Traceback (most recent call last)"
_LOG = logging.getLogger(__name__)
ROOT = Path(__file__).parent.parent
MEGABYTE = 1_000_000
PATIENCE_S = 15.0  # for one's turn
POLL_S = 0.05
TEMPORARY = "layout-upload-"  # begins the names of folders that go with the request they serve
SHOWN = 4000  # characters of what a child says when it fails


@dataclass(frozen=True)
class ChildJob:
    """A file to be made: what makes it, ``module:function``, and the line that it takes."""

    maker: str
    line: bytes


@dataclass(frozen=True)
class ChildLimits:
    """What children may take.

    Attributes
    ----------
    at_once
        Children of all processes that serve the same home.
    memory_bytes
        Of each; 0 for no limit. Only systems that count what a process writes to can hold it.
    seconds
        Of each, by the clock.
    """

    at_once: int = 2
    memory_bytes: int = 1_200_000_000
    seconds: float = 60.0


class ExportWorker:
    """Makes and keeps the files of one home."""

    def __init__(self, cache: FileCache, limits: ChildLimits | None = None) -> None:
        self.cache = cache
        self._limits = limits or ChildLimits()
        self._limiter, self._answering = Limiter(MAKING), Limiter(MAKING // 2)
        self._sharing = Limiter(SHARING)
        self._begun: dict[tuple[str, ...], Future[bytes]] = {}  # files that requests of this process wait for
        self._changing = threading.Lock()
        self.running = 0  # children of this process
        self.waiting = 0  # requests of this process that wait for one of theirs

    def get(self, key: tuple[str, ...], job: ChildJob) -> bytes:
        """Return the file of `key`, made by `job` now or before; who asks meanwhile shares what comes of it.

        Raises :class:`~webmap.problems.BusyError` where too many are being made,
        :class:`~webmap.problems.TooCostlyError` for one that takes too much time or memory,
        :class:`~webmap.problems.FullError` for one that no disk has room for,
        :class:`~webmap.problems.FailedError` for one that cannot be made, and
        :class:`~layers.store.BrokenReleaseError` where the release it is made of is gone.
        """
        found = self.cache.read(key)
        if found is not None:
            return found
        own: Future[bytes] = Future()
        with self._changing:
            begun = self._begun.setdefault(key, own)
        if begun is not own:
            with self._sharing.turn():
                return _wait_for(begun)
        try:
            with self._limiter.turn(), self._counting(waiting=1):
                made = self.cache.read_or_make(
                    key, lambda path: self._make(job, path, self._limits), PATIENCE_S
                )
            own.set_result(made)
        except BaseException as error:
            own.set_exception(error)
            raise
        finally:
            del self._begun[key]
        return made

    def answer(self, job: ChildJob, seconds: float) -> bytes:
        """Return what `job` makes in so many seconds, of which nothing is kept; raises as :meth:`get`."""
        limits = replace(self._limits, seconds=seconds)
        first = 1 if limits.at_once > 1 else 0  # the first place is left to files
        with (
            tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder,
            self._answering.turn(),
            self._limiter.turn(),
        ):
            path = Path(folder) / "answer"
            with self._counting(waiting=1):
                self._make(job, path, limits, first)
            return path.read_bytes()

    def _make(self, job: ChildJob, path: Path, limits: ChildLimits, first: int = 0) -> None:
        with self._place(first), self._counting(running=1, waiting=-1):
            run_child(job, path, limits)

    @contextmanager
    def _counting(self, running: int = 0, *, waiting: int) -> Iterator[None]:
        self._count(running, waiting)
        try:
            yield
        finally:
            self._count(-running, -waiting)

    def _count(self, running: int, waiting: int) -> None:
        with self._changing:
            self.running += running
            self.waiting += waiting

    @contextmanager
    def _place(self, first: int) -> Iterator[None]:
        """Hold one of the pool's places, from the `first` on."""
        locks = [
            FileLock(self.cache.folder / f"child-{number}.lock", thread_local=False)
            for number in range(first, self._limits.at_once)
        ]
        held = _hold_any(locks)
        try:
            yield
        finally:
            if held is not None:
                held.release()


def open_worker(settings: Settings) -> ExportWorker:
    """Return what makes and keeps the files of a home; what a killed process left is removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            if left.lstat().st_mtime < time.time() - ABANDONED_S:
                shutil.rmtree(left)
    limits = ChildLimits(settings.exports, settings.export_megabytes * MEGABYTE)
    folder = choose_folder(settings.home)
    return ExportWorker(FileCache(folder, settings.cache_megabytes * MEGABYTE), limits)


def _wait_for(begun: Future[bytes]) -> bytes:
    try:
        return begun.result(PATIENCE_S)
    except TimeoutError as error:
        raise BusyError from error


def _hold_any(locks: list[FileLock]) -> FileLock | None:
    """Return one of the locks, held; None where no lock can be written. Raises BusyError."""
    end = time.monotonic() + PATIENCE_S
    while True:
        for lock in locks:
            try:
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    return lock
            except OSError:
                return None
        if time.monotonic() > end:
            raise BusyError
        time.sleep(POLL_S)


def run_child(job: ChildJob, path: Path, limits: ChildLimits) -> None:
    """Make one file at `path`; raises as :meth:`ExportWorker.get`, and OSError where the disk is full."""
    command = [sys.executable, "-m", "layers.child_job", job.maker, str(path)]
    command += [str(limits.memory_bytes), str(limits.seconds)]
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command, stdin=subprocess.PIPE, stdout=said, stderr=said, cwd=ROOT, env=os.environ | ENVIRONMENT
        )
        try:
            with suppress(BrokenPipeError):  # it ended already; its code says why
                child.stdin.write(job.line + b"\n")  # type: ignore[union-attr]
                child.stdin.flush()  # type: ignore[union-attr]
            code = child.wait(limits.seconds)
        except subprocess.TimeoutExpired as error:
            raise TooCostlyError from error
        finally:
            child.kill()
            child.wait()
            with suppress(BrokenPipeError):
                child.stdin.close()  # type: ignore[union-attr]
        if code:
            said.seek(0)
            text = said.read().decode(errors="replace")
            if code == BROKEN:
                raise BrokenReleaseError(text[-SHOWN:].strip())
            if code == OUT_OF_SPACE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path.parent))
            _LOG.error("%s ended with %d: %s", job.maker, code, text[-SHOWN:])
            # Libraries that get no memory end the process, some without a word of Python's, and so does a
            # system that has none left. What fails in our own code has a traceback.
            given_up = code < 0 or code == OUT_OF_MEMORY or (limits.memory_bytes and TRACEBACK not in text)
            raise TooCostlyError if given_up else FailedError
