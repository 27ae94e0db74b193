"""What the workbench does in processes of its own: check a draft, publish it, undo that, write its receipt.

The same code runs below as below the commands ``import-boundary`` and ``rollback``. Everything heavy is
imported where it is needed: the web process knows of this module only what to ask for.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal, TypedDict, Unpack

from geodata.messages import fill
from layers.cartography import STYLE
from layers.child_job import ChildRequest
from layers.history import Imported, read_history, read_imports, read_last
from layers.home import HomeError
from layers.store import BrokenReleaseError, Release, read_pointer
from webmap.export_worker import MEGABYTE, ChildJob, ChildLimits, ExportWorker, run_child
from webmap.file_cache import FileCache
from webmap.i18n import LANGUAGES, format_number, read_strings
from webmap.problems import BadParameterError, ConflictError, RequestError
from webmap.publish import (
    BuildError,
    By,
    MeanwhileError,
    add_files,
    imports_in_force,
    publish,
    publish_imports,
    roll_back,
)
from webmap.settings import Settings
from webmap.workbench.drafts import OPEN, CheckResult, Draft, DraftStore, note

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

    from geodata.imported import ImportedBoundary
    from geodata.messages import Problem
    from webmap.preview import PreviewText

Kind = Literal["check", "publish", "undo", "receipt", "add"]
Part = dict[str, object]  # of a receipt, as its template has it
Say = Callable[..., str]
CHECK_S: Final = 300.0  # of a file as large as any that is read
PATIENCE_S: Final = 1800.0  # for a build and whoever else is publishing
BEGINNING_S: Final = 0.5  # in which who only looked has gone
_FILE_NAME: Final = re.compile(r"[\w-][\w. -]{0,80}")
_LOG = logging.getLogger(__name__)
MOST_LISTED: Final = 40  # rows of a table on a receipt
# On paper: light, and without the variables of a page.
_OLD, _NEW, _GAINED, _LOST, _ = (colours[0] for colours in STYLE.changes.values())
_INK, _MUTED, _EDGE = (STYLE.paper[name] for name in ("ink", "muted", "edge"))
_PAPER_STYLE: Final = (
    "path,rect,circle{fill:none;stroke-linejoin:round}"
    f".neighbour{{fill:{STYLE.day('neighbour')}}}.land{{fill:{STYLE.day('land')}}}"
    f".towns{{stroke:{_EDGE};stroke-width:.8}}.border{{stroke:{_MUTED};stroke-dasharray:6 3}}"
    f".old{{fill:{_OLD};fill-opacity:.25;stroke:{_OLD};stroke-width:1.8;stroke-dasharray:5 3}}"
    f".outline{{stroke:{_OLD};stroke-width:1.4;stroke-dasharray:5 3}}"
    f".new{{fill:{_NEW};fill-opacity:.35;stroke:{_NEW};stroke-width:2}}"
    f".gained{{fill:{_GAINED};fill-opacity:.55}}.lost{{fill:{_LOST};fill-opacity:.55}}"
    f".adjusted{{fill:{_MUTED};fill-opacity:.12;stroke:{_MUTED}}}"
    f".flawed,.fault{{stroke:{_LOST};stroke-width:2.4}}"
    f".label{{font-size:12px;text-anchor:middle;fill:{_INK}}}.main{{font-size:15px}}.large{{display:none}}"
    f".locator-scale{{stroke:{_INK};stroke-width:1.4;fill:none}}.locator-scale-text{{font-size:12px;fill:{_INK}}}"
)
_SEA: Final = f'<rect width="100%" height="100%" style="fill:{STYLE.day("sea")}"/>'


@dataclass(frozen=True)
class BenchTask(ChildRequest):
    """What a process is to do.

    Attributes
    ----------
    number
        Of the publication that is to be undone.
    folder
        Of the files that are to be added.
    store, local
        The operator's settings of these names.
    """

    kind: Kind
    home: str
    draft: str = ""
    who: str = ""
    comment: str = ""
    number: int = 0
    language: str = "zh"
    folder: str = ""
    store: str | None = None
    local: str | None = None


class _Asked(TypedDict, total=False):
    who: str
    comment: str
    number: int
    language: str
    folder: str


class TaskRunner:
    """Starts tasks aside, one for each draft at a time, and keeps what they answer."""

    def __init__(self, settings: Settings, cache: FileCache) -> None:
        self._settings = settings
        limits = ChildLimits(settings.exports, settings.export_megabytes * MEGABYTE, CHECK_S)
        self._worker = ExportWorker(cache, limits)
        self.drafts = open_drafts(settings.home)

    def is_current(self, draft: Draft, result: CheckResult | None) -> bool:
        """Tell whether a result is of the draft as it is read now, and of the release that is live."""
        pointer = read_pointer(self._settings.home)
        release = pointer.release if pointer else ""
        known = (result["release"], result["options"]) if result else ()
        return known == (release, asdict(draft.options))

    def check(self, draft: Draft) -> None:
        """Begin to check a draft; raises :class:`~webmap.problems.ConflictError` where it is worked on."""
        pointer = read_pointer(self._settings.home)
        about = {"release": pointer.release if pointer else "", "options": asdict(draft.options)}
        key = ("workbench", draft.id, json.dumps(about))
        job = self._job("check", draft.id)

        def do() -> None:
            try:
                result = json.loads(self._worker.get(key, job))
            except RequestError as error:
                result = about | {"failed": error.key}
            digest = hashlib.sha256(json.dumps(result).encode()).hexdigest()[:16]
            self.drafts.write_result(draft.id, result | {"digest": digest})
            with suppress(ConflictError):  # it was removed meanwhile
                self.drafts.change(draft.id, OPEN, None, faulty=not result.get("ok"))

        self._begin(draft.id, do)

    def publish(self, draft: Draft, who: str, comment: str) -> None:
        """Begin to publish a draft; raises as :meth:`check` does."""
        job = self._job("publish", draft.id, who=who, comment=comment)

        def do() -> None:
            problem = self._run(job).get("failed", "")
            if problem:
                self.drafts.change(draft.id, frozenset({"submitted"}), None, problem=problem)

        self._begin(draft.id, do)

    def undo(self, number: int, who: str, why: str) -> None:
        """Begin to return to the publication before one; raises as :meth:`check` does."""
        job = self._job("undo", "", who=who, comment=why, number=number)
        self._begin("", lambda: self.drafts.write_result("", self._run(job)))

    def add(self, sent: Sequence[FileStorage], who: str) -> None:
        """Begin to add files to what the operator adds; raises as :meth:`check` does.

        Raises :class:`~webmap.problems.BadParameterError` for a file that is of no use there.
        """
        names = [PurePosixPath((one.filename or "").replace("\\", "/")).name for one in sent]
        for name in names:
            if not _FILE_NAME.fullmatch(name):
                allowed = ", ".join(f"<id>.{one}" for one in ("yaml", "geojson", "gpkg", "csv", "xlsx"))
                raise BadParameterError(
                    "error.workbench_layer", parameter="file", value=name, allowed=allowed
                )
        drafts = self._settings.home / "workbench" / "drafts"
        drafts.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=".new-", dir=drafts)
        for one, name in zip(sent, names, strict=True):
            one.save(Path(folder) / name)
        job = self._job("add", "", who=who, folder=folder)

        def do() -> None:
            try:
                self.drafts.write_result("", self._run(job))
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        self._begin("", do)

    def write_receipt(self, draft: Draft, language: str) -> bytes:
        """Return the receipt of a published draft as PDF; raises what making a file raises."""
        key = ("receipt", draft.id, draft.when, language)
        return self._worker.get(key, self._job("receipt", draft.id, language=language))

    def _job(self, kind: Kind, draft_id: str, **values: Unpack[_Asked]) -> ChildJob:
        settings = self._settings
        local = str(settings.local) if settings.local else None
        task = BenchTask(kind, str(settings.home), draft_id, store=settings.store, local=local, **values)
        return ChildJob("webmap.workbench.tasks:run_task", task.to_line())

    def _run(self, job: ChildJob) -> CheckResult:
        """Do a task that takes a build, and return what it answers."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.json"
            try:
                run_child(job, path, ChildLimits(memory_bytes=0, seconds=PATIENCE_S))
                answer: CheckResult = json.loads(path.read_bytes())
            except (RequestError, BrokenReleaseError) as error:
                answer = {"failed": "build", "reason": str(error)}
        if "reason" in answer:
            _LOG.error("%s", answer["reason"])
        return answer

    def _begin(self, draft_id: str, do: Callable[[], None]) -> None:
        held = ExitStack()
        if not held.enter_context(self.drafts.working_on(draft_id, BEGINNING_S)):
            raise ConflictError("error.workbench_busy")

        def run() -> None:
            with held:
                try:
                    do()
                except Exception:  # noqa: BLE001 - nobody waits for this thread
                    _LOG.exception("a task of the workbench")

        threading.Thread(target=run, daemon=True).start()


