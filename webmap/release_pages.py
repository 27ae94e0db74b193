"""``/r/<hash>/``: every release at an address that contains its hash, for people and for programs.

What lies below such an address never changes, and says so. Of the releases that are whole on disk
there is every file, format and frame; of older ones the archived data; see :mod:`layers.history`.
The start of a hash leads to the whole of it.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from layers.export.formats import FORMATS
from layers.export.job import release_path
from layers.history import SHORTEST
from layers.memory import MemoryStore
from layers.store import BrokenReleaseError, Release
from webmap.api import content, to_json
from webmap.change_pages import records
from webmap.content import Content
from webmap.data_form import describe_form
from webmap.data_pages import lead_to_file, shelf
from webmap.downloads import PARAMETERS
from webmap.inventory import list_files, list_publications
from webmap.links import base_url
from webmap.media import HTML
from webmap.negotiation import vary, wants_document
from webmap.parameters import takes
from webmap.prepared import send, type_of
from webmap.problems import NAMED, BadParameterError, NotFoundError, name_some
from webmap.shelf import Shelf, name_with, send_made

blueprint = Blueprint("releases", __name__, url_prefix="/r")


@blueprint.before_request
def find_release() -> Answer | None:
    """Lead from the start of a hash to the release; raise NotFoundError where there is none, or several."""
    asked = (request.view_args or {}).get("release_id")
    if asked is None or asked == content().release.id:
        return None
    known = list(dict.fromkeys((*records().releases(asked), content().release.id)))
    matching = [one for one in known if len(asked) >= SHORTEST and one.startswith(asked)]
    if asked in matching:
        return None
    if len(matching) != 1:
        raise _unknown(asked, matching or known, "error.release_many" if matching else "error.release")
    below = request.path.removeprefix(f"/r/{asked}") or "/"
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    answer = redirect(f"/r/{matching[0]}{quote(below)}{query}", HTTPStatus.FOUND)
    answer.headers["Cache-Control"] = "no-cache"  # another release may come to begin like this
    return answer


@blueprint.get("/")
def releases() -> Answer:
    """Lead to the list of all publications."""
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    return redirect(f"/changes{query}", HTTPStatus.FOUND)


@blueprint.get("/<release_id>/")
def release_page(release_id: str) -> Response:
    """Say what a release is and list what there is of it."""
    if wants_document():
        return vary(release_document(release_id))
    found = _describe(release_id, "")
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
    return to_json(_describe(release_id, base_url()))


@blueprint.get("/<release_id>/data/<file>")
def release_data(release_id: str, file: str) -> Response:
    """Send a layer, a table or the whole plan of a release, as ``/data/`` does of the live one."""
    found = _shelf(release_id)
    try:
        return found.send(file) if found else _send_as_is(release_id, file)
    except BrokenReleaseError:
        if release_id == content().release.id:
            raise
        return _send_as_is(release_id, file)  # it was archived meanwhile


@blueprint.get("/<release_id>/data/download")
def download(release_id: str) -> Answer:
    """Lead from the form's choices to the address of the file, or back to where one chooses."""
    if not request.args.keys() - {"lang"}:
        return release_page(release_id)
    found = _shelf(release_id)
    return lead_to_file(f"/r/{release_id}/data", (found.content if found else content()).layers)


@blueprint.get("/<release_id>/<path:path>")
def release_file(release_id: str, path: str) -> Response:
    """Send a file of the release as it is."""
    release = _whole(release_id)
    if path.startswith("pages/") or release is None or not release.sha256(path):
        raise NotFoundError("error.http_404", path=request.path)
    try:
        return send(release, path, immutable=True)
    except BrokenReleaseError:
        if release_id == content().release.id:
            raise
        raise NotFoundError("error.http_404", path=request.path) from None


def _describe_choices(release_id: str) -> dict[str, Any] | None:
    """Return what the form of a release offers, or None where nothing is made of it any more."""
    offered, page = choices_of(release_id), f"/r/{release_id}/"
    try:
        return describe_form(offered, request.args, page, f"{page}data/download") if offered else None
    except BrokenReleaseError:
        if release_id == content().release.id:
            raise
        return None  # it was archived meanwhile


