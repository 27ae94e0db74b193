"""The API as pages for people: resources, the features with their form, coordinates and map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from geodata.boundaries import (
    GeoJsonFeature,
    Properties,
    flatten_value,
    parse_geometry,
)
from geodata.deferred import shapely
from layers.axes import ALL
from layers.export.job import headline
from layers.query import Feature
from layers.sketch import Sketch, SketchedPlace, frame_sketch
from layers.store import Release
from webmap.http import HTML, base_url
from webmap.i18n import LANGUAGES
from webmap.ogc.cache import geometry_of
from webmap.ogc.request import FORMATS, ITEMS, OWN, ROOT, OgcRequest
from webmap.ogc.resources import Document, FeaturePage, SingleFeature, header_links
from webmap.ogc.service import ResourceAddress, Service, to_request

blueprint = Blueprint("ogc", __name__)
FORM_FIELDS = ("filter", "crs", "sortby")  # that the form shows
ADDRESS = ("f", "lang", "offset")  # of the page, not of what is asked for
TEMPLATES = {  # of kinds that share one
    **dict.fromkeys(("queryables", "sortables"), "schema"),
    **dict.fromkeys(("tilesets", "tileset", "tilematrixsets", "tilematrixset"), "tiles"),
}
BESIDE = {"bbox": "bbox-crs", "filter": "filter-lang"}  # what goes when its parameter is dropped
LONGEST = 40  # characters of a value in an example
_TRANSLATED = tuple(f"_{language}" for language in LANGUAGES)
MOST_BYTES = 200_000  # of text on a page; whoever needs more takes the JSON
RADIUS = 5  # of a point's circle, in the sketch's units


def ogc_service() -> Service:
    """Return the service of this process."""
    found: Service = current_app.extensions["ogc"]
    return found


@blueprint.get("/openapi.json")
def definition_page() -> Redirect:
    """Lead to the API definition."""
    return redirect(f"{ROOT}/api?f=json", 302)


@blueprint.get(f"{ROOT}/")
@blueprint.get(f"{ROOT}/<path:below>")
def resource_page(below: str = "") -> Response:  # noqa: ARG001 - the address is read as the API reads it
    """Show a resource of the API as a page."""
    ogc_request = _parse_request()
    target = ogc_service().find(ogc_request.path)
    if target.kind in {"items", "item"}:
        features = ogc_service().features(ogc_request, target)
        shown = (
            _items(ogc_request, features)
            if isinstance(features, FeaturePage)
            else _item(ogc_request, features)
        )
        response = _render(ogc_request, target, **shown)
        response.headers["Content-Crs"] = f"<{features.axes.uri}>"
        response.headers["Link"] = header_links(ogc_request, features.collection)
        return response
    document = ogc_service().document(ogc_request, target)
    meant = _parameters(document) if target.kind == "api" else {}
    return _render(
        ogc_request,
        target,
        doc=document,
        collections=ogc_service().collections,
        systems=ALL,
        parameters=meant,
    )


def _parameters(document: Document) -> dict[str, str]:
    """Return what each parameter means, also those that every collection describes for itself."""
    definition: dict[str, Any] = document  # OpenAPI nests what it says in many ways
    meant = {name: row["description"] for name, row in definition["components"]["parameters"].items()}
    for operations in definition["paths"].values():
        rows = operations["get"]["parameters"] if "get" in operations else []
        meant |= {row["name"]: row["description"] for row in rows if row.get("name") in OWN}
    return meant


def _parse_request() -> OgcRequest:
    """Return the request as a page's; fields that a form sends empty were not filled in."""
    ogc_request = to_request(request.environ, base_url())
    filled = [(name, value) for name, value in parse_qsl(ogc_request.query, keep_blank_values=True) if value]
    pairs = [pair for pair in filled if pair[0] != "f" or pair[1] not in FORMATS]
    return OgcRequest(
        ogc_request.base,
        ogc_request.path,
        urlencode([*pairs, ("f", "html")]),
        ogc_request.accept,
        ogc_request.accept_language,
    )


def _render(ogc_request: OgcRequest, target: ResourceAddress, **values: Any) -> Response:
    template = TEMPLATES.get(target.kind, target.kind)
    links = values["doc"]["links"] if "links" in values.get("doc", {}) else values.get("links", [])
    as_json = next((one["href"] for one in links if one["rel"] == "alternate"), ogc_request.here(f="json"))
    rendered = render_template(
        f"ogc/{template}.html", page="data", target=target, row=target.collection, as_json=as_json, **values
    )
    response = Response(rendered, mimetype=HTML)
    response.vary.add("Accept")
    return response


def _items(ogc_request: OgcRequest, found: FeaturePage) -> dict[str, object]:
    features = [_flat(body) for body in found.bodies]
    links = found.links
    rels = {one["rel"]: one["href"] for one in links}
    first = found.wanted.offset + 1
    return {
        "links": links,
        "rels": rels,
        "matched": found.matched,
        "unplaced": found.unplaced,
        "first": first,
        "last": first + len(features) - 1,
        "fields": _fields(found, ogc_request.language),
        "features": features,
        "picture": draw_features(found.features, current_app.extensions["content"].sketch),
        "values": ogc_request.values,
        "example": find_example(ogc_service().sample(found.collection.id)),
        **describe_items_form(ogc_request, found),
    }


def _fields(found: FeaturePage, language: str) -> list[str]:
    """Return the columns of the table: of texts in three languages the page's own, beside the Chinese."""
    names = [field["name"] for field in found.collection.info["fields"]]
    wanted = found.wanted.properties
    others = tuple(f"_{other}" for other in LANGUAGES if other not in {language, "zh"})
    return (
        [name for name in names if name in wanted and name != "id"]
        if wanted
        else [name for name in names if not name.endswith(others) and name != "id"]
    )