def run_task(line: bytes) -> bytes:
    """Do what :meth:`BenchTask.to_line` wrote; return a document of JSON, or a receipt."""
    task = BenchTask.from_line(line)
    if task.kind == "receipt":
        return _write_receipt(task)
    do = {"check": _check, "publish": _publish, "undo": _undo, "add": _add}[task.kind]
    return json.dumps(do(task), ensure_ascii=False).encode()


def open_drafts(home: Path) -> DraftStore:
    """Return the drafts of a home."""
    return DraftStore(home / "workbench" / "drafts")


def _require_draft(task: BenchTask) -> tuple[DraftStore, Draft]:
    drafts = open_drafts(Path(task.home))
    draft = drafts.find(task.draft)
    if draft is None:
        raise FileNotFoundError(task.draft)
    return drafts, draft


def _check(task: BenchTask) -> CheckResult:
    from geodata.boundary_import.propose import Baseline, ImportRequest, propose
    from geodata.imported import keep_latest
    from geodata.read import read_boundaries, read_facts
    from layers.release import read_neighbours
    from webmap.preview import describe_preview

    drafts, draft = _require_draft(task)
    home = Path(task.home)
    pointer, in_force = read_pointer(home), imports_in_force(home)
    baseline = Baseline(read_facts(), read_boundaries(), read_imports(home, in_force))
    request = ImportRequest(
        file=drafts.file_of(draft),
        source="-",
        licence="-",
        who=draft.owner,
        why="-",
        when=datetime.now(UTC).replace(microsecond=0),
        **asdict(draft.options),
    )
    proposal = propose(request, baseline)
    known = keep_latest(baseline.records)
    neighbours = read_neighbours(baseline.boundaries, baseline.facts.plans)
    return {
        "release": pointer.release if pointer else "",
        "options": asdict(draft.options),
        "in_force": list(in_force),
        "ok": proposal.errors == 0,
        "repeats": bool(proposal.records)
        and all(one.of in known and _is_same(one, known[one.of]) for one in proposal.records),
        "records": [one.model_dump(mode="json") for one in proposal.records],
        "said": {name: describe_preview(proposal, baseline, neighbours, name) for name in LANGUAGES},
    }


