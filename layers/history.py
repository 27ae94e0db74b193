"""What was published: one entry for every switch of the live release, and its data for ever.

``history/<number>.json`` says which release, when, who, why, and what it changed; it is never
changed or removed. Each entry holds the digest of the one before and ``current`` that of the last, so
that a damaged, missing or exchanged one is found out: nothing is then read from the home, published or
removed, and :class:`~layers.home.HomeError` names the file. ``archive/<number>.json`` is a copy of the
entry, ``archive/<release>.zip`` the data of every release that the history names: its layers and
tables as they were, and the imported boundaries in force. ``imports/<id>.json`` are these, each named by
its content. The whole release, with pages and display files, is kept only for the newest
(:data:`layers.store.KEPT`).

An entry is staged, then ``current`` is exchanged, then what was staged is put in its place. A process
killed before the exchange has published nothing, one killed after it has published everything; the
next one tidies up, and removes nothing but what was staged and whole releases that others have pushed
out. Standard library only, for the web process.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from layers.changes import (
    AreaDifference,
    Changes,
    ChangeSummary,
    compare,
)
from layers.home import (
    ENTRY,
    MARKER,
    RELEASE_ID,
    HomeError,
    Standing,
    list_names,
    read_file,
    read_standing,
    sync_folder,
    write_atomically,
    write_marker,
)
from layers.store import (
    KEPT,
    FileEntry,
    Pointer,
    Release,
    read_pointer,
    remove_leftovers,
    remove_releases,
    switch,
)

if TYPE_CHECKING:
    from geodata.imported import ImportedBoundary

Action = Literal["build", "import", "rollback"]
CORE = "data/"  # what the archive keeps: layers and tables,
KINDS = (".geojson", ".json")  # in the format that the others are made from
HISTORY, ARCHIVE, IMPORTS = "history", "archive", "imports"
SHORTEST = 4  # digits that a release may be called by, where no other begins with them
STAGED = ".next-"
_READINGS = 5  # of a history that others write to meanwhile
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same data make the same archive
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)

# An imported boundary without its geometry, as its record has it; `import` is the record's id.
Imported = TypedDict(
    "Imported",
    {
        "layer": str,
        "of": str,
        "method": str,
        "accuracy_m": float,
        "source": str,
        "licence": str,
        "who": str,
        "why": str,
        "when": str,
        "file_name": str,
        "file_sha256": str,
        "crs": str,
        "fixes": list[str | dict[str, str]],
        "import": str,
    },
    total=False,
)
TracedChange = TypedDict(
    "TracedChange",
    {
        "number": int,
        "release": str,
        "when": str,
        "how": str,
        "back_to": int | None,
        "who": str | None,
        "why": str | None,
        "before": dict[str, object] | None,
        "after": dict[str, object] | None,
        "import": Imported | None,
    },
)


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
    imported: tuple[Imported, ...] = ()  # what is new
    changes: ChangeSummary = field(default_factory=ChangeSummary)

    def to_json(self) -> str:
        """Return the act as text, for another process."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Entry:
    """One publication."""

    number: int
    release: str
    manifest_sha256: str
    when: str  # ISO 8601, UTC; never before the publication before
    act: Act
    previous: str = ""  # sha256 of the entry before, as it lies on disk; empty for the first
    data_sha256: str = ""  # of what the archive holds; empty where version 0.1.0 lost it

    def to_bytes(self) -> bytes:
        """Return the entry as it lies on disk."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()


def parse_act(text: str) -> Act:
    """Return the act that :meth:`Act.to_json` wrote."""
    return _to_act(json.loads(text))


# Reading


def read_history(home: Path) -> list[Entry]:
    """Return all entries, the oldest first; what is staged but not published is none.

    Raises :class:`~layers.home.HomeError` unless all are there as they were written.
    """
    return [entry for entry, _ in read_chain(home)]


def read_last(home: Path) -> Entry | None:
    """Return the entry of the live release, or None where nothing was published; raises as reading does."""
    entries = read_history(home)
    return entries[-1] if entries else None


def read_chain(home: Path) -> list[tuple[Entry, bytes]]:
    """Return every entry with its bytes, checked; read again where others published meanwhile."""
    for left in reversed(range(_READINGS)):
        pointer = try_pointer(home)
        try:
            return _read_checked(home)
        except HomeError:
            if left == 0 or pointer == try_pointer(home):
                raise
    raise AssertionError


def try_pointer(home: Path) -> Pointer | None:
    """Return what ``current`` says, or None where that is missing or damaged."""
    try:
        return read_pointer(home)
    except HomeError:
        return None


def _read_checked(home: Path) -> list[tuple[Entry, bytes]]:
    standing = read_standing(home)
    if standing is Standing.NEW:
        return []
    pointer = read_pointer(home)
    last = max(list_numbers(home / HISTORY), default=0)
    if pointer is None:
        if last or _list_kept(home):
            raise HomeError("current_missing", home / "current")
        return []
    if last > pointer.number:
        raise HomeError("current_older", home / "current", number=pointer.number, last=last)
    found = [_read_entry(home, number, pointer) for number in range(1, pointer.number + 1)]
    if standing is Standing.OURS or pointer.entry_sha256:
        _check_chain(home, pointer, found)
    entry = found[-1][0]
    if (entry.release, entry.manifest_sha256) != (pointer.release, pointer.manifest_sha256):
        raise HomeError("current_damaged", home / "current")
    return found


def list_numbers(folder: Path) -> list[int]:
    """Return the numbers of the entries in a folder."""
    return [int(match[1]) for match in map(ENTRY.fullmatch, list_names(folder)) if match]


def _list_kept(home: Path) -> list[str]:
    """Return what only publications leave in the archive."""
    names = list_names(home / ARCHIVE)
    return [
        name for name in names if ENTRY.fullmatch(name) or RELEASE_ID.fullmatch(name.removesuffix(".zip"))
    ]


def _read_entry(home: Path, number: int, pointer: Pointer) -> tuple[Entry, bytes]:
    path = entry_path(home, number)
    staged = path.with_name(STAGED + path.name)
    # The last one may still be staged, and be put in its place as we look.
    paths = (path, staged, path) if number == pointer.number else (path,)
    content = next((found for found in map(read_file, paths) if found is not None), None)
    if content is None:
        raise HomeError("entry_missing", path, number=number)
    entry = parse_entry(content, number)
    if entry is None:
        raise HomeError("entry_damaged", path, number=number)
    return entry, content


def _check_chain(home: Path, pointer: Pointer, found: list[tuple[Entry, bytes]]) -> None:
    wanted = pointer.entry_sha256
    for entry, content in reversed(found):
        if to_sha256(content) != wanted:
            is_last = entry.number == pointer.number
            if is_last and try_file(copy_path(home, entry.number)) == content:
                raise HomeError("current_damaged", home / "current")
            raise HomeError("entry_damaged", entry_path(home, entry.number), number=entry.number)
        wanted = entry.previous


def entry_path(home: Path, number: int) -> Path:
    """Return where an entry lies."""
    return home / HISTORY / f"{number:06}.json"


def copy_path(home: Path, number: int) -> Path:
    """Return where the copy of an entry lies."""
    return home / ARCHIVE / f"{number:06}.json"


def archive_path(home: Path, release_id: str) -> Path:
    """Return where the data of a release are archived."""
    return home / ARCHIVE / f"{release_id}.zip"


def import_path(home: Path, name: str) -> Path:
    """Return where an imported boundary lies."""
    return home / IMPORTS / f"{name}.json"


def try_file(path: Path) -> bytes | None:
    """Return the bytes of a file, or None where it is missing or cannot be read."""
    try:
        return read_file(path)
    except HomeError:
        return None


def to_sha256(content: bytes) -> str:
    """Return the digest of some bytes, as entries and manifests write it."""
    return hashlib.sha256(content).hexdigest()


def parse_entry(content: bytes, number: int) -> Entry | None:
    """Return the entry of this number, or None for bytes that are none."""
    try:
        raw = json.loads(content)
        entry = Entry(
            number=int(raw["number"]),
            release=str(raw["release"]),
            manifest_sha256=str(raw["manifest_sha256"]),
            when=str(raw["when"]),
            act=_to_act(raw["act"]),
            previous=str(raw.get("previous", "")),
            data_sha256=str(raw.get("data_sha256", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return entry if entry.number == number else None


def _to_act(raw: Mapping[str, Any]) -> Act:
    known = {one.name for one in fields(Act)}
    values = {name: value for name, value in raw.items() if name in known}
    for name in ("imports", "imported"):
        values[name] = tuple(values.get(name) or ())
    return Act(**values)


# Writing


def record(home: Path, release: Release, act: Act) -> Entry:
    """Publish a release that lies in its place: archive its data, stage the entry, switch.

    Raises OSError where something cannot be written; nothing was published then.
    """
    for name in (HISTORY, ARCHIVE):
        (home / name).mkdir(parents=True, exist_ok=True)
    if MARKER not in list_names(home):
        write_marker(home)
    found = read_chain(home)
    last, content = found[-1] if found else (None, b"")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Entry(
        number=len(found) + 1,
        release=release.id,
        manifest_sha256=release.manifest_sha256,
        when=max(now, last.when) if last else now,  # whatever the clock says, it came after
        act=act,
        previous=to_sha256(content) if last else "",
        data_sha256=_stage_archive(home, release, act.imports),
    )
    path = entry_path(home, entry.number)
    write_atomically(path.with_name(STAGED + path.name), entry.to_bytes())
    switch(home, release, entry.number, to_sha256(entry.to_bytes()))
    _finish(home, entry)
    entries = [*(one for one, _ in found), entry]
    remove_releases(home, {one.release for one in entries}.difference(_list_whole(entries)))
    return entry


def _finish(home: Path, entry: Entry) -> None:
    """Put in its place what was staged for the live entry; each step may have been done before."""
    paths = (
        archive_path(home, entry.release),
        *(import_path(home, name) for name in entry.act.imports),
        entry_path(home, entry.number),
    )
    for path in paths:
        with suppress(FileNotFoundError):
            path.with_name(STAGED + path.name).replace(path)
            sync_folder(path.parent)
    copy = copy_path(home, entry.number)
    if not copy.exists():
        with suppress(OSError):  # a full disk: it is published all the same, and the next one tries again
            copy.parent.mkdir(exist_ok=True)
            write_atomically(copy, entry.to_bytes())


def _list_whole(entries: Iterable[Entry]) -> list[str]:
    """Return the releases that are kept whole: those that were published last, whatever the clock said."""
    return list(dict.fromkeys(entry.release for entry in reversed([*entries])))[:KEPT]


def tidy(home: Path) -> None:
    """Finish or undo what a killed process left; only one may write at a time.

    Raises :class:`~layers.home.HomeError`, before anything is removed, where the history is not sound.
    """
    entries = read_history(home)
    if entries:
        _finish(home, entries[-1])
    for folder in (home / HISTORY, home / ARCHIVE, home / IMPORTS):
        for name in list_names(folder):
            if name.startswith(STAGED):
                (folder / name).unlink()
    remove_leftovers(home)
    if entries:  # also those that were laid in their places and never published
        placed = {name for name in list_names(home / "releases") if RELEASE_ID.fullmatch(name)}
        remove_releases(home, placed.difference(_list_whole(entries)))


def adopt(home: Path) -> list[Entry]:
    """Make a home of version 0.1.0 one of now: chain its entries, copy them, and mark it.

    Killed at any instant, the next call goes on. Raises as :func:`read_history` does, and writes nothing
    then.
    """
    found, pointer = read_chain(home), read_pointer(home)
    if pointer is not None and not pointer.entry_sha256:
        content = b""
        for entry, _ in found:
            files = try_archive(home, entry.release)
            known = digest_files(files) if files is not None else ""
            previous = to_sha256(content) if content else ""
            content = replace(entry, previous=previous, data_sha256=known).to_bytes()
            (home / ARCHIVE).mkdir(exist_ok=True)
            write_atomically(copy_path(home, entry.number), content)
            write_atomically(entry_path(home, entry.number), content)
            (entry_path(home, entry.number).with_name(f"{STAGED}{entry.number:06}.json")).unlink(
                missing_ok=True
            )
        write_atomically(home / "current", replace(pointer, entry_sha256=to_sha256(content)).to_bytes())
    write_marker(home)
    return read_history(home)


# Archives


def open_data(home: Path, release_id: str) -> Callable[[str], bytes | None]:
    """Return a reader of the archived data of one release; it gives None for what is not there."""
    path = archive_path(home, release_id)

    def read(name: str) -> bytes | None:
        try:
            with zipfile.ZipFile(path) as archive:
                return archive.read(name)
        except _UNREADABLE:
            return None

    return read


def list_data(home: Path, release_id: str) -> list[str]:
    """Return the paths of the archived layers and tables of one release."""
    try:
        with zipfile.ZipFile(archive_path(home, release_id)) as archive:
            return [name for name in archive.namelist() if name.startswith(CORE)]
    except _UNREADABLE:
        return []


def describe_data(home: Path, release_id: str) -> dict[str, FileEntry]:
    """Return size and sha256 of every archived file of one release, as a manifest has them."""
    read = open_data(home, release_id)
    contents = {path: read(path) for path in list_data(home, release_id)}
    return {
        path: {"bytes": len(content), "sha256": to_sha256(content)}
        for path, content in contents.items()
        if content is not None
    }


def compare_archives(home: Path, old: str, new: str) -> Changes:
    """Return what differs between the archived data of two releases."""
    paths = [*list_data(home, old), *list_data(home, new)]
    return compare(open_data(home, old), open_data(home, new), paths)


def check_archive(home: Path, entry: Entry) -> None:
    """Raise :class:`~layers.home.HomeError` unless the data of a publication are archived as they were."""
    path = archive_path(home, entry.release)
    if not entry.data_sha256:
        return  # lost before anything vouched for it
    files = try_archive(home, entry.release)
    if files is None or digest_files(files) != entry.data_sha256:
        key = "archive_damaged" if path.name in list_names(path.parent) else "archive_missing"
        raise HomeError(key, path, number=entry.number)


def try_archive(home: Path, release_id: str) -> dict[str, bytes] | None:
    """Return everything in an archive, or None where it is missing or damaged."""
    path = archive_path(home, release_id)
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except _UNREADABLE:
        return None


def digest_files(files: Mapping[str, bytes]) -> str:
    """Return one digest of files by path; it does not depend on how they are compressed."""
    lines = (f"{name} {to_sha256(content)}\n" for name, content in sorted(files.items()))
    return to_sha256("".join(lines).encode())


def collect_archive(home: Path, release: Release, imports: Iterable[str]) -> dict[str, bytes]:
    """Return what the archive of a release holds."""
    files = {name: release.read(name) for name in release.paths(CORE) if name.endswith(KINDS)}
    return files | {f"{IMPORTS}/{name}.json": read_import(home, name) for name in sorted(imports)}


def _stage_archive(home: Path, release: Release, imports: Iterable[str]) -> str:
    """Write the archive of a release beside its place, and return the digest of what is in it."""
    files = collect_archive(home, release, imports)
    path = archive_path(home, release.id)
    if try_archive(home, release.id) != files:
        write_atomically(path.with_name(STAGED + path.name), pack_archive(files))
    return digest_files(files)


def pack_archive(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of these files by path; the same files make the same archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


# Imported boundaries


def write_import(home: Path, boundary: ImportedBoundary) -> str:
    """Stage an imported boundary for the publication that it comes with, and return its id."""
    content = boundary.to_bytes()
    name = name_import(content)
    path = import_path(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if try_file(path) != content:
        write_atomically(path.with_name(STAGED + path.name), content)
    return name


def read_imports(home: Path, names: Iterable[str]) -> tuple[ImportedBoundary, ...]:
    """Return the imported boundaries of these ids.

    Raises :class:`~layers.home.HomeError` for one that is not there as it was written.
    """
    # Only who asks for their polygons pays for what reads these.
    from pydantic import ValidationError

    from geodata.imported import ImportedBoundary

    found = []
    for name in names:
        content = read_import(home, name)
        try:
            found.append(ImportedBoundary.model_validate_json(content))
        except ValidationError as error:
            reason = " ".join(str(error).split())
            raise HomeError("import_damaged", import_path(home, name), reason=reason) from error
    return tuple(found)


def check_imports(home: Path, entries: Iterable[Entry]) -> None:
    """Raise :class:`~layers.home.HomeError` unless every boundary that the entries have in force is there."""
    for name in dict.fromkeys(name for entry in entries for name in entry.act.imports):
        read_import(home, name)


def replace_latest(home: Path, in_force: Iterable[str], fresh: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in force once `fresh` ones are: of several of one place the last in this order."""
    from geodata.imported import keep_latest

    names = [*in_force, *fresh]
    by_id = dict(zip(names, read_imports(home, names), strict=True))
    kept = {id(one) for one in keep_latest(by_id.values()).values()}
    return tuple(name for name, one in by_id.items() if id(one) in kept)