def choices_of(release_id: str) -> Content | None:
    """Return what can be chosen of a release, or None where nothing is made of it any more."""
    found = _shelf(release_id)
    return found.content if found else None


def _whole(release_id: str) -> Release | None:
    """Return a release that is on disk with all its files, or None; the live one always."""
    live = content().release
    return live if release_id == live.id else records().whole(release_id)


def _shelf(release_id: str) -> Shelf | None:
    """Return where files of a release can be made, or None: it must be whole and of this program."""
    live = content().release.id
    if release_id == live:
        return replace(shelf(), fixed=True)
    release = records().whole(release_id)
    if release is None or records().code(release_id) != records().code(live):
        return None
    shelves: dict[str, Shelf] = current_app.extensions["shelves"]
    if release_id not in shelves:
        folder = shelf().folder.with_name(release_id)
        shelves[release_id] = Shelf(Content(release), lambda: MemoryStore(release), folder, fixed=True)
    return shelves[release_id]


def _send_as_is(release_id: str, file: str) -> Response:
    """Send a ready file of a release that nothing is made of any more."""
    given = next((one for one in request.args if one != "lang"), None)
    if given is not None:
        value = request.args[given]
        raise BadParameterError("error.as_is", parameter=given, value=value, allowed="lang")
    name, _, extension = file.partition(".")
    path = release_path(name, extension)
    kind = FORMATS.get(extension)
    media_type = kind.media_type if kind else type_of(file)
    saved = name_with(release_id, f"{content().plan['id']}-{file}", file)
    release = records().whole(release_id)
    if release is not None and release.sha256(path):
        try:
            return send(release, path, immutable=True, attachment=saved, media_type=media_type)
        except BrokenReleaseError:
            pass  # it was archived meanwhile
    data = records().read_data(release_id, path)
    if data is None:
        raise _not_kept(release_id, file)
    return send_made(data, media_type, saved, immutable=True)


def _describe(release_id: str, base: str) -> dict[str, Any]:
    """Return what a release is and what there is of it, with addresses that begin with `base`."""
    address = f"{base}/r/{release_id}/"
    release, entry = _whole(release_id), records().entry(release_id)
    made = _shelf(release_id) is not None
    titles = {layer["id"]: layer["title"] for layer in content().layers}
    manifest = release.manifest["files"] if release else records().describe(release_id)
    files = list_files(manifest, address, titles)
    publications = list_publications(records().entries, records().live, release_id, base)
    return {
        "release": release_id,
        "href": address,
        "live": any(one["live"] for one in publications)
        or (not entry and release_id == content().release.id),
        "holding": "whole" if made else "ready" if release else "archived" if files else "lost",
        "manifest_sha256": entry.manifest_sha256 if entry else release.manifest_sha256 if release else None,
        "code": entry.act.code if entry else None,
        "template": f"{address}data/{{name}}.{{format}}{{?{','.join(PARAMETERS)}}}" if made else None,
        "publications": publications,
        "data": [{"id": row["id"], "title": titles.get(row["id"]), "files": row["files"]} for row in files],
    }


def _not_kept(release_id: str, file: str) -> NotFoundError:
    rows = [one for row in _describe(release_id, "")["data"] for one in row["files"]]
    names = [row["href"].rpartition("/")[2] for row in rows]
    name = file.partition(".")[0]
    near = [
        {"id": one, "label": one, "href": row["href"]}
        for one, row in zip(names, rows, strict=True)
        if one.startswith(f"{name}.")
    ]
    return NotFoundError(
        "error.not_kept",
        parameter="file",
        value=file,
        allowed=", ".join(names) or "–",
        near=near,
    )


def _unknown(asked: str, known: list[str], key: str) -> NotFoundError:
    near = [{"id": one, "label": one, "href": f"/r/{one}/"} for one in known[:NAMED]]
    return NotFoundError(key, parameter="release", value=asked, allowed=name_some(known), near=near)
