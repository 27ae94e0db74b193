"""The folder of all releases: whose it is, and what is wrong with it.

A home has a marker file, so that no folder with files of somebody else is ever written to or tidied.
What cannot be read is never taken for absent: every reader of a home raises :class:`HomeError`, which
names the file, and nothing in the home was changed then. Standard library only, for the web process.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Collection, Mapping
from enum import Enum, auto
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
MARKER = "weihai-layout-home.json"
KIND = "weihai-layout home"
FORMAT = 1  # of everything in the home; raised when an earlier program could no longer read it
RELEASE_ID = re.compile(r"[0-9a-f]{16}")
POINTER = re.compile(r"[0-9A-Za-z]{1,64} [0-9a-f]{64} [1-9][0-9]{0,8}")  # how ``current`` begins
ENTRY = re.compile(r"([0-9]{6,})\.json")
_LOCKS = (".lock", ".site.lock")
_MADE_AGAIN = ("previews", "downloads")  # what is in these can be made again
# What the cache of files has.
_KEPT = re.compile(r"files(/([0-9a-f]{64}|\.new-.*))?|locks(/([0-9a-f]{3}|removing))?")


class HomeError(Exception):
    """A home that cannot be worked with as it is; nothing in it was changed.

    Attributes
    ----------
    key
        What is wrong, as the messages call it.
    path
        The file or folder that it is wrong with.
    values
        What else fills the message.
    """

    def __init__(self, key: str, path: Path, **values: object) -> None:
        super().__init__(key, path)
        self.key = key
        self.path = path
        self.values = values

    def __str__(self) -> str:
        more = "".join(f", {name} {value}" for name, value in self.values.items() if value)
        return f"{self.path}: {self.key.replace('_', ' ')}{more}"


class Standing(Enum):
    """Whose a folder is."""

    NEW = auto()  # there is none, or nothing in it
    OURS = auto()
    EARLIER = auto()  # without a marker: version 0.1.0 wrote none


def find_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that the environment names (``WEIHAI_LAYOUT_HOME``); an empty name is none."""
    return Path(environ.get("WEIHAI_LAYOUT_HOME") or ROOT / "var").absolute()  # children begin elsewhere


def read_standing(home: Path, *, strict: bool = True) -> Standing:
    """Return whose a folder is; raises :class:`HomeError` for one that is somebody else's or unreadable.

    Unless `strict`, a damaged marker is one too.
    """
    names = list_names(home)
    if MARKER in names:
        if strict:
            _read_marker(home / MARKER)
        return Standing.OURS
    if _is_new(home, names):
        return Standing.NEW
    current = read_file(home / "current") if "current" in names else None
    if POINTER.match((current or b"").decode("ascii", "replace")):
        return Standing.EARLIER
    if any(_is_entry(home / "history" / name) for name in list_names(home / "history")):
        return Standing.EARLIER  # whose ``current`` is missing or damaged: its readers will say so
    raise HomeError("foreign", home)


def claim(home: Path) -> Standing:
    """Make a folder a home if it is new, and return what it was; raises as :func:`read_standing` does."""
    standing = read_standing(home)
    if standing is Standing.NEW:
        # Who holds the lock tidies up, and would take a marker that is being written for a leftover.
        from filelock import FileLock

        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / ".lock"):
            if read_standing(home) is Standing.NEW:
                write_marker(home)
    return standing


def write_marker(home: Path) -> None:
    """Mark a folder as a home."""
    content = json.dumps({"kind": KIND, "format": FORMAT}, indent=1).encode()
    write_atomically(home / MARKER, content + b"\n")


def list_names(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none where there is no such folder.

    Raises :class:`HomeError` where it cannot be read, or is none.
    """
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error


def read_file(path: Path) -> bytes | None:
    """Return the bytes of a file, or None where there is none; raises :class:`HomeError` if unreadable."""
    try:
        if path.exists() and not path.is_file():
            raise HomeError("unreadable", path, reason="not a file")  # a pipe would block
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> HomeError:
    """Return the error of a file or folder that is there but cannot be read."""
    reason = error.strerror if isinstance(error, OSError) else None
    return HomeError("unreadable", path, reason=reason or error)


def write_atomically(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Replace `path` so that a reader sees either the old bytes or the new, whole, whenever power fails.

    Who may read the file is left to the umask, within `mode`.
    """
    written = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        write_synced(written, content, mode)
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_synced(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a new file and wait until it is on the disk."""
    opener = partial(os.open, mode=mode)
    with open(path, "xb", opener=opener) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Wait until a file that was written is on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can say so."""
    if os.name != "posix":
        return  # Windows opens no folder
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_marker(path: Path) -> None:
    try:
        marker = json.loads(read_file(path) or b"")
    except (ValueError, RecursionError) as error:
        raise HomeError("marker_damaged", path) from error
    if not isinstance(marker, dict) or marker.get("kind") != KIND or type(marker.get("format")) is not int:
        raise HomeError("marker_damaged", path)
    if marker["format"] > FORMAT:
        raise HomeError("newer", path, format=marker["format"])


def _is_new(home: Path, names: Collection[str]) -> bool:
    """Tell whether a folder is empty, but for what a run leaves that was killed before its first release."""
    for name in names:
        below = list_names(home / name) if name in {*_MADE_AGAIN, "releases"} else []
        if name == "releases":
            harmless = all(one.startswith((".new-", ".old-")) for one in below)
        elif name == "cache" and (home / name).is_dir():
            inside = (path.relative_to(home / name).as_posix() for path in (home / name).rglob("*"))
            harmless = all(map(_KEPT.fullmatch, inside))
        elif name == "downloads":
            harmless = all(RELEASE_ID.fullmatch(one) for one in below)
        else:
            harmless = name in {*_LOCKS, "previews"} or name.startswith(f".{MARKER}-")
        if not harmless:
            return False
    return True


def _is_entry(path: Path) -> bool:
    try:
        entry = json.loads(read_file(path) or b"") if ENTRY.fullmatch(path.name) else None
    except (HomeError, ValueError, RecursionError):
        return False
    return isinstance(entry, dict) and {"number", "release", "manifest_sha256", "act"} <= entry.keys()
