"""Links, the documents around the features, and the features themselves as bytes joined from the store's."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NotRequired, TypedDict
from urllib.parse import urlencode

import orjson
from cachetools import LRUCache, cached

from geodata.messages import fill
from layers.axes import ALL, CRS84, Axes
from layers.cql.tree import And, Compare, Condition, Constant, IsUnknown, Kind, Not, Or, Property, Spatial
from layers.document_types import FieldEntry, FlatEntry
from layers.export.job import headline
from layers.query import RECORDS, Collection, Feature, FeatureStore, Query, Selection, flat_schema, queryables
from webmap import http as kinds
from webmap.limiter import computing
from webmap.ogc.cache import Body, ReprojectionCache, flatten_body, keep_properties
from webmap.ogc.request import (
    BOX_PLACEHOLDER,
    CRS,
    FORM,
    ITEM,
    ROOT,
    ItemsQuery,
    OgcRequest,
    check_parameters,
    encode,
    parse_items,
)
from webmap.params import Operation
from webmap.problems import NotFoundError, Strings, link_near, name_some

HTML, JSON, GEOJSON = kinds.HTML, kinds.JSON, kinds.GEOJSON
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"
SORTABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
TILESETS_REL = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
SCHEMES_REL = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
Document = dict[str, object]
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
            "arithmetic",
            "array-functions",
        )
    ),
    *(
        f"{_SPEC}/ogcapi-features-5/1.0/conf/{name}"
        for name in (
            "schemas",
            "core-roles-features",
            "returnables-and-receivables",
            "queryables",
            "sortables",
        )
    ),
    *(
        f"{_SPEC}/ogcapi-tiles-1/1.0/conf/{name}"
        for name in (
            "core",
            "tileset",
            "tilesets-list",
            "dataset-tilesets",
            "geodata-tilesets",
            "mvt",
            "oas30",
        )
    ),
    *(
        f"{_SPEC}/tms/2.0/conf/{form}{name}"
        for name in ("tilematrixset", "tilematrixsetlimits", "tilesetmetadata")
        for form in ("", "json-")
    ),
)
_UNITS = {"m": "m", "km2": "km2"}  # by UCUM, of the catalogue's
GEOMETRIES = {"polygon": "geometry-multipolygon", "point": "geometry-point"}
TEMPLATE_BYTES = 4_000_000
COMPARED = 1000  # features among which one may have been meant; a slip must not read a whole country
KEPT_LINKS = 8  # of each
SURROUNDINGS = 256  # collections in a language, of which what their features lead to is kept
QUICK_QUERY = 300  # characters, percent-encoded, that are read at once
MAX_FILTER = 131_072  # bytes of a filter that is sent by POST


class OgcLink(TypedDict):
    """A link; what is to be sent by POST has the method and the request, a template says that it is one."""

    href: str
    rel: str
    type: str
    title: NotRequired[str]
    method: NotRequired[str]
    request: NotRequired[dict[str, str]]
    templated: NotRequired[bool]


def link(href: str, rel: str, media: str, title: str | None = None) -> OgcLink:
    """Return one link."""
    plain: OgcLink = {"href": href, "rel": rel, "type": media}
    return {**plain, "title": title} if title else plain


def self_links(request: OgcRequest, media: str, title: str | None = None) -> list[OgcLink]:
    """Return the links of the document to itself and to its other format."""
    own, other = ("html", "json") if request.html else ("json", "html")
    types = {"json": media, "html": HTML}
    return [
        link(request.here(f=own), "self", types[own], title),
        link(request.here(f=other), "alternate", types[other], title),
    ]


def both_links(request: OgcRequest, path: str, rel: str, media: str, title: str) -> list[OgcLink]:
    """Return links to a resource as JSON and as a page."""
    return [
        link(request.url(path, [("f", "json")]), rel, media, title),
        link(request.url(path, [("f", "html")]), rel, HTML, title),
    ]


def item_links(request: OgcRequest, path: str, title: str) -> list[OgcLink]:
    """Return links to the features as GeoJSON and as a page.

    GDAL asks for one feature by adding ``/<id>`` to the GeoJSON address as it stands, so that carries no
    query but a profile; without ``f`` the answer is GeoJSON for everyone but a browser.
    """
    return [
        link(request.bare(path), "items", GEOJSON, title),
        *both_links(request, path, "items", GEOJSON, title)[1:],
    ]


class Resources:
    """Builds documents from the collections and the texts; nothing here looks at a feature.

    `downloads` gives the addresses of a collection's files below the site, with their media types;
    `operations` what the site beside the API takes, by the rules of its addresses; `tiles` holds the ids of
    the layers with vector tiles.
    """

    def __init__(
        self,
        collections: tuple[Collection, ...],
        strings: Strings,
        downloads: Mapping[str, list[tuple[str, str]]],
        operations: Mapping[str, Operation],
        tiles: Container[str] = (),
    ) -> None:
        self.operations = operations
        self._tiles = tiles
        self.collections = collections
        self._strings = strings
        self._downloads = downloads

    def text(self, request: OgcRequest, key: str, **values: str) -> str:
        """Return a text in the language of the request."""
        return fill(self._strings[request.language][key], values)

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
                *(self._tile_links(request, "tiles") if any(map(self.is_tiled, self.collections)) else ()),
                *both_links(
                    request, "tileMatrixSets", SCHEMES_REL, JSON, self.text(request, "ogc.tile_matrix_sets")
                ),
                self._licence(request),
            ],
        }

    def is_tiled(self, row: Collection) -> bool:
        """Tell whether a collection has vector tiles: one without a place has none."""
        return row.bounds is not None and row.id in self._tiles

    def _tile_links(self, request: OgcRequest, path: str) -> list[OgcLink]:
        return both_links(request, path, TILESETS_REL, JSON, self.text(request, "ogc.tilesets"))

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
        links = self._links(request, row)
        title = row.info["title"][request.language]
        return self._describe(request, row) | {"links": [*self_links(request, JSON, title), *links[1:]]}

    def _describe(self, request: OgcRequest, row: Collection) -> Document:
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
        return document | {"links": self._links(request, row)}

    def _links(self, request: OgcRequest, row: Collection) -> list[OgcLink]:
        path, title = f"collections/{row.id}", row.info["title"][request.language]
        return [
            link(request.url(path, [("f", "json")]), "self", JSON, title),
            *item_links(request, f"{path}/items", title),
            *both_links(
                request, f"{path}/queryables", QUERYABLES_REL, SCHEMA, self.text(request, "ogc.queryables")
            ),
            *both_links(
                request, f"{path}/sortables", SORTABLES_REL, SCHEMA, self.text(request, "ogc.sortables")
            ),
            *both_links(request, f"{path}/schema", SCHEMA_REL, SCHEMA, self.text(request, "ogc.schema")),
            link(
                request.url(f"{path}/schema", [("f", "json")]),
                "describedby",
                SCHEMA,
                self.text(request, "ogc.schema"),
            ),
            *(self._tile_links(request, f"{path}/tiles") if self.is_tiled(row) else ()),
            *self._files(request, row),
            self._licence(request, f"/own/{row.id}/" if row.info.get("own") else "/data/"),
        ]

    def _files(self, request: OgcRequest, row: Collection) -> list[OgcLink]:
        files = self._downloads.get(row.id, [])
        return [
            link(f"{request.base}{href}", "enclosure", media, href.rpartition("/")[2])
            for href, media in files
        ]

    def _licence(self, request: OgcRequest, path: str = "/data/") -> OgcLink:
        return link(f"{request.base}{path}", "license", HTML, self.text(request, "ogc.licence"))

    def queryables(self, request: OgcRequest, row: Collection) -> Document:
        """Return what a collection can be filtered by, as a JSON Schema; lists in their flat form."""
        note = self.text(request, "ogc.flat")
        properties = {
            field["name"]: self._member(
                request, field, flat_schema(field), note if field["type"] == "array" else ""
            )
            for field in row.info["fields"]
        }
        return self._schema(request, row, "queryables", properties)

    def sortables(self, request: OgcRequest, row: Collection) -> Document:
        """Return what a collection can be sorted by, as a JSON Schema."""
        properties = {
            field["name"]: self._member(request, field, flat_schema(field)) for field in row.info["fields"]
        }
        return self._schema(request, row, "sortables", properties, placed=False)

    def schema(self, request: OgcRequest, row: Collection) -> Document:
        """Return the properties of a collection's features, as a JSON Schema; a null is no value."""
        properties: dict[str, Document] = {}
        for field in row.info["fields"]:
            kind: Document = flat_schema(field) if request.flat else _value_schema(field)
            properties[field["name"]] = self._member(request, field, kind | {"readOnly": True})
            if request.flat and (flat := field.get("flat")):
                properties[flat["name"]] = self._member(request, flat, {"type": "string", "readOnly": True})
        empty = {field["name"] for field in row.info["fields"] if request.flat and field["type"] == "array"}
        given = [field["name"] for field in row.info["fields"] if not field["nullable"]]
        required: Document = {"required": [name for name in given if name not in empty]}
        return self._schema(request, row, "schema", properties) | required

    def _schema(
        self,
        request: OgcRequest,
        row: Collection,
        name: str,
        properties: dict[str, Document],
        *,
        placed: bool = True,
    ) -> Document:
        kind = GEOMETRIES.get(row.info["geometry"]) if placed else None
        place: Document = {
            "title": self.text(request, "ogc.geometry"),
            "x-ogc-role": "primary-geometry",
            "format": kind,
        }
        members = ({"geometry": place} if kind else {}) | properties
        returned = {"readOnly": True} if name == "schema" else {}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": request.bare(f"collections/{row.id}/{name}"),
            "type": "object",
            "title": row.info["title"][request.language],
            "x-title": row.info["title"],
            "description": row.info["description"][request.language],
            "properties": {
                key: member
                | ({"x-ogc-propertySeq": number} if name == "schema" else {})
                | (returned if key == "geometry" else {})
                for number, (key, member) in enumerate(members.items(), 1)
            },
            "additionalProperties": False,
        }

    @staticmethod
    def _member(
        request: OgcRequest, field: FieldEntry | FlatEntry, schema: Document, note: str = ""
    ) -> Document:
        meaning = field["description"]
        role = {"x-ogc-role": "id"} if field["name"] == "id" else {}
        unit = _UNITS.get(str(field.get("unit") or ""))
        measured = {"x-ogc-unit": unit, "x-ogc-unitLang": "UCUM"} if unit else {}
        values: Document = {"enum": listed} if (listed := field.get("values")) else {}
        text = f"{meaning[request.language]}{note}"
        said: Document = {
            "title": headline(meaning[request.language]),
            "description": text,
            "x-title": meaning,
        }
        return said | role | schema | measured | values


