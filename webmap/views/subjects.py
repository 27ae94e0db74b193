"""Pages and documents of industries, clusters and agencies; the matrix of industries and places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from flask import Blueprint, Response, g, render_template, request

from geodata.kinds import EMPHASES
from layers.answers import ServingTerm
from layers.document_types import (
    AgencyDocument,
    AreaDesignation,
    ClusterDocument,
    DesignationEntry,
    IndustryDocument,
    PlaceDocument,
)
from webmap import static_map
from webmap.content import Content
from webmap.downloads import CLUSTER
from webmap.http import send, send_csv
from webmap.i18n import pick
from webmap.params import ChoiceParameter, Q, takes
from webmap.problems import NotFoundError, find_near_rows, name_some
from webmap.views.context import content
from webmap.views.plan import draw_chart, draw_courses

blueprint = Blueprint("subjects", __name__)
Subject = TypeVar("Subject", IndustryDocument, ClusterDocument, AgencyDocument)
AGENCY_LEVELS = (
    *("municipal", "county", "zone", "party", "mass-organisation"),
    *("national", "university", "company", "group"),
)
BY_NAME, BY_CLUSTER, BY_COUNT = "name", "cluster", "count"
STATUSES = ("designated", "city")
ZONE = ChoiceParameter("zone", meaning="industry.zone")
SORT = ChoiceParameter("sort", meaning="matrix.sort")
EMPHASIS = ChoiceParameter("emphasis", EMPHASES, meaning="zone.emphasis")
STATUS = ChoiceParameter("status", STATUSES, meaning="matrix.status")
MATRIX_PARAMETERS = (Q, CLUSTER, ZONE, EMPHASIS, STATUS, SORT)


@blueprint.get("/industries/")
def industries() -> str:
    """Show which place is to develop which industry: filtered and sorted as the address says."""
    filters = parse_matrix_request(request.args, content())
    places = list_columns(content())
    rows = select_industries(content(), filters, g.language)
    by_words = MatrixRequest(filters.q, None, None, None, None, filters.sort)
    instead = [] if rows or not filters.q else select_industries(content(), by_words, g.language)[:8]
    shown = [place for place in places if filters.zone in (None, place["id"])]
    return render_template(
        "industries.html",
        page="industries",
        wish=filters,
        industries=rows,
        instead=instead,
        total=len(content().industries),
        places=shown,
        all_places=places,
        parameters=(*(one.name for one in MATRIX_PARAMETERS), "lang"),
        clusters=list(content().clusters.values()),
        emphases=EMPHASES,
        statuses=STATUSES,
    )


@blueprint.get("/industries.csv")
@takes(*MATRIX_PARAMETERS, title="industries.title")
def industries_csv() -> Response:
    """Send the matrix as it is filtered and sorted."""
    filters = parse_matrix_request(request.args, content())
    rows = select_industries(content(), filters, g.language)
    places = [place for place in list_columns(content()) if filters.zone in (None, place["id"])]
    return send_csv(list_matrix(rows, places, g.language), f"{content().plan['id']}-industries")


@blueprint.get("/industries/<industry_id>")
def industry(industry_id: str) -> str:
    """Show one industry: where it is designated, and what else the plan says of it."""
    row = require_subject("industry", content().industries, industry_id)
    marks = {one["zone"]["id"]: one["emphasis"] for one in reversed(row["designations"])}
    sketch = static_map.arrange(content(), marks, g.language) if marks else None
    return render_template("industry.html", page="industries", industry=row, sketch=sketch, emphases=EMPHASES)


@blueprint.get("/industries/<industry_id>.json")
@takes()
def industry_document(industry_id: str) -> Response:
    """Send everything known of one industry."""
    require_subject("industry", content().industries, industry_id)
    return send(content().release, f"industries/{industry_id}.json")


@blueprint.get("/industries/<industry_id>.geojson")
@takes()
def industry_geojson(industry_id: str) -> Response:
    """Send the places designated for one industry, each with its designations."""
    require_subject("industry", content().industries, industry_id)
    name = f"{content().plan['id']}-{industry_id}.geojson"
    return send(content().release, f"industries/{industry_id}.geojson", attachment=name)


@blueprint.get("/clusters/")
def clusters() -> str:
    """Compare the clusters and their targets."""
    rows = list(content().clusters.values())
    return render_template(
        "clusters.html",
        page="industries",
        clusters=rows,
        chart=draw_chart("clusters"),
        narrow_chart=draw_chart("clusters", narrow=True),
        courses=draw_courses(rows),
    )


@blueprint.get("/clusters/<cluster_id>")
def cluster(cluster_id: str) -> str:
    """Show one cluster: target, focus, industries, places."""
    row = require_subject("cluster", content().clusters, cluster_id)
    marks = {place["id"]: place["designations"][0]["emphasis"] for place in row["places"]}
    sketch = static_map.arrange(content(), marks, g.language) if marks else None
    others = list(content().clusters.values())
    return render_template(
        "cluster.html", page="industries", cluster=row, sketch=sketch, clusters=others, emphases=EMPHASES
    )


@blueprint.get("/clusters/<cluster_id>.json")
@takes()
def cluster_document(cluster_id: str) -> Response:
    """Send everything known of one cluster."""
    require_subject("cluster", content().clusters, cluster_id)
    return send(content().release, f"clusters/{cluster_id}.json")


@blueprint.get("/agencies/")
def agencies() -> str:
    """List the responsible units by level."""
    rows = list(content().agencies.values())
    groups = [
        {"level": level, "items": [row for row in rows if row["level"] == level]} for level in AGENCY_LEVELS
    ]
    return render_template("agencies.html", page="plan", groups=groups)


@blueprint.get("/agencies/<agency_id>")
def agency(agency_id: str) -> str:
    """Show what one unit is responsible for."""
    row = require_subject("agency", content().agencies, agency_id)
    marks = {place["id"]: "named" for clause in row["clauses"] for place in clause["places"]}
    sketch = static_map.arrange(content(), marks, g.language) if marks else None
    return render_template("agency.html", page="plan", agency=row, sketch=sketch)


@blueprint.get("/agencies/<agency_id>.json")
@takes()
def agency_document(agency_id: str) -> Response:
    """Send what one unit is responsible for."""
    require_subject("agency", content().agencies, agency_id)
    return send(content().release, f"agencies/{agency_id}.json")


def require_subject(kind: str, rows: Mapping[str, Subject], row_id: str) -> Subject:
    """Return one row; raises NotFoundError with the ids and names that come near."""
    if row_id in rows:
        return rows[row_id]
    near = [
        {"id": found, "label": pick(rows[found]["name"]), "href": rows[found]["url"] or ""}
        for found in find_near_rows(row_id, rows)
    ]
    raise NotFoundError(
        f"error.{kind}", parameter=kind, value=row_id, allowed=name_some(list(rows)), near=near
    )


@dataclass(frozen=True)
class MatrixRequest:
    """What of the matrix is asked for."""

    q: str
    cluster: str | None
    zone: str | None
    emphasis: str | None
    status: str | None
    sort: str


def parse_matrix_request(arguments: Mapping[str, str], content: Content) -> MatrixRequest:
    """Return the filters and the order of a request; raises BadParameterError for what is unknown."""
    places = [place["id"] for place in list_columns(content)]
    return MatrixRequest(
        q=Q.parse(arguments).strip(),
        cluster=CLUSTER.parse(arguments, [*content.clusters, "none"]),
        zone=ZONE.parse(arguments, places),
        emphasis=EMPHASIS.parse(arguments),
        status=STATUS.parse(arguments),
        sort=SORT.parse(arguments, [BY_CLUSTER, BY_NAME, BY_COUNT, *places]) or BY_CLUSTER,
    )


def list_columns(content: Content) -> list[PlaceDocument]:
    """Return the places with a list of industries, their own or their areas', in the order of the facts."""
    return [
        place
        for place in content.places()
        if place["industries"] or any(answer["kind"] != "city" for answer in place["answers"].values())
    ]


