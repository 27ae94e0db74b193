"""Publications: what changed from one to the next, and every release at an address of its own.

``/changes`` lists the publications and compares two. What lies below ``/r/<hash>/`` never changes, and
says so: of the releases that are whole on disk there is every file, format and frame, of older ones the
archived data; see :mod:`layers.history`. The start of a hash leads to the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cached_property, lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from layers.changes import AreaDifference, Changes
from layers.document_types import ReadyFile
from layers.export.job import FORMATS, PLAN, release_path
from layers.history import (
    SHORTEST,
    Entry,
    Imported,
    TracedChange,
    check_archive,
    compare_archives,
    describe_data,
    find_entry,
    open_data,
    read_history,
    trace,
)
from layers.home import HomeError
from layers.links import SEPARATOR, Words
from layers.store import (
    BrokenReleaseError,
    CorruptFileError,
    FileEntry,
    Release,
    read_pointer,
)
from webmap.content import Content
from webmap.downloads import PARAMETERS, Downloads, name_release_file, send_file
from webmap.http import HTML, base_url, media_type_of, send, send_json, vary, wants_document
from webmap.params import OpenParameter, describes, refuse_unknown, takes
from webmap.problems import NAMED, BadParameterError, DamagedError, NotFoundError, name_some
from webmap.views.context import content, downloads_in_service, require_place
from webmap.views.data import describe_download_form, lead_to_file

changes_blueprint = Blueprint("changes", __name__)
blueprint = Blueprint("releases", __name__, url_prefix="/r")
FROM, TO = (
    OpenParameter(name, {"type": "string"}, meaning=f"changes.{name}") for name in ("from", "to")
)  # publications, by number or hash

MAX_SHOWN = 300  # rows of facts on a page; the JSON has all
_JOINER = SEPARATOR["en"]  # between the sources of a boundary, and between their terms
# What is shown of a change, by what a comparison calls it.
_SHOWN = {
    "source": ("source",),
    "licence": ("licence",),
    "official_area": ("official_area", "official_area_source"),
}
_FIELDS = {
    "source": "geometry_source",
    "licence": "geometry_licence",
    "official_area": "official_area_km2",
    "official_area_source": "official_area_source",
}


class PublicationName(TypedDict):
    """A publication and the address of its release."""

    number: int
    when: str
    release: str
    href: str


class PublicationEntry(TypedDict):
    """One publication of a release, with the one before and the one after."""

    number: int
    when: str
    action: str
    back_to: int | None
    who: str | None
    why: str | None
    imported: list[Imported]
    supersedes: PublicationName | None
    superseded_by: PublicationName | None
    changes: str | None
    live: bool


class ReleaseFiles(TypedDict):
    """What there is of a layer, a table or the plan in a release."""

    id: str
    title: Words | None
    files: list[ReadyFile]


class ReleaseDocument(TypedDict):
    """What a release is and what there is of it."""

    release: str
    href: str
    live: bool
    holding: str
    manifest_sha256: str | None
    code: str | None
    template: str | None
    publications: list[PublicationEntry]
    data: list[ReleaseFiles]


class MetadataChange(TypedDict):
    """What is no longer said of a boundary and what now is, by what a change of it is called."""

    name: str
    gone: list[object]
    new: list[object]


class PublicationHistory:
    """What the web process knows of the history: publications, what they changed, earlier data.

    Reads the history when it is made; a new publication brings a new application and with it a new one of
    these. Where it could not be read then, what asks for it raises :class:`~webmap.problems.DamagedError`.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._whole: dict[str, Release] = {}
        with suppress(HomeError):  # said when it is asked for
            self.entries = read_history(home)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every publication, the oldest first."""
        try:
            return read_history(self.home)
        except HomeError as error:
            raise _tell_damaged(error) from error

    @property
    def live(self) -> Entry | None:
        """The publication that is live."""
        return self.entries[-1] if self.entries else None

    @cached_property
    def terms(self) -> frozenset[str]:
        """The terms of every boundary that was imported, in their owners' words."""
        return frozenset(row["licence"] for entry in self.entries for row in entry.act.imported)

    def find(self, given: str) -> Entry | None:
        """Return the publication of a number or of a release's hash."""
        return find_entry(self.entries, given)

    def trace(self, place: str) -> list[TracedChange]:
        """Return what was done to a place's boundary, the latest first."""
        return trace(self.entries, place)

    def compare(self, old: Entry, new: Entry) -> Changes:
        """Return what differs in areas and facts."""
        if old.release == new.release:
            return {"areas": [], "facts": []}
        try:
            check_archive(self.home, old)
            check_archive(self.home, new)
        except HomeError as error:
            raise _tell_damaged(error) from error
        return _compare(self.home, old.release, new.release)

    def read_data(self, release_id: str, path: str) -> bytes | None:
        """Return one data file of an earlier release, or None where there is none."""
        entry = self.entry(release_id)
        if entry is None:
            return None
        try:
            check_archive(self.home, entry)
        except HomeError as error:
            if error.key == "archive_missing":
                return None
            raise _tell_damaged(error) from error
        return open_data(self.home, release_id)(path)

    def whole(self, release_id: str) -> Release | None:
        """Return an earlier release that is still on disk with all its files, or None."""
        try:
            return self.find_whole(release_id)
        except CorruptFileError as error:
            current_app.extensions["inspection"].note(error)
            return None  # its data are in the archive

    def find_whole(self, release_id: str) -> Release | None:
        """Return the same; raises :class:`~layers.store.CorruptFileError` where it is there but damaged."""
        entry, folder = self.entry(release_id), self.home / "releases" / release_id
        if entry is None or not folder.is_dir():
            return None
        release = self._whole.setdefault(release_id, Release(folder, entry.manifest_sha256))
        try:
            release.paths()  # reads its manifest
        except CorruptFileError:
            raise
        except BrokenReleaseError:
            return None  # removed as we look
        return release

    def describe(self, release_id: str) -> dict[str, FileEntry]:
        """Return size and sha256 of every archived file of a release."""
        return _describe_archive(self.home, release_id) if self.entry(release_id) else {}

    def entry(self, release_id: str) -> Entry | None:
        """Return the last publication of a release."""
        return next((one for one in reversed(self.entries) if one.release == release_id), None)

    def code(self, release_id: str) -> str | None:
        """Return the hash of the code that made a release."""
        entry = self.entry(release_id)
        return entry.act.code if entry else None

    def releases(self, given: str) -> list[str]:
        """Return the id of every release that was published, the latest first.

        Another process may serve the next one already, and its pages name it: the history is read
        again where `given` is not in it and there is more of it.
        """
        with suppress(HomeError):  # what was read when all was sound stays
            pointer = read_pointer(self.home) if self.entry(given) is None else None
            if pointer and pointer.number != len(self.entries):
                self.entries = read_history(self.home)
        return list(dict.fromkeys(one.release for one in reversed(self.entries)))