def describe_import(boundary: ImportedBoundary) -> Imported:
    """Return everything about an imported boundary but its geometry."""
    record = boundary.model_dump(mode="json", exclude={"geometry"})
    return cast("Imported", {**record, "import": boundary.to_id()})


def read_import(home: Path, name: str) -> bytes:
    """Return the bytes of an imported boundary; raises :class:`~layers.home.HomeError` as reading does."""
    path = import_path(home, name)
    staged = path.with_name(STAGED + path.name)
    for content in (read_file(staged), read_file(path)):
        if content is not None and name_import(content) == name:
            return content
    raise HomeError("import_damaged" if path.name in list_names(path.parent) else "import_missing", path)


def name_import(content: bytes) -> str:
    """Return the id of an imported boundary: what its bytes hash to."""
    return to_sha256(content)[:20]


# Questions


def find_entry(entries: list[Entry], asked: str) -> Entry | None:
    """Return the entry of a number, or the last one of a release or the start of its id."""
    if asked.isdecimal():
        found = next((entry for entry in entries if entry.number == int(asked)), None)
        if found:
            return found
    matching = [entry for entry in entries if len(asked) >= SHORTEST and entry.release.startswith(asked)]
    one = len({entry.release for entry in matching}) == 1
    return matching[-1] if one else None