def _value_schema(field: FieldEntry) -> Document:
    """Return the JSON Schema of a property as GeoJSON has it."""
    if field["type"] != "array":
        return flat_schema(field)
    members = RECORDS.get(field["name"])
    if members is None:
        return {"type": "array", "items": {"type": "string"}}
    row: Document = {"type": "object", "properties": {name: {"type": "string"} for name in members}}
    return {"type": "array", "items": row | {"required": list(members)}}


def header_links(request: OgcRequest, collection: Collection) -> str:
    """Return the header ``Link`` of features: what they can be filtered by, and what they are."""
    return _surroundings(request.base, collection.id, request.kept, html=request.html)[1]


@lru_cache(maxsize=SURROUNDINGS)
def _surroundings(
    base: str, collection_id: str, kept: tuple[tuple[str, str], ...], *, html: bool
) -> tuple[list[OgcLink], str]:
    """Return links from features to their collection and what describes it, and those for the header.

    They are the same for all questions in one language and profile, which are `kept`.
    """
    request, path = OgcRequest(base, "", urlencode(kept)), f"collections/{collection_id}"
    form, media = ("html", HTML) if html else ("json", JSON)
    described = [
        link(request.url(f"{path}/{name}", [("f", "json")]), rel, SCHEMA)
        for name, rel in (("queryables", QUERYABLES_REL), ("schema", SCHEMA_REL), ("schema", "describedby"))
    ]
    header = ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{SCHEMA}"' for one in described)
    return [link(request.url(path, [("f", form)]), "collection", media), *described], header


