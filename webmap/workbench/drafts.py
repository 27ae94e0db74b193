"""Drafts: boundaries that somebody brought to the workbench, from the upload to the publication.

Each is a folder in the home: the files as they were sent, what is known of them (``draft.json``) and what
the check found (``result.json``). All are written whole or not at all, under a lock that all processes
share; how many one user may have lying about is bounded.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypedDict, Unpack

from filelock import FileLock, Timeout

from geodata.imported import CheckOptions
from geodata.messages import find_unprintable
from layers.home import write_atomically
from layers.links import Words
from webmap.problems import BadParameterError, ConflictError
from webmap.workbench.access import UPLOAD_BYTES

if TYPE_CHECKING:
    from webmap.preview import PreviewText

State = Literal["draft", "submitted", "returned", "published"]
Deed = Literal["uploaded", "changed", "submitted", "returned", "published", "undone"]
OPEN: Final = frozenset({"draft", "submitted", "returned"})
EDITABLE: Final = frozenset({"draft", "returned"})
MOST_OPEN: Final = 20  # drafts of one user that are not published yet
MOST_BYTES: Final = 4 * UPLOAD_BYTES  # of all of them
MOST_FILES: Final = 12  # of one upload: a Shapefile has up to nine
MOST_NAME_BYTES: Final = 180  # of a file's name, as file systems count
ABANDONED_S: Final = 3600
MAIN: Final = (".shp", ".tab", ".mif")  # of formats that are several files, the one that is read
_ID: Final = re.compile(r"[0-9a-f]{16}")
_NEW: Final = ".new-"


class Sent(Protocol):
    """A file that was sent."""

    filename: str | None

    def save(self, dst: Path) -> None:
        """Write it to a path."""


@dataclass(frozen=True)
class Provenance:
    """What the record of a boundary says of it."""

    source: str = ""
    licence: str = ""
    why: str = ""


class CheckResult(TypedDict, total=False):
    """What a check found, or the key of why there is nothing (``failed``); also what became of an undo.

    Of files that were added, ``added`` names them, and ``told`` is what was found in them.

    ``release`` and ``options`` are what it was made with, ``digest`` is its own.
    """

    release: str
    options: dict[str, object]
    in_force: list[str]
    ok: bool
    repeats: bool
    records: list[dict[str, object]]
    said: dict[str, PreviewText]
    failed: str
    reason: str
    number: int
    digest: str
    told: list[Words]
    added: list[str]


@dataclass(frozen=True)
class Event:
    """Something that was done with a draft; `when` is ISO 8601, UTC."""

    when: str
    who: str
    deed: Deed
    comment: str = ""


@dataclass(frozen=True)
class Draft:
    """What is known of a draft but what the check found.

    Attributes
    ----------
    file
        Name of the file that is read; the others go with it.
    number
        The publication that it became.
    problem
        Why it could not be published when that was last tried; empty where nothing is known to be wrong.
    faulty
        Whether the last check found errors, or came to no end.
    """

    id: str
    owner: str
    file: str
    bytes: int
    options: CheckOptions
    state: State = "draft"
    said: Provenance = field(default_factory=Provenance)
    events: tuple[Event, ...] = ()
    number: int | None = None
    problem: str = ""
    faulty: bool = False

    @property
    def when(self) -> str:
        """When anything was last done with it."""
        return self.events[-1].when if self.events else ""

    @property
    def returned(self) -> Event:
        """Who returned it last, and why; only of a draft that was."""
        return next(one for one in reversed(self.events) if one.deed == "returned")


def parse_draft(content: bytes) -> Draft:
    """Return the draft that was written; raises ValueError, KeyError or TypeError for what is none."""
    raw = json.loads(content)
    raw |= {"options": CheckOptions(**raw["options"]), "said": Provenance(**raw["said"])}
    return Draft(**raw | {"events": tuple(Event(**one) for one in raw["events"])})


def note(who: str, deed: Deed, comment: str = "") -> Event:
    """Return an event of now."""
    return Event(datetime.now(UTC).isoformat(timespec="seconds"), who, deed, comment)


class DraftChanges(TypedDict, total=False):
    """What of a draft may change."""

    options: CheckOptions
    state: State
    said: Provenance
    number: int
    problem: str
    faulty: bool


class DraftStore:
    """The drafts of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = folder.with_name(".drafts.lock")

    def add(self, owner: str, sent: Sequence[Sent], options: CheckOptions) -> Draft:
        """Keep what was sent as a new draft; raises what is wrong with it as a RequestError."""
        main, names = read_file_names([one.filename or "" for one in sent])
        with self._changing():
            self._remove_abandoned()
            own = [one for one in self.list() if one.owner == owner and one.state in OPEN]
            if len(own) >= MOST_OPEN or sum(one.bytes for one in own) >= MOST_BYTES:
                raise ConflictError("error.workbench_full", count=len(own), most=MOST_OPEN)
            draft_id = secrets.token_hex(8)
            making = self._folder / f"{_NEW}{draft_id}"
            (making / "files").mkdir(parents=True)
        try:
            for name, one in zip(names, sent, strict=True):
                one.save(making / "files" / name)
            size = sum(path.stat().st_size for path in (making / "files").iterdir())
            draft = Draft(draft_id, owner, main, size, options, events=(note(owner, "uploaded"),))
            self._write(making, draft)
            making.rename(self._folder / draft_id)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        return draft

    def list(self) -> list[Draft]:
        """Return all drafts, those last touched first; one that is damaged is left out."""
        found = []
        for path in self._folder.glob("*/draft.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                found += [parse_draft(path.read_bytes())] if _ID.fullmatch(path.parent.name) else []
        return sorted(found, key=lambda one: one.when, reverse=True)

    def find(self, draft_id: str) -> Draft | None:
        """Return a draft, None where there is none of that id."""
        if not _ID.fullmatch(draft_id):
            return None
        with suppress(OSError, ValueError, KeyError, TypeError):
            return parse_draft((self._folder / draft_id / "draft.json").read_bytes())
        return None

    def change(
        self, draft_id: str, states: frozenset[str], event: Event | None, **values: Unpack[DraftChanges]
    ) -> Draft:
        """Change a draft that is in one of some states, and note why.

        Raises :class:`~webmap.problems.ConflictError` where it is in none of them any more.
        """
        with self._changing():
            draft = self.find(draft_id)
            if draft is None or draft.state not in states:
                raise ConflictError("error.workbench_state")
            events = (*draft.events, event) if event else draft.events
            changed = replace(draft, events=events, **values)
            self._write(self._folder / draft_id, changed)
        return changed

    def remove(self, draft_id: str, states: frozenset[str]) -> None:
        """Remove a draft that is in one of some states; raises as :meth:`change` does."""
        with self._changing():
            draft = self.find(draft_id)
            if draft is None or draft.state not in states:
                raise ConflictError("error.workbench_state")
            gone = self._folder / f"{_NEW}{secrets.token_hex(8)}"
            (self._folder / draft_id).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def file_of(self, draft: Draft) -> Path:
        """Return where the file of a draft lies."""
        return self._folder / draft.id / "files" / draft.file

    def read_result(self, draft_id: str) -> CheckResult | None:
        """Return what was found last, or None."""
        with suppress(OSError, ValueError):
            found: CheckResult = json.loads((self._folder / draft_id / "result.json").read_bytes())
            return found
        return None

    def write_result(self, draft_id: str, result: CheckResult) -> None:
        """Keep what was found; of a draft that was removed meanwhile nothing is kept."""
        with suppress(FileNotFoundError):
            text = json.dumps(result, ensure_ascii=False)
            write_atomically(self._folder / draft_id / "result.json", text.encode())

    @contextmanager
    def working_on(self, draft_id: str, patience_s: float = 0.0) -> Iterator[bool]:
        """Give whether nobody else works on a draft; nobody will as long as the block lasts.

        An empty id stands for what is of no draft.
        """
        lock = FileLock(self._folder / draft_id / ".work.lock", thread_local=False)
        try:
            lock.acquire(timeout=patience_s, poll_interval=0.02)
        except (Timeout, OSError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def is_worked_on(self, draft_id: str) -> bool:
        """Tell whether a check or a publication of the draft is under way."""
        with self.working_on(draft_id) as free:
            return not free

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._lock):
            yield

    def _write(self, folder: Path, draft: Draft) -> None:
        write_atomically(folder / "draft.json", json.dumps(asdict(draft), ensure_ascii=False).encode())

    def _remove_abandoned(self) -> None:
        for path in self._folder.glob(f"{_NEW}*"):
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)


