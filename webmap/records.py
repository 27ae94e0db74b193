"""What the web process knows of the history: publications, what they changed, earlier data."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from layers.history import Entry, compare_archives, find_entry, open_data, read_history, read_last
from layers.store import Release
from layers.trace import trace


class Records:
    """Reads the history once; a new publication brings a new application and with it a new one."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @cached_property
    def entries(self) -> list[Entry]:
        """Every publication, the oldest first."""
        return read_history(self.home)

    @cached_property
    def live(self) -> Entry | None:
        """The publication that is live."""
        return read_last(self.home)

    def find(self, asked: str) -> Entry | None:
        """Return the publication of a number or of a release's hash."""
        return find_entry(self.entries, asked)

    def trace(self, place: str) -> list[dict[str, Any]]:
        """Return what was done to a place's boundary, the latest first."""
        return trace(self.entries, place)

    def compare(self, old: Entry, new: Entry) -> dict[str, Any]:
        """Return what differs in areas and facts."""
        if old.release == new.release:
            return {"areas": [], "facts": []}
        return _compare(self.home, old.release, new.release)

    def read_data(self, release_id: str, path: str) -> bytes | None:
        """Return one data file of an earlier release, or None where there is none."""
        known = any(entry.release == release_id for entry in self.entries)
        return open_data(self.home, release_id)(path) if known else None

    def whole(self, release_id: str) -> Release | None:
        """Return an earlier release that is still on disk with all its files, or None."""
        entry = next((one for one in self.entries if one.release == release_id), None)
        folder = self.home / "releases" / release_id
        return Release(folder, entry.manifest_sha256) if entry and folder.is_dir() else None


@lru_cache(maxsize=64)
def _compare(home: Path, old: str, new: str) -> dict[str, Any]:
    return compare_archives(home, old, new)
