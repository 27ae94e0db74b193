"""Put a site on disk: written whole beside the old one, then exchanged for it in one step.

``site.json`` in its folder lists every file, so that a folder that is not ours is never touched.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import (
    Iterable,
    Mapping,
)
from dataclasses import dataclass
from pathlib import Path

from layers.store import FileEntry

MANIFEST = "site.json"
KIND = "weihai-layout site"
BESIDE = "weihai-layout-"  # begins the names of what is still, or no more, a site
EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
HERE = -100  # AT_FDCWD of fcntl.h


class NotOursError(Exception):
    """A folder holds what no run of ours wrote; the message names it."""


@dataclass(frozen=True)
class Written:
    """What was written: files and bytes, without the manifest."""

    files: int
    size: int


def check_folder(folder: Path) -> None:
    """Raise :class:`NotOursError` unless `folder` is missing, empty, or holds a site and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise NotOursError(folder.name)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if found:
        others = sorted(found - {MANIFEST, *_read_files(folder)})
        if others:
            raise NotOursError(others[0])


def write_site(folder: Path, files: Iterable[tuple[str, bytes]], about: Mapping[str, object]) -> Written:
    """Write `files` with a manifest that begins with `about`, in the place of the site in `folder`.

    Killed at any instant, or failing, the old site stays whole. Raises :class:`NotOursError`, and
    OSError where a file cannot be written.
    """
    folder = Path(os.path.realpath(folder))  # a link to the folder stays a link
    check_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-{BESIDE}", dir=folder.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()  # readable as the umask says; the folder above is for us alone
        entries = {path: _write(new / path, content) for path, content in files}
        listed = {"kind": KIND, **about, "files": dict(sorted(entries.items()))}
        _write(new / MANIFEST, json.dumps(listed, ensure_ascii=False, indent=1).encode())
        check_folder(folder)  # it took a while
        _exchange(new, folder)
    return Written(len(entries), sum(entry["bytes"] for entry in entries.values()))


def remove_site_leftovers(folder: Path) -> None:
    """Remove what killed runs left beside `folder`; the caller keeps other runs away."""
    folder = Path(os.path.realpath(folder))
    for leftover in folder.parent.glob(f".{folder.name}-{BESIDE}*"):
        shutil.rmtree(leftover)


def _read_files(folder: Path) -> set[str]:
    """Return the files that a folder's manifest lists; none where it has no manifest of ours."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return set(manifest["files"]) if manifest["kind"] == KIND else set()
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def _write(path: Path, content: bytes) -> FileEntry:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _exchange(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`; the old one, if there is one, ends beside it."""
    if not folder.exists():
        new.rename(folder)
    elif not _swap(new, folder):
        folder.rename(new.with_name("old"))
        new.rename(folder)


def _swap(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that a server never finds neither; False where that cannot be."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError):
        return False
    return bool(rename(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)
