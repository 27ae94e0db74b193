"""The documents around the features: landing page, conformance, collections, queryables, schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers.axes import ALL, CRS84
from layers.catalogue import RECORDS
from layers.query import Collection
from layers.rows import queryables
from webmap.ogc.asked import ROOT, Asked
from webmap.ogc.links import (
    HTML,
    JSON,
    OPENAPI,
    QUERYABLES_REL,
    SCHEMA,
    SCHEMA_REL,
    Link,
    both,
    items,
    link,
    selves,
)
from webmap.problems import Strings

Document = dict[str, Any]
_SPEC = "http://www.opengis.net/spec"
CONFORMS = (
    *(f"{_SPEC}/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "oas30", "html", "geojson")),
    f"{_SPEC}/ogcapi-features-2/1.0/conf/crs",
    *(
        f"{_SPEC}/ogcapi-features-3/1.0/conf/{name}"
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        f"{_SPEC}/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "property-property",
        )
    ),
)
GEOMETRIES = {"polygon": "geometry-polygon-or-multipolygon", "point": "geometry-point"}


class Resources:
    """Builds documents from the collections and the texts; nothing here looks at a feature.

    `downloads` gives the addresses of a collection's files below the site, with their media types.
    """

    def __init__(
        self,
        collections: tuple[Collection, ...],
        strings: Strings,
        downloads: Mapping[str, list[tuple[str, str]]],
    ) -> None:
        self.collections = collections
        self._strings = strings
        self._downloads = downloads

    def text(self, asked: Asked, key: str, **values: str) -> str:
        """Return a text in the language of the request."""
        return self._strings[asked.language][key].format(**values)

    def landing(self, asked: Asked) -> Document:
        """Return the landing page."""
        title = self.text(asked, "site.name")
        return {
            "title": title,
            "description": self.text(asked, "ogc.description"),
            "attribution": self.text(asked, "ogc.attribution"),
            "links": [
                *selves(asked, JSON, title),
                link(asked.url("api", [("f", "json")]), "service-desc", OPENAPI, self.text(asked, "ogc.api")),
                link(asked.url("api", [("f", "html")]), "service-doc", HTML, self.text(asked, "ogc.api")),
                *both(asked, "conformance", "conformance", JSON, self.text(asked, "ogc.conformance")),
                *both(asked, "collections", "data", JSON, self.text(asked, "ogc.collections")),
                self._licence(asked),
            ],
        }

    def conformance(self, asked: Asked) -> Document:
        """Return the conformance classes, exactly those that work."""
        return {"links": selves(asked, JSON), "conformsTo": list(CONFORMS)}

    def all_collections(self, asked: Asked) -> Document:
        """Return every collection."""
        return {
            "links": [*selves(asked, JSON, self.text(asked, "ogc.collections")), self._licence(asked)],
            "crs": [axes.uri for axes in ALL],
            "collections": [self._describe(asked, row) for row in self.collections],
        }

    def collection(self, asked: Asked, row: Collection) -> Document:
        """Return one collection."""
        document = self._describe(asked, row)
        document["links"] = [*selves(asked, JSON, document["title"]), *document["links"][1:]]
        return document

    def _describe(self, asked: Asked, row: Collection) -> Document:
        path = f"collections/{row.id}"
        title = row.info["title"][asked.language]
        document: Document = {
            "id": row.id,
            "title": title,
            "description": row.info["description"][asked.language],
            "itemType": "feature",
            "numberMatched": row.count,
        }
        if row.bounds:
            bounds = [round(value, 7) for value in row.bounds]
            document["extent"] = {"spatial": {"bbox": [bounds], "crs": CRS84.uri}}
            document |= {"crs": [axes.uri for axes in ALL], "storageCrs": CRS84.uri}
        document["links"] = [
            link(asked.url(path, [("f", "json")]), "self", JSON, title),
            *items(asked, f"{path}/items", title),
            *both(asked, f"{path}/queryables", QUERYABLES_REL, SCHEMA, self.text(asked, "ogc.queryables")),
            *both(asked, f"{path}/schema", SCHEMA_REL, SCHEMA, self.text(asked, "ogc.schema")),
            link(
                asked.url(f"{path}/schema", [("f", "json")]),
                "describedby",
                SCHEMA,
                self.text(asked, "ogc.schema"),
            ),
            *self._files(asked, row),
            self._licence(asked),
        ]
        return document

    def _files(self, asked: Asked, row: Collection) -> list[Link]:
        files = self._downloads.get(row.id, [])
        return [
            link(f"{asked.base}{href}", "enclosure", media, href.rpartition("/")[2]) for href, media in files
        ]

    def _licence(self, asked: Asked) -> Link:
        return link(f"{asked.base}/data/", "license", HTML, self.text(asked, "ogc.licence"))

    def queryables(self, asked: Asked, row: Collection) -> Document:
        """Return what a collection can be filtered by, as a JSON Schema; lists in their flat form."""
        note = self.text(asked, "ogc.flat")
        kinds = {"string": "string", "number": "number", "boolean": "boolean"}
        properties: dict[str, Document] = {}
        for field in row.info["fields"]:
            flat = field["type"] == "array"
            kind = field["type"] if field["type"] == "integer" else kinds[queryables(row.info)[field["name"]]]
            properties[field["name"]] = self._member(asked, field, {"type": kind}, note if flat else "")
        return self._schema(asked, row, "queryables", properties) | {"additionalProperties": False}

    def schema(self, asked: Asked, row: Collection) -> Document:
        """Return the properties of a collection's features, as a JSON Schema."""
        properties = {
            field["name"]: self._member(asked, field, _value_schema(field), "")
            for field in row.info["fields"]
        }
        return self._schema(asked, row, "schema", properties)

    def _schema(self, asked: Asked, row: Collection, name: str, properties: dict[str, Document]) -> Document:
        kind = GEOMETRIES.get(row.info["geometry"])
        place = {
            "title": self.text(asked, "ogc.geometry"),
            "x-ogc-role": "primary-geometry",
            "format": kind,
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{asked.base}{ROOT}/collections/{row.id}/{name}",
            "type": "object",
            "title": row.info["title"][asked.language],
            "x-title": row.info["title"],
            "description": row.info["description"][asked.language],
            "properties": ({"geometry": place} if kind else {}) | properties,
        }

    @staticmethod
    def _member(asked: Asked, field: Document, schema: Document, note: str) -> Document:
        meaning = field["description"]
        role = {"x-ogc-role": "id"} if field["name"] == "id" else {}
        text = f"{meaning[asked.language]}{note}"
        return {"title": meaning[asked.language], "description": text, "x-title": meaning} | role | schema


def _value_schema(field: Document) -> Document:
    """Return the JSON Schema of a property as GeoJSON has it."""
    if field["type"] != "array":
        return {"type": [field["type"], "null"] if field["nullable"] else field["type"]}
    members = RECORDS.get(field["name"])
    if members is None:
        return {"type": "array", "items": {"type": "string"}}
    row = {"type": "object", "properties": {name: {"type": "string"} for name in members}}
    return {"type": "array", "items": row | {"required": list(members)}}
