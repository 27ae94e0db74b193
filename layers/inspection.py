"""What is wrong with a home: asked for once, looked for while it is served, and mended from within.

Standard library only, for the web process.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from layers.history import (
    ARCHIVE,
    HISTORY,
    IMPORTS,
    STAGED,
    Entry,
    archive_path,
    check_archive,
    collect_archive,
    copy_path,
    digest_files,
    entry_path,
    import_path,
    list_numbers,
    name_import,
    pack_archive,
    parse_entry,
    read_chain,
    read_history,
    read_import,
    to_sha256,
    try_archive,
    try_file,
    try_pointer,
)
from layers.home import (
    MARKER,
    HomeError,
    Standing,
    list_names,
    read_standing,
    write_atomically,
    write_marker,
)
from layers.store import BrokenReleaseError, Pointer, Release

_LOG = logging.getLogger(__name__)
MOST_NOTED = 1000  # faults that are remembered, each of a file
TOLD = 10  # faults that a step finds and logs one by one


class Inspection:
    """Looks after a home and its releases while they are served.

    Each step tells by size and times whether a file was touched, and reads one more file whole: so a change
    is found at the next step, and what changed without a trace once all files had their turn. What is
    found is logged once; :attr:`faults` are for who asks whether all is well.
    """

    def __init__(self, home: Path, release: Release) -> None:
        self.home = home
        self.release = release
        self.faults: tuple[str, ...] = ()
        self._seen: tuple[object, ...] | None = None
        self._home_faults: tuple[str, ...] = ()
        self._broken: dict[tuple[str, str], str] = {}
        self._queue: list[tuple[Release, str]] = []
        self._noted: set[str] = set()  # what requests met

    def step(self) -> None:
        """Look once more; raises nothing."""
        seen = self._look()
        if seen != self._seen:
            self._home_faults = tuple(map(str, self._find_faults()))
            self._seen = seen
        if not self.release.folder.is_dir():  # which says it of every file
            gone = f"{self.release.folder}: {os.strerror(errno.ENOENT)}"
            self._tell(self._home_faults if not self.home.is_dir() else (*self._home_faults, gone))
            return
        paths = {path for one, path in self._broken if one == self.release.id}
        with suppress(BrokenReleaseError):
            paths |= {path for path in self.release.paths() if self.release.is_touched(path)}
        for path in paths:
            self._check(self.release, path)
        if not self._queue:
            self._queue = self._list_files()
        if self._queue:
            self._check(*self._queue.pop())
        self._tell((*self._home_faults, *self._broken.values()))

    def note(self, error: Exception) -> None:
        """Log what a request met, once, whoever else meets it until all was found well."""
        fault = str(error)
        if fault not in self.faults and fault not in self._noted:
            if len(self._noted) >= MOST_NOTED:
                self._noted.clear()
            self._noted.add(fault)
            _LOG.error("%s", fault)

    def look(self) -> bool:
        """Tell whether all is well as far as can be told at once: no fault is known, and no file is away."""
        if self.faults:
            return False
        try:
            self.release.look()
        except BrokenReleaseError as error:
            self.note(error)
            return False
        self._noted.clear()
        return True

    def _look(self) -> tuple[object, ...]:
        """Return what changes with the records of a home, short of reading them."""
        found: list[object] = []
        paths = [self.home, self.home / MARKER, self.home / "current"]
        for name in (HISTORY, ARCHIVE, IMPORTS):
            with suppress(HomeError):
                paths += [self.home / name, *(self.home / name / one for one in list_names(self.home / name))]
        for path in paths:
            try:
                stat = path.stat()
            except OSError as error:
                found.append((path, error.errno))
            else:
                found.append((path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_mode))
        return tuple(found)

    def _find_faults(self) -> list[HomeError]:
        try:
            if read_standing(self.home) is Standing.NEW:
                return [HomeError("gone", self.home)]
        except HomeError as error:
            return [error]
        return list_faults(self.home)

    def _check(self, release: Release, path: str) -> None:
        key = release.id, path
        self._broken.pop(key, None)
        try:
            release.check(path)
        except KeyError:
            return
        except BrokenReleaseError as error:
            if release.id == self.release.id or release.folder.is_dir():  # others may have been pushed out
                self._broken[key] = str(error)

    def _list_files(self) -> list[tuple[Release, str]]:
        """Return every file of every whole release, the live one's last."""
        releases = {self.release.id: self.release}
        with suppress(HomeError):
            for entry in read_history(self.home):
                folder = self.home / "releases" / entry.release
                if entry.release != self.release.id and folder.is_dir():
                    releases[entry.release] = Release(folder, entry.manifest_sha256)
        found = []
        for release in releases.values():
            with suppress(BrokenReleaseError):
                found += [(release, path) for path in release.paths()]
        return found[::-1]

    def _tell(self, faults: tuple[str, ...]) -> None:
        new = [fault for fault in faults if fault not in self.faults]
        for fault in new[:TOLD]:
            _LOG.error("%s", fault)
        if new[TOLD:]:
            _LOG.error("and %d more", len(new) - TOLD)
        self.faults = faults


