"""Questions: a search in words, a look-up of a point or a polygon, as a page and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, g, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from geodata import crs
from geodata.city import read_city
from geodata.kinds import AREA_LAYERS, EMPHASES, PLACE_LAYERS
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
from webmap.i18n import current_language, translate
from webmap.limiter import computing
from webmap.params import (
    AT,
    FRAME,
    LAT,
    LON,
    PROJECTED,
    Q,
    parse_frame,
    parse_polygon,
    parse_position,
    parse_query,
    takes,
    to_outline,
)
from webmap.problems import BadParameterError, RequestError, TooLargeError, UnsupportedTypeError
from webmap.views.context import content

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from layers.search import FoundRow, SearchDocument, ToldAnswer

blueprint = Blueprint("finding", __name__)
NAMED_ZONES = 3  # of an industry in one line
NAMED_BODIES = 4  # of the zones of an answer
PAGES = {  # that answer a question, by the names of their titles
    "/agencies/": "finding.pages.agencies",
    "/indicators": "finding.pages.indicators",
    "/data/": "finding.pages.data",
    "/find": "finding.pages.find",
}
SAYINGS = (
    "corrected",
    "missing",
    "unused",
    "only_names",
    "quoted",
    "no_page",
)  # with words of a question in them
OURS = {"synonym", "printed"}  # kinds of answers that are told in a sentence above the results
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


@blueprint.get("/search")
def search_page() -> str:
    """Show what the plan answers, and the results by name."""
    query = parse_query()
    answer = answer_question(query, g.language)
    groups = {row["layer"]: row["group"] for row in answer["results"]}
    return render_template(
        "search.html",
        page="search",
        q=query,
        answer=answer,
        groups=groups,
        card=_card(answer),
        unbounded=content().unbounded,
        emphases=EMPHASES,
    )


@blueprint.get("/search.json")
@takes(Q, title="search.submit")
def search_document() -> Response:
    """Answer what a name may mean."""
    query, language = parse_query(), current_language()
    return send_json(answer_question(query, language))


def answer_question(query: str, language: str) -> SearchDocument:
    """Return what the index says, with the words that people read beside each result."""
    answer = content().search.answer(query, language)
    told = answer["answer"]
    if told and told["kind"] == "page":
        answer["results"] = [_row_of_page(told["url"] or "", language)]
    for row in (*answer["results"], *answer["near"]):
        describe_hit(row, language)
    for one in filter(None, (told, *answer["others"])):
        one["tells"] = _tells(one, language)
    answer["notice"] = _notice(answer, language)
    ours = told.get("tells", "") if told and told["kind"] in OURS else ""
    answer["said"] = " ".join(filter(None, (answer["notice"], ours)))
    return {"q": query, **answer}


def _row_of_page(url: str, language: str) -> FoundRow:
    """Return the page that answers a question as a result."""
    name = translate(PAGES[url], language)
    return {
        "id": url,
        "layer": "pages",
        "name": name,
        "zh": name,
        "url": url,
        "match": name,
        "match_marks": [],
        "marks": [],
    }


def describe_hit(row: FoundRow, language: str) -> None:
    """Set the words that people read beside a result: the name of its group, and what it is."""
    row["group"] = translate(f"layer.{row['layer']}", language)
    row["says"] = _says(row, language)


def describe_in_every_way(row: FoundRow, language: str) -> None:
    """Set what people read beside a result for each of the answers that a spelling of it may be."""
    if row["layer"] == "industries":
        ways = ("named", "synonym", "city", "nearest")
        row["says"] = [_says({**row, "how": how}, language) for how in ways]
    else:
        row["says"] = _says(row, language)
    row["group"] = translate(f"layer.{row['layer']}", language)


def describe_offline(
    told: ToldAnswer, language: str, is_file: Callable[[str, str], bool]
) -> dict[str, object]:
    """Return an answer for whatever word it is asked by: its ids, and the sentence that tells it.

    A page that answers is left out unless `is_file` says of it, in a language, that it needs no service.

    Where ``{word}`` and ``{printed}`` stand in the sentence, the browser puts the word and the plan's;
    ``same`` is the sentence where they are one, or how much of the other one it is, in UTF-16 units.
    """
    plain: Mapping[str, object] = told
    found = {key: plain[key] for key in ("kind", "printed")}
    found |= {key: [row["id"] for row in told[key]] for key in ("zones", "areas")}
    found |= {"places": [row["id"] for row in told["places"]]}
    short = {key: value for key, value in found.items() if value}
    if told["industry"]:
        short["industry"] = told["industry"]["id"]
    if told["url"] and is_file(told["url"], language):
        short["page"] = {
            **_row_of_page(told["url"], language),
            "group": translate("layer.pages", language),
            "says": "",
        }
    if told["kind"] in OURS:
        printed = "{printed}" if told["printed"] else None
        short["tells"] = tells = _tells({**told, "word": "{word}", "printed": printed}, language)
        if printed:
            same = _tells({**told, "word": "{word}", "printed": "{word}"}, language)
            short["same"] = len(same.encode("utf-16-le")) // 2 if tells.startswith(same) else same
    return short


def _says(row: FoundRow, language: str) -> str:
    """Return what a result is: what the plan says of an industry, the kind of a place."""
    if row["layer"] == "industries":
        return _says_industry(row, language)
    if "of" in row:  # of a layer of the operator's own
        return translate(f"layer.{row['of']}", language)
    group = {"chains": "chain_kind", "landmarks": "landmark"}.get(row["layer"], "kind")
    return translate(f"{group}.{row['kind']}", language) if "kind" in row else ""


def _says_industry(row: FoundRow, language: str) -> str:
    """Return for whom the plan names an industry; only its own words are designations."""
    if row.get("how") == "nearest":
        return translate("finding.by_nearness", language)
    zones = [zone["name"] for zone in row["zones"] if zone["layer"] not in AREA_LAYERS]
    areas = [zone["name"] for zone in row["zones"] if zone["layer"] in AREA_LAYERS]
    names = zones or areas
    if not names:
        key = "city_only"
    elif row.get("how", "named") == "named" and zones:
        key = "designated"
    else:
        key = "industry_listed" if zones else "industry_areas"
    if len(names) > NAMED_ZONES:
        key += "_more"
    named = translate("common.comma", language).join(names[:NAMED_ZONES])
    said = translate(f"finding.{key}", language, zones=named, count=len(names))
    return f"{translate('finding.by_synonym', language)} {said}" if row.get("how") == "synonym" else said


def _quoted(words: Iterable[str], language: str) -> str:
    quoted = (translate("finding.quoted", language, word=word) for word in dict.fromkeys(words))
    return translate("common.comma", language).join(quoted)


def _tells(told: ToldAnswer, language: str) -> str:
    """Return the sentence that says which of the plan's answers it is."""
    industry = told["industry"]["name"] if told["industry"] else ""
    key = told["kind"]
    if industry and key != "synonym" and not told["printed"]:
        key = "industry"  # a code, or a name of ours
    if key == "synonym" and told["relation"] != "is_a":
        key = f"synonym_{told['relation']}"
    said = translate(f"finding.tells.{key}", language, word=told["word"], industry=industry)
    printed = told["printed"]
    if printed and printed != told["word"] and key != "place":
        said += " " + translate("finding.as_printed", language, zh=printed)
    if printed and industry and key in {"printed", "city", "positioning"}:
        said += " " + translate("finding.filed", language, industry=industry)
    return said