def _tell_damaged(error: HomeError) -> DamagedError:
    """Log which file is wrong, for the operator, and return what visitors are told."""
    current_app.extensions["inspection"].note(error)
    return DamagedError()


@lru_cache(maxsize=64)
def _compare(home: Path, old: str, new: str) -> Changes:
    return compare_archives(home, old, new)


@lru_cache(maxsize=64)
def _describe_archive(home: Path, release_id: str) -> dict[str, FileEntry]:
    return describe_data(home, release_id)


def publications() -> PublicationHistory:
    """Return the history as this process knows it."""
    found: PublicationHistory = current_app.extensions["publications"]
    return found


@changes_blueprint.get("/changes")
def changes_page() -> Response:
    """List all publications, or show what differs between two."""
    return vary(changes_document() if wants_document() else Response(_page(), mimetype=HTML))


def _page() -> str:
    pair = _pair()
    if pair is None:
        known = publications()
        return render_template("changes.html", page="data", entries=known.entries, live=known.live)
    found = publications().compare(*pair)
    return render_template(
        "difference.html",
        page="data",
        old=pair[0],
        new=pair[1],
        areas=[{**row, "worded": list_metadata_changes(row, publications().terms)} for row in found["areas"]],
        facts=found["facts"][:MAX_SHOWN],
        left_off=max(len(found["facts"]) - MAX_SHOWN, 0),
        entries=publications().entries,
    )


@changes_blueprint.get("/changes.json")
@describes("changes.title", FROM, TO)
def changes_document() -> Response:
    """Answer the same for programs."""
    pair = _pair()
    if pair is None:
        kept = {one.release: _whole(one.release) is not None for one in publications().entries}
        rows = [asdict(one) | _standing(one) | {"whole": kept[one.release]} for one in publications().entries]
        return send_json({"publications": rows})
    old, new = pair
    head = {"from": _head(old), "to": _head(new)}
    return send_json({**head, **publications().compare(old, new)})


