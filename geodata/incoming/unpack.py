"""Unpack a zip that somebody brought, and nothing but what it may hold: no bomb, no path outside."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

from geodata.incoming.finding import RefusedError, find

MAX_ENTRIES: Final = 200
MAX_UNPACKED: Final = 400_000_000  # bytes
MAX_RATIO: Final = 250  # unpacked over packed; coordinates as text reach about 10
_FREE: Final = 1_000_000  # bytes below which the ratio says nothing
CHUNK: Final = 1 << 20
_DATA: Final = (".shp", ".gpkg", ".geojson", ".json", ".kml", ".fgb")


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack `archive` into `folder` and return the one data file in it.

    Raises :class:`~geodata.incoming.finding.RefusedError` for anything that is not a plain archive of one
    data set. Sizes are counted while unpacking: what the archive says of itself is not believed.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            entries = [entry for entry in source.infolist() if not (entry.is_dir() or _is_junk(entry))]
            _check_entries(archive, entries)
            left = MAX_UNPACKED
            for entry in entries:
                left -= _write(source, entry, folder, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise RefusedError(find("not-readable", archive.name, reason=str(error)[:200])) from error
    return _only_data(archive, folder)


def _is_junk(entry: zipfile.ZipInfo) -> bool:
    """Tell what macOS packs beside every file, under the file's own name."""
    parts = PurePosixPath(entry.filename).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1].startswith("._"))


def _check_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise RefusedError(find("zip-entries", archive.name, count=len(entries), limit=MAX_ENTRIES))
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        outside = not parts or parts[0].startswith("/") or ".." in parts or ":" in parts[0]
        if outside or stat.S_ISLNK(entry.external_attr >> 16) or not entry.filename.isprintable():
            raise RefusedError(find("zip-traversal", archive.name, name=ascii(entry.filename)[:100]))
        if entry.filename.lower().endswith((".zip", ".kmz", ".gz", ".7z", ".rar")):
            raise RefusedError(find("zip-nested", archive.name, name=entry.filename[:100]))
    size = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if size > MAX_UNPACKED or (size > _FREE and size / packed > MAX_RATIO):
        raise _bomb(archive, size, packed)


def _bomb(archive: Path, size: int, packed: int) -> RefusedError:
    values = {"size": round(size / 1e6), "ratio": round(size / packed)}
    limits = {"limit": round(MAX_UNPACKED / 1e6), "most": MAX_RATIO}
    return RefusedError(find("zip-bomb", archive.name, **values, **limits))


def _write(source: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Write one entry by its bare name, stopping at `left` bytes; return how many it has."""
    written = 0
    target = folder / PurePosixPath(entry.filename.replace("\\", "/")).name
    if target.exists():
        raise ValueError(f"{target.name}: twice")
    with source.open(entry) as packed, target.open("wb") as file:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise _bomb(Path(source.filename or ""), written, max(entry.compress_size, 1))
            file.write(chunk)
    return written


def _only_data(archive: Path, folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _DATA)
    if not found:
        raise RefusedError(find("zip-nothing", archive.name))
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:10])
        raise RefusedError(find("zip-ambiguous", archive.name, names=names))
    return found[0]
