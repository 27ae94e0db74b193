"""Looking up: what the plan says of a point or a polygon, as a page and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, g, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from geodata import crs
from geodata.city import read_city
from layers.lookup import (
    BEYOND,
    CITY,
    EDGE,
    NEIGHBOUR,
    SEA,
    SHARING,
    LookupAnswer,
    SharesAnswer,
    read_entries,
)
from webmap.http import GEOJSON, HTML, JSON, prefers_page, send_json, vary
from webmap.i18n import translate
from webmap.limiter import computing
from webmap.params import (
    AT,
    FRAME,
    LAT,
    LON,
    PROJECTED,
    parse_frame,
    parse_polygon,
    parse_position,
    takes,
    to_outline,
)
from webmap.problems import BadParameterError, RequestError, TooLargeError, UnsupportedTypeError
from webmap.views.context import content

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

blueprint = Blueprint("placing", __name__)
MAX_BYTES = 256 * 1024  # of a polygon with its form
BODIES = (GEOJSON, JSON)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
FILES = (*BODIES, "application/octet-stream", "application/vnd.geo+json", "text/plain", "")
NAMED = 8  # things of a name, at most
WORTH_SHOWING = 5  # per cent of likelihood, for a place to be lit up on the map
LABELLED = ("counties", "zones")
FILLED = (
    *("common.colon", "common.comma", "unit.m", "unit.km"),
    *("placing.nearest", "placing.in_none", "placing.unsayable", "placing.somewhere"),
    *("placing.inside", "placing.near"),
    *("error.choice", "error.missing", "error.number", "error.range", "error.swapped", "error.projected"),
    *("error.at_empty", "error.at_long", "error.at_unreadable", "error.at_labels", "error.at_sexagesimal"),
    *("error.at_order", "error.at_metres", "error.at_degrees", "error.at_zoned", "error.at_range"),
)  # what is said only by the script of a file
SHOWN_FRAMES = ("CRS84", read_city().paper, "EPSG:3857", "GCJ-02", "BD-09")


@blueprint.get("/lookup.json")
@takes(AT, LON, LAT, FRAME, title="placing.title")
def lookup_document() -> Response:
    """Answer what applies at a point."""
    return send_json(_at(*parse_position()))


@blueprint.get("/lookup")
def lookup_page() -> Response:
    """Answer what applies at a point: a page where one is preferred, else the document."""
    given = {"at", "lon", "lat"} & request.args.keys()
    accepted = request.accept_mimetypes
    if not given and (not accepted or accepted[HTML] > 0):
        return _page()  # nothing to answer yet: the page is where one asks
    if not prefers_page():
        return vary(lookup_document())
    try:
        position = parse_position()
    except RequestError as error:
        if error.key == "error.at_unreadable":
            error.near = _find_named(request.args.get("at", ""))
        return _page(error=error)
    return _page(answer=_at(*position))


def _find_named(text: str) -> list[dict[str, str]]:
    """Return what bears a name, each with the look-up of its position, or else its page."""
    found = content().search.answer(text, g.language)
    rows = [*found["results"], *found["near"]][:NAMED]
    points = {row["id"]: row["geometry"]["label"] for row in content().documents.values()}
    named = []
    for row in rows:
        at = row.get("at") or (points.get(row["id"]) if row["layer"] == "gateways" else None)
        href = f"/lookup?lon={at[0]}&lat={at[1]}" if at else row["url"]
        named.append({"id": row["id"], "label": row["name"], "href": href})
    return named


@blueprint.post("/lookup")
def lookup_polygon() -> Response:
    """Answer how much of a polygon lies in each place; nothing of it is kept."""
    if not prefers_page():
        return vary(send_json(_measure(_sent())))
    try:
        polygon = _sent()
    except RequestError as error:
        return _page(error=error)
    return _page(shares=_measure(polygon), outline=to_outline(polygon))


def _measure(polygon: BaseGeometry) -> SharesAnswer:
    """Return the shares of a polygon; raises BusyError while others are being worked out."""
    with computing.turn():
        return content().shares.of(polygon)


def _at(lon: float, lat: float) -> LookupAnswer:
    return content().lookup.at(round(lon, 7), round(lat, 7))


def _sent() -> BaseGeometry:
    """Return the polygon in the body of the request."""
    request.max_content_length = MAX_BYTES
    if request.mimetype not in (*BODIES, *FORMS):
        allowed = ", ".join((*BODIES, *FORMS))
        raise UnsupportedTypeError(
            "error.media_type", parameter="Content-Type", value=request.mimetype or "–", allowed=allowed
        )
    try:
        text = request.get_data() if request.mimetype in BODIES else _from_form()
    except RequestEntityTooLarge as error:
        raise TooLargeError(
            "error.body", parameter="polygon", value=None, allowed=f"{MAX_BYTES:,}"
        ) from error
    if not text.strip():
        raise BadParameterError("error.no_text", parameter="polygon", value="", allowed="GeoJSON")
    return parse_polygon(text, parse_frame())


def _from_form() -> bytes:
    """Return the file of the form, or else its text."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("polygon", "").encode()
    if file.mimetype not in FILES:
        allowed = ", ".join(filter(None, FILES))
        raise UnsupportedTypeError("error.media_type", parameter="file", value=file.mimetype, allowed=allowed)
    text: bytes = file.read()
    return text