@changes_blueprint.get("/zones/<place_id>/history.json")
@takes()
def place_history(place_id: str) -> Response:
    """Answer what was done to one boundary."""
    require_place(place_id, points=False)
    return send_json({"id": place_id, "history": publications().trace(place_id)})


def _standing(entry: Entry) -> dict[str, object]:
    return {"live": entry == publications().live, "href": f"{base_url()}/r/{entry.release}/"}


def _head(entry: Entry) -> dict[str, object]:
    href = _standing(entry)["href"]
    return {"number": entry.number, "release": entry.release, "when": entry.when, "href": href}


def _pair() -> tuple[Entry, Entry] | None:
    """Return the publications that are to be compared, or None where none is asked for.

    One without the other is compared with the one before it, or with the live one.
    """
    refuse_unknown((FROM.name, TO.name, "lang"))
    given = request.args.get("from"), request.args.get("to")
    if given == (None, None):
        return None
    new = _entry("to", given[1]) if given[1] is not None else publications().live
    old = _entry("from", given[0]) if given[0] is not None else _before(new)
    if old is None or new is None:
        raise NotFoundError("error.no_publication")
    return old, new


def _entry(parameter: str, given: str) -> Entry:
    found = publications().find(given)
    if found is None:
        known = [f"{entry.number} ({entry.release[:12]})" for entry in publications().entries[-20:]]
        raise BadParameterError(
            "error.publication", parameter=parameter, value=given[:80], allowed=", ".join(known) or "-"
        )
    return found


def _before(entry: Entry | None) -> Entry | None:
    earlier = [one for one in publications().entries if entry is not None and one.number < entry.number]
    return earlier[-1] if earlier else entry


@blueprint.before_request
def find_release() -> Answer | None:
    """Lead from the start of a hash to the release; raise NotFoundError where there is none, or several."""
    given = (request.view_args or {}).get("release_id")
    if given is None or given == content().release.id:
        return None
    known = list(dict.fromkeys((*publications().releases(given), content().release.id)))
    matching = [one for one in known if len(given) >= SHORTEST and one.startswith(given)]
    if given in matching:
        return None
    if len(matching) != 1:
        raise _unknown(given, matching or known, "error.release_many" if matching else "error.release")
    below = request.path.removeprefix(f"/r/{given}") or "/"
    answer = _redirect(f"/r/{matching[0]}{quote(below)}")
    answer.headers["Cache-Control"] = "no-cache"  # another release may come to begin like this
    return answer


@blueprint.get("/")
def releases_page() -> Answer:
    """Lead to the list of all publications."""
    return _redirect("/changes")


def _redirect(address: str) -> Answer:
    """Lead to an address with what was asked for in the query."""
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    return redirect(f"{address}{query}", HTTPStatus.FOUND)


@blueprint.get("/<release_id>/")
def release_page(release_id: str) -> Response:
    """Say what a release is and list what there is of it."""
    if wants_document():
        return vary(release_document(release_id))
    found = _describe_release(release_id, "")
    page = render_template(
        "release.html",
        page="data",
        found=found,
        names={row_id: row["name"] for row_id, row in content().documents.items()},
        form=_describe_choices(release_id),
    )
    return vary(Response(page, mimetype=HTML))


@blueprint.get("/<release_id>/index.json")
@takes()
def release_document(release_id: str) -> Response:
    """Answer the same for programs."""
    return send_json(_describe_release(release_id, base_url()))


@blueprint.get("/<release_id>/data/<file>")
def release_data(release_id: str, file: str) -> Response:
    """Send a layer, a table or the whole plan of a release, as ``/data/`` does of the live one."""
    found = _downloads_of(release_id)
    try:
        return found.send(file) if found else _send_as_is(release_id, file)
    except BrokenReleaseError:
        if release_id == content().release.id:
            raise
        return _send_as_is(release_id, file)  # it was archived meanwhile


@blueprint.get("/<release_id>/data/download")
def choose_release_file(release_id: str) -> Answer:
    """Lead from the form's choices to the address of the file, or back to where one chooses."""
    if not request.args.keys() - {"lang"}:
        return release_page(release_id)
    found = _downloads_of(release_id)
    return lead_to_file(f"/r/{release_id}/data", (found.content if found else content()).layers)


