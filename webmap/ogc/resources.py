"""Links, the documents around the features, and the features themselves as bytes joined from the store's."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cachetools import LRUCache, cached

from layers.axes import ALL, CRS84, Axes
from layers.catalogue import RECORDS
from layers.cql.tree import And, Condition, Kind, Not, Or, Spatial
from layers.query import Collection, Feature, FeatureStore, Query, Selection
from layers.rows import queryables
from webmap import http as kinds
from webmap.limiter import computing
from webmap.ogc.cache import ReprojectionCache, keep_properties
from webmap.ogc.parameters import CRS, ITEM, ItemsQuery, check_parameters, parse_items
from webmap.ogc.request import BOX_PLACEHOLDER, ROOT, OgcRequest, encode
from webmap.problems import NotFoundError, Strings, link_near, name_some

HTML, JSON, GEOJSON = kinds.HTML, kinds.JSON, kinds.GEOJSON
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"
Link = dict[str, Any]
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
TEMPLATE_BYTES = 4_000_000
COMPARED = 1000  # features among which one may have been meant; a slip must not read a whole country
KEPT_LINKS = 8  # of each


def link(href: str, rel: str, media: str, title: str | None = None) -> Link:
    """Return one link."""
    return {"href": href, "rel": rel, "type": media} | ({"title": title} if title else {})


def self_links(request: OgcRequest, media: str, title: str | None = None) -> list[Link]:
    """Return the links of the document to itself and to its other format."""
    own, other = ("html", "json") if request.html else ("json", "html")
    types = {"json": media, "html": HTML}
    return [
        link(request.here(f=own), "self", types[own], title),
        link(request.here(f=other), "alternate", types[other], title),
    ]


def both_links(request: OgcRequest, path: str, rel: str, media: str, title: str) -> list[Link]:
    """Return links to a resource as JSON and as a page."""
    return [
        link(request.url(path, [("f", "json")]), rel, media, title),
        link(request.url(path, [("f", "html")]), rel, HTML, title),
    ]


def item_links(request: OgcRequest, path: str, title: str) -> list[Link]:
    """Return links to the features as GeoJSON and as a page.

    GDAL asks for one feature by adding ``/<id>`` to the GeoJSON address as it stands, so that carries no
    query; without ``f`` the answer is GeoJSON for everyone but a browser.
    """
    return [
        link(request.bare(path), "items", GEOJSON, title),
        *both_links(request, path, "items", GEOJSON, title)[1:],
    ]


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

    def text(self, request: OgcRequest, key: str, **values: str) -> str:
        """Return a text in the language of the request."""
        return self._strings[request.language][key].format(**values)

    def landing(self, request: OgcRequest) -> Document:
        """Return the landing page."""
        title = self.text(request, "site.name")
        return {
            "title": title,
            "description": self.text(request, "ogc.description"),
            "attribution": self.text(request, "ogc.attribution"),
            "links": [
                *self_links(request, JSON, title),
                link(
                    request.url("api", [("f", "json")]),
                    "service-desc",
                    OPENAPI,
                    self.text(request, "ogc.api"),
                ),
                link(request.url("api", [("f", "html")]), "service-doc", HTML, self.text(request, "ogc.api")),
                *both_links(
                    request, "conformance", "conformance", JSON, self.text(request, "ogc.conformance")
                ),
                *both_links(request, "collections", "data", JSON, self.text(request, "ogc.collections")),
                self._licence(request),
            ],
        }

    def conformance(self, request: OgcRequest) -> Document:
        """Return the conformance classes, exactly those that work."""
        return {"links": self_links(request, JSON), "conformsTo": list(CONFORMS)}

    def all_collections(self, request: OgcRequest) -> Document:
        """Return every collection."""
        return {
            "links": [
                *self_links(request, JSON, self.text(request, "ogc.collections")),
                self._licence(request),
            ],
            "crs": [axes.uri for axes in ALL],
            "collections": [self._describe(request, row) for row in self.collections],
        }

    def collection(self, request: OgcRequest, row: Collection) -> Document:
        """Return one collection."""
        document = self._describe(request, row)
        document["links"] = [*self_links(request, JSON, document["title"]), *document["links"][1:]]
        return document

    def _describe(self, request: OgcRequest, row: Collection) -> Document:
        path = f"collections/{row.id}"
        title = row.info["title"][request.language]
        document: Document = {
            "id": row.id,
            "title": title,
            "description": row.info["description"][request.language],
            "itemType": "feature",
            "numberMatched": row.count,
        }
        if row.bounds:
            bounds = [round(value, 7) for value in row.bounds]
            document["extent"] = {"spatial": {"bbox": [bounds], "crs": CRS84.uri}}
            document |= {"crs": [axes.uri for axes in ALL], "storageCrs": CRS84.uri}
        document["links"] = [
            link(request.url(path, [("f", "json")]), "self", JSON, title),
            *item_links(request, f"{path}/items", title),
            *both_links(
                request, f"{path}/queryables", QUERYABLES_REL, SCHEMA, self.text(request, "ogc.queryables")
            ),
            *both_links(request, f"{path}/schema", SCHEMA_REL, SCHEMA, self.text(request, "ogc.schema")),
            link(
                request.url(f"{path}/schema", [("f", "json")]),
                "describedby",
                SCHEMA,
                self.text(request, "ogc.schema"),
            ),
            *self._files(request, row),
            self._licence(request),
        ]
        return document

    def _files(self, request: OgcRequest, row: Collection) -> list[Link]:
        files = self._downloads.get(row.id, [])
        return [
            link(f"{request.base}{href}", "enclosure", media, href.rpartition("/")[2])
            for href, media in files
        ]

    def _licence(self, request: OgcRequest) -> Link:
        return link(f"{request.base}/data/", "license", HTML, self.text(request, "ogc.licence"))

    def queryables(self, request: OgcRequest, row: Collection) -> Document:
        """Return what a collection can be filtered by, as a JSON Schema; lists in their flat form."""
        note = self.text(request, "ogc.flat")
        kinds = {"string": "string", "number": "number", "boolean": "boolean"}
        properties: dict[str, Document] = {}
        for field in row.info["fields"]:
            flat = field["type"] == "array"
            kind = field["type"] if field["type"] == "integer" else kinds[queryables(row.info)[field["name"]]]
            properties[field["name"]] = self._member(request, field, {"type": kind}, note if flat else "")
        return self._schema(request, row, "queryables", properties) | {"additionalProperties": False}

    def schema(self, request: OgcRequest, row: Collection) -> Document:
        """Return the properties of a collection's features, as a JSON Schema."""
        properties = {
            field["name"]: self._member(request, field, _value_schema(field), "")
            for field in row.info["fields"]
        }
        return self._schema(request, row, "schema", properties)

    def _schema(
        self, request: OgcRequest, row: Collection, name: str, properties: dict[str, Document]
    ) -> Document:
        kind = GEOMETRIES.get(row.info["geometry"])
        place = {
            "title": self.text(request, "ogc.geometry"),
            "x-ogc-role": "primary-geometry",
            "format": kind,
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{request.base}{ROOT}/collections/{row.id}/{name}",
            "type": "object",
            "title": row.info["title"][request.language],
            "x-title": row.info["title"],
            "description": row.info["description"][request.language],
            "properties": ({"geometry": place} if kind else {}) | properties,
        }

    @staticmethod
    def _member(request: OgcRequest, field: Document, schema: Document, note: str) -> Document:
        meaning = field["description"]
        role = {"x-ogc-role": "id"} if field["name"] == "id" else {}
        text = f"{meaning[request.language]}{note}"
        return {"title": meaning[request.language], "description": text, "x-title": meaning} | role | schema


