"""The pages of ``/ogc/``: the same answers for people."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from layers.axes import ALL
from layers.rows import flatten_value
from layers.store import Release
from webmap.language import LANGUAGES
from webmap.links import base_url
from webmap.media import HTML
from webmap.ogc import coordinates
from webmap.ogc.asked import FORMATS, ROOT, Asked
from webmap.ogc.form import describe_form, find_example
from webmap.ogc.gate import to_asked
from webmap.ogc.items import Page, Single
from webmap.ogc.openapi import OWN
from webmap.ogc.picture import draw_features
from webmap.ogc.resources import Document
from webmap.ogc.service import Service, Target

blueprint = Blueprint("ogc", __name__)


def service() -> Service:
    """Return the service of this process."""
    found: Service = current_app.extensions["ogc"]
    return found


@blueprint.get("/openapi.json")
def definition() -> Redirect:
    """Lead to the API definition."""
    return redirect(f"{ROOT}/api?f=json", 302)


@blueprint.get(f"{ROOT}/")
@blueprint.get(f"{ROOT}/<path:below>")
def page(below: str = "") -> Response:  # noqa: ARG001 - the address is read as the API reads it
    """Show a resource of the API as a page."""
    asked = _asked()
    target = service().find(asked.path)
    if target.kind in {"items", "item"}:
        features = service().features(asked, target)
        shown = _items(asked, features) if isinstance(features, Page) else _item(asked, features)
        response = _render(asked, target, **shown)
        response.headers["Content-Crs"] = f"<{features.axes.uri}>"
        return response
    document = service().document(asked, target)
    meant = _parameters(document) if target.kind == "api" else {}
    return _render(
        asked, target, doc=document, collections=service().collections, systems=ALL, parameters=meant
    )


def _parameters(document: Document) -> dict[str, str]:
    """Return what each parameter means, also those that every collection describes for itself."""
    meant = {name: row["description"] for name, row in document["components"]["parameters"].items()}
    for operations in document["paths"].values():
        rows = operations["get"]["parameters"]
        meant |= {row["name"]: row["description"] for row in rows if row.get("name") in OWN}
    return meant


def _asked() -> Asked:
    """Return the request as a page's; fields that a form sends empty were not filled in."""
    asked = to_asked(request.environ, base_url())
    filled = [(name, value) for name, value in parse_qsl(asked.query, keep_blank_values=True) if value]
    pairs = [pair for pair in filled if pair[0] != "f" or pair[1] not in FORMATS]
    return Asked(
        asked.base, asked.path, urlencode([*pairs, ("f", "html")]), asked.accept, asked.accept_language
    )


def _render(asked: Asked, target: Target, **values: Any) -> Response:
    template = {"queryables": "schema"}.get(target.kind, target.kind)
    links = values["doc"]["links"] if "links" in values.get("doc", {}) else values.get("links", [])
    as_json = next((one["href"] for one in links if one["rel"] == "alternate"), asked.here(f="json"))
    rendered = render_template(
        f"ogc/{template}.html", page="data", target=target, row=target.collection, as_json=as_json, **values
    )
    response = Response(rendered, mimetype=HTML)
    response.vary.add("Accept")
    return response


def _items(asked: Asked, found: Page) -> dict[str, Any]:
    features = [_flat(body) for body in found.bodies]
    links = found.links
    rels = {one["rel"]: one["href"] for one in links}
    first = found.wanted.offset + 1
    return {
        "links": links,
        "rels": rels,
        "matched": found.matched,
        "first": first,
        "last": first + len(features) - 1,
        "fields": _fields(found, asked.language),
        "features": features,
        "picture": draw_features(found.features, current_app.extensions["content"].sketch),
        "values": asked.values,
        "example": find_example(service().sample(found.collection.id)),
        **describe_form(asked, found),
    }


def _fields(found: Page, language: str) -> list[str]:
    """Return the columns of the table: of texts in three languages the page's own, beside the Chinese."""
    names = [field["name"] for field in found.collection.info["fields"]]
    wanted = found.wanted.properties
    others = tuple(f"_{other}" for other in LANGUAGES if other not in {language, "zh"})
    return (
        [name for name in names if name in wanted and name != "id"]
        if wanted
        else [name for name in names if not name.endswith(others) and name != "id"]
    )


def _flat(body: bytes) -> dict[str, Any]:
    """Return a feature for a line of the table."""
    feature = orjson.loads(body)
    values = {name: flatten_value(value) for name, value in feature["properties"].items()}
    return {"id": feature["id"], "values": values, "geometry": coordinates.describe_geometry(feature)}


def _item(asked: Asked, found: Single) -> dict[str, Any]:
    feature = orjson.loads(found.body)
    release: Release = current_app.extensions["content"].release
    path = f"locator/{found.feature_id}.svg"
    return {
        "links": found.links,
        "feature": feature,
        "meanings": {field["name"]: field["description"] for field in found.collection.info["fields"]},
        "geometry": coordinates.describe_geometry(feature),
        "coordinates": coordinates.write_geometry(found.body),
        "axes": found.axes,
        "systems": [(axes, asked.here(f="html", crs=axes.uri)) for axes in ALL],
        "locator": release.read(path).decode() if release.sha256(path) else "",
    }