@blueprint.get("/<release_id>/<path:path>")
def release_file(release_id: str, path: str) -> Response:
    """Send a file of the release as it is."""
    live = content().release
    release = live if release_id == live.id else publications().find_whole(release_id)
    if path.startswith("pages/") or release is None or not release.sha256(path):
        raise NotFoundError("error.http_404", path=request.path)
    try:
        return send(release, path, immutable=True)
    except CorruptFileError:
        raise
    except BrokenReleaseError:
        if release_id == live.id:
            raise
        raise NotFoundError("error.http_404", path=request.path) from None


def _describe_choices(release_id: str) -> dict[str, object] | None:
    """Return what the form of a release offers, or None where nothing is made of it any more."""
    offered, page = choices_of(release_id), f"/r/{release_id}/"
    try:
        return (
            describe_download_form(offered, request.args, page, f"{page}data/download") if offered else None
        )
    except BrokenReleaseError:
        if release_id == content().release.id:
            raise
        return None  # it was archived meanwhile


def choices_of(release_id: str) -> Content | None:
    """Return what can be chosen of a release, or None where nothing is made of it any more."""
    found = _downloads_of(release_id)
    return found.content if found else None


def _whole(release_id: str) -> Release | None:
    """Return a release that is on disk with all its files, or None; the live one always."""
    live = content().release
    return live if release_id == live.id else publications().whole(release_id)


def _downloads_of(release_id: str) -> Downloads | None:
    """Return where files of a release can be made, or None: it must be whole and of this program."""
    live = content().release.id
    if release_id == live:
        return replace(downloads_in_service(), fixed=True)
    release = publications().whole(release_id)
    if release is None or publications().code(release_id) != publications().code(live):
        return None
    # Made for each request: what an earlier release holds is asked for seldom, and is not to stay in memory.
    return Downloads(Content(release), downloads_in_service().worker, fixed=True)


def _send_as_is(release_id: str, file: str) -> Response:
    """Send a ready file of a release that nothing is made of any more."""
    given = next((one for one in request.args if one != "lang"), None)
    if given is not None:
        value = request.args[given]
        raise BadParameterError("error.as_is", parameter=given, value=value, allowed="lang")
    name, _, extension = file.partition(".")
    path = release_path(name, extension)
    kind = FORMATS.get(extension)
    media_type = kind.media_type if kind else media_type_of(file)
    saved = name_release_file(release_id, f"{content().plan['id']}-{file}", file)
    release, corrupt = publications().whole(release_id), None
    if release is not None and release.sha256(path):
        try:
            return send(release, path, immutable=True, attachment=saved, media_type=media_type)
        except BrokenReleaseError as error:  # it was archived meanwhile, or damaged
            corrupt = error if isinstance(error, CorruptFileError) else None
    data = publications().read_data(release_id, path)
    if data is None and corrupt is not None:
        raise corrupt
    if data is None:
        raise _not_kept(release_id, file)
    return send_file(data, media_type, saved, immutable=True)


def _describe_release(release_id: str, base: str) -> ReleaseDocument:
    """Return what a release is and what there is of it, with addresses that begin with `base`."""
    address = f"{base}/r/{release_id}/"
    release, entry = _whole(release_id), publications().entry(release_id)
    made = _downloads_of(release_id) is not None
    titles = {layer["id"]: layer["title"] for layer in content().layers}
    manifest = release.manifest["files"] if release else publications().describe(release_id)
    files = list_files(manifest, address, titles)
    listed = _list_publications(release_id, base)
    return {
        "release": release_id,
        "href": address,
        "live": any(one["live"] for one in listed) or (not entry and release_id == content().release.id),
        "holding": "whole" if made else "ready" if release else "archived" if files else "lost",
        "manifest_sha256": entry.manifest_sha256 if entry else release.manifest_sha256 if release else None,
        "code": entry.act.code if entry else None,
        "template": f"{address}data/{{name}}.{{format}}{{?{','.join(PARAMETERS)}}}" if made else None,
        "publications": listed,
        "data": [
            {"id": row_id, "title": titles.get(row_id), "files": rows} for row_id, rows in files.items()
        ],
    }


def _not_kept(release_id: str, file: str) -> NotFoundError:
    hrefs = [one["href"] for row in _describe_release(release_id, "")["data"] for one in row["files"]]
    kept = {href.rpartition("/")[2]: href for href in hrefs}
    name = file.partition(".")[0]
    near = [{"id": one, "label": one, "href": kept[one]} for one in kept if one.startswith(f"{name}.")]
    allowed = ", ".join(kept) or "–"
    return NotFoundError("error.not_kept", parameter="file", value=file, allowed=allowed, near=near)


