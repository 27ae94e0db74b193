"""Releases on disk: written whole or not at all, checked before they are served.

A release is a folder ``releases/<id>`` with a ``manifest.json`` that lists every file with its
sha256; ``current`` holds ``<id> <sha256 of the manifest> <number>`` of the release that is served, so
that nothing in it can change unseen; the number is that of its entry in :mod:`layers.history`. The
exchange of ``current`` is the one step that publishes. Standard library only, for the web process.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

DOWNLOADS = "files/"  # fetched seldom, so not worth the time that the better compression takes
TEXTS = (".csv", ".geojson", ".kml", ".topojson")  # of the downloads; the others are compressed in themselves
COMPRESSIBLE = (".json", ".geojson", ".js", ".css", ".svg", ".html", ".topojson")
MIN_COMPRESSED = 512  # bytes; below this the headers cost more than is saved
KEPT = 3  # releases on disk; the older ones may still be read by a server that was not restarted
MAX_POINTER = 200  # bytes of ``current``; more is none of ours


class BrokenReleaseError(Exception):
    """A release on disk is incomplete or was changed."""


@dataclass(frozen=True)
class Release:
    """One immutable release, read from disk on demand."""

    folder: Path
    manifest_sha256: str

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Id and, by path, size and sha256 of every file.

        Raises :class:`BrokenReleaseError` unless it is the one that was written.
        """
        content = _read_file(self.folder, "manifest.json", self.manifest_sha256)
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
        """Return the bytes of one file.

        Raises KeyError for a path that the manifest does not list, whatever is on disk, and
        :class:`BrokenReleaseError` where the file is gone, as after later publications.
        """
        if path not in self.manifest["files"]:
            raise KeyError(path)
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            raise BrokenReleaseError(f"{path}: {error.strerror}") from error

    def read_json(self, path: str) -> Any:
        """Return one JSON file, parsed."""
        return json.loads(self.read(path))

    def look(self) -> None:
        """Raise :class:`BrokenReleaseError` unless every file can be opened and has its size; reads none."""
        folder = os.fspath(self.folder)  # thousands of files: a Path for each would take longer than asking
        for path, entry in self.manifest["files"].items():
            place = f"{folder}/{path}"
            try:
                fits = os.stat(place).st_size == entry["bytes"]  # noqa: PTH116 - as above
            except OSError as error:
                raise BrokenReleaseError(f"{path}: {error.strerror}") from error
            if not fits or not os.access(place, os.R_OK):
                raise BrokenReleaseError(f"{path}: {os.strerror(errno.EACCES) if fits else 'bytes'}")

    def verify(self) -> None:
        """Raise :class:`BrokenReleaseError` unless every file is there, unchanged."""
        for path, entry in self.manifest["files"].items():
            content = _read_file(self.folder, path, entry["sha256"])
            if len(content) != entry["bytes"]:
                raise BrokenReleaseError(f"{path}: bytes")


@dataclass(frozen=True)
class Pointer:
    """What ``current`` says."""

    release: str
    manifest_sha256: str
    number: int  # of the entry in the history; 0 where it has none


def read_pointer(home: Path) -> Pointer | None:
    """Return what ``current`` says, or None where it says nothing that can be understood."""
    try:
        with (home / "current").open("rb") as file:
            name, digest, number, *_ = [*file.read(MAX_POINTER).decode("ascii").rstrip().split(" "), "", ""]
    except (OSError, UnicodeDecodeError):
        return None
    return Pointer(name, digest, int(number) if number.isdecimal() else 0) if name.isalnum() else None


def read_current(home: Path) -> Release | None:
    """Return the release that ``current`` names, unchecked, or None where there is none.

    A name without a digest is a release that nothing vouches for: it does not verify.
    """
    pointer = read_pointer(home)
    try:
        found = pointer is not None and (home / "releases" / pointer.release).is_dir()
    except OSError:
        return None
    return (
        Release(home / "releases" / pointer.release, pointer.manifest_sha256) if pointer and found else None
    )


def write_release(home: Path, release_id: str, files: Mapping[str, bytes]) -> Release:
    """Write a release beside the live one, then switch to it in one step; keep the newest `KEPT`.

    Killed at any instant, the live release stays as it was; what is left over is removed by the
    next call, so only one may write at a time.
    """
    release = place_release(home, release_id, files)
    switch(home, release)
    return release


def place_release(home: Path, release_id: str, files: Mapping[str, bytes]) -> Release:
    """Write a release beside the live one without switching to it.

    Compressed variants (``.gz``, ``.br``) are written for text files that gain from it.
    """
    releases = home / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    remove_leftovers(home)
    building = Path(tempfile.mkdtemp(prefix=".new-", dir=releases))
    digest = _write_files(building, release_id, files)
    target = releases / release_id
    if target.exists():
        target.rename(Path(tempfile.mkdtemp(prefix=".old-", dir=releases)) / release_id)
    building.rename(target)
    return Release(target, digest)


