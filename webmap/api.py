"""What programs ask: data files, documents, health."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, request

from layers.inspection import Inspection
from layers.query import FeatureStore
from webmap.content import POINT_LAYERS, Content
from webmap.language import LANGUAGES, current_language
from webmap.links import base_url
from webmap.media import JSON
from webmap.parameters import takes
from webmap.prepared import send
from webmap.problems import DamagedError, NotFoundError, name_some

blueprint = Blueprint("api", __name__)
ENDLESS = ("/search", "/find", "/compare?", "/lookup", "/changes?", "/qr.svg", "/r/", "/ogc/")
CONTACT_HOLDS = timedelta(days=90)


def content() -> Content:
    """Return the content of the release that this process serves."""
    found: Content = current_app.extensions["content"]
    return found


def _file_name(name: str, extension: str) -> str:
    """Return the name that a browser saves a download under."""
    return f"{content().plan['id']}-{name}.{extension}"


@blueprint.get("/zones/<place_id>.json")
@takes()
def zone_document(place_id: str) -> Response:
    """Send everything known of one place."""
    require(place_id, points=False)
    return send(content().release, f"documents/{place_id}.json")


@blueprint.get("/places/<place_id>.json")
@takes()
def point_document(place_id: str) -> Response:
    """Send everything known of one platform or gateway."""
    require(place_id, points=True)
    return send(content().release, f"documents/{place_id}.json")


@blueprint.get("/zones/<place_id>.geojson")
@takes()
def zone_geojson(place_id: str) -> Response:
    """Send one place as a GeoJSON feature."""
    return _feature(place_id, points=False)


@blueprint.get("/places/<place_id>.geojson")
@takes()
def point_geojson(place_id: str) -> Response:
    """Send one platform or gateway as a GeoJSON feature."""
    return _feature(place_id, points=True)


def _feature(place_id: str, *, points: bool) -> Response:
    document = require(place_id, points=points)
    path = f"features/{document['layer']}/{place_id}.geojson"
    return send(content().release, path, attachment=_file_name(place_id, "geojson"))


def require(place_id: str, *, points: bool) -> dict[str, Any]:
    """Return a place's document; raises NotFoundError with near matches."""
    document = content().documents.get(place_id)
    if document is None or (document["layer"] in POINT_LAYERS) != points:
        near = content().near(place_id, current_language(strict=False), points=points)
        known = [
            row_id for row_id, row in content().documents.items() if (row["layer"] in POINT_LAYERS) == points
        ]
        raise NotFoundError(
            "error.place", parameter="place", value=place_id, allowed=name_some(known), near=near
        )
    return document


@blueprint.get("/healthz")
def health() -> Response:
    """Say that the process serves, and which release."""
    return _now({"status": "ok", "release": content().release.id})


@blueprint.get("/readyz")
def ready() -> Response:
    """Say whether all is well; 503 while the store cannot be asked, or the home or a file is damaged."""
    inspection: Inspection = current_app.extensions["inspection"]
    if inspection.faults:
        raise DamagedError
    store: FeatureStore = current_app.extensions["store"]
    store.reach_m()
    release = content().release
    release.look()
    return _now({"status": "ready", "release": release.id})


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Tell search engines what to leave out: answers to questions that have no end, and old releases."""
    lines = ["User-agent: *", *(f"Disallow: {request.script_root}{path}" for path in ENDLESS), ""]
    return Response("\n".join(lines), mimetype="text/plain")


@blueprint.get("/.well-known/security.txt")
def security() -> Response:
    """Say where weaknesses are reported to (RFC 9116); raises NotFoundError where the operator does not."""
    contact = current_app.extensions["settings"].security_contact
    if contact is None:
        raise NotFoundError("error.no_contact")
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + CONTACT_HOLDS
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(LANGUAGES)}",
        f"Canonical: {base_url()}{request.path}",
        "",
    ]
    return Response("\n".join(lines), mimetype="text/plain")


def _now(value: Any) -> Response:
    response = to_json(value)
    response.headers["Cache-Control"] = "no-store"
    return response


def to_json(value: Any) -> Response:
    """Answer a program with a value that was worked out for this request."""
    response = Response(json.dumps(value, ensure_ascii=False), mimetype=JSON)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag(weak=True)  # weak: the same answer may go out compressed or not
    response.make_conditional(request)
    return response