def _unknown(given: str, known: list[str], key: str) -> NotFoundError:
    near = [{"id": one, "label": one, "href": f"/r/{one}/"} for one in known[:NAMED]]
    return NotFoundError(key, parameter="release", value=given, allowed=name_some(known), near=near)


def list_files(
    files: Mapping[str, FileEntry], address: str, order: Iterable[str]
) -> dict[str, list[ReadyFile]]:
    """Return the files by what they are of: the whole plan, then as `order` has it, then what else is.

    `files` has size and sha256 by path, as a manifest; `address` is what the release's begin with.
    """
    found: dict[str, list[ReadyFile]] = {}
    for path, entry in files.items():
        name, _, extension = path.partition("/")[2].partition(".")
        if extension in FORMATS and path == release_path(name, extension):
            href = f"{address}data/{name}.{extension}"
            found.setdefault(name, []).append({"href": href, "format": extension, **entry})
    formats = list(FORMATS)
    for rows in found.values():
        rows.sort(key=lambda row: formats.index(row["format"]))
    names = dict.fromkeys((PLAN, *order, *sorted(found)))
    return {name: found[name] for name in names if name in found}


def _list_publications(release_id: str, base: str) -> list[PublicationEntry]:
    """Return every publication of one release, the latest first, with the one before and the one after."""
    entries = [None, *publications().entries, None]
    found: list[PublicationEntry] = [
        {
            "number": entry.number,
            "when": entry.when,
            "action": entry.act.action,
            "back_to": entry.act.back_to,
            "who": entry.act.who,
            "why": entry.act.why,
            "imported": list(entry.act.imported),
            "supersedes": _name(before, base),
            "superseded_by": _name(after, base),
            "changes": f"{base}/changes?from={before.number}&to={entry.number}" if before else None,
            "live": entry == publications().live,
        }
        for before, entry, after in zip(entries, entries[1:], entries[2:], strict=False)
        if entry is not None and entry.release == release_id
    ]
    return found[::-1]


def _name(entry: Entry | None, base: str) -> PublicationName | None:
    if entry is None:
        return None
    address = f"{base}/r/{entry.release}/"
    return {"number": entry.number, "when": entry.when, "release": entry.release, "href": address}


def list_metadata_changes(row: AreaDifference, terms: Collection[str]) -> list[MetadataChange]:
    """Return what is no longer said of a boundary and what now is, by what a change of it is called.

    `row` is one of a comparison's areas; `terms` are those of every imported boundary on record. Sources
    and terms are lists in one text: what stays in them is left out. Areas are numbers, km².
    """
    found: list[MetadataChange] = []
    for name in (one for change, shown in _SHOWN.items() if change in row["changed"] for one in shown):
        old, new = ((state or {}).get(_FIELDS[name]) for state in (row["before"], row["after"]))
        before, after = _split(name, old, new, terms), _split(name, new, old, terms)
        gone = [part for part in before if part not in after]
        found.append({"name": name, "gone": gone, "new": [part for part in after if part not in before]})
    return [one for one in found if one["gone"] or one["new"]]


def _split(name: str, value: object, other: object, terms: Collection[str]) -> list[object]:
    """Return the parts of a value that is compared with `other`."""
    if value is None:
        return []
    if name == "source":
        return [*str(value).split(_JOINER)]  # of ids, which hold no such thing
    return [*split_terms(str(value), {*terms, str(other)})] if name == "licence" else [value]


def split_terms(joined: str, known: Collection[str]) -> list[str]:
    """Return the terms that were joined to one text, those of `known` whole.

    Their owners' words may hold what they are joined with, so nothing is cut elsewhere.

    >>> split_terms("base; a; inside only; not for sale", {"inside only; not for sale"})
    ['base; a', 'inside only; not for sale']
    """
    longest = sorted(filter(None, known), key=len, reverse=True)
    one_of = "|".join(map(re.escape, longest))
    parts, at = [], 0
    for match in re.finditer(rf"(?:^|(?<={_JOINER}))(?:{one_of})(?={_JOINER}|\Z)", joined):
        parts += [joined[at : match.start()].removesuffix(_JOINER), match[0]]
        at = match.end() + len(_JOINER)
    return [part for part in (*parts, joined[at:]) if part]
