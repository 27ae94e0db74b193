"""The map, pages and documents of places, and what machines ask of a site: health, robots, QR codes."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import segno
from flask import Blueprint, Response, current_app, g, render_template, request

from layers.document_types import PlaceIndustry
from layers.history import TracedChange
from layers.inspection import Inspection
from layers.query import FeatureStore
from webmap.http import absolute, base_url, send, send_json
from webmap.i18n import LANGUAGES
from webmap.params import OpenParameter, takes
from webmap.problems import BadParameterError, DamagedError, NotFoundError
from webmap.views.comparison import suggest_places
from webmap.views.context import POINT, POLYGON, content, require_place
from webmap.views.releases import publications

if TYPE_CHECKING:  # which reads all styles
    from webmap.assets import Opening

Key = TypeVar("Key", bound=Hashable)
blueprint = Blueprint("pages", __name__)
documents_blueprint = Blueprint("api", __name__)
ENDLESS = ("/search", "/find", "/compare?", "/lookup", "/changes?", "/qr.", "/r/", "/ogc/")
CONTACT_HOLDS = timedelta(days=90)
MAX_PATH = 800  # characters; a denser code is hard to read from paper
OWN_PATH = re.compile(rf"/(?![/\\])[!-~]{{0,{MAX_PATH - 1}}}")  # no other host, nothing unprintable
CITY_GROUP = "city"  # of the indicators that describe the city as a whole
MOST_FIGURES = 6
QUIET_ZONE = 2  # modules around the code


@blueprint.get("/")
def map_page() -> str:
    """Show the map of all themes."""
    folium = content().release.read_json(f"pages/{g.language}/map.json")
    return render_template("map.html", page="map", folium=folium, selected=_is_selected(), opening=_opening())


@blueprint.get("/embed")
def embedded_map() -> str:
    """Show the map alone, for a frame on another site's page."""
    g.embedded = True
    folium = content().release.read_json(f"pages/{g.language}/map.json")
    return render_template("embed.html", page="map", folium=folium, selected=_is_selected())


def _opening() -> Opening | None:
    """Return the picture of the theme that the map begins with; None where the address chooses more."""
    asked = {name for name, value in request.args.items() if value} - {"theme", "lang"}
    theme = request.args.get("theme") or next(iter(content().themes))
    if asked or theme not in content().themes:
        return None
    opening: Opening = content().release.read_json(f"pages/opening/{theme}.json")
    return opening


def _is_selected() -> bool:
    """Return whether the address selects a place, so that there is room for its panel from the start."""
    return request.args.get("zone") in content().documents


@blueprint.get("/zones/<place_id>", defaults=POLYGON)
@blueprint.get("/places/<place_id>", defaults=POINT)
def place_page(place_id: str, *, points: bool) -> str:
    """Show one county, zone, park or area, or one platform or gateway."""
    document = require_place(place_id, points=points)
    history: list[TracedChange] = []
    if not points:
        with suppress(DamagedError):  # the log says it; the place itself is known
            history = publications().trace(place_id)
    release, path = content().release, f"locator/{document['id']}.svg"
    measures = content().measures["places"].get(document["id"])
    return render_template(
        "zone.html",
        page="zones",
        doc=document,
        locator=release.read(path).decode() if release.sha256(path) else "",
        suggested=[] if points else suggest_places(content(), [place_id]),
        history=history,
        distances=measures["distances"] if measures else {},
    )


@blueprint.get("/zones/<place_id>.panel.html", defaults=POLYGON)
@blueprint.get("/places/<place_id>.panel.html", defaults=POINT)
def place_panel_page(place_id: str, *, points: bool) -> str:
    """Show the same in the map's panel."""
    document = require_place(place_id, points=points)
    return render_template(
        "panel.html",
        doc=document,
        industries=[
            (clause, list(_group(rows, lambda row: (row["emphasis"], row["verb"])).values()))
            for clause, rows in _group(document.get("industries", []), lambda row: row["clause"]).items()
        ],
        clusters={cluster["id"]: cluster for cluster in document.get("clusters", [])},
    )


