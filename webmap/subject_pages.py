"""Pages and documents of industries, clusters and responsible units."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, render_template, request

from layers.documents import EMPHASES
from webmap import matrix, sketches
from webmap.api import content
from webmap.chart_pages import draw
from webmap.language import pick
from webmap.parameters import takes
from webmap.prepared import send
from webmap.problems import NotFoundError, name_some
from webmap.spreadsheet import send_csv

blueprint = Blueprint("subjects", __name__)
Row = dict[str, Any]
AGENCY_LEVELS = (
    *("municipal", "county", "zone", "party", "mass-organisation"),
    *("national", "university", "company", "group"),
)


@blueprint.get("/industries/")
def industries() -> str:
    """Show which place is to develop which industry: filtered and sorted as the address says."""
    wish = matrix.parse_wish(request.args, content())
    places = matrix.columns(content())
    rows = matrix.select(content(), wish, g.language)
    shown = [place for place in places if wish.zone in (None, place["id"])]
    return render_template(
        "industries.html",
        page="industries",
        wish=wish,
        industries=rows,
        instead=[]
        if rows or not wish.q
        else matrix.select(content(), matrix.only_words(wish), g.language)[:8],
        total=len(content().industries),
        places=shown,
        all_places=places,
        parameters=(*matrix.PARAMETERS, "lang"),
        clusters=list(content().clusters.values()),
        emphases=EMPHASES,
        statuses=matrix.STATUSES,
    )


@blueprint.get("/industries.csv")
@takes(*matrix.PARAMETERS)
def industries_csv() -> Response:
    """Send the matrix as it is filtered and sorted."""
    wish = matrix.parse_wish(request.args, content())
    rows = matrix.select(content(), wish, g.language)
    places = [place for place in matrix.columns(content()) if wish.zone in (None, place["id"])]
    return send_csv(matrix.to_csv(rows, places, g.language), f"{content().plan['id']}-industries")


@blueprint.get("/industries/<industry_id>")
def industry(industry_id: str) -> str:
    """Show one industry: where it is designated, and what else the plan says of it."""
    row = require_subject("industry", content().industries, industry_id)
    marks = {one["zone"]["id"]: one["emphasis"] for one in reversed(row["designations"])}
    sketch = sketches.arrange(content(), marks, g.language) if marks else None
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
    return render_template("clusters.html", page="industries", clusters=rows, chart=draw("clusters"))


@blueprint.get("/clusters/<cluster_id>")
def cluster(cluster_id: str) -> str:
    """Show one cluster: target, focus, industries, places."""
    row = require_subject("cluster", content().clusters, cluster_id)
    marks = {place["id"]: place["designations"][0]["emphasis"] for place in row["places"]}
    sketch = sketches.arrange(content(), marks, g.language) if marks else None
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
    sketch = sketches.arrange(content(), marks, g.language) if marks else None
    return render_template("agency.html", page="plan", agency=row, sketch=sketch)


@blueprint.get("/agencies/<agency_id>.json")
@takes()
def agency_document(agency_id: str) -> Response:
    """Send what one unit is responsible for."""
    require_subject("agency", content().agencies, agency_id)
    return send(content().release, f"agencies/{agency_id}.json")


def require_subject(kind: str, rows: Mapping[str, Row], row_id: str) -> Row:
    """Return one row; raises NotFoundError with the ids and names that come near."""
    if row_id in rows:
        return rows[row_id]
    names = {name: one for one, row in rows.items() for name in (one, *row["name"].values())}
    close = difflib.get_close_matches(row_id, names, n=8, cutoff=0.45)
    found = dict.fromkeys(names[name] for name in close)
    near = [{"id": one, "label": pick(rows[one]["name"]), "href": rows[one]["url"]} for one in found][:5]
    raise NotFoundError(
        f"error.{kind}", parameter=kind, value=row_id, allowed=name_some(list(rows)), near=near
    )