def find_placed(home: Path, release_id: str) -> Release:
    """Return a release that lies in its place, live or not; raises OSError where it does not."""
    folder = home / "releases" / release_id
    return Release(folder, hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest())


def switch(home: Path, release: Release, number: int | None = None) -> None:
    """Make `release` the live one in one step, and remove all but the newest `KEPT`."""
    words = [release.id, release.manifest_sha256, *([] if number is None else [str(number)])]
    write_atomically(home / "current", " ".join(words).encode("ascii"))
    remove_leftovers(home)
    _remove_old(home / "releases", release.folder)


def remove_leftovers(home: Path) -> None:
    """Remove what a killed write left behind."""
    releases = home / "releases"
    for leftover in (*releases.glob(".new-*"), *releases.glob(".old-*")):
        shutil.rmtree(leftover)
    for leftover in home.glob(".current-*"):
        leftover.unlink()


def remove_others(home: Path, named: Collection[str]) -> None:
    """Remove the releases that are not `named`; never the live one."""
    pointer = read_pointer(home)
    live = pointer.release if pointer else ""
    for folder in _list_placed(home / "releases"):
        if folder.name not in {live, *named}:
            shutil.rmtree(folder, ignore_errors=True)


def _list_placed(releases: Path) -> list[Path]:
    """Return the folders of all releases but those that are still being written."""
    return [folder for folder in releases.glob("*") if folder.is_dir() and folder.name.isalnum()]


def _remove_old(releases: Path, live: Path) -> None:
    """Remove all but the newest releases, never `live`."""
    others = [folder for folder in _list_placed(releases) if folder != live]
    others.sort(key=lambda folder: folder.stat().st_mtime_ns, reverse=True)
    for folder in others[KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)  # one that stays does no harm to the new release


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` so that a reader sees either the old bytes or the new, whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as temporary:
        written = Path(temporary.name)
        try:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        except BaseException:
            written.unlink()
            raise
    written.replace(path)


def _read_file(folder: Path, path: str, sha256: str) -> bytes:
    """Return one file of a release; raises :class:`BrokenReleaseError` unless it has that digest."""
    file = folder / path
    try:
        if not file.is_file():  # a pipe would block
            raise BrokenReleaseError(f"{path}: not a file")
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        raise BrokenReleaseError(f"{path!r}: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BrokenReleaseError(f"{path}: sha256")
    return content


def _parse_manifest(content: bytes) -> dict[str, Any]:
    """Return a manifest of which every part has its type; raises :class:`BrokenReleaseError`."""
    try:
        manifest: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenReleaseError(f"manifest.json: {error}") from error
    parsed: dict[str, Any] = manifest if isinstance(manifest, dict) else {}
    files = parsed.get("files")
    if not files or not isinstance(files, dict) or not isinstance(parsed.get("release"), str):
        raise BrokenReleaseError("manifest.json: release, files")
    for path, entry in files.items():
        if not _is_inside(path):
            raise BrokenReleaseError(f"manifest.json: path {path!r}")
        if not _is_entry(entry):
            raise BrokenReleaseError(f"manifest.json: entry of {path!r}")
    return parsed


def _is_inside(path: str) -> bool:
    """Tell whether `path` is a plain relative path that stays in its folder."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", ".."} & set(parts) and not {"\\", ":"} & set(path)


def _is_entry(entry: Any) -> bool:
    """Tell whether `entry` holds the size and the digest of a file."""
    return (
        isinstance(entry, dict) and type(entry.get("bytes")) is int and isinstance(entry.get("sha256"), str)
    )


def _write_files(folder: Path, release_id: str, files: Mapping[str, bytes]) -> str:
    """Write all files with their manifest, and return the manifest's sha256."""
    entries = {}
    for path, content in sorted(_with_compressed(files).items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        entries[path] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = json.dumps({"release": release_id, "files": entries}, ensure_ascii=False, indent=1).encode()
    (folder / "manifest.json").write_bytes(manifest)
    return hashlib.sha256(manifest).hexdigest()


def _with_compressed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    # Only the build compresses, so the web process never loads brotli.
    import brotli

    everything = dict(files)
    for path, content in files.items():
        ready = path.startswith(DOWNLOADS)
        if path.endswith(TEXTS if ready else COMPRESSIBLE) and len(content) >= MIN_COMPRESSED:
            everything[f"{path}.gz"] = gzip.compress(content, 9, mtime=0)
            if not ready:
                everything[f"{path}.br"] = brotli.compress(content, quality=11)
    return everything