@dataclass(frozen=True)
class FeaturePage:
    """One page of a collection, its features in the system that was asked for."""

    request: OgcRequest
    collection: Collection
    wanted: ItemsQuery
    matched: int
    unplaced: int  # of them, where a box was asked for
    features: tuple[Feature, ...]  # as the store has them, in lon/lat
    bodies: list[bytes]

    @property
    def axes(self) -> Axes:
        """The system of the features' coordinates."""
        return self.wanted.axes

    @property
    def links(self) -> list[OgcLink]:
        """The page itself and its neighbours."""
        return page_links(self.request, self.collection, self.wanted, self.matched)


class ResponseTemplate:
    """What pages that differ in their box alone have in common."""

    def __init__(self, request: OgcRequest, collection: Collection, wanted: ItemsQuery) -> None:
        self.wanted = wanted
        self.query = request.query
        self._request, self._collection = request, collection
        self._links: dict[tuple[bool, int], list[str]] = {}
        self._in_box = wanted.has_place and "bbox" in request.values

    def write(self, found: Selection, bodies: list[bytes], box: str | None) -> Body:
        """Return a page as GeoJSON, the features' bytes as they are."""
        links = (BOX_PLACEHOLDER if box is None else encode(box)).join(self._parts(found.matched))
        return write_page(links, found, bodies, in_box=self._in_box)

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


