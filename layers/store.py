"""Releases on disk: written whole or not at all, checked before they are served.

A release is a folder ``releases/<id>`` with a ``manifest.json`` that lists every file with its
sha256; ``current`` holds ``<id> <sha256 of the manifest> <number> <sha256 of the entry>`` of the release
that is served, so that nothing in it can change unseen; the number is that of its entry in
:mod:`layers.history`. The exchange of ``current`` is the one step that publishes. Standard library only,
for the web process.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from layers.home import (
    MARKER,
    POINTER,
    RELEASE_ID,
    HomeError,
    list_names,
    read_file,
    sync_file,
    sync_folder,
    write_atomically,
    write_synced,
)

DOWNLOADS = "files/"  # fetched seldom, so not worth the time that the better compression takes
TEXTS = (".csv", ".geojson", ".kml", ".topojson")  # of the downloads; the others are compressed in themselves
COMPRESSIBLE = (".json", ".geojson", ".js", ".css", ".svg", ".html", ".topojson")
MIN_COMPRESSED = 512  # bytes; below this the headers cost more than is saved
FIRST_LOADED = ("static/", "map/")  # by who opens the map: worth the smallest files
Json = TypeVar("Json")
KEPT = 3  # releases on disk; the older ones may still be read by a server that was not restarted
MAX_POINTER = 400  # bytes of ``current``; more is none of ours
# How files are opened; without waiting for a writer, where a pipe lies in the place of one.
_TO_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# What a write in one step leaves when it is killed.
_TEMPORARY = re.compile(
    rf"\.(?:current|{re.escape(MARKER)}|(?:\.next-)?[0-9a-z]{{6,20}}\.(?:json|zip))-[0-9a-z_]{{8,16}}"
)


class BrokenReleaseError(Exception):
    """A release on disk is incomplete or was changed."""


class CorruptFileError(BrokenReleaseError):
    """A file of a release that is there is not as it was written."""


class FileEntry(TypedDict):
    """Size and digest of a file."""

    bytes: int
    sha256: str


class Manifest(TypedDict):
    """What lies in a release: every file by its path."""

    release: str
    files: dict[str, FileEntry]


def share(value: Json, known: dict[int, object]) -> Json:
    """Return a JSON value in which what is equal, also to what was `known` before, is one object.

    Documents repeat each other: shared, they take a quarter of the memory. None of them may be changed.
    """
    if isinstance(value, dict):
        for name, one in value.items():
            value[name] = share(one, known)
        mark = hash((dict, *value, *map(id, value.values())))
    elif isinstance(value, list):
        value[:] = [share(one, known) for one in value]
        mark = hash((list, *map(id, value)))
    else:
        mark = hash((type(value), value))
    found = known.setdefault(mark, value)
    return found if type(found) is type(value) and found == value else value


@dataclass(frozen=True)
class Release:
    """One immutable release, read from disk on demand."""

    folder: Path
    manifest_sha256: str

    @cached_property
    def manifest(self) -> Manifest:
        """Id and, by path, size and sha256 of every file.

        Raises :class:`BrokenReleaseError` unless it is the one that was written.
        """
        content = _read_manifest(self.folder / "manifest.json", self.manifest_sha256)
        manifest = _parse_manifest(content)
        if manifest["release"] != self.id:
            raise BrokenReleaseError("manifest.json: release")
        return manifest

    @property
    def id(self) -> str:
        """The hash of everything the release was made from."""
        return self.folder.name

    def sha256(self, path: str) -> str | None:
        """Return the digest of one file, or None for a file that the release has not."""
        entry = self.manifest["files"].get(path)
        return entry["sha256"] if entry else None

    def size(self, path: str) -> int:
        """Return the bytes of one file."""
        return int(self.manifest["files"][path]["bytes"])

    def paths(self, below: str = "") -> list[str]:
        """Return the paths of all files below a folder, sorted."""
        return [path for path in self.manifest["files"] if path.startswith(below)]

    def read(self, path: str) -> bytes:
        """Return the bytes of one file, as they were written.

        The digest is checked when a file is read first, and again whenever the file was touched since.
        Raises KeyError for a path that the manifest does not list, whatever is on disk,
        :class:`CorruptFileError` where the file was changed, and :class:`BrokenReleaseError` where it is
        gone, as after later publications.
        """
        entry = self.manifest["files"][path]
        try:
            handle = os.open(f"{self._place}/{path}", _TO_READ)
            try:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode):
                    raise CorruptFileError(f"{path}: not a file")
                stamp, content = _stamp(found), os.read(handle, entry["bytes"] + 1)
            finally:
                os.close(handle)
        except (OSError, ValueError) as error:
            self._checked.pop(path, None)
            kind = BrokenReleaseError if isinstance(error, FileNotFoundError) else CorruptFileError
            raise kind(f"{self.folder.name}/{path!r}: {error}") from error
        if self._checked.get(path) != stamp:
            _check_content(f"{self.folder.name}/{path}", content, entry)
            self._checked[path] = stamp
        return content

    @cached_property
    def _place(self) -> str:
        """The folder as text: for each of thousands of files, a Path would take longer than reading."""
        return os.fspath(self.folder)

    @cached_property
    def _checked(self) -> dict[str, tuple[int, ...]]:
        """What the files that were found to be sound looked like then, by path."""
        return {}

    def check(self, path: str) -> None:
        """Read one file anew, whatever is known of it; raises as :meth:`read` does."""
        self._checked.pop(path, None)
        self.read(path)

    def is_touched(self, path: str) -> bool:
        """Tell whether a file that was sound looks otherwise now, without reading it."""
        known = self._checked.get(path)
        try:
            return known is not None and known != _stamp((self.folder / path).stat())
        except OSError:
            return True

    def read_json(self, path: str, known: dict[int, object] | None = None) -> Any:
        """Return one JSON file, parsed; with what is `known`, as :func:`share` returns it."""
        parsed = json.loads(self.read(path))
        return parsed if known is None else share(parsed, known)

    def look(self) -> None:
        """Raise :class:`BrokenReleaseError` unless every file can be opened and has its size; reads none."""
        for path, entry in self.manifest["files"].items():
            place = f"{self._place}/{path}"
            try:
                fits = os.stat(place).st_size == entry["bytes"]  # noqa: PTH116 - see there
            except OSError as error:
                raise BrokenReleaseError(f"{path}: {error.strerror}") from error
            if not fits or not os.access(place, os.R_OK):
                raise BrokenReleaseError(f"{path}: {os.strerror(errno.EACCES) if fits else 'bytes'}")

    def verify(self) -> None:
        """Raise :class:`BrokenReleaseError` unless every file is there, unchanged."""
        for path in self.manifest["files"]:
            self.check(path)


@dataclass(frozen=True)
class Pointer:
    """What ``current`` says."""

    release: str
    manifest_sha256: str
    number: int  # of the entry in the history
    entry_sha256: str  # of the bytes of that entry; empty as version 0.1.0 wrote it

    def to_bytes(self) -> bytes:
        """Return the content of ``current``."""
        words = (self.release, self.manifest_sha256, str(self.number), self.entry_sha256)
        return " ".join(words).rstrip().encode("ascii")


def read_pointer(home: Path) -> Pointer | None:
    """Return what ``current`` says, or None where there is none.

    Raises :class:`~layers.home.HomeError` where it cannot be read or understood.
    """
    path = home / "current"
    content = read_file(path)
    if content is None:
        return None
    words = content[:MAX_POINTER].decode("ascii", "replace").split(" ")
    digest = words[3] if len(words) == 4 else ""  # noqa: PLR2004 - version 0.1.0 wrote three
    if not POINTER.fullmatch(" ".join(words[:3])):
        raise HomeError("current_damaged", path)
    pointer = Pointer(words[0], words[1], int(words[2]), digest)
    if pointer.to_bytes() != content:
        raise HomeError("current_damaged", path)
    return pointer


def read_current(home: Path) -> Release | None:
    """Return the release that ``current`` names, unchecked, or None where there is none.

    Raises as :func:`read_pointer` does.
    """
    pointer = read_pointer(home)
    if pointer is None or pointer.release not in list_names(home / "releases"):
        return None
    return Release(home / "releases" / pointer.release, pointer.manifest_sha256)


def place_release(home: Path, release_id: str, files: Mapping[str, bytes]) -> Release:
    """Write a release beside the live one without switching to it.

    Compressed variants (``.gz``, ``.br``) are written for text files that gain from it.
    """
    releases = home / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    remove_leftovers(home)
    building = _make_folder(releases, ".new-")
    try:
        digest = _write_files(building, release_id, _with_compressed(files, _read_before(home)))
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)  # a full disk has no room for half a release
        raise
    target, old = releases / release_id, None
    if target.exists():
        old = _make_folder(releases, ".old-")
        target.rename(old / release_id)
    building.rename(target)
    sync_folder(releases)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return Release(target, digest)


def _make_folder(releases: Path, prefix: str) -> Path:
    """Return a new folder beside the releases, for those whom the umask lets in."""
    folder = releases / f"{prefix}{secrets.token_hex(8)}"
    folder.mkdir()
    return folder


def find_placed(home: Path, release_id: str) -> Release:
    """Return a release that lies in its place, live or not; raises OSError where it does not."""
    folder = home / "releases" / release_id
    return Release(folder, hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest())


def switch(home: Path, release: Release, number: int, entry_sha256: str) -> None:
    """Make `release` the live one in one step."""
    pointer = Pointer(release.id, release.manifest_sha256, number, entry_sha256)
    write_atomically(home / "current", pointer.to_bytes())


def remove_leftovers(home: Path) -> None:
    """Remove what a killed write left behind."""
    releases = home / "releases"
    for name in list_names(releases):
        if name.startswith((".new-", ".old-")):
            shutil.rmtree(releases / name)
    for folder in (home, *(home / name for name in ("history", "archive", "imports"))):
        for name in list_names(folder):
            if _TEMPORARY.fullmatch(name):
                (folder / name).unlink()


def remove_releases(home: Path, ids: Iterable[str]) -> None:
    """Remove whole releases; what is no release of ours stays."""
    for name in ids:
        if RELEASE_ID.fullmatch(name):
            shutil.rmtree(home / "releases" / name, ignore_errors=True)  # one that stays does no harm


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    """Return what changes with a file's content, short of reading it."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _check_content(path: str, content: bytes, entry: FileEntry) -> None:
    if len(content) != entry["bytes"] or hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise CorruptFileError(f"{path}: sha256")