def select_industries(content: Content, filters: MatrixRequest, language: str) -> list[IndustryDocument]:
    """Return the industries that the filters leave, in its order."""
    found = [row for row in content.industries.values() if _fits(row, filters)]
    return sorted(found, key=lambda row: _order(row, filters.sort, language))


def _fits(row: IndustryDocument, filters: MatrixRequest) -> bool:
    cluster = row["cluster"]["id"] if row["cluster"] else "none"
    cells = [
        one
        for one in (*row["designations"], *row["area_designations"])
        if filters.zone in (None, one["zone"]["id"]) and filters.emphasis in (None, one["emphasis"])
    ]
    return (
        filters.cluster in (None, cluster)
        and filters.status in (None, row["status"])
        and (bool(cells) or not (filters.zone or filters.emphasis))
        and filters.q.casefold() in _words(row)
    )


def _words(row: IndustryDocument) -> str:
    """Return everything that an industry may be looked for by."""
    texts = [row["name"], *(one["term"] for one in (*row["designations"], *row["named"]))]
    words = [word for text in texts for word in text.values()]
    words += [word for language in row["synonyms"].values() for word in language]
    return "\n".join([row["id"], *words, *row["gbt4754"], *row["isic4"]]).casefold()


def _order(row: IndustryDocument, sort: str, language: str) -> tuple[str | int, ...]:
    if sort == BY_NAME:
        return (row["name"][language].casefold(),)
    if sort == BY_COUNT:
        return (-len({one["zone"]["id"] for one in row["designations"]}),)
    if sort == BY_CLUSTER:
        return (row["cluster"]["letter"] if row["cluster"] else "~",)
    ranks = [EMPHASES.index(one["emphasis"]) for one in row["designations"] if one["zone"]["id"] == sort]
    return (min(ranks, default=len(EMPHASES)),)


