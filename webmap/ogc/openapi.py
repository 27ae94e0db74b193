"""The API definition (OpenAPI 3.0) and the components that it is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import yaml

from layers.document_types import FieldEntry
from layers.join.join_request import FILES, MEDIA_TYPES, OPTIONS, SUMMARY
from layers.query import RECORDS, Collection, flat_schema, queryables
from webmap.http import HTML
from webmap.i18n import LANG
from webmap.ogc.request import (
    DECLARED,
    FORM,
    ITEM,
    ITEMS,
    MAX_SEARCH,
    MAX_SORTED,
    OWN,
    PROFILE,
    PROPERTIES,
    ROOT,
    SEARCH_TYPES,
    SORTBY,
    F,
    OgcRequest,
    names_for,
)
from webmap.ogc.resources import GEOJSON, JSON, OPENAPI, SCHEMA, Resources
from webmap.ogc.tilesets import QUAD, TEMPLATE, TILE
from webmap.params import OpenParameter, Operation

Part = dict[str, object]
_TEXT: Part = {"type": "string"}
_URI: Part = {"type": "string", "format": "uri"}
COMPONENTS = Path(__file__).with_name("components.yaml")  # what does not depend on what is served
VERSION = "1.0.0"
RULE_PART = re.compile(r"<(?:[^:<>]+:)?(\w+)>")  # of the rule of an address


def ref(kind: str, name: str) -> Part:
    """Return a reference to a component of this document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def object_schema(required: dict[str, Part], optional: dict[str, Part]) -> Part:
    """Return the schema of an object."""
    return {"type": "object", "required": list(required), "properties": required | optional}


def array_schema(items: Part, **limits: int) -> Part:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **limits}


LINKS = array_schema(ref("schemas", "link"))
_ORDINAL: Part = {"type": "integer", "minimum": 0}


def feature_schema(properties: Part) -> Part:
    """Return the schema of a feature with the given properties."""
    return object_schema(
        {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": _TEXT,
            "geometry": ref("schemas", "geometry"),
            "properties": {"type": "object", "properties": properties},
        },
        {"bbox": array_schema({"type": "number"}, minItems=4, maxItems=4), "links": LINKS},
    )


def feature_collection_schema(name: str) -> Part:
    """Return the schema of a page of features."""
    whole = {"type": "integer", "minimum": 0}
    return object_schema(
        {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": array_schema(ref("schemas", name)),
            "links": LINKS,
            "numberMatched": whole,
            "numberReturned": whole,
        },
        {"numberWithoutGeometry": whole},
    )


def response_headers(*names: str) -> Part:
    """Return references to headers."""
    return {name: ref("headers", name) for name in names}


def success_response(media: str, schema: Part, description: str, *more: str) -> Part:
    """Return an answer with JSON of one schema, or with a page; `more` names further headers."""
    return {
        "description": description,
        "headers": response_headers("ETag", "Vary", "Access-Control-Allow-Origin", *more),
        "content": {media: {"schema": schema}, HTML: {"schema": _TEXT}},
    }


