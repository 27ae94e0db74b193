"""The map, lists and pages of places, and what machines ask of a site: health, robots, QR codes."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import segno
from flask import Blueprint, Response, current_app, g, render_template, request

from geodata.kinds import PLACE_LAYERS, POINT_LAYERS
from layers.document_types import IndustryDocument, PlaceDocument, PlaceIndustry
from layers.history import TracedChange
from layers.inspection import Inspection
from layers.query import FeatureStore
from webmap.content import Content
from webmap.http import absolute, base_url, send, send_json
from webmap.i18n import LANGUAGES
from webmap.params import ChoiceParameter, OpenParameter, Q, takes
from webmap.problems import BadParameterError, DamagedError, NotFoundError
from webmap.views.comparison import suggest_places
from webmap.views.context import PAGE, POINT, POLYGON, choose_part, content, require_place
from webmap.views.releases import publications

if TYPE_CHECKING:
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
BY_PLAN, BY_NAME, BY_KIND, BY_AREA, BY_COUNT = "plan", "name", "kind", "area", "count"
KIND, COUNTY, INDUSTRY = (ChoiceParameter(name) for name in ("kind", "county", "industry"))
POSITION = ChoiceParameter("position", allowed=("known", "unknown"))
SORT = ChoiceParameter("sort", allowed=(BY_PLAN, BY_NAME, BY_AREA, BY_COUNT), default=BY_PLAN)
POINT_SORT = ChoiceParameter("sort", allowed=(BY_PLAN, BY_NAME, BY_KIND), default=BY_PLAN)


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


@dataclass(frozen=True)
class ListRequest:
    """What of a list is asked for; None for whatever it is."""

    q: str
    kind: str | None
    county: str | None
    industry: str | None
    position: str | None
    sort: str
    page: int

    @property
    def chosen(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.q or self.kind or self.county or self.industry or self.position)


@dataclass(frozen=True)
class Facets:
    """What may be chosen, each with how many places of the whole list it leaves."""

    kinds: list[tuple[str, int]]
    counties: list[tuple[PlaceDocument, int]]
    industries: list[tuple[IndustryDocument, int]]
    positions: list[tuple[str, int]]


@blueprint.get("/zones/")
def zones_page() -> str:
    """List the areas by layer: the map as a list."""
    rows = _list_places(PLACE_LAYERS)
    asked = parse_list_request(rows, SORT)
    found = select_places(rows, asked)
    groups = [(layer, [row for row in found if row["layer"] == layer]) for layer in PLACE_LAYERS]
    return render_template(
        "zones.html",
        page="zones",
        asked=asked,
        facets=count_facets(rows),
        groups=[(layer, members) for layer, members in groups if members],
        points=Counter(row["layer"] for row in _list_places(POINT_LAYERS)),
        found=len(found),
        total=len(rows),
        sorts=SORT.allowed,
    )


@blueprint.get("/platforms/")
def platforms_page() -> str:
    """List platforms and gateways, some at a time; all of them where the page becomes a file."""
    rows = _list_places(POINT_LAYERS)
    asked = parse_list_request(rows, POINT_SORT)
    found = select_places(rows, asked)
    return render_template(
        "platforms.html",
        page="zones",
        asked=asked,
        facets=count_facets(rows),
        rows=found,
        total=len(rows),
        sorts=POINT_SORT.allowed,
        **choose_part(found, asked.page),
    )


def parse_list_request(rows: Iterable[PlaceDocument], sort: ChoiceParameter) -> ListRequest:
    """Return what the address asks of `rows`; raises BadParameterError for what is unknown."""
    kinds = dict.fromkeys(row["kind"] for row in rows)
    return ListRequest(
        q=Q.parse(request.args).strip(),
        kind=KIND.parse(request.args, kinds),
        county=COUNTY.parse(request.args, [row["id"] for row in _list_places(("counties",))]),
        industry=INDUSTRY.parse(request.args, content().industries),
        position=POSITION.parse(request.args),
        sort=sort.require(request.args),
        page=PAGE.parse(request.args),
    )


def select_places(rows: Iterable[PlaceDocument], asked: ListRequest) -> list[PlaceDocument]:
    """Return the places that fit all that is asked, in its order."""
    found = [row for row in rows if _fits(row, asked)]
    language = g.language
    orders: dict[str, Callable[[PlaceDocument], str | float]] = {
        BY_NAME: lambda row: row["name"][language].casefold(),
        BY_KIND: lambda row: row["kind"],
        BY_AREA: lambda row: -(row.get("area_km2") or 0.0),
        BY_COUNT: lambda row: -len(_local_industries(row)),
    }
    return sorted(found, key=orders[asked.sort]) if asked.sort in orders else found


def count_facets(rows: Iterable[PlaceDocument]) -> Facets:
    """Return the choices that fit at least one of `rows`."""
    rows = list(rows)
    kinds = Counter(row["kind"] for row in rows)
    counties = Counter(_county_of(content(), row) for row in rows)
    industries = Counter(one for row in rows for one in _local_industries(row))
    positions = Counter(_position_of(row) for row in rows)
    return Facets(
        kinds=list(kinds.items()),
        counties=[(row, counties[row["id"]]) for row in _list_places(("counties",)) if counties[row["id"]]],
        industries=[(row, industries[one]) for one, row in content().industries.items() if industries[one]],
        positions=[(one, positions[one]) for one in POSITION.allowed if positions[one]],
    )


def _list_places(layers: Iterable[str]) -> list[PlaceDocument]:
    rows = content().documents.values()
    return [row for layer in layers for row in rows if row["layer"] == layer]


def _fits(row: PlaceDocument, asked: ListRequest) -> bool:
    return (
        asked.kind in (None, row["kind"])
        and (asked.county is None or _county_of(content(), row) == asked.county)
        and (asked.industry is None or asked.industry in _local_industries(row))
        and asked.position in (None, _position_of(row))
        and asked.q.casefold() in _words(row)
    )


def _county_of(found: Content, row: PlaceDocument) -> str | None:
    """Return the county that a place lies in, or is; None where that is not known."""
    current: PlaceDocument | None = row
    while current is not None and current["layer"] != "counties":
        parent = current.get("parent")
        current = found.documents.get(parent["id"]) if parent else None
    return current["id"] if current else None


def _local_industries(row: PlaceDocument) -> list[str]:
    """Return the industries listed for a place or its areas, or related to a platform; not the city's."""
    listed = [one for one, answer in row.get("answers", {}).items() if answer["kind"] != "city"]
    return [*listed, *(one["id"] for one in row.get("industries_related", []))]


def _position_of(row: PlaceDocument) -> str:
    return "unknown" if row["geometry"]["bbox"] is None else "known"


def _words(row: PlaceDocument) -> str:
    """Return everything that a place may be looked for by, folded."""
    names = [row["name"], row.get("full_name") or {}, row.get("short_name") or {}]
    texts = [text for name in names for text in name.values()]
    return "\n".join([row["id"], *texts, *row.get("aliases", [])]).casefold()
