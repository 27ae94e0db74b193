"""The imported boundaries of a home: one file for each, named by its content, never changed.

What a publication named is never removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geodata.boundary_import.records import ImportedBoundary, keep_latest
from layers.store import write_atomically

FOLDER = "imports"


class BrokenImportError(Exception):
    """An import that the history names is missing or was changed."""


def write_import(home: Path, record: ImportedBoundary) -> str:
    """Keep a record and return its id."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = record.to_id()
    write_atomically(folder / f"{name}.json", record.to_bytes())
    return name


def read_imports(home: Path, names: Iterable[str]) -> tuple[ImportedBoundary, ...]:
    """Return the records of these ids.

    Raises :class:`BrokenImportError` for one that is not there as it was written.
    """
    return tuple(_read(home / FOLDER / f"{name}.json", name) for name in names)


def replace_latest(home: Path, in_force: Iterable[str], fresh: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in force once `fresh` ones are: of several of one place the last."""
    names = [*in_force, *fresh]
    by_id = dict(zip(names, read_imports(home, names), strict=True))
    kept = {id(record) for record in keep_latest(by_id.values()).values()}
    return tuple(name for name, record in by_id.items() if id(record) in kept)


def remove_orphans(home: Path, named: Iterable[str]) -> None:
    """Remove the records of runs that died before they published: no entry of the history names them."""
    kept = set(named)
    for path in (home / FOLDER).glob("*"):
        if path.stem not in kept:
            path.unlink()


def describe(record: ImportedBoundary) -> dict[str, Any]:
    """Return everything about a record but its geometry."""
    return record.model_dump(mode="json", exclude={"geometry"}) | {"import": record.to_id()}


def _read(path: Path, name: str) -> ImportedBoundary:
    try:
        record = ImportedBoundary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BrokenImportError(f"{path.name}: {error}") from error
    if record.to_id() != name:
        raise BrokenImportError(f"{path.name}: sha256")
    return record