class Definition:
    """Builds the API definition in the language of a request.

    `first_id` gives the id of a feature that a collection has, as an example.
    """

    def __init__(self, resources: Resources, first_id: Callable[[str], str | None]) -> None:
        self._resources = resources
        self._first_id = first_id

    def build(self, request: OgcRequest) -> Part:
        """Return the document."""

        def say(key: str) -> str:
            return self._resources.text(request, key)

        fixed: dict[str, Part] = yaml.load(COMPONENTS.read_bytes(), Loader=yaml.CSafeLoader)
        paths, schemas = self._fixed_paths(request), Part()
        for row in self._resources.collections:
            schemas |= _schemas(row, request.language)
            paths |= self._collection_paths(request, row, say)
        return {
            "openapi": "3.0.3",
            "info": {
                "title": self._resources.text(request, "site.name"),
                "description": self._resources.text(request, "ogc.description"),
                "version": VERSION,
                "contact": {"name": self._resources.text(request, "site.name"), "url": f"{request.base}/"},
                "license": {
                    "name": self._resources.text(request, "ogc.licence"),
                    "url": f"{request.base}/data/",
                },
            },
            "servers": [{"url": f"{request.base}{ROOT}"}],
            "tags": [
                {"name": "Capabilities", "description": self._resources.text(request, "ogc.description")},
                *(
                    {"name": row.id, "description": row.info["title"][request.language]}
                    for row in self._resources.collections
                ),
            ],
            "paths": paths,
            "components": {
                **fixed,
                "schemas": fixed["schemas"] | schemas,
                "parameters": {
                    declared.name: declared.to_openapi(say)
                    for declared in (F, LANG, PROFILE, *DECLARED.values())
                    if declared.name not in OWN
                },
            },
        }

    def _fixed_paths(self, request: OgcRequest) -> Part:
        resources, text = self._resources, self._resources.text
        return {
            "/": _get("landing", text(request, "ogc.landing"), JSON, ref("schemas", "landingPage")),
            "/api": _get("api", text(request, "ogc.api"), OPENAPI, {"type": "object"}),
            "/conformance": _get(
                "conformance", text(request, "ogc.conformance"), JSON, ref("schemas", "confClasses")
            ),
            "/collections": _get(
                "collections", text(request, "ogc.collections"), JSON, ref("schemas", "collections")
            ),
            "/tileMatrixSets": _get(
                "getTileMatrixSetsList",
                text(request, "ogc.tile_matrix_sets"),
                JSON,
                ref("schemas", "tileMatrixSets"),
            ),
            f"/tileMatrixSets/{QUAD}": _get("getTileMatrixSet", QUAD, JSON, ref("schemas", "tileMatrixSet")),
            **(
                self._tile_paths(request, None) if any(map(resources.is_tiled, resources.collections)) else {}
            ),
            "/join": {"post": self._join(request)},
            **{
                RULE_PART.sub(r"{\1}", rule): {"get": self._beside(request, rule, operation)}
                for rule, operation in self._resources.operations.items()
            },
        }

    def _beside(self, request: OgcRequest, rule: str, operation: Operation) -> Part:
        """Return what a page or document takes; it is beside the API, which its server says."""

        def say(key: str) -> str:
            return self._resources.text(request, key)

        names = RULE_PART.findall(rule)
        kind = JSON if rule.endswith(".json") else "text/csv" if rule.endswith(".csv") else "*/*"
        schema: Part = {"type": "object"} if kind == JSON else {"type": "string", "format": "binary"}
        return {
            "operationId": RULE_PART.sub(r"\1", rule).strip("/").replace("/", "."),
            "summary": say(operation.title),
            "description": f"{say(operation.title)}.",
            "tags": ["Capabilities"],
            "servers": [{"url": request.base}],
            "parameters": [
                *({"name": one, "in": "path", "required": True, "schema": _TEXT} for one in names),
                *(one.to_openapi(say) for one in operation.parameters),
                ref("parameters", LANG.name),
            ],
            "responses": {
                "200": {"description": say(operation.title), "content": {kind: {"schema": schema}}},
                "400": ref("responses", "BadRequest"),
                "404": ref("responses", "NotFound"),
                "503": ref("responses", "Unavailable"),
            },
        }

    def _join(self, request: OgcRequest) -> Part:
        """Return the operation that joins a table; it is beside the API, which its server says."""
        text = self._resources.text
        named = {"crs": "placing.crs"}
        fields: dict[str, Part] = {
            name: _TEXT | {"description": text(request, named.get(name, f"join.{name}"))} for name in OPTIONS
        }
        fields["format"] = {"type": "string", "enum": [*FILES, SUMMARY], "default": SUMMARY}
        file: Part = {"type": "string", "format": "binary", "description": text(request, "join.file")}
        binary = {"schema": {"type": "string", "format": "binary"}}
        return {
            "operationId": "join",
            "summary": text(request, "join.title"),
            "description": text(request, "join.lead"),
            "tags": ["Capabilities"],
            "servers": [{"url": request.base}],
            "parameters": [ref("parameters", LANG.name)],
            "requestBody": {
                "required": True,
                "content": {"multipart/form-data": {"schema": object_schema({"file": file}, fields)}},
            },
            "responses": {
                "200": {
                    "description": text(request, "join.result"),
                    "headers": response_headers("Vary", "Access-Control-Allow-Origin"),
                    "content": {
                        JSON: {"schema": {"type": "object"}},
                        **dict.fromkeys(MEDIA_TYPES.values(), binary),
                    },
                },
                **dict.fromkeys(("400", "413", "415", "422"), ref("responses", "BadRequest")),
                "503": ref("responses", "Unavailable"),
            },
        }

    def _collection_paths(self, request: OgcRequest, row: Collection, say: Callable[[str], str]) -> Part:
        path, title = f"/collections/{row.id}", row.info["title"][request.language]
        text = self._resources.text
        schema = ref("schemas", "jsonSchema")
        crs = ("Content-Crs", "Link")
        item = _operation(
            f"{row.id}.item",
            text(request, "ogc.feature_of", name=title),
            [ref("parameters", name) for name in names_for(row, ITEM)],
            row.id,
            failing=("404", "503"),
            description=row.info["description"][request.language],
        )
        item["parameters"].insert(
            0, _feature_id(text(request, "ogc.parameter.feature_id"), self._first_id(row.id))
        )
        item["responses"]["200"] = success_response(GEOJSON, ref("schemas", row.id), title, *crs)
        items = _operation(
            f"{row.id}.items",
            text(request, "ogc.page.features_of", name=title),
            _item_parameters(request, row, say),
            row.id,
            failing=("503",),
            description=row.info["description"][request.language],
        )
        items["responses"]["200"] = success_response(GEOJSON, ref("schemas", f"{row.id}-page"), title, *crs)
        described = ("queryables", "sortables", "schema")
        return {
            path: _get(row.id, title, JSON, ref("schemas", "collection"), row.id),
            **{
                f"{path}/{name}": _get(
                    f"{row.id}.{name}", text(request, f"ogc.{name}"), SCHEMA, schema, row.id
                )
                for name in described
            },
            f"{path}/items": {"get": items},
            f"{path}/items/{{featureId}}": {"get": item},
            f"{path}/search": {"post": _search(row, items, text(request, "ogc.search", name=title))},
            **(self._tile_paths(request, row) if self._resources.is_tiled(row) else {}),
        }

    def _tile_paths(self, request: OgcRequest, row: Collection | None) -> Part:
        """Return the operations on the tiles of a collection or of all, called as OGC API – Tiles wishes."""

        def say(key: str) -> str:
            return self._resources.text(request, key)

        path, title = (f"/collections/{row.id}", row.info["title"][request.language]) if row else ("", "")
        tag = row.id if row else "Capabilities"
        name = f"{row.id}.collection.vector" if row else "dataset.vector"
        about = f"{say('ogc.tilesets')}: {title}" if title else say("ogc.tilesets")
        tile = _operation(f"{name}.getTile", say("ogc.tile"), [], tag, failing=("404", "503"))
        tile["parameters"] = [
            {"name": one, "in": "path", "required": True, "schema": schema, "description": say(f"ogc.{key}")}
            for one, key, schema in (
                ("tileMatrix", "parameter.tile_matrix", _TEXT | {"example": "8"}),
                ("tileRow", "parameter.tile_row", _ORDINAL | {"example": 99}),
                ("tileCol", "parameter.tile_column", _ORDINAL | {"example": 214}),
            )
        ]
        tile["responses"]["200"] = {
            "description": say("ogc.tile"),
            "headers": response_headers("ETag", "Vary", "Access-Control-Allow-Origin"),
            "content": {TILE: {"schema": _TEXT | {"format": "binary"}}},
        }
        one = _get(f"{name}.getTileSet", say("ogc.tileset"), JSON, ref("schemas", "tileSet"), tag)
        return {
            f"{path}/tiles": _get(f"{name}.getTileSetsList", about, JSON, ref("schemas", "tileSets"), tag),
            f"{path}/tiles/{QUAD}": one,
            f"{path}/tiles/{QUAD}/{TEMPLATE}": {"get": tile},
        }


