"""The history of one place's boundary, out of the history of all publications."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from layers.history import Entry

Event = dict[str, Any]


def trace(entries: Iterable[Entry], place: str) -> list[Event]:
    """Return what each publication did to the boundary of `place`, the latest first.

    ``how`` is ``base`` (first published), ``imported``, ``adjusted`` (a neighbour's import moved the
    edge), ``restored`` (a rollback), ``rebuilt`` (facts or program changed) or ``removed``.
    """
    events = []
    for entry in entries:
        rows = [row for row in entry.act.changes.get("areas", ()) if row["id"] == place]
        brought = next((row for row in entry.act.imported if row["of"] == place), None)
        if rows or brought:
            row = rows[0] if rows else {}
            events.append(_event(entry, row.get("before"), row.get("after"), brought))
    return events[::-1]


def list_places(entries: Iterable[Entry]) -> set[str]:
    """Return the ids of all places that the history knows."""
    return {row["id"] for entry in entries for row in entry.act.changes.get("areas", ())}


def _event(entry: Entry, before: Event | None, after: Event | None, brought: Event | None) -> Event:
    return {
        "number": entry.number,
        "release": entry.release,
        "when": entry.when,
        "how": _how(entry, before, after, brought),
        "back_to": entry.act.back_to,
        "who": entry.act.who,
        "why": entry.act.why,
        "before": before,
        "after": after,
        "import": brought,
    }


def _how(entry: Entry, before: Event | None, after: Event | None, brought: Event | None) -> str:
    if brought:
        return "imported"
    if after is None:
        return "removed"
    if before is None:
        return "base"
    return {"import": "adjusted", "rollback": "restored"}.get(entry.act.action, "rebuilt")
