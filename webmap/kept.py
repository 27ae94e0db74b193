"""Files that are made on request and kept on disk, so that they are made once for every release.

Bounded in number; written whole or not at all, so that several processes may share the folder.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from layers.home import write_atomically
from webmap.problems import BusyError

KEPT = 600  # files; the oldest go first
FOLDERS = 3  # releases whose files are kept
AT_ONCE = 2  # made by one process at the same time
PATIENCE_S = 20.0

_makers = threading.BoundedSemaphore(AT_ONCE)


def keep(folder: Path, key: tuple[str, ...], make: Callable[[], bytes]) -> bytes:
    """Return the file of `key`, made now or before.

    `folder` is one release's, and lies in a folder that holds nothing else: the oldest beside it go.

    Raises :class:`~webmap.problems.BusyError` when too many are being made.
    """
    path = folder / hashlib.sha256("\0".join(key).encode()).hexdigest()
    found = _read(path)
    if found is not None:
        return found
    if not _makers.acquire(timeout=PATIENCE_S):
        raise BusyError
    try:
        found = _read(path)  # another request may have made it while this one waited
        if found is None:
            found = make()
            with suppress(OSError):  # another process may remove the folder meanwhile; the file is made
                _write(path, found)
    finally:
        _makers.release()
    return found


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    folder = path.parent
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _remove_old_folders(folder)
    write_atomically(path, content)
    _remove_oldest(folder)


def _remove_oldest(folder: Path) -> None:
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) > KEPT:
        files.sort(key=_age)
        for path in files[: len(files) - KEPT]:
            path.unlink(missing_ok=True)


def _remove_old_folders(folder: Path) -> None:
    """Remove what was made for releases long gone."""
    folders = sorted((path for path in folder.parent.iterdir() if path.is_dir()), key=_age)
    for path in folders[:-FOLDERS]:
        if path != folder:
            shutil.rmtree(path, ignore_errors=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