def trace(entries: Iterable[Entry], place: str) -> list[TracedChange]:
    """Return what each publication did to the boundary of `place`, the latest first.

    ``how`` is ``base`` (first published), ``imported``, ``adjusted`` (a neighbour's import moved the
    edge), ``restored`` (a rollback), ``rebuilt`` (facts or program changed) or ``removed``.
    """
    events = []
    for entry in entries:
        row = next((row for row in entry.act.changes.get("areas", ()) if row["id"] == place), None)
        imported = next((row for row in entry.act.imported if row["of"] == place), None)
        if row or imported:
            events.append(_to_event(entry, row, imported))
    return events[::-1]


def list_places(entries: Iterable[Entry]) -> set[str]:
    """Return the ids of all places that the history knows."""
    return {row["id"] for entry in entries for row in entry.act.changes.get("areas", ())}


def _to_event(entry: Entry, row: AreaDifference | None, imported: Imported | None) -> TracedChange:
    before, after = (row["before"], row["after"]) if row else (None, None)
    return {
        "number": entry.number,
        "release": entry.release,
        "when": entry.when,
        "how": _how(entry, before, after, imported),
        "back_to": entry.act.back_to,
        "who": entry.act.who,
        "why": entry.act.why,
        "before": before,
        "after": after,
        "import": imported,
    }


def _how(
    entry: Entry,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
    imported: Imported | None,
) -> str:
    if imported:
        return "imported"
    if after is None:
        return "removed"
    if before is None:
        return "base"
    return {"import": "adjusted", "rollback": "restored"}.get(entry.act.action, "rebuilt")