def write_page(links: str, found: Selection, bodies: list[bytes], *, in_box: bool) -> Body:
    """Return a page as GeoJSON; one of a box says how many of what matches are nowhere."""
    nowhere = f'"numberWithoutGeometry":{found.unplaced},' if in_box else ""
    head = f'{{"type":"FeatureCollection","links":{links},"numberMatched":{found.matched},{nowhere}'
    head += f'"numberReturned":{len(bodies)},"features":['
    parts = [b","] * (2 * len(bodies))  # joined when they are sent: a page is long, and each copy costs
    parts[::2] = bodies
    parts[-1:] = [b"]}"]
    return Body(head.encode(), parts)


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
    links: list[OgcLink]

    def write(self) -> Body:
        """Return the feature as GeoJSON with its links."""
        return Body(b',"links":' + orjson.dumps(self.links) + b"}", before=self.body[:-1])


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
        bodies = self._bodies(request, collection, found.features, wanted)
        return FeaturePage(request, collection, wanted, found.matched, found.unplaced, found.features, bodies)

    def write(self, request: OgcRequest, collection: Collection, box: str | None) -> tuple[Body, Axes]:
        """Return the page that is asked for as GeoJSON, and its system; raises BadParameterError.

        `box` is what stands where the request says BOX_PLACEHOLDER, or None where it is as it was sent.
        """
        template = self._template(request, collection)
        given = request.values.get("bbox") if box is None else box
        found = self._select(collection, template.wanted, given)
        bodies = self._bodies(request, collection, found.features, template.wanted)
        return template.write(found, bodies, box), template.wanted.axes

    def is_quick(self, request: OgcRequest, collection: Collection) -> bool:
        """Tell whether a page takes about as long to make as to have a thread make it, whichever its box.

        Raises BadParameterError.
        """
        if not collection.is_light or len(request.query) > QUICK_QUERY:
            return False
        wanted = self._template(request, collection).wanted
        plain = wanted.properties is None and not request.flat and wanted.axes is wanted.box_axes is CRS84
        return plain and all(map(_is_comparison, wanted.conditions))

    def search(self, request: OgcRequest, collection: Collection) -> tuple[Body, Axes]:
        """Return the page that a question sent by POST asks for; raises BadParameterError.

        Such questions are long, so nothing is kept of them.
        """
        wanted = parse_items(request, collection, self._kinds_of(collection), MAX_FILTER)
        found = self._select(collection, wanted, request.values.get("bbox"))
        bodies = self._bodies(request, collection, found.features, wanted)
        links = orjson.dumps(search_links(request, collection, wanted, found.matched)).decode()
        in_box = wanted.has_place and "bbox" in request.values
        return write_page(links, found, bodies, in_box=in_box), wanted.axes

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
        if request.flat:
            body = flatten_body(body, collection.info)
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
        self,
        request: OgcRequest,
        collection: Collection,
        features: tuple[Feature, ...],
        wanted: ItemsQuery,
    ) -> list[bytes]:
        bodies = self._frames.bodies(collection.id, features, wanted.axes)
        if request.flat:
            bodies = [flatten_body(body, collection.info) for body in bodies]
        if wanted.properties is None:
            return bodies
        return [keep_properties(body, wanted.properties) for body in bodies]