def _flat(body: bytes) -> dict[str, object]:
    """Return a feature for a line of the table."""
    feature: GeoJsonFeature = orjson.loads(body)
    values = {name: flatten_value(value) for name, value in feature["properties"].items()}
    return {"id": feature["id"], "values": values, "geometry": describe_geometry(feature)}


def _item(ogc_request: OgcRequest, found: SingleFeature) -> dict[str, object]:
    feature: GeoJsonFeature = orjson.loads(found.body)
    release: Release = current_app.extensions["content"].release
    path = f"locator/{found.feature_id}.svg"
    return {
        "links": found.links,
        "feature": feature,
        "meanings": {field["name"]: field["description"] for field in found.collection.info["fields"]},
        "geometry": describe_geometry(feature),
        "coordinates": write_geometry(found.body),
        "axes": found.axes,
        "systems": [(axes, ogc_request.here(f="html", crs=axes.uri)) for axes in ALL],
        "locator": release.read(path).decode() if release.sha256(path) else "",
    }


def describe_items_form(ogc_request: OgcRequest, found: FeaturePage) -> dict[str, object]:
    """Return what the form holds beside its own fields, and which conditions narrow the list.

    ``titles`` are what the properties are called, by their names.
    """
    kept = [pair for pair in ogc_request.pairs if pair[0] not in {*FORM_FIELDS, *ADDRESS}]
    narrowing = [name for name, _ in ogc_request.pairs if _narrows(name, found)]
    fields = found.collection.info["fields"]
    titles = {field["name"]: headline(field["description"][ogc_request.language]) for field in fields}
    sorting = {
        f"{sign}{name}": {"title": titles[name], "name": name, "descending": bool(sign)}
        for name in titles
        for sign in ("", "-")
    }
    own = ogc_request.values.get("sortby")  # that the list does not offer: several properties, or a plus
    return {
        "kept": kept,
        "in_force": [
            (name, value, _without(ogc_request, name)) for name, value in kept if name not in BESIDE.values()
        ],
        "narrowed": bool(narrowing),
        "clear": _without(ogc_request, *narrowing),
        "titles": titles,
        "sorting": sorting,
        "own_sorting": own if own not in sorting else None,
        "systems": ALL,
        "axes": found.axes,
    }


def _narrows(name: str, found: FeaturePage) -> bool:
    """Tell whether a parameter can keep features out of the list."""
    if name == "bbox":
        return found.wanted.has_place
    return name == "filter" or (name not in ITEMS and name not in ADDRESS)


def _without(ogc_request: OgcRequest, *names: str) -> str:
    """Return the address of the first page without some parameters."""
    gone = {*names, *(BESIDE[name] for name in names if name in BESIDE), "offset"}
    return ogc_request.url(ogc_request.path, [pair for pair in ogc_request.pairs if pair[0] not in gone])


def find_example(properties: Properties) -> str:
    """Return a filter that a feature with these properties fulfils."""
    for name, value in properties.items():
        short = isinstance(value, str) and len(value) <= LONGEST and "'" not in value
        if short and name != "id" and not name.endswith(_TRANSLATED):
            return f"{name} = '{value}'"
    return f"id = '{properties['id']}'" if "id" in properties else "TRUE"


def describe_geometry(feature: GeoJsonFeature) -> dict[str, object] | None:
    """Return type, number of positions and bbox of a feature's geometry, or None where it has none.

    `feature` is as the answer in JSON has it; the bbox is in its system and axis order.
    """
    geometry = feature["geometry"]
    if geometry is None:
        return None
    count = int(shapely.get_num_coordinates(parse_geometry(feature)))
    return {"type": geometry["type"], "positions": count, "bbox": feature.get("bbox")}


def write_geometry(body: bytes) -> str | None:
    """Return a feature's geometry as GeoJSON, a position on each line; None where that is too much."""
    geometry = geometry_of(body)
    return geometry.replace(b"],[", b"],\n[").decode() if len(geometry) <= MOST_BYTES else None


def draw_features(features: Iterable[Feature], sketch: Sketch) -> dict[str, object] | None:
    """Return the size of the sketch and path, names and edge of each feature on it, large ones first.

    None where no feature lies in the sketch's view.
    """
    west, south, east, north = sketch["bounds"]
    frame = frame_sketch((west, south, east, north))
    rows = []
    for feature in features:
        read: GeoJsonFeature = orjson.loads(feature.body)
        if read["geometry"] is None:
            continue
        shape = parse_geometry(read)
        if shape.intersects(frame.view):
            middle = shape.centroid
            path = frame.to_path(shape) if shape.area else frame.to_circle(middle.x, middle.y, RADIUS)
            rows.append((shape.area, _row(read, path, sketch["places"])))
    rows.sort(key=lambda row: -row[0])
    size = {"width": sketch["width"], "height": sketch["height"]}
    return size | {"features": [row for _, row in rows]} if rows else None


def _row(feature: GeoJsonFeature, path: str, known: Mapping[str, SketchedPlace]) -> dict[str, object]:
    """Return how one feature is drawn: a place with the edge that it has on every map."""
    properties = feature["properties"]
    names = {language: properties.get(f"name_{language}") for language in LANGUAGES}
    place = known.get(feature["id"])
    edge = place["edge"] if place else properties.get("geometry_method")
    return {"id": feature["id"], "name": names, "edge": edge, "d": path}