def _is_same(one: ImportedBoundary, other: ImportedBoundary) -> bool:
    """Tell whether a record differs from one in force in nothing but words that are yet to come."""
    words = ("source", "licence", "who", "why", "when")
    return one == other.model_copy(update={name: getattr(one, name) for name in words})


def _publish(task: BenchTask) -> CheckResult:
    """Publish a draft as it was checked, and note that in it; say why not otherwise."""
    from geodata.imported import ImportedBoundary

    drafts, draft = _require_draft(task)
    if draft.state != "submitted":
        return {}  # another click was earlier
    result = drafts.read_result(draft.id) or {}
    said = asdict(draft.said) | {
        "who": f"{draft.owner} / {task.who}" if draft.owner != task.who else task.who
    }
    when = datetime.now(UTC).replace(microsecond=0).isoformat()
    records = [ImportedBoundary.model_validate(row | said | {"when": when}) for row in result["records"]]
    home, before = Path(task.home), read_last(Path(task.home))
    publish_this = partial(publish_imports, home, records, tuple(result["in_force"]))
    answer = _try(lambda: publish_this(_ignore, _admit(task), _local(task)))
    last = read_last(home)
    if answer or last is None or (before and last.number == before.number):
        return answer or {"failed": "repeats"}
    event = note(task.who, "published", task.comment)
    drafts.change(draft.id, frozenset({"submitted"}), event, state="published", number=last.number)
    return {"number": last.number}