def _notice(answer: SearchDocument, language: str) -> str:
    """Return the sentence that must stand above the results: what was not found or used, or put right."""
    if answer["corrected"]:
        said = translate("finding.corrected", language, words=answer["corrected"])
    elif answer["missing"] and not answer["answer"]:
        return translate("finding.missing", language, words=_quoted(answer["missing"], language))
    else:
        said = ""
    if answer["unused"]:
        unused = translate("finding.unused", language, words=_quoted(answer["unused"], language))
        said = f"{said} {unused}".strip()
    if answer["results"] and not answer["answer"] and not said and not _is_number(answer["results"][0]):
        said = translate("finding.only_names", language)
    return said


def _is_number(row: FoundRow) -> bool:
    """Return whether a clause was found by its number."""
    return row["layer"] == "clauses" and f"{row['match']} " in (row["name"] + row["zh"])


def _card(answer: SearchDocument) -> dict[str, object] | None:
    """Return what the answer card shows, or None where the page of the first result says no more."""
    told = answer["answer"]
    if told and told["kind"] not in {"place", "page"}:
        industry = content().industries[told["industry"]["id"]] if told["industry"] else None
        zones = [row["id"] for row in (*told["zones"], *told["places"]) if "id" in row]
        return {"layer": "told", "row": industry, "bodies": _bodies(zones)}
    if not answer["results"]:
        return None
    first = answer["results"][0]
    if first["layer"] == "clusters":
        return {"layer": "clusters", "row": content().clusters[first["id"]]}
    if first["layer"] in PLACE_LAYERS:
        row = content().documents[first["id"]]
        return {"layer": "places", "row": row, "bodies": _bodies([first["id"]])}
    return None


def _bodies(places: Iterable[str]) -> list[dict[str, object]]:
    """Return the bodies of places with how they are reached, where the operator states that."""
    found: dict[str, dict[str, object]] = {}
    for place in places:
        document = content().documents[place]
        body, contact = document.get("government"), document.get("contact")
        if body:
            url, contact = f"/agencies/{body['agency_id']}", body["contact"] or contact
            found[url] = {"name": body["name"], "url": url, "contact": contact}
        elif contact:
            found[document["url"]] = {"name": document["name"], "url": document["url"], "contact": contact}
    return list(found.values())[:NAMED_BODIES]


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
        return _lookup_page()  # nothing to answer yet: the page is where one asks
    if not prefers_page():
        return vary(lookup_document())
    try:
        position = parse_position()
    except RequestError as error:
        if error.key == "error.at_unreadable":
            error.near = _find_named(request.args.get("at", ""))
        return _lookup_page(error=error)
    return _lookup_page(answer=_at(*position))


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
        return _lookup_page(error=error)
    return _lookup_page(shares=_measure(polygon), outline=to_outline(polygon))


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


def _lookup_page(
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
