"""What people see: the map and the pages, readable without JavaScript."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, request

from webmap import plan_pages
from webmap.api import content, require
from webmap.language import pick
from webmap.parameters import parse_query
from webmap.problems import NotFoundError

blueprint = Blueprint("pages", __name__)
LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores", "platforms", "gateways")


@blueprint.get("/")
def map_page() -> str:
    """Show the map of all themes."""
    folium = content().release.read_json(f"pages/{g.language}/map.json")
    return render_template("map.html", page="map", folium=folium)


@blueprint.get("/zones/")
def zones() -> str:
    """List all places by layer: the map as a list."""
    rows = list(content().documents.values())
    groups = [{"layer": layer, "items": [row for row in rows if row["layer"] == layer]} for layer in LAYERS]
    return render_template("zones.html", page="zones", groups=groups)


@blueprint.get("/zones/<place_id>")
def zone(place_id: str) -> str:
    """Show one county, zone, park, 五区, belt or marine core."""
    return _place_page(require(place_id, points=False))


@blueprint.get("/places/<place_id>")
def place(place_id: str) -> str:
    """Show one platform or gateway."""
    return _place_page(require(place_id, points=True))


def _place_page(document: dict[str, Any]) -> str:
    release, path = content().release, f"locator/{document['id']}.svg"
    locator = release.read(path).decode() if release.sha256(path) else ""
    return render_template("zone.html", page="zones", doc=document, locator=locator)


@blueprint.get("/data/")
def data() -> str:
    """List all layers and tables with their files and fields."""
    return render_template("data.html", page="data", layers=content().downloads)


@blueprint.get("/search")
def search() -> str:
    """Show the results of a search by name."""
    query = parse_query()
    return render_template(
        "search.html", page="search", q=query, results=content().search.find(query, g.language)
    )


@blueprint.get("/plan")
def plan() -> str:
    """Show the plan's outline and how much of it is on the map."""
    return render_template("plan.html", page="plan", outline=plan_pages.outline(content()))


@blueprint.get("/plan/<clause_id>")
def clause(clause_id: str) -> str:
    """Show one clause: what it puts on the map and who is responsible."""
    found = plan_pages.clause(content(), clause_id)
    if found is None:
        known = [row["id"] for row in content().tables["clauses"]]
        near = [
            {"id": one, "label": one, "href": f"/plan/{one}"}
            for one in known
            if clause_id and clause_id[:3] in one
        ]
        raise NotFoundError("error.clause", value=clause_id, near=near[:5])
    return render_template("clause.html", page="plan", clause=found)


@blueprint.get("/industries/")
def industries() -> str:
    """Show which place develops which industry."""
    places = [row for row in content().places() if row["industries"]]
    rows = plan_pages.industries(content())
    return render_template("industries.html", page="industries", industries=rows, places=places)


@blueprint.get("/industries/<industry_id>")
def industry(industry_id: str) -> str:
    """Show one industry and the places designated for it."""
    rows = {row["id"]: row for row in plan_pages.industries(content())}
    if industry_id not in rows:
        found = content().search.find(industry_id.replace("-", " "), g.language)
        near = [
            {"id": row["id"], "label": row["name"], "href": row["url"]}
            for row in found
            if row["layer"] == "industries"
        ]
        raise NotFoundError("error.industry", value=industry_id, near=near[:5])
    return render_template("industry.html", page="industries", industry=rows[industry_id])


@blueprint.get("/indicators")
def indicators() -> str:
    """Show base and target of every indicator."""
    return render_template("indicators.html", page="indicators", groups=plan_pages.indicators(content()))


def context() -> dict[str, Any]:
    """Return what every template may use."""
    release = content().release
    return {
        "asset": lambda path: f"/r/{release.id}/static/{path}",
        "release": release.id,
        "plan": content().plan,
        "tr": pick,
        "q": request.args.get("q", ""),
    }
