"""The parts that the API definition is made of: schemas, parameters, headers, answers."""

from __future__ import annotations

from typing import Any

from layers.axes import ALL
from webmap.language import LANGUAGES
from webmap.media import HTML
from webmap.ogc.asked import FORMATS
from webmap.ogc.filters import LANGUAGES as FILTER_LANGUAGES
from webmap.ogc.parameters import DEFAULT_LIMIT, MAX_LIMIT
from webmap.problems import PROBLEM

Part = dict[str, Any]
_TEXT: Part = {"type": "string"}
_URI: Part = {"type": "string", "format": "uri"}
_INSTANT = (
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"
)
_DATETIME: Part = {
    "type": "string",
    "pattern": rf"^({_INSTANT}(/({_INSTANT}|\.\.)?)?|(\.\.)?/{_INSTANT})$",
    "example": "2024-01-01/2024-12-31",
}
_SYSTEM: Part = {"type": "string", "format": "uri", "enum": [axes.uri for axes in ALL], "default": ALL[0].uri}


def ref(kind: str, name: str) -> Part:
    """Return a reference to a component of this document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def record(required: dict[str, Part], optional: dict[str, Part] | None = None) -> Part:
    """Return the schema of an object."""
    return {"type": "object", "required": list(required), "properties": required | (optional or {})}


def listed(items: Part, **limits: int) -> Part:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **limits}


LINKS = listed(ref("schemas", "link"))
SCHEMAS: Part = {
    "link": record({"href": _URI, "rel": _TEXT, "type": _TEXT}, {"title": _TEXT}),
    "landingPage": record({"title": _TEXT, "description": _TEXT, "links": LINKS}, {"attribution": _TEXT}),
    "confClasses": record({"conformsTo": listed(_URI), "links": LINKS}),
    "collection": record(
        {"id": _TEXT, "title": _TEXT, "description": _TEXT, "itemType": _TEXT, "links": LINKS},
        {
            "numberMatched": {"type": "integer", "minimum": 0},
            "extent": record(
                {
                    "spatial": record(
                        {"bbox": listed(listed({"type": "number"}, minItems=4, maxItems=4)), "crs": _URI}
                    )
                }
            ),
            "crs": listed(_URI),
            "storageCrs": _URI,
        },
    ),
    "collections": record(
        {"links": LINKS, "collections": listed(ref("schemas", "collection")), "crs": listed(_URI)}
    ),
    "jsonSchema": record(
        {"$schema": _URI, "$id": _URI, "type": _TEXT, "title": _TEXT, "properties": {"type": "object"}}
    ),
    "geometry": record(
        {
            "type": {"type": "string", "enum": ["Point", "MultiPoint", "Polygon", "MultiPolygon"]},
            "coordinates": {"type": "array", "items": {}},
        }
    )
    | {"nullable": True},
    "problem": record(
        {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT, "detail_zh": _TEXT},
        {
            "instance": _TEXT,
            "parameter": _TEXT,
            "value": _TEXT,
            "allowed": _TEXT,
            "hint": _TEXT,
            "near": listed(record({"id": _TEXT, "label": _TEXT}, {"href": _TEXT})),
        },
    ),
}


def feature(properties: Part) -> Part:
    """Return the schema of a feature with the given properties."""
    return record(
        {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": _TEXT,
            "geometry": ref("schemas", "geometry"),
            "properties": {"type": "object", "properties": properties},
        },
        {"bbox": listed({"type": "number"}, minItems=4, maxItems=4), "links": LINKS},
    )


def feature_collection(name: str) -> Part:
    """Return the schema of a page of features."""
    whole = {"type": "integer", "minimum": 0}
    return record(
        {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": listed(ref("schemas", name)),
            "links": LINKS,
            "numberMatched": whole,
            "numberReturned": whole,
        }
    )


def parameter(name: str, schema: Part, description: str) -> Part:
    """Return a query parameter in the style that clients push filters down with."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": schema,
        "description": description,
    }


def parameters(say: Any) -> Part:
    """Return the parameters that several paths share; `say` gives the text of a key."""
    return {
        "f": parameter("f", {"type": "string", "enum": list(FORMATS)}, say("f")),
        "lang": parameter("lang", {"type": "string", "enum": list(LANGUAGES)}, say("lang")),
        "limit": parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            say("limit"),
        ),
        "offset": parameter(
            "offset", {"type": "integer", "minimum": 0, "maximum": 10**15 - 1, "default": 0}, say("offset")
        ),
        "bbox": parameter("bbox", listed({"type": "number"}, minItems=4, maxItems=6), say("bbox")),
        "bbox-crs": parameter("bbox-crs", _SYSTEM, say("bbox_crs")),
        "crs": parameter("crs", _SYSTEM, say("crs")),
        "datetime": parameter("datetime", _DATETIME, say("datetime")),
        "filter": parameter("filter", {"type": "string", "minLength": 1, "maxLength": 16_384}, say("filter")),
        "filter-lang": parameter(
            "filter-lang",
            {"type": "string", "enum": list(FILTER_LANGUAGES), "default": FILTER_LANGUAGES[0]},
            say("filter_lang"),
        ),
        "filter-crs": parameter("filter-crs", _SYSTEM, say("filter_crs")),
    }


HEADERS: Part = {
    "ETag": {"schema": _TEXT, "description": "Changes with the data."},
    "Vary": {"schema": _TEXT, "description": "Request headers that the answer depends on."},
    "Content-Crs": {
        "schema": _TEXT,
        "description": "URI of the coordinate reference system, in angle brackets.",
    },
    "Access-Control-Allow-Origin": {
        "schema": {"type": "string", "enum": ["*"]},
        "description": "Open to every page.",
    },
}


def headers(*names: str) -> Part:
    """Return references to headers."""
    return {name: ref("headers", name) for name in names}


def success(media: str, schema: Part, description: str, *more: str) -> Part:
    """Return an answer with JSON of one schema, or with a page; `more` names further headers."""
    return {
        "description": description,
        "headers": headers("ETag", "Vary", "Access-Control-Allow-Origin", *more),
        "content": {media: {"schema": schema}, HTML: {"schema": _TEXT}},
    }


def failure(description: str) -> Part:
    """Return an answer that says what is wrong."""
    content = {PROBLEM: {"schema": ref("schemas", "problem")}, HTML: {"schema": _TEXT}}
    return {"description": description, "headers": headers("Access-Control-Allow-Origin"), "content": content}
