"""What was published when, what it changed, and the history of one boundary."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from layers.history import Entry
from webmap.api import require, to_json
from webmap.links import base_url
from webmap.media import HTML
from webmap.negotiation import vary, wants_document
from webmap.parameters import refuse_unknown, takes
from webmap.problems import BadParameterError, NotFoundError
from webmap.records import Records
from webmap.reworded import list_reworded

blueprint = Blueprint("changes", __name__)
PARAMETERS = ("from", "to", "lang")
MAX_SHOWN = 300  # rows of facts on a page; the JSON has all


def records() -> Records:
    """Return the history as this process knows it."""
    found: Records = current_app.extensions["records"]
    return found


@blueprint.get("/changes")
def changes() -> Response:
    """List all publications, or show what differs between two."""
    return vary(changes_json() if wants_document() else Response(_page(), mimetype=HTML))


def _page() -> str:
    pair = _pair()
    if pair is None:
        return render_template("changes.html", page="data", entries=records().entries, live=records().live)
    found = records().compare(*pair)
    return render_template(
        "difference.html",
        page="data",
        old=pair[0],
        new=pair[1],
        areas=[row | {"worded": list_reworded(row, records().terms)} for row in found["areas"]],
        facts=found["facts"][:MAX_SHOWN],
        left_off=max(len(found["facts"]) - MAX_SHOWN, 0),
        entries=records().entries,
    )


@blueprint.get("/changes.json")
def changes_json() -> Response:
    """Answer the same for programs."""
    pair = _pair()
    if pair is None:
        rows = [asdict(one) | _standing(one) for one in records().entries]
        return to_json({"publications": rows})
    old, new = pair
    head = {"from": _head(old), "to": _head(new)}
    return to_json(head | records().compare(old, new))


@blueprint.get("/zones/<place_id>/history.json")
@takes()
def place_history(place_id: str) -> Response:
    """Answer what was done to one boundary."""
    require(place_id, points=False)
    return to_json({"id": place_id, "history": records().trace(place_id)})


def _standing(entry: Entry) -> dict[str, Any]:
    return {"live": entry == records().live, "href": f"{base_url()}/r/{entry.release}/"}


def _head(entry: Entry) -> dict[str, Any]:
    href = _standing(entry)["href"]
    return {"number": entry.number, "release": entry.release, "when": entry.when, "href": href}


def _pair() -> tuple[Entry, Entry] | None:
    """Return the publications that are to be compared, or None where none is asked for.

    One without the other is compared with the one before it, or with the live one.
    """
    refuse_unknown(PARAMETERS)
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
