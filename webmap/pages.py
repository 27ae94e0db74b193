"""What people see: the map and the pages, readable without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, g, render_template, request

from webmap.api import content, require
from webmap.comparison import suggest
from webmap.content import POINT_LAYERS
from webmap.language import pick
from webmap.problems import DamagedError
from webmap.release_pages import publications

blueprint = Blueprint("pages", __name__)
LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores", "platforms", "gateways")


@blueprint.get("/")
def map_page() -> str:
    """Show the map of all themes."""
    folium = content().release.read_json(f"pages/{g.language}/map.json")
    return render_template("map.html", page="map", folium=folium, selected=_is_selected())


@blueprint.get("/embed")
def embed() -> str:
    """Show the map alone, for a frame on another site's page."""
    g.embedded = True
    folium = content().release.read_json(f"pages/{g.language}/map.json")
    return render_template("embed.html", page="map", folium=folium, selected=_is_selected())


def _is_selected() -> bool:
    """Return whether the address selects a place, so that there is room for its panel from the start."""
    return request.args.get("zone") in content().documents


@blueprint.get("/zones/")
def zones() -> str:
    """List all places by layer: the map as a list."""
    rows = list(content().documents.values())
    groups = [{"layer": layer, "items": [row for row in rows if row["layer"] == layer]} for layer in LAYERS]
    return render_template("zones.html", page="zones", groups=groups)


@blueprint.get("/zones/<place_id>")
def zone(place_id: str) -> str:
    """Show one county, zone, park, 五区, belt or marine core."""
    document, history = require(place_id, points=False), []
    with suppress(DamagedError):  # the log says it; the place itself is known
        history = publications().trace(place_id)
    return _place_page(document, history)


@blueprint.get("/places/<place_id>")
def place(place_id: str) -> str:
    """Show one platform or gateway."""
    return _place_page(require(place_id, points=True), [])


@blueprint.get("/zones/<place_id>.panel.html")
def zone_panel(place_id: str) -> str:
    """Show one county, zone, park, 五区, belt or marine core in the map's panel."""
    return _panel(require(place_id, points=False))


@blueprint.get("/places/<place_id>.panel.html")
def place_panel(place_id: str) -> str:
    """Show one platform or gateway in the map's panel."""
    return _panel(require(place_id, points=True))


def _panel(document: dict[str, Any]) -> str:
    return render_template(
        "panel.html",
        doc=document,
        industries=[
            (clause, list(_group(rows, "emphasis", "verb").values()))
            for (clause,), rows in _group(document.get("industries") or [], "clause").items()
        ],
        clusters={cluster["id"]: cluster for cluster in document.get("clusters") or []},
    )


def _group(rows: list[dict[str, Any]], *keys: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Return rows by the values of `keys`, in the order in which these first come."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    return groups


def _place_page(document: dict[str, Any], history: list[dict[str, Any]]) -> str:
    release, path = content().release, f"locator/{document['id']}.svg"
    locator = release.read(path).decode() if release.sha256(path) else ""
    suggested = suggest(content(), [document["id"]]) if document["layer"] not in POINT_LAYERS else []
    return render_template(
        "zone.html", page="zones", doc=document, locator=locator, suggested=suggested, history=history
    )


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