def _value_schema(field: Document) -> Document:
    """Return the JSON Schema of a property as GeoJSON has it."""
    if field["type"] != "array":
        return {"type": [field["type"], "null"] if field["nullable"] else field["type"]}
    members = RECORDS.get(field["name"])
    if members is None:
        return {"type": "array", "items": {"type": "string"}}
    row = {"type": "object", "properties": {name: {"type": "string"} for name in members}}
    return {"type": "array", "items": row | {"required": list(members)}}


@dataclass(frozen=True)
class FeaturePage:
    """One page of a collection, its features in the system that was asked for."""

    request: OgcRequest
    collection: Collection
    wanted: ItemsQuery
    matched: int
    features: tuple[Feature, ...]  # as the store has them, in lon/lat
    bodies: list[bytes]

    @property
    def axes(self) -> Axes:
        """The system of the features' coordinates."""
        return self.wanted.axes

    @property
    def links(self) -> list[Link]:
        """The page itself and its neighbours."""
        return page_links(self.request, self.collection, self.wanted, self.matched)


class ResponseTemplate:
    """What pages that differ in their box alone have in common."""

    def __init__(self, request: OgcRequest, collection: Collection, wanted: ItemsQuery) -> None:
        self.wanted = wanted
        self.query = request.query
        self._request, self._collection = request, collection
        self._links: dict[tuple[bool, int], list[str]] = {}

    def write(self, matched: int, bodies: list[bytes], box: str | None) -> bytes:
        """Return a page as GeoJSON, the features' bytes as they are."""
        links = (BOX_PLACEHOLDER if box is None else encode(box)).join(self._parts(matched))
        head = f'{{"type":"FeatureCollection","links":{links},"numberMatched":{matched},'
        head += f'"numberReturned":{len(bodies)},"features":['
        commas = [b","] * (2 * len(bodies) - 1)
        commas[::2] = bodies  # joined once: a page is long, and each copy costs
        return b"".join((head.encode(), *commas, b"]}"))

    def _parts(self, matched: int) -> list[str]:
        """Return the links as JSON, cut where the box stands; they depend little on what matched."""
        wanted = self.wanted
        key = wanted.offset + wanted.limit < matched, min(wanted.offset, matched)
        parts = self._links.get(key)
        if parts is None:
            links = page_links(self._request, self._collection, wanted, matched)
            parts = orjson.dumps(links).decode().split(BOX_PLACEHOLDER)
            if len(self._links) < KEPT_LINKS:
                self._links[key] = parts
        return parts