def _read_manifest(file: Path, sha256: str) -> bytes:
    """Return a manifest; raises :class:`BrokenReleaseError` unless it has that digest."""
    name = f"{file.parent.name}/{file.name}"
    try:
        content = read_file(file)
    except HomeError as error:
        raise CorruptFileError(str(error)) from error
    if content is None:
        raise BrokenReleaseError(f"{name}: missing")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CorruptFileError(f"{name}: sha256")
    return content


@lru_cache(maxsize=1)  # a start asks several times for the live release, whose bytes vouch for it
def _parse_manifest(content: bytes) -> Manifest:
    """Return a manifest of which every part has its type; raises :class:`BrokenReleaseError`."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenReleaseError(f"manifest.json: {error}") from error
    files = parsed.get("files") if isinstance(parsed, dict) else None
    if not files or not isinstance(files, dict) or not isinstance(parsed.get("release"), str):
        raise BrokenReleaseError("manifest.json: release, files")
    for path, entry in files.items():
        if not _is_inside(path):
            raise BrokenReleaseError(f"manifest.json: path {path!r}")
        if not _is_entry(entry):
            raise BrokenReleaseError(f"manifest.json: entry of {path!r}")
    manifest: Manifest = parsed
    return manifest


def _is_inside(path: str) -> bool:
    """Tell whether `path` is a plain relative path that stays in its folder."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", ".."} & set(parts) and not {"\\", ":"} & set(path)


