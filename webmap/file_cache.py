"""Files that were made on request, kept on disk within a bound of bytes and shared by all processes.

A file is written whole or not at all, made by one process at a time, and goes when it was not used for
the longest time. Its key says everything that it depends on, the release too. Its digest is written after
it and checked whenever it is read: what a disk or a hand changed is made again, never served.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from layers.child_job import NO_SPACE
from webmap.problems import BusyError, FullError

_LOG = logging.getLogger(__name__)
LOCKS = 3  # digits of a key's digest that name its lock: so many keys rarely meet, and few files lie about
ABANDONED_S = 3600  # what is unfinished for so long will not be finished
DIGEST_BYTES = 32  # after each file: its sha256
UNFINISHED = ".new-"  # begins the names of files that are being made
POLL_S = 0.02  # between two looks at a lock


class FileCache:
    """Files by key, in `folder`; at most `max_bytes` of them.

    Where nothing can be written, files are made anew for each request.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._files = folder / "files"
        self._locks = folder / "locks"
        self._max_bytes = max_bytes

    def read(self, key: tuple[str, ...]) -> bytes | None:
        """Return a file that was made before, or None; it counts as used now."""
        path = self._path(key)
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        content = kept[:-DIGEST_BYTES]
        if kept[-DIGEST_BYTES:] != _digest(content):
            _LOG.error("%s is damaged and is made again", path)
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):  # removed as we look, or not ours to touch
            os.utime(path)
        return content

    def read_or_make(self, key: tuple[str, ...], make: Callable[[Path], None], patience_s: float) -> bytes:
        """Return the file of `key`; `make` writes it to the path that it is given.

        Of several who ask for the same file at the same time one makes it, whichever process it is in, and
        the others wait, `patience_s` at most. Raises :class:`~webmap.problems.BusyError` after that,
        and :class:`~webmap.problems.FullError` where the disk is full, as `make` tells by an OSError; what
        else that raises passes through. Nothing is kept then.
        """
        found = self.read(key)
        if found is not None:
            return found
        with self._alone(key, patience_s):
            found = self.read(key)  # another may have made it meanwhile
            return self._make(key, make) if found is None else found

    def _make(self, key: tuple[str, ...], make: Callable[[Path], None]) -> bytes:
        """Make a file in the folder, or where its disk is full among the system's temporary files."""
        for outside in (False, True):
            try:
                return self._make_once(key, make, outside=outside)
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                _LOG.error("no room for a file: %s", error)
        raise FullError

    def _make_once(self, key: tuple[str, ...], make: Callable[[Path], None], *, outside: bool) -> bytes:
        with self._new_file(outside=outside) as path:
            make(path)
            content = path.read_bytes()
            self._keep(path, key, content)
        return content

    def measure(self) -> tuple[int, int]:
        """Return how many files are kept, and their bytes."""
        sizes = [about.st_size for _, about in self._scan()]
        return len(sizes), sum(sizes)

    def _path(self, key: tuple[str, ...]) -> Path:
        return self._files / hashlib.sha256("\0".join(key).encode()).hexdigest()

    @contextmanager
    def _alone(self, key: tuple[str, ...], patience_s: float) -> Iterator[None]:
        """Keep others from making the same file."""
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._locks / self._path(key).name[:LOCKS], thread_local=False)
            lock.acquire(timeout=patience_s, poll_interval=POLL_S)
        except Timeout as error:
            raise BusyError from error
        except OSError as error:
            _LOG.warning("the cache cannot be written: %s", error)
            yield
            return
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _new_file(self, *, outside: bool) -> Iterator[Path]:
        """Give a path for a new file, which is gone afterwards unless it was moved."""
        with suppress(OSError):
            self._files.mkdir(parents=True, exist_ok=True)
        usable = not outside and os.access(self._files, os.W_OK)
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=self._files if usable else None)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _keep(self, path: Path, key: tuple[str, ...], content: bytes) -> None:
        if len(content) + DIGEST_BYTES > self._max_bytes or path.parent != self._files:
            return
        with suppress(OSError):  # somebody may clear the folder at any time; the file is made all the same
            with path.open("ab") as file:
                file.write(_digest(content))
            path.replace(self._path(key))
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        """Remove the files that were not used for the longest time, until the others fit."""
        with suppress(Timeout), FileLock(self._locks / "removing", timeout=0, thread_local=False):
            files = sorted((about.st_mtime, about.st_size, path) for path, about in self._scan())
            total = sum(size for _, size, _ in files)
            for _, size, path in files:
                if total <= self._max_bytes:
                    break
                path.unlink(missing_ok=True)
                total -= size
            for path, about in self._scan(UNFINISHED):
                if about.st_mtime < time.time() - ABANDONED_S:
                    path.unlink(missing_ok=True)

    def _scan(self, prefix: str = "") -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the finished files, or those whose name begins with a prefix, as long as they are there."""
        with suppress(OSError):
            for entry in os.scandir(self._files):
                with suppress(FileNotFoundError):
                    if entry.name.startswith(prefix or UNFINISHED) == bool(prefix):
                        yield Path(entry.path), entry.stat()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def choose_folder(home: Path) -> Path:
    """Return where the files of a home are kept: in the home, or beside the system's temporary files.

    A home may be read-only; all processes of one user that serve it agree on the folder all the same.
    """
    inside = home / "cache"
    with suppress(OSError):
        inside.mkdir(parents=True, exist_ok=True)
        if os.access(inside, os.W_OK):
            return inside
    user = os.getuid() if hasattr(os, "getuid") else 0
    mark = hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:12]
    outside = Path(tempfile.gettempdir()) / f"weihai-layout-{user}-{mark}"
    with suppress(OSError):
        outside.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and outside.lstat().st_uid == user and not outside.is_symlink():
            return outside
    return Path(tempfile.mkdtemp(prefix="weihai-layout-"))  # somebody else's: this process has its own
