"""Releases on disk: written whole or not at all, checked before they are served.

A release is a folder ``releases/<id>`` with a ``manifest.json`` that lists every file with its
sha256; ``current`` names the release that is served. Standard library only, for the web process.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

COMPRESSIBLE = (".json", ".geojson", ".js", ".css", ".svg", ".html", ".topojson")
MIN_COMPRESSED = 512  # bytes; below this the headers cost more than is saved


class BrokenReleaseError(Exception):
    """A release on disk is incomplete or was changed."""


@dataclass(frozen=True)
class Release:
    """One immutable release, read from disk on demand."""

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Id and, by path, size and sha256 of every file."""
        manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
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

        Raises KeyError for a path that the manifest does not list, whatever is on disk.
        """
        if path not in self.manifest["files"]:
            raise KeyError(path)
        return (self.folder / path).read_bytes()

    def read_json(self, path: str) -> Any:
        """Return one JSON file, parsed."""
        return json.loads(self.read(path))

    def verify(self) -> None:
        """Raise :class:`BrokenReleaseError` unless every file is there, unchanged."""
        try:
            files = self.manifest["files"]
            named = self.manifest["release"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenReleaseError(f"manifest.json: {error}") from error
        if named != self.id:
            raise BrokenReleaseError(f"manifest.json: release {named}")
        for path, entry in files.items():
            try:
                content = (self.folder / path).read_bytes()
            except OSError as error:
                raise BrokenReleaseError(f"{path}: {error.strerror}") from error
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise BrokenReleaseError(f"{path}: sha256")


def read_current(home: Path) -> Release | None:
    """Return the release that ``current`` names, unchecked, or None where there is none."""
    try:
        name = (home / "current").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = home / "releases" / name
    return Release(folder) if name.isalnum() and folder.is_dir() else None


def write_release(home: Path, release_id: str, files: Mapping[str, bytes]) -> Release:
    """Write a release beside the live one, then switch to it in one step.

    Killed at any instant, the live release stays as it was; what is left over is removed by the
    next call. Compressed variants (``.gz``, ``.br``) are written for text files that gain from it.
    """
    releases = home / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    for leftover in releases.glob(".new-*"):
        shutil.rmtree(leftover)
    building = Path(tempfile.mkdtemp(prefix=".new-", dir=releases))
    _write_files(building, release_id, files)
    target = releases / release_id
    if target.exists():
        shutil.rmtree(target)
    building.rename(target)
    write_atomically(home / "current", release_id.encode("ascii"))
    return Release(target)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` so that a reader sees either the old bytes or the new, whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as temporary:
        temporary.write(content)
        temporary.flush()
        os.fsync(temporary.fileno())
    Path(temporary.name).replace(path)


def _write_files(folder: Path, release_id: str, files: Mapping[str, bytes]) -> None:
    entries = {}
    for path, content in sorted(_with_compressed(files).items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        entries[path] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = {"release": release_id, "files": entries}
    (folder / "manifest.json").write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
    )


def _with_compressed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    # Only the build compresses, so the web process never loads brotli.
    import brotli

    everything = dict(files)
    for path, content in files.items():
        if path.endswith(COMPRESSIBLE) and len(content) >= MIN_COMPRESSED:
            everything[f"{path}.gz"] = gzip.compress(content, 9, mtime=0)
            everything[f"{path}.br"] = brotli.compress(content, quality=11)
    return everything