def _is_entry(entry: object) -> bool:
    """Tell whether `entry` holds the size and the digest of a file."""
    return (
        isinstance(entry, dict) and type(entry.get("bytes")) is int and isinstance(entry.get("sha256"), str)
    )


def _write_files(folder: Path, release_id: str, files: Mapping[str, bytes]) -> str:
    """Write all files with their manifest, and return the manifest's sha256."""
    entries = {}
    for path, content in sorted(files.items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        entries[path] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    for path in entries:  # only now: a disk takes thousands of small files together sooner than one by one
        sync_file(folder / path)
    manifest = json.dumps({"release": release_id, "files": entries}, ensure_ascii=False, indent=1).encode()
    write_synced(folder / "manifest.json", manifest)
    for below, _, _ in os.walk(folder):
        sync_folder(Path(below))
    return hashlib.sha256(manifest).hexdigest()


def _read_before(home: Path) -> Release | None:
    try:
        return read_current(home)
    except HomeError:
        return None


def _with_compressed(files: Mapping[str, bytes], before: Release | None) -> dict[str, bytes]:
    """Return files with their compressed variants, taken from the release `before` where it has the same."""
    from concurrent.futures import ThreadPoolExecutor  # as brotli, for the build alone

    variants = [f"{path}{suffix}" for path, content in files.items() for suffix in _suffixes(path, content)]

    def make(variant: str) -> bytes:
        path, _, suffix = variant.rpartition(".")
        if before is not None:
            with suppress(BrokenReleaseError, KeyError):  # then it is compressed anew
                if before.sha256(path) == hashlib.sha256(files[path]).hexdigest():
                    return before.read(variant)
        return _compress(path, files[path], suffix)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the libraries compress beside one another
        return {**files, **dict(zip(variants, pool.map(make, variants), strict=True))}


def _suffixes(path: str, content: bytes) -> tuple[str, ...]:
    ready = path.startswith(DOWNLOADS)
    if not path.endswith(TEXTS if ready else COMPRESSIBLE) or len(content) < MIN_COMPRESSED:
        return ()
    return (".gz",) if ready else (".gz", ".br")


def _compress(path: str, content: bytes, suffix: str) -> bytes:
    import brotli

    if suffix == "gz":
        return gzip.compress(content, 6, mtime=0)  # two fifths of the time of 9, for 0.5 % more bytes
    quality = 11 if path.startswith(FIRST_LOADED) else 7  # a fifth of the time of 9, for 0.6 % more bytes
    compressed: bytes = brotli.compress(content, quality=quality)
    return compressed
