"""What the web process knows of the history: publications, what they changed, earlier data."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from layers.history import (
    Entry,
    compare_archives,
    describe_data,
    find_entry,
    open_data,
    read_history,
    read_last,
)
from layers.store import BrokenReleaseError, Release, read_pointer
from layers.trace import trace


class Records:
    """Reads the history once; a new publication brings a new application and with it a new one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._whole: dict[str, Release] = {}

    @cached_property
    def entries(self) -> list[Entry]:
        """Every publication, the oldest first."""
        return read_history(self.home)

    @cached_property
    def live(self) -> Entry | None:
        """The publication that is live."""
        return read_last(self.home)

    @cached_property
    def terms(self) -> frozenset[str]:
        """The terms of every boundary that was imported, in their owners' words."""
        return frozenset(row["licence"] for entry in self.entries for row in entry.act.imported)

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
        entry, folder = self.entry(release_id), self.home / "releases" / release_id
        if entry is None or not folder.is_dir():
            return None
        release = self._whole.setdefault(release_id, Release(folder, entry.manifest_sha256))
        try:
            return release if release.manifest else None
        except BrokenReleaseError:
            return None  # removed as we look, or changed

    def describe(self, release_id: str) -> dict[str, dict[str, Any]]:
        """Return size and sha256 of every archived file of a release."""
        return _describe(self.home, release_id) if self.entry(release_id) else {}

    def entry(self, release_id: str) -> Entry | None:
        """Return the last publication of a release."""
        return next((one for one in reversed(self.entries) if one.release == release_id), None)

    def code(self, release_id: str) -> str | None:
        """Return the hash of the code that made a release."""
        entry = self.entry(release_id)
        return entry.act.code if entry else None

    def releases(self, asked: str) -> list[str]:
        """Return the id of every release that was published, the latest first.

        Another process may serve the next one already, and its pages name it: the history is read
        again where `asked` is not in it and there is more of it.
        """
        pointer = read_pointer(self.home)
        if self.entry(asked) is None and pointer and pointer.number != self._last:
            vars(self).pop("entries", None)
            vars(self).pop("live", None)
        return list(dict.fromkeys(one.release for one in reversed(self.entries)))

    @property
    def _last(self) -> int:
        return self.entries[-1].number if self.entries else 0


@lru_cache(maxsize=64)
def _compare(home: Path, old: str, new: str) -> dict[str, Any]:
    return compare_archives(home, old, new)


@lru_cache(maxsize=64)
def _describe(home: Path, release_id: str) -> dict[str, dict[str, Any]]:
    return describe_data(home, release_id)