def list_matrix(
    rows: list[IndustryDocument], places: list[PlaceDocument], language: str
) -> Iterator[Iterable[str]]:
    """Yield the matrix as a table: a head, then a line an industry, with a column a place."""
    own = ["industry_id", "industry_zh", f"industry_{language}", "cluster_id", "status"]
    yield dict.fromkeys([*own, *(place["id"] for place in places)])
    for row in rows:
        yield _line(row, places, language)


def _line(row: IndustryDocument, places: list[PlaceDocument], language: str) -> list[str]:
    own = {
        "industry_id": row["id"],
        "industry_zh": row["name"]["zh"],
        f"industry_{language}": row["name"][language],
        "cluster_id": row["cluster"]["id"] if row["cluster"] else "",
        "status": row["status"],
    }
    return [*own.values(), *(_cell(row, place["id"], language) for place in places)]


def _cell(row: IndustryDocument, place_id: str, language: str) -> str:
    """Return each designation as ``emphasis: term [clause]``, joined with semicolons.

    After it what the plan lists for an area of the place, ``area id: term [clause]``, and the tasks and
    positioning, its own or its areas', that serve the industry.
    """
    listed: list[tuple[str, DesignationEntry | AreaDesignation | ServingTerm]]
    listed = [(one["emphasis"], one) for one in row["designations"]]
    listed += [(one["area"]["id"], one) for one in row["area_designations"]]
    listed += [(one["area"]["id"] if one["area"] else one["kind"], one) for one in row["served_by"]]
    told = [
        f"{why}: {one['term'][language]} [{one['clause']}]"
        for why, one in listed
        if one["zone"]["id"] == place_id
    ]
    return "; ".join(told)