def _weigh_template(template: ResponseTemplate) -> int:
    """Return about how many bytes a template takes: what was read of a filter is many times its text."""
    return 5000 + 20 * len(template.query)


@dataclass(frozen=True)
class SingleFeature:
    """One feature in the system that was asked for."""

    collection: Collection
    feature_id: str
    axes: Axes
    body: bytes
    links: list[Link]

    def to_bytes(self) -> bytes:
        """Return the feature as GeoJSON with its links."""
        return b"".join((self.body[:-1], b',"links":', orjson.dumps(self.links), b"}"))


class Items:
    """Answers for features from one store."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._frames = ReprojectionCache()
        self._kinds: dict[str, dict[str, Kind]] = {}
        kept: LRUCache[object, ResponseTemplate] = LRUCache(TEMPLATE_BYTES, _weigh_template)
        self._template = cached(kept, lock=threading.Lock())(self._make_template)

    def page(self, request: OgcRequest, collection: Collection) -> FeaturePage:
        """Return the page that is asked for; raises BadParameterError."""
        wanted = parse_items(request, collection, self._kinds_of(collection))
        found = self._select(collection, wanted, request.values.get("bbox"))
        bodies = self._bodies(collection, found.features, wanted)
        return FeaturePage(request, collection, wanted, found.matched, found.features, bodies)

    def write(self, request: OgcRequest, collection: Collection, box: str | None) -> tuple[bytes, Axes]:
        """Return the page that is asked for as GeoJSON, and its system; raises BadParameterError.

        `box` is what stands where the request says BOX_PLACEHOLDER, or None where it is as it was sent.
        """
        template = self._template(request, collection)
        given = request.values.get("bbox") if box is None else box
        found = self._select(collection, template.wanted, given)
        bodies = self._bodies(collection, found.features, template.wanted)
        return template.write(found.matched, bodies, box), template.wanted.axes

    def _make_template(self, request: OgcRequest, collection: Collection) -> ResponseTemplate:
        return ResponseTemplate(
            request, collection, parse_items(request, collection, self._kinds_of(collection))
        )

    def _select(self, collection: Collection, wanted: ItemsQuery, bbox: str | None) -> Selection:
        query = wanted.query(bbox)
        if not _is_spatial(query.filter):
            return self._store.select(collection.id, query)
        with computing.turn():
            return self._store.select(collection.id, query)

    def _kinds_of(self, collection: Collection) -> dict[str, Kind]:
        if collection.id not in self._kinds:
            self._kinds[collection.id] = queryables(collection.info)
        return self._kinds[collection.id]

    def single(self, request: OgcRequest, collection: Collection, feature_id: str) -> SingleFeature:
        """Return one feature; raises NotFoundError."""
        check_parameters(request, collection, ITEM)
        axes = CRS.parse(request.values)
        feature = self._store.get(collection.id, feature_id)
        if feature is None:
            raise self._no_feature(collection, feature_id)
        body = self._frames.bodies(collection.id, [feature], axes)[0]
        path = f"collections/{collection.id}"
        links = [*self_links(request, GEOJSON), link(request.url(path, [("f", "json")]), "collection", JSON)]
        return SingleFeature(collection, feature_id, axes, body, links)

    def _no_feature(self, collection: Collection, given: str) -> NotFoundError:
        some = self._store.select(collection.id, Query(limit=COMPARED)).features
        known = [feature.id for feature in some]
        path = f"{ROOT}/collections/{collection.id}/items"
        return NotFoundError(
            "ogc.error.feature",
            parameter="featureId",
            value=given,
            collection=collection.id,
            allowed=name_some(known, collection.count),
            near=link_near(given, known, lambda near: f"{path}/{near}"),
        )

    def _bodies(
        self, collection: Collection, features: tuple[Feature, ...], wanted: ItemsQuery
    ) -> list[bytes]:
        bodies = self._frames.bodies(collection.id, features, wanted.axes)
        if wanted.properties is None:
            return bodies
        return [keep_properties(body, wanted.properties) for body in bodies]


def _is_spatial(condition: Condition | None) -> bool:
    """Return whether a filter relates geometries, which takes longer than all else that it may ask."""
    if isinstance(condition, And | Or):
        return any(map(_is_spatial, condition.parts))
    return _is_spatial(condition.part) if isinstance(condition, Not) else isinstance(condition, Spatial)


def page_links(request: OgcRequest, collection: Collection, wanted: ItemsQuery, matched: int) -> list[Link]:
    """Return links to the page itself and its neighbours, which keep every parameter."""
    limit, offset = wanted.limit, wanted.offset
    form, media = ("html", HTML) if request.html else ("json", GEOJSON)
    links = self_links(request, GEOJSON)
    if offset + limit < matched:
        links.append(link(request.here(f=form, limit=str(limit), offset=str(offset + limit)), "next", media))
    if offset:
        before = str(max(min(offset, matched) - limit, 0))
        links.append(link(request.here(f=form, limit=str(limit), offset=before), "prev", media))
    path = f"collections/{collection.id}"
    links.append(link(request.url(path, [("f", form)]), "collection", HTML if request.html else JSON))
    return links