def _group(rows: list[PlaceIndustry], key: Callable[[PlaceIndustry], Key]) -> dict[Key, list[PlaceIndustry]]:
    """Return rows by what they are told apart by, in the order in which that first comes."""
    groups: dict[Key, list[PlaceIndustry]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


@blueprint.get("/about")
def about_page() -> str:
    """Say what the site is, the city in figures, who publishes it, how current and how exact it is."""
    layers = dict.fromkeys(row["layer"] for row in content().documents.values())
    indicators = content().indicators
    aimed = [row for row in indicators if row["base"] and row["target"]]
    return render_template(
        "about.html",
        page="about",
        city=[row for row in indicators if row["group"] == CITY_GROUP and row["base"]][:MOST_FIGURES],
        targets=list({row["group"]: row for row in reversed(aimed)}.values())[
            ::-1
        ],  # the first of each group
        counts={row["id"]: row["count"] for row in content().downloads},
        exact=[row for layer in layers if (row := measure_exactness(layer))],
        differences=measure_differences(),
        sources=content().sources,
        imports=content().about.imports,
    )


def measure_exactness(layer: str) -> dict[str, object] | None:
    """Return how the places of a layer are known and how exactly, None for a layer without shapes.

    Accuracies are in metres: the least, the middle and the greatest.
    """
    known = [
        row["geometry"]
        for row in content().documents.values()
        if row["layer"] == layer and row["geometry"]["method"]
    ]
    if not known:
        return None
    metres = sorted(row["accuracy_m"] or 0 for row in known)
    methods = Counter(row["method"] for row in known)
    return {
        "layer": layer,
        "count": len(known),
        "methods": methods.most_common(),
        "accuracy_m": (metres[0], median(metres), metres[-1]),
    }


def measure_differences() -> list[float]:
    """Return by how many per cent the areas drawn differ from the official ones, the smallest first."""
    rows = content().documents.values()
    return sorted(
        100 * abs(drawn / official - 1)
        for row in rows
        if (official := row.get("official_area_km2"))
        and (drawn := row.get("area_km2"))
        and row["geometry"]["method"] != "indicative"
    )


@documents_blueprint.get("/zones/<place_id>.json", defaults=POLYGON)
@documents_blueprint.get("/places/<place_id>.json", defaults=POINT)
@takes()
def place_document(place_id: str, *, points: bool) -> Response:
    """Send everything known of one place."""
    require_place(place_id, points=points)
    return send(content().release, f"documents/{place_id}.json")


@documents_blueprint.get("/zones/<place_id>.geojson", defaults=POLYGON)
@documents_blueprint.get("/places/<place_id>.geojson", defaults=POINT)
@takes()
def place_geojson(place_id: str, *, points: bool) -> Response:
    """Send one place as a GeoJSON feature."""
    document = require_place(place_id, points=points)
    path = f"features/{document['layer']}/{place_id}.geojson"
    return send(content().release, path, attachment=f"{content().plan['id']}-{place_id}.geojson")


@documents_blueprint.get("/healthz")
def health_document() -> Response:
    """Say that the process serves, and which release."""
    return _now({"status": "ok", "release": content().release.id})


@documents_blueprint.get("/readyz")
def readiness_document() -> Response:
    """Say whether all is well; 503 while the store cannot be asked, or the home or a file is damaged."""
    inspection: Inspection = current_app.extensions["inspection"]
    if not inspection.look():
        raise DamagedError
    store: FeatureStore = current_app.extensions["store"]
    store.reach_m()
    return _now({"status": "ready", "release": content().release.id})


@documents_blueprint.get("/robots.txt")
def robots_file() -> Response:
    """Tell search engines what to leave out: answers to questions that have no end, and old releases."""
    lines = ["User-agent: *", *(f"Disallow: {request.script_root}{path}" for path in ENDLESS), ""]
    return Response("\n".join(lines), mimetype="text/plain")


@documents_blueprint.get("/.well-known/security.txt")
def security_file() -> Response:
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


def _now(value: object) -> Response:
    response = send_json(value)
    response.headers["Cache-Control"] = "no-store"
    return response


@documents_blueprint.get("/qr.svg")
@documents_blueprint.get("/qr.png")
@takes(OpenParameter("path"))
def qr_code() -> Response:
    """Send the QR code of one of our own addresses, and of no other."""
    path = request.args.get("path", "")
    if not OWN_PATH.fullmatch(path):
        raise BadParameterError("error.own_path", parameter="path", value=path, allowed=f"/… (≤ {MAX_PATH})")
    code = segno.make(absolute(path), error="m", micro=False)
    picture = io.BytesIO()
    if request.path.endswith(".png"):  # a fifth of the other's bytes, for sites of thousands of files
        code.save(picture, kind="png", border=QUIET_ZONE, scale=8)
        return Response(picture.getvalue(), mimetype="image/png")
    code.save(picture, kind="svg", border=QUIET_ZONE, light="white", xmldecl=False, scale=4)
    return Response(picture.getvalue(), mimetype="image/svg+xml")