class ApiOperation(TypedDict):
    """What is done with an address."""

    operationId: str
    summary: str
    description: str
    tags: list[str]
    parameters: list[Part]
    responses: dict[str, Part]


def _get(name: str, summary: str, media: str, schema: Part, tag: str = "Capabilities") -> Part:
    operation = _operation(name, summary, [], tag)
    operation["responses"]["200"] = success_response(media, schema, summary)
    return {"get": operation}


def _operation(
    name: str,
    summary: str,
    parameters: list[Part],
    tag: str,
    failing: tuple[str, ...] = (),
    description: str = "",
) -> ApiOperation:
    failures = {"404": "NotFound", "503": "Unavailable"}
    responses = {"304": "NotModified", "400": "BadRequest"} | {code: failures[code] for code in failing}
    return {
        "operationId": name,
        "summary": summary,
        "description": description or f"{summary}.",
        "tags": [tag],
        "parameters": [*parameters, *(ref("parameters", one.name) for one in (F, LANG, PROFILE))],
        "responses": {"200": {}, **{code: ref("responses", one) for code, one in responses.items()}},
    }


def _search(row: Collection, items: ApiOperation, summary: str) -> Part:
    """Return the operation that takes in its body what `items` takes in its address."""
    members: Part = {
        name: {key: said for key, said in DECLARED[name].schema.items() if key != "format"}
        for name in names_for(row, ITEMS)
        if name not in OWN
    }
    for name, (types, member) in SEARCH_TYPES.items():
        if name in OWN:
            members[name] = array_schema({"type": member})
        elif "object" in types:
            members[name] = {"oneOf": [{"type": one} for one in types]}
    body = {"type": "object", "properties": members, "additionalProperties": False}
    page = {key: said for key, said in items["responses"].items() if key != "304"}
    return {
        "operationId": f"{row.id}.search",
        "summary": summary,
        "description": f"≤ {MAX_SEARCH} B",
        "tags": [row.id],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": body}, FORM: {"schema": {"type": "object"}}},
        },
        "responses": page
        | {
            "200": {
                "description": summary,
                "headers": response_headers("Vary", "Access-Control-Allow-Origin", "Content-Crs"),
                "content": {GEOJSON: {"schema": ref("schemas", f"{row.id}-page")}},
            },
            "413": ref("responses", "BadRequest"),
            "415": ref("responses", "BadRequest"),
        },
    }