def _undo(task: BenchTask) -> CheckResult:
    """Return to the publication before one, and note that in the draft that it came from."""
    home = Path(task.home)
    by = By(task.who, task.comment)
    back = partial(roll_back, home, task.number - 1, by)
    answer = _try(lambda: back(_ignore, _admit(task), _local(task)))
    if answer:
        return answer
    drafts = open_drafts(home)
    for draft in drafts.list():
        if draft.number is not None and draft.number >= task.number:
            event = note(task.who, "undone", task.comment)
            drafts.change(draft.id, frozenset({"published"}), event)
    last = read_last(home)
    return {"number": last.number if last else 0}


def _add(task: BenchTask) -> CheckResult:
    """Put the files that were sent into the folder of additions, and publish; say why not otherwise."""
    from geodata.local import place_of_file

    found: list[Problem] = []
    # What belongs nowhere goes beside the data of layers, where it is found to be of no use.
    files = {place_of_file(path.name) or f"layers/{path.name}": path for path in Path(task.folder).iterdir()}
    home, local, by = Path(task.home), _local(task), By(task.who, ", ".join(sorted(files)))
    if local is None:
        return {"failed": "build", "reason": "WEIHAI_LAYOUT_LOCAL"}
    make = partial(publish, home, _ignore, admit=_admit(task), local=local, by=by)
    made: list[object] = []
    answer = _try(lambda: made.append(add_files(local, files, make, found.append)))
    told = [
        {"zh": f"{at}{one.message_zh}{value}", "en": f"{at}{one.message_en}{value}"}
        for one in found
        for at in [f"{one.file}{f':{one.line}' if one.line else ''} {one.field}: "]
        for value in [f" ({one.value})" if one.value else ""]
    ]
    if not answer and made == [None]:
        answer = {"failed": "layers"}
    return answer | {"told": told} if answer else {"added": sorted(files), "told": told}


def _try(do: Callable[[], object]) -> CheckResult:
    """Return nothing once something is done, or why it was not."""
    try:
        do()
    except MeanwhileError:
        return {"failed": "meanwhile"}
    except (BuildError, HomeError, KeyError, OSError) as error:
        return {"failed": "build", "reason": str(error)[-2000:]}
    return {}


def _ignore(_: str) -> None:
    """Pass over what a build says while it goes well."""


def _local(task: BenchTask) -> Path | None:
    return Path(task.local) if task.local else None


def _admit(task: BenchTask) -> Callable[[Release], None]:
    """Return what lets a release go live: the database holds it first, where there is one."""

    def admit(release: Release) -> None:
        store, live = task.store, read_pointer(Path(task.home))
        if store is None:
            return
        # Only who stores in a database pays for its driver.
        import psycopg

        from layers.postgis.loader import (
            MissingExtensionError,
            NewerSchemaError,
            is_loaded,
            load_release,
            read_snapshot,
        )

        try:
            if not is_loaded(store, release.id):
                load_release(store, read_snapshot(release), lambda *_: None, {live.release} if live else ())
        except (psycopg.Error, MissingExtensionError, NewerSchemaError) as error:
            raise BuildError(" ".join(str(error).split())) from error

    return admit


