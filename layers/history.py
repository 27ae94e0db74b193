"""What was published: one entry for every switch of the live release, and its data for ever.

``history/<number>.json`` says which release, when, who, why, and what it changed; it is never
changed or removed. ``archive/<release>.zip`` keeps the data of every release that the history
names: its layers and tables as they were, a few hundred kilobytes. The whole release, with pages
and display files, is kept only for the newest (:data:`layers.store.KEPT`).

An entry is staged, then ``current`` is exchanged, then the entry is put in its place. A process
killed before the exchange has published nothing, one killed after it has published everything; the
next one tidies up. Standard library only, for the web process.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from layers.changes import compare
from layers.store import Release, read_pointer, remove_leftovers, remove_others, switch, write_atomically

Action = Literal["build", "import", "rollback"]
ACTIONS = ("build", "import", "rollback")
CORE = "data/"  # what the archive keeps: layers and tables,
KINDS = (".geojson", ".json")  # in the format that the others are made from
SHORTEST = 4  # digits that a release may be called by, where no other begins with them
_STAGED = ".next-"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same data make the same archive
_UNREADABLE = (OSError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Act:
    """Why a release comes to be."""

    action: Action
    inputs: str  # the hash of everything that it stands for
    code: str  # the hash of the code that made it
    imports: tuple[str, ...] = ()  # ids of the imported boundaries in force
    who: str | None = None
    why: str | None = None
    back_to: int | None = None  # the entry that a rollback returns to
    imported: tuple[dict[str, Any], ...] = ()  # what is new, without the geometry
    changes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the act as text, for another process."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Entry:
    """One publication."""

    number: int
    release: str
    manifest_sha256: str
    when: str  # ISO 8601, UTC
    act: Act


def parse_act(text: str) -> Act:
    """Return the act that :meth:`Act.to_json` wrote."""
    return _to_act(json.loads(text))


def read_history(home: Path) -> list[Entry]:
    """Return all entries, the oldest first; what is staged but not published is none."""
    pointer = read_pointer(home)
    found = {}
    for path in sorted((home / "history").glob("*.json")) if (home / "history").is_dir() else ():
        staged = path.name.startswith(_STAGED)
        entry = _read_entry(path) or _read_entry(path.with_name(path.name.removeprefix(_STAGED)))
        if entry and (not staged or (pointer and entry.number == pointer.number)):
            found[entry.number] = entry
    return [found[number] for number in sorted(found)]


def read_last(home: Path) -> Entry | None:
    """Return the entry of the live release, or None where it has none."""
    pointer = read_pointer(home)
    entries = read_history(home)
    if pointer is None:
        return entries[-1] if entries else None
    return next(
        (one for one in entries if (one.number, one.release) == (pointer.number, pointer.release)), None
    )


def record(home: Path, release: Release, act: Act) -> Entry:
    """Publish a release that lies in its place: archive its data, stage the entry, switch."""
    history = home / "history"
    history.mkdir(parents=True, exist_ok=True)
    tidy(home, release.id)
    entries = read_history(home)
    pointer = read_pointer(home)
    number = 1 + max([0 if pointer is None else pointer.number, *(one.number for one in entries)])
    when = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Entry(number, release.id, release.manifest_sha256, when, act)
    _write_archive(home, release)
    staged = history / f"{_STAGED}{number:06}.json"
    write_atomically(staged, json.dumps(asdict(entry), ensure_ascii=False, indent=1).encode())
    switch(home, release, number)
    staged.rename(history / f"{number:06}.json")
    return entry


def tidy(home: Path, coming: str = "") -> None:
    """Finish or undo what a killed process left; only one may write at a time.

    A release that was laid in its place and never published would count among those that are kept; the
    one that is `coming` is to be published yet.
    """
    remove_leftovers(home)
    history, pointer = home / "history", read_pointer(home)
    for path in history.glob(f"{_STAGED}*.json"):
        entry = _read_entry(path)
        if entry and pointer and entry.number == pointer.number and entry.release == pointer.release:
            path.rename(history / path.name.removeprefix(_STAGED))
        else:
            path.unlink()
    for path in (*history.glob(f"{_STAGED}*-*"), *history.glob("..next-*")):
        path.unlink(missing_ok=True)
    named = {entry.release for entry in read_history(home)}
    for path in (home / "archive").glob("*"):
        if path.stem not in named or path.name.startswith("."):
            path.unlink()
    if named:  # without a history nothing says what was published
        remove_others(home, named | {coming})


def find_entry(entries: list[Entry], asked: str) -> Entry | None:
    """Return the entry of a number, or the last one of a release or the start of its id."""
    if asked.isdecimal():
        found = next((entry for entry in entries if entry.number == int(asked)), None)
        if found:
            return found
    matching = [entry for entry in entries if len(asked) >= SHORTEST and entry.release.startswith(asked)]
    one = len({entry.release for entry in matching}) == 1
    return matching[-1] if one else None


def open_data(home: Path, release_id: str) -> Callable[[str], bytes | None]:
    """Return a reader of the archived data of one release; it gives None for what is not there."""
    path = home / "archive" / f"{release_id}.zip"

    def read(name: str) -> bytes | None:
        try:
            with zipfile.ZipFile(path) as archive:
                return archive.read(name)
        except _UNREADABLE:
            return None

    return read


def list_data(home: Path, release_id: str) -> list[str]:
    """Return the paths of the archived files of one release."""
    try:
        with zipfile.ZipFile(home / "archive" / f"{release_id}.zip") as archive:
            return archive.namelist()
    except _UNREADABLE:
        return []


def describe_data(home: Path, release_id: str) -> dict[str, dict[str, Any]]:
    """Return size and sha256 of every archived file of one release, as a manifest has them."""
    read = open_data(home, release_id)
    contents = {path: read(path) for path in list_data(home, release_id)}
    return {
        path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in contents.items()
        if content is not None
    }


def compare_archives(home: Path, old: str, new: str) -> dict[str, Any]:
    """Return what differs between the archived data of two releases."""
    paths = [*list_data(home, old), *list_data(home, new)]
    return compare(open_data(home, old), open_data(home, new), paths)


def _write_archive(home: Path, release: Release) -> None:
    path = home / "archive" / f"{release.id}.zip"
    path.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in release.paths(CORE):
            if name.endswith(KINDS):
                archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), release.read(name), zipfile.ZIP_DEFLATED)
    write_atomically(path, buffer.getvalue())


def _read_entry(path: Path) -> Entry | None:
    try:
        raw = json.loads(path.read_bytes())
        return Entry(
            number=int(raw["number"]),
            release=str(raw["release"]),
            manifest_sha256=str(raw["manifest_sha256"]),
            when=str(raw["when"]),
            act=_to_act(raw["act"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _to_act(raw: Mapping[str, Any]) -> Act:
    known = {one.name for one in fields(Act)}
    values = {name: value for name, value in raw.items() if name in known}
    for name in ("imports", "imported"):
        values[name] = tuple(values.get(name) or ())
    return Act(**values)
