"""What there is of a release: its publications, and its files by layer and table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from layers.export.formats import FORMATS, PLAN
from layers.export.job import release_path
from layers.history import Entry

Row = dict[str, Any]


def list_files(files: Mapping[str, Row], address: str, order: Iterable[str]) -> list[Row]:
    """Return the files by what they are of: the whole plan, then as `order` has it, then what else is.

    `files` has size and sha256 by path, as a manifest; `address` is what the release's begin with.
    """
    found: dict[str, list[Row]] = {}
    for path, entry in files.items():
        name, _, extension = path.partition("/")[2].partition(".")
        if extension in FORMATS and path == release_path(name, extension):
            row = {"href": f"{address}data/{name}.{extension}", "format": extension}
            told = {"bytes": entry["bytes"], "sha256": entry["sha256"]}
            found.setdefault(name, []).append(row | told)
    formats = list(FORMATS)
    for rows in found.values():
        rows.sort(key=lambda row: formats.index(row["format"]))
    names = dict.fromkeys((PLAN, *order, *sorted(found)))
    return [{"id": name, "files": found[name]} for name in names if name in found]


def list_publications(entries: Sequence[Entry], live: Entry | None, release_id: str, base: str) -> list[Row]:
    """Return every publication of one release, the latest first, with the one before and the one after."""
    rows = []
    for index, entry in enumerate(entries):
        if entry.release == release_id:
            before = entries[index - 1] if index else None
            after = entries[index + 1] if index + 1 < len(entries) else None
            rows.append(_describe(entry, before, after, base) | {"live": entry == live})
    return rows[::-1]


def _describe(entry: Entry, before: Entry | None, after: Entry | None, base: str) -> Row:
    act = entry.act
    changes = f"{base}/changes?from={before.number}&to={entry.number}" if before else None
    return {
        "number": entry.number,
        "when": entry.when,
        "action": act.action,
        "back_to": act.back_to,
        "who": act.who,
        "why": act.why,
        "imported": list(act.imported),
        "supersedes": _name(before, base),
        "superseded_by": _name(after, base),
        "changes": changes,
    }


def _name(entry: Entry | None, base: str) -> Row | None:
    if entry is None:
        return None
    address = f"{base}/r/{entry.release}/"
    return {"number": entry.number, "when": entry.when, "release": entry.release, "href": address}