def _write_receipt(task: BenchTask) -> bytes:
    """Return the receipt of a draft that was published, as PDF."""
    from webmap.paper.typeset import FAMILIES, to_legible, to_pdf

    drafts, draft = _require_draft(task)
    result = drafts.read_result(draft.id) or {}
    strings = read_strings(task.language)

    def say(key: str, **values: object) -> str:
        return fill(strings[key], values)

    entries = {one.number: one for one in read_history(Path(task.home))}
    entry = entries[draft.number or 0]
    found = result["said"][task.language]
    imported = [*entry.act.imported]
    head = {
        "lang": task.language,
        "family": FAMILIES[task.language],
        "author": say("site.name"),
        "latin": task.language == "en",
        "title": say("workbench.receipt.title", number=entry.number),
        "above": say("workbench.title"),
        "lead": ", ".join(row["name"] for row in found["areas"] if row["imported"]),
        "zh": "",
        "url": "",
        "foot": f"{say('site.name')} · {entry.release} · {say('ground.coast')}",
        "facts": [_list_facts(draft, found["read_as"], entry.release, imported, say)],
        "maps": [
            {"svg": svg.replace(">", f"><style>{_PAPER_STYLE}</style>{_SEA}", 1), "caption": say(key)}
            for key, svg in found["maps"]
        ],
        "parts": [*_list_parts(found, say), _list_events(draft, say)],
    }
    legible, _ = to_legible(head)
    return to_pdf("receipt.typ", legible, entry.when[:10])


def _list_facts(draft: Draft, read_as: str, release: str, imported: Iterable[Imported], say: Say) -> Part:
    rows = [[say("workbench.receipt.release"), release]]
    for row in imported:
        rows += [
            [say("boundary_history.file"), row["file_name"]],
            ["SHA-256", row["file_sha256"]],
            [say("workbench.field.crs"), read_as],
            [say("preview.method"), say(f"method.{row['method']}")],
            [say("preview.accuracy"), f"±{row['accuracy_m']:g} {say('unit.m')}"],
            [say("boundary_history.source"), row["source"]],
            [say("changed.licence").capitalize(), row["licence"]],
        ]
        break  # all of one file
    rows.append([say("changes.why"), draft.said.why])
    return {"title": say("workbench.receipt.what"), "kind": "facts", "rows": rows, "note": ""}


def _list_parts(found: PreviewText, say: Say) -> list[Part]:
    def km2(value: float | None) -> str:
        return "–" if value is None else format_number(value, 2)

    findings = [[row["message"], say(f"preview.level.{row['level']}")] for row in found["issues"]]
    recorded = [[said, place] for place, said in found["remarks"]]
    areas = [
        [row["name"], km2(row["before_km2"]), km2(row["after_km2"]), say(f"method.{row['method']}")]
        for row in found["areas"][:MOST_LISTED]
    ]
    passing = [
        [str(row["from_name"]), str(row["to_name"]), f"{row['area_km2']:,.3f}"]
        for row in found["transfers"][:MOST_LISTED]
    ]
    unit = say("unit.km2")
    area_head = [say("preview.place"), f"{say('preview.area_before')} ({unit})"]
    area_head += [f"{say('preview.area_after')} ({unit})", say("preview.method")]
    passing_head = [say("preview.giver"), say("preview.taker"), f"{say('preview.area')} ({unit})"]
    nothing = say("preview.no_findings")
    parts: list[Part] = [
        {"title": say("preview.findings"), "kind": "list", "items": findings, "note": ""}
        if findings
        else {"title": say("preview.findings"), "kind": "text", "text": nothing, "note": ""},
        {"title": say("preview.on_record"), "kind": "list", "items": recorded, "note": ""},
        _table(say("preview.areas"), area_head, [3, 1, 1, 2], areas, len(found["areas"])),
        _table(say("preview.transfers"), passing_head, [3, 3, 1], passing, len(found["transfers"])),
    ]
    return [part for part in parts if part.get("items") or part.get("rows") or part.get("text")]


def _table(title: str, head: list[str], widths: list[int], rows: list[list[str]], count: int) -> Part:
    left = f"… {count}" if count > len(rows) else ""
    return {"title": title, "kind": "table", "head": head, "widths": widths, "rows": rows, "note": left}


def _list_events(draft: Draft, say: Say) -> Part:
    rows = [
        [f"{one.when[:16].replace('T', ' ')} UTC", one.who, say(f"workbench.deed.{one.deed}"), one.comment]
        for one in draft.events
    ]
    head = [
        say("workbench.when"),
        say("workbench.name"),
        say("workbench.deed_label"),
        say("workbench.comment"),
    ]
    return _table(say("workbench.events"), head, [2, 1, 1, 3], rows, len(rows))