def read_file_names(given: Sequence[str]) -> tuple[str, list[str]]:
    """Return the name of the file that is read, and of all that were sent together, as they came.

    Only the last part of a path counts. Raises :class:`~webmap.problems.BadParameterError`.

    >>> read_file_names(["a/区.dbf", "a/区.shp"])
    ('区.shp', ['区.dbf', '区.shp'])
    """
    names = [PurePosixPath(one.replace("\\", "/")).name for one in given]
    wrong = next((one for one in names if not _is_sound(one)), None)
    if wrong is not None or not 0 < len(names) <= MOST_FILES:
        raise BadParameterError(
            "error.workbench_file",
            parameter="file",
            value=wrong or str(len(names)),
            allowed=f"1–{MOST_FILES}",
        )
    main = [one for one in names if len(names) == 1 or one.lower().endswith(MAIN)]
    stems = {one.partition(".")[0].casefold() for one in names}
    if len(main) != 1 or len(stems) != 1 or len({one.casefold() for one in names}) < len(names):
        shown = ", ".join(names)
        raise BadParameterError("error.workbench_files", parameter="file", value=shown, allowed=".shp .dbf …")
    return main[0], names


def _is_sound(name: str) -> bool:
    fits = 0 < len(name.encode(errors="replace")) <= MOST_NAME_BYTES
    return fits and not name.startswith(".") and find_unprintable(name) is None and "\n" not in name