def _feature_id(description: str, example: str | None) -> Part:
    named: Part = {"example": example} if example else {}
    return named | {
        "name": "featureId",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": description,
    }


def _item_parameters(request: OgcRequest, row: Collection, say: Callable[[str], str]) -> list[Part]:
    kinds = {name: kind for name, kind in queryables(row.info).items() if kind != "geometry"}
    names = list(kinds)
    ordered = [sign + name for name in names for sign in ("", "-")]
    own = {
        SORTBY.name: SORTBY.to_openapi(
            say, array_schema({"type": "string", "enum": ordered}, minItems=1, maxItems=MAX_SORTED)
        ),
        PROPERTIES.name: PROPERTIES.to_openapi(say, array_schema({"type": "string", "enum": names})),
    }
    shared = [own[name] if name in OWN else ref("parameters", name) for name in names_for(row, ITEMS)]
    meanings = {field["name"]: field["description"][request.language] for field in row.info["fields"]}
    types = {field["name"]: flat_schema(field) for field in row.info["fields"]}
    equal = [OpenParameter(name, types[name], meaning=name) for name in names]
    return shared + [declared.to_openapi(meanings.__getitem__) for declared in equal]


def _schemas(row: Collection, language: str) -> Part:
    properties: Part = {field["name"]: _property(field, language) for field in row.info["fields"]}
    return {row.id: feature_schema(properties), f"{row.id}-page": feature_collection_schema(row.id)}


def _property(field: FieldEntry, language: str) -> Part:
    meaning = {"description": field["description"][language]}
    if field["type"] != "array":
        values = (
            {"enum": [*field["values"], *([None] if field["nullable"] else [])]} if field["values"] else {}
        )
        return {
            **flat_schema(field),
            **({"nullable": True} if field["nullable"] else {}),
            **values,
            **meaning,
        }
    kind = "object" if field["name"] in RECORDS else "string"
    return {"type": "array", "items": {"type": kind}, **meaning}