def list_faults(home: Path) -> list[HomeError]:
    """Return everything that is wrong with a home: its history, and what that names."""
    try:
        entries = read_history(home)
    except HomeError as error:
        return [error]
    names = dict.fromkeys(name for entry in entries for name in entry.act.imports)
    found = [_find_fault(read_import, home, name) for name in names]
    found += [_find_fault(check_archive, home, entry) for entry in _list_archived(entries)]
    return [error for error in found if error is not None]


def _find_fault(check: Callable[..., object], *arguments: object) -> HomeError | None:
    try:
        check(*arguments)
    except HomeError as error:
        return error
    return None


def _list_archived(entries: Iterable[Entry]) -> Collection[Entry]:
    """Return the last entry of every release."""
    return {entry.release: entry for entry in entries}.values()


def repair(home: Path) -> list[Path]:
    """Restore what can be restored out of the home itself, and return the files that were.

    Entries come from their copies in the archive, as far as their digests vouch for them, ``current`` from
    the last entry, imported boundaries from the archives, archives from the whole releases. Raises
    :class:`~layers.home.HomeError` for the first file that has to come from a backup. The caller keeps
    other writers away.
    """
    fixed = _repair_chain(home)
    entries = read_history(home)
    for name in dict.fromkeys(name for entry in entries for name in entry.act.imports):
        fixed += _repair_import(home, name, entries)
    for entry in _list_archived(entries):
        fixed += _repair_archive(home, entry)
    return fixed


def _repair_chain(home: Path) -> list[Path]:
    """Restore entries, their copies, ``current`` and the marker."""
    try:
        sound = read_chain(home)
    except HomeError as error:
        if error.key in {"foreign", "newer", "unreadable"}:
            raise
        found = _find_chain(home, error)
        is_marked = error.key != "marker_damaged"
    else:
        found = [content for _, content in sound]
        is_marked = True
    fixed = []
    for number, content in enumerate(found, 1):
        fixed += _restore(entry_path(home, number), content)
        fixed += _restore(copy_path(home, number), content)
    last = parse_entry(found[-1], len(found)) if found else None
    pointer = try_pointer(home)
    if last is not None and (pointer is None or pointer.entry_sha256):
        live = Pointer(last.release, last.manifest_sha256, last.number, to_sha256(found[-1]))
        fixed += _restore(home / "current", live.to_bytes())
    if not is_marked:
        write_marker(home)
        fixed.append(home / MARKER)
    return fixed


def _find_chain(home: Path, wrong: HomeError) -> list[bytes]:
    """Return the bytes of every entry, out of the history or the archive.

    Raises `wrong` where one is lost, or where nothing vouches for the last: ``current`` does, also one of
    an earlier day, and so do two that are the same.
    """
    pointer = try_pointer(home)
    last = max([*list_numbers(home / HISTORY), *list_numbers(home / ARCHIVE)], default=0)
    heads = [content for content in _candidates(home, last) if parse_entry(content, last)]
    for head in dict.fromkeys(heads):
        found = _walk(home, head, last)
        if found is None:
            continue
        agree = heads.count(head) > 1 and (pointer is None or pointer.number <= last)
        known = pointer.entry_sha256 in map(to_sha256, found) if pointer else len(set(heads)) == 1
        if agree or known:
            return found
    raise wrong


def _walk(home: Path, head: bytes, last: int) -> list[bytes] | None:
    """Return the entries that lead to `head`, each the one whose digest the next holds."""
    found = [head]
    for number in range(last, 0, -1):
        entry = parse_entry(found[-1], number)
        if entry is None:
            return None
        if number == 1:
            return found[::-1] if not entry.previous else None
        before = (one for one in _candidates(home, number - 1) if to_sha256(one) == entry.previous)
        content = next(before, None)
        if content is None:
            return None
        found.append(content)
    return None


def _candidates(home: Path, number: int) -> list[bytes]:
    path = entry_path(home, number)
    paths = (path, copy_path(home, number), path.with_name(STAGED + path.name))
    return [content for content in map(try_file, paths) if content is not None]


def _restore(path: Path, content: bytes) -> list[Path]:
    if try_file(path) == content:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return [path]


def _repair_import(home: Path, name: str, entries: Iterable[Entry]) -> list[Path]:
    try:
        read_import(home, name)
    except HomeError as error:
        if error.key == "unreadable":
            raise
        for entry in entries:
            files = (try_archive(home, entry.release) or {}) if name in entry.act.imports else {}
            content = files.get(f"{IMPORTS}/{name}.json", b"")
            if name_import(content) == name:
                return _restore(import_path(home, name), content)
        raise error from None
    return []


def _repair_archive(home: Path, entry: Entry) -> list[Path]:
    try:
        check_archive(home, entry)
    except HomeError as error:
        release = Release(home / "releases" / entry.release, entry.manifest_sha256)
        try:
            files = collect_archive(home, release, entry.act.imports)
        except BrokenReleaseError:
            raise error from None
        if digest_files(files) != entry.data_sha256:
            raise error from None
        path = archive_path(home, entry.release)
        write_atomically(path, pack_archive(files))
        return [path]
    return []