def _page(
    *,
    answer: LookupAnswer | None = None,
    shares: SharesAnswer | None = None,
    outline: object = None,
    error: RequestError | None = None,
) -> Response:
    folium = content().release.read_json(f"pages/{g.language}/map.json")
    said = translate(error.key, g.language, **error.values) if error else ""
    as_file = current_app.extensions["settings"].files is not None
    page = render_template(
        "lookup.html",
        page="lookup",
        folium=folium,
        answer=answer,
        shares=shares,
        outline=outline,
        frames=crs.FRAMES,
        form=_form(),
        error=error,
        said=said,
        positions=_positions(answer) if answer else [],
        hits=_hits(answer) if answer else [],
        labels=_labels(),
        **(_list_all() if as_file else {}),
    )
    return vary(Response(page, error.status if error else 200, mimetype=HTML))


def _list_all() -> dict[str, object]:
    """Return every place and gateway that an answer may name, and the keys of what a script fills in."""
    release = content().release
    places = [head for head, _ in read_entries(release.read("index/lookup.bin"))]
    gateways = [head for head, _ in read_entries(release.read("index/around.bin"))]
    frames = [f"frame.{frame}" for frame in SHOWN_FRAMES]
    layers = [f"layer.{layer}" for layer in SHARING]
    wheres = [f"placing.where.{where}" for where in (CITY, EDGE, NEIGHBOUR, SEA, BEYOND)]
    return {
        "places": places,
        "around": [head for head in gateways if head["layer"] == "gateways"],
        "said_keys": [*FILLED, *frames, *layers, *wheres],
    }


def _form() -> dict[str, str]:
    """Return what the fields hold: what was asked, as it was asked."""
    given = request.values if _small() else request.args
    pair = [given.get(name, "")[:40] for name in ("lon", "lat")]
    return {
        "at": given.get("at", "")[:200] or ", ".join(filter(None, pair)),
        "crs": given.get("crs", crs.LONLAT)[:20],
        "polygon": request.form.get("polygon", "") if request.mimetype in FORMS and _small() else "",
    }


def _small() -> bool:
    return (request.content_length or MAX_BYTES + 1) <= MAX_BYTES


def _positions(answer: LookupAnswer) -> list[dict[str, str]]:
    """Return the position in the frames that people in China meet."""
    rows = []
    for frame in SHOWN_FRAMES:
        x, y = (float(one) for one in crs.transform(answer["lon"], answer["lat"], crs.LONLAT, frame))
        metres = frame in PROJECTED
        rows.append({"frame": frame, "text": f"{x:.0f}, {y:.0f}" if metres else f"{x:.6f}, {y:.6f}"})
    return rows


def _hits(answer: LookupAnswer) -> list[dict[str, object]]:
    """Return what the small map lights up: of zones, or counties where there is none, the likeliest two.

    That the point is in none of them is an answer, too: `rank` counts it, from 0.
    """
    rows = {row["layer"]: row for row in answer["likely"]}
    for row in (rows[layer] for layer in ("zones", "counties") if layer in rows):
        chances = [(one["id"], one["likelihood_percent"]) for one in row["places"]]
        worth = [(place, chance) for place, chance in chances if chance >= WORTH_SHOWING]
        if worth:
            ranked = [(index + (row["none_percent"] > one[1]), *one) for index, one in enumerate(worth)]
            return [
                {"id": place, "rank": rank, "likelihood_percent": chance}
                for rank, place, chance in ranked
                if rank <= 1
            ]
    return []


def _labels() -> list[dict[str, object]]:
    """Return the names that the small map shows, with their (lat, lon)."""
    return [
        {"name": row["name"][g.language], "at": label[::-1], "layer": row["layer"]}
        for row in content().documents.values()
        if row["layer"] in LABELLED and (label := row["geometry"]["label"])
    ]
