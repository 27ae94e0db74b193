"""What was published when, what it changed, and the history of one boundary."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from layers.history import Entry
from layers.store import BrokenReleaseError
from webmap.api import content, require, to_json
from webmap.prepared import IMMUTABLE, send, type_of
from webmap.problems import BadParameterError, NotFoundError
from webmap.records import Records

blueprint = Blueprint("changes", __name__)
MAX_SHOWN = 300  # rows of facts on a page; the JSON has all


def records() -> Records:
    """Return the history as this process knows it."""
    found: Records = current_app.extensions["records"]
    return found


@blueprint.get("/changes")
def changes() -> str:
    """List all publications, or show what differs between two."""
    pair = _pair()
    if pair is None:
        return render_template("changes.html", page="data", entries=records().entries, live=records().live)
    found = records().compare(*pair)
    return render_template(
        "difference.html",
        page="data",
        old=pair[0],
        new=pair[1],
        areas=found["areas"],
        facts=found["facts"][:MAX_SHOWN],
        left_off=max(len(found["facts"]) - MAX_SHOWN, 0),
        entries=records().entries,
    )


@blueprint.get("/changes.json")
def changes_json() -> Response:
    """Answer the same for programs."""
    pair = _pair()
    if pair is None:
        live = records().live
        return to_json({"publications": [asdict(one) | {"live": one == live} for one in records().entries]})
    old, new = pair
    head = {"from": _head(old), "to": _head(new)}
    return to_json(head | records().compare(old, new))


@blueprint.get("/zones/<place_id>/history.json")
def place_history(place_id: str) -> Response:
    """Answer what was done to one boundary."""
    require(place_id, points=False)
    return to_json({"id": place_id, "history": records().trace(place_id)})


@blueprint.get("/r/<release_id>/<path:path>")
def release_file(release_id: str, path: str) -> Response:
    """Send a file at the address that contains its release; such an address never changes.

    Of the live release and the ones before it every file, of older ones the data.
    """
    found = _send_whole(release_id, path) or _send_data(release_id, path)
    if found is None or path.startswith("pages/"):
        raise NotFoundError("error.http_404", path=request.path)
    return found


def _send_whole(release_id: str, path: str) -> Response | None:
    live = content().release
    release = live if release_id == live.id else records().whole(release_id)
    try:
        return send(release, path, immutable=True) if release and release.sha256(path) else None
    except (BrokenReleaseError, OSError):
        return None  # an earlier release may be removed under us


def _send_data(release_id: str, path: str) -> Response | None:
    data = records().read_data(release_id, path)
    if data is None:
        return None
    response = Response(data, content_type=type_of(path))
    response.set_etag(hashlib.sha256(data).hexdigest()[:32])
    response.headers["Cache-Control"] = IMMUTABLE
    response.make_conditional(request)
    return response


def _head(entry: Entry) -> dict[str, Any]:
    return {"number": entry.number, "release": entry.release, "when": entry.when}


def _pair() -> tuple[Entry, Entry] | None:
    """Return the publications that are to be compared, or None where none is asked for.

    One without the other is compared with the one before it, or with the live one.
    """
    asked = request.args.get("from"), request.args.get("to")
    if asked == (None, None):
        return None
    new = _entry("to", asked[1]) if asked[1] is not None else records().live
    old = _entry("from", asked[0]) if asked[0] is not None else _before(new)
    if old is None or new is None:
        raise NotFoundError("error.no_publication")
    return old, new


def _entry(parameter: str, asked: str) -> Entry:
    found = records().find(asked)
    if found is None:
        known = [f"{entry.number} ({entry.release[:12]})" for entry in records().entries[-20:]]
        raise BadParameterError(
            "error.publication", parameter=parameter, value=asked[:80], allowed=", ".join(known) or "-"
        )
    return found


def _before(entry: Entry | None) -> Entry | None:
    earlier = [one for one in records().entries if entry is not None and one.number < entry.number]
    return earlier[-1] if earlier else entry
