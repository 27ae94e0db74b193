"""The API definition: OpenAPI 3.0, self-contained, exactly what is there, a path for every collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layers.catalogue import RECORDS
from layers.query import Collection
from layers.rows import queryables
from webmap.ogc import components as parts
from webmap.ogc.asked import ROOT, Asked
from webmap.ogc.components import Part, ref
from webmap.ogc.links import GEOJSON, JSON, OPENAPI, SCHEMA
from webmap.ogc.parameters import ITEM, ITEMS, names_for
from webmap.ogc.resources import Resources

OWN = ("sortby", "properties")  # differ between collections
VERSION = "1.0.0"


class Definition:
    """Builds the API definition in the language of a request.

    `first_id` gives the id of a feature that a collection has, as an example.
    """

    def __init__(self, resources: Resources, first_id: Callable[[str], str | None]) -> None:
        self._resources = resources
        self._first_id = first_id

    def build(self, asked: Asked) -> Part:
        """Return the document."""

        def say(key: str) -> str:
            return self._resources.text(asked, f"ogc.parameter.{key}")

        paths, schemas = self._fixed_paths(asked), dict(parts.SCHEMAS)
        for row in self._resources.collections:
            schemas |= _schemas(row, asked.language)
            paths |= self._collection_paths(asked, row, say)
        return {
            "openapi": "3.0.3",
            "info": {
                "title": self._resources.text(asked, "site.name"),
                "description": self._resources.text(asked, "ogc.description"),
                "version": VERSION,
                "license": {"name": self._resources.text(asked, "ogc.licence"), "url": f"{asked.base}/data/"},
            },
            "servers": [{"url": f"{asked.base}{ROOT}"}],
            "tags": [
                {"name": "Capabilities", "description": self._resources.text(asked, "ogc.description")},
                *(
                    {"name": row.id, "description": row.info["title"][asked.language]}
                    for row in self._resources.collections
                ),
            ],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "parameters": parts.parameters(say),
                "headers": parts.HEADERS,
                "responses": {
                    "NotModified": {"description": "Not modified"},
                    "BadRequest": parts.failure("A parameter is unknown, malformed or out of range"),
                    "NotFound": parts.failure("No such collection or feature"),
                    "Unavailable": parts.failure("The store of features cannot be reached at the moment"),
                },
            },
        }

    def _fixed_paths(self, asked: Asked) -> Part:
        text = self._resources.text
        return {
            "/": _get("landing", text(asked, "ogc.landing"), JSON, ref("schemas", "landingPage")),
            "/api": _get("api", text(asked, "ogc.api"), OPENAPI, {"type": "object"}),
            "/conformance": _get(
                "conformance", text(asked, "ogc.conformance"), JSON, ref("schemas", "confClasses")
            ),
            "/collections": _get(
                "collections", text(asked, "ogc.collections"), JSON, ref("schemas", "collections")
            ),
        }

    def _collection_paths(self, asked: Asked, row: Collection, say: Callable[[str], str]) -> Part:
        path, title = f"/collections/{row.id}", row.info["title"][asked.language]
        text = self._resources.text
        schema = ref("schemas", "jsonSchema")
        crs = ("Content-Crs",)
        item = _operation(
            f"{row.id}.item",
            text(asked, "ogc.feature_of", name=title),
            [ref("parameters", name) for name in names_for(row, ITEM)],
            row.id,
            failing=("404", "503"),
        )
        item["parameters"].insert(
            0, _feature_id(text(asked, "ogc.parameter.feature_id"), self._first_id(row.id))
        )
        item["responses"]["200"] = parts.success(GEOJSON, ref("schemas", row.id), title, *crs)
        items = _operation(
            f"{row.id}.items",
            text(asked, "ogc.page.features_of", name=title),
            _item_parameters(asked, row, say),
            row.id,
            failing=("503",),
        )
        items["responses"]["200"] = parts.success(GEOJSON, ref("schemas", f"{row.id}-page"), title, *crs)
        described = text(asked, "ogc.queryables"), text(asked, "ogc.schema")
        return {
            path: _get(row.id, title, JSON, ref("schemas", "collection"), row.id),
            f"{path}/queryables": _get(f"{row.id}.queryables", described[0], SCHEMA, schema, row.id),
            f"{path}/schema": _get(f"{row.id}.schema", described[1], SCHEMA, schema, row.id),
            f"{path}/items": {"get": items},
            f"{path}/items/{{featureId}}": {"get": item},
        }


def _get(name: str, summary: str, media: str, schema: Part, tag: str = "Capabilities") -> Part:
    operation = _operation(name, summary, [], tag)
    operation["responses"]["200"] = parts.success(media, schema, summary)
    return {"get": operation}


def _operation(
    name: str, summary: str, parameters: list[Part], tag: str, failing: tuple[str, ...] = ()
) -> Part:
    failures = {"404": "NotFound", "503": "Unavailable"}
    responses = {"304": "NotModified", "400": "BadRequest"} | {code: failures[code] for code in failing}
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": [*parameters, ref("parameters", "f"), ref("parameters", "lang")],
        "responses": {"200": {}} | {code: ref("responses", one) for code, one in responses.items()},
    }


def _feature_id(description: str, example: str | None) -> Part:
    named = {"example": example} if example else {}
    return named | {
        "name": "featureId",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": description,
    }


def _item_parameters(asked: Asked, row: Collection, say: Callable[[str], str]) -> list[Part]:
    kinds = {name: kind for name, kind in queryables(row.info).items() if kind != "geometry"}
    names = list(kinds)
    ordered = [sign + name for name in names for sign in ("", "-")]
    own = {
        "sortby": parts.parameter(
            "sortby", parts.listed({"type": "string", "enum": ordered}, minItems=1, maxItems=8), say("sortby")
        ),
        "properties": parts.parameter(
            "properties", parts.listed({"type": "string", "enum": names}), say("properties")
        ),
    }
    shared = [own[name] if name in OWN else ref("parameters", name) for name in names_for(row, ITEMS)]
    meanings = {field["name"]: field["description"][asked.language] for field in row.info["fields"]}
    return shared + [parts.parameter(name, {"type": kind}, meanings[name]) for name, kind in kinds.items()]


def _schemas(row: Collection, language: str) -> Part:
    properties = {field["name"]: _property(field, language) for field in row.info["fields"]}
    return {row.id: parts.feature(properties), f"{row.id}-page": parts.feature_collection(row.id)}


def _property(field: dict[str, Any], language: str) -> Part:
    meaning = {"description": field["description"][language]}
    if field["type"] != "array":
        return {"type": field["type"], **({"nullable": True} if field["nullable"] else {}), **meaning}
    kind = "object" if field["name"] in RECORDS else "string"
    return {"type": "array", "items": {"type": kind}, **meaning}