def _leaves(condition: Condition | None) -> Iterator[Condition]:
    """Yield what a filter puts together with AND, OR and NOT."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from _leaves(part)
    elif isinstance(condition, Not | IsUnknown):
        yield from _leaves(condition.part)
    elif condition is not None:
        yield condition


def _is_comparison(condition: Condition) -> bool:
    """Return whether a filter only compares properties with constants."""
    return all(
        isinstance(one, Compare)
        and isinstance(one.left, Property | Constant)
        and isinstance(one.right, Property | Constant)
        for one in _leaves(condition)
    )


def _is_spatial(condition: Condition | None) -> bool:
    """Return whether a filter relates geometries, which takes longer than all else that it may ask."""
    return any(isinstance(one, Spatial) for one in _leaves(condition))


def page_links(
    request: OgcRequest, collection: Collection, wanted: ItemsQuery, matched: int
) -> list[OgcLink]:
    """Return links to the page itself and its neighbours, which keep every parameter."""
    limit, offset = wanted.limit, wanted.offset
    form, media = ("html", HTML) if request.html else ("json", GEOJSON)
    links = self_links(request, GEOJSON)
    if offset + limit < matched:
        links.append(link(request.here(f=form, limit=str(limit), offset=str(offset + limit)), "next", media))
    if offset:
        before = str(max(min(offset, matched) - limit, 0))
        links.append(link(request.here(f=form, limit=str(limit), offset=before), "prev", media))
    return [*links, *_surroundings(request.base, collection.id, request.kept, html=request.html)[0]]


def search_links(
    request: OgcRequest, collection: Collection, wanted: ItemsQuery, matched: int
) -> list[OgcLink]:
    """Return links from a page of an answer to POST: its neighbours are what else is to be sent."""
    address = request.url(f"collections/{collection.id}/search")
    pages = []
    if wanted.offset + wanted.limit < matched:
        pages.append(("next", wanted.offset + wanted.limit))
    if wanted.offset:
        pages.append(("prev", max(min(wanted.offset, matched) - wanted.limit, 0)))
    links: list[OgcLink] = []
    for rel, offset in pages:
        changed = dict(request.pairs) | {"limit": str(wanted.limit), "offset": str(offset)}
        body = {"type": FORM, "body": urlencode(changed)}
        links.append({**link(address, rel, GEOJSON), "method": "POST", "request": body})
    return [*links, *_surroundings(request.base, collection.id, request.kept, html=request.html)[0]]
