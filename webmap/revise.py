"""Publish a release with other boundaries, or return to an earlier one; each in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from geodata.boundary_import.records import ImportedBoundary
from layers.changes import summarise
from layers.history import Act, Entry, compare_archives, read_history, read_last, record
from layers.imports import describe, remove_orphans, replace_latest, write_import
from layers.store import BrokenReleaseError, Release
from webmap.publish import (
    FACTS,
    Admit,
    BuildError,
    Progress,
    admit_all,
    hash_code,
    hash_inputs,
    hold,
    publish_act,
)


class MeanwhileError(BuildError):
    """Others published between the check of some boundaries and their turn; nothing is wrong with either."""


class By(NamedTuple):
    """Who does something, and why."""

    who: str
    why: str | None = None


def imports_in_force(home: Path) -> tuple[str, ...]:
    """Return the ids of the imported boundaries that the live release has."""
    last = read_last(home)
    return last.act.imports if last else ()


def publish_imports(
    home: Path,
    records: Sequence[ImportedBoundary],
    checked: tuple[str, ...],
    progress: Progress,
    admit: Admit = admit_all,
) -> Release:
    """Publish a release in which `records` are in force, once `admit` has let it.

    `checked` are the ids that were in force when the records were checked: raises
    :class:`MeanwhileError` if others are now, and :class:`~webmap.publish.BuildError` when the build
    fails. Nothing is live then that was not before.
    """
    with hold(home):
        before = imports_in_force(home)
        if before != checked:
            raise MeanwhileError(
                "检查期间另有边界导入，请重新运行 / other boundaries were imported meanwhile, run again"
            )
        remove_orphans(home, (name for entry in read_history(home) for name in entry.act.imports))
        fresh = [write_import(home, one) for one in records]
        act = Act(
            "import",
            "",
            "",
            replace_latest(home, before, fresh),
            who=records[0].who,
            why=records[0].why,
            imported=tuple(describe(one) for one in records),
        )
        return publish_act(home, act, progress, admit=admit)


def roll_back(
    home: Path, number: int, by: By, progress: Progress, admit: Admit = admit_all
) -> tuple[Release, bool] | None:
    """Return to the release of entry `number`, as a new entry; None where it is in force already.

    The release itself is taken where it is whole on disk and made by the code that runs now; it then
    stays live until the facts, the code or the imports change. Otherwise the boundaries of that entry
    are put in force and a release is built with the facts as they are now; the second value tells
    which. Raises KeyError for an unknown number, :class:`~webmap.publish.BuildError` as building does.
    """
    with hold(home):
        entries = {entry.number: entry for entry in read_history(home)}
        target = entries[number]
        imports = target.act.imports
        inputs = hash_inputs(FACTS, imports)
        act = Act("rollback", inputs, hash_code(), imports, who=by.who, why=by.why, back_to=number)
        kept, last = _kept(home, target), read_last(home)
        if kept is None or target.act.code != act.code:
            return publish_act(home, act, progress, admit=admit), False
        admit(kept)
        if last and (last.release, last.act.inputs) == (target.release, inputs):
            return None
        changes = compare_archives(home, last.release if last else "", target.release)
        record(home, kept, replace(act, changes=summarise(changes)))
        return kept, True


def _kept(home: Path, entry: Entry) -> Release | None:
    """Return the whole release of an entry, or None where it is gone or broken."""
    release = Release(home / "releases" / entry.release, entry.manifest_sha256)
    try:
        release.verify()
    except BrokenReleaseError:
        return None
    return release
