"""One answer for one request: which resource, which bytes, which headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from geodata.boundaries import Properties
from layers.axes import Axes
from layers.query import Collection, Feature, FeatureStore, Query, dump_exactly
from webmap.ogc.cache import Body, CachedResponse, ResponseCache
from webmap.ogc.request import OgcRequest
from webmap.ogc.resources import (
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA,
    Document,
    FeaturePage,
    Items,
    Resources,
    SingleFeature,
    header_links,
)
from webmap.ogc.tilesets import QUAD, TileAddress, Tilesets
from webmap.params import Operation
from webmap.problems import NotFoundError, Strings, link_near
from webmap.vector_tiles import TILE, TileFiles

if TYPE_CHECKING:
    from webmap.ogc.openapi import Definition

TARGETS = 256  # addresses whose meaning is remembered
_PLAIN = {
    "": "landing",
    "api": "api",
    "conformance": "conformance",
    "collections": "collections",
    "tileMatrixSets": "tilematrixsets",
    f"tileMatrixSets/{QUAD}": "tilematrixset",
}
_BELOW = {"queryables", "sortables", "schema", "items", "search"}
MEDIA = {
    "landing": JSON,
    "api": OPENAPI,
    "conformance": JSON,
    "collections": JSON,
    "collection": JSON,
    "queryables": SCHEMA,
    "sortables": SCHEMA,
    "schema": SCHEMA,
    **dict.fromkeys(("tilematrixsets", "tilematrixset", "tilesets", "tileset"), JSON),
}


@dataclass(frozen=True)
class ResourceAddress:
    """What an address means: a kind of resource, and where it applies a collection, a feature and a tile."""

    kind: str
    collection: Collection | None = None
    feature_id: str = ""
    tile: TileAddress | None = None


def _find_tileset(path: str, below: str, collection: Collection | None) -> ResourceAddress:
    """Return what an address means that has `below` after its ``tiles``; raises NotFoundError."""
    grid, *place = below.split("/")
    if not below:
        return ResourceAddress("tilesets", collection)
    if grid == QUAD and not place:
        return ResourceAddress("tileset", collection)
    if grid == QUAD and len(place) == len(fields(TileAddress)):
        return ResourceAddress("tile", collection, tile=TileAddress(*place))
    raise NotFoundError("error.http_404", path=f"/ogc/{path[:200]}")


class Service:
    """Answers requests from one store and one release; thread-safe."""

    def __init__(
        self,
        store: FeatureStore,
        release_id: str,
        strings: Strings,
        downloads: Mapping[str, list[tuple[str, str]]],
        operations: Mapping[str, Operation] | None = None,
        tiles: TileFiles | None = None,
    ) -> None:
        self._tiles = tiles or TileFiles()
        self._operations = operations or {}
        self._store = store
        self._release_id = release_id
        self._downloads = downloads
        self._items = Items(store)
        self._cache = ResponseCache()
        self._target = lru_cache(maxsize=TARGETS)(self.find)
        self.strings = strings

    @cached_property
    def collections(self) -> tuple[Collection, ...]:
        """Every collection, asked of the store when first needed: it may be away when the server starts."""
        return self._store.collections()

    @cached_property
    def _by_id(self) -> dict[str, Collection]:
        return {row.id: row for row in self.collections}

    @cached_property
    def _resources(self) -> Resources:
        return Resources(self.collections, self.strings, self._downloads, self._operations, self._tiles)

    @cached_property
    def _tilesets(self) -> Tilesets:
        return Tilesets(self._resources, self._tiles)

    @cached_property
    def _definition(self) -> Definition:
        # Only who is asked for the description of the interface pays for it.
        from webmap.ogc.openapi import Definition

        return Definition(self._resources, self._first_id)

    def _first(self, collection: str) -> Feature | None:
        return next(iter(self._store.select(collection, Query(limit=1)).features), None)

    def _first_id(self, collection: str) -> str | None:
        first = self._first(collection)
        return first.id if first else None

    def answer(self, request: OgcRequest, box: str | None = None) -> CachedResponse:
        """Return the answer in JSON; raises :class:`~webmap.problems.RequestError`.

        `request` and `box` are what :func:`~webmap.ogc.request.extract_box` made of a request; the site's
        address is :data:`~webmap.ogc.request.SITE_PLACEHOLDER` in it, so that the answer is the same
        for every host.
        """
        key = (request.path, request.query, request.language, box or "")
        found = self._cache.get(key)
        if found is None:
            found = self._make(request, box, key)
            self._cache.put(key, found)
        return found

    def _make(self, request: OgcRequest, box: str | None, key: tuple[str, ...]) -> CachedResponse:
        target = self._target(request.path)
        etag = hashlib.blake2b("\0".join((self._release_id, *key)).encode(), digest_size=12).hexdigest()
        if target.collection and target.kind in {"items", "item"}:
            body, axes = self._write(request, box, target.collection, target.feature_id)
            crs = (("Content-Crs", f"<{axes.uri}>"),)
            return CachedResponse(200, GEOJSON, body, etag, crs, header_links(request, target.collection))
        if target.tile:
            tile = Body(b"", before=self._tilesets.tile(request, target.collection, target.tile))
            return CachedResponse(200, TILE, tile, etag)
        body = Body(dump_exactly(self.document(request, target)))
        language = (("Content-Language", request.language),)
        return CachedResponse(200, MEDIA[target.kind], body, etag, language)

    def search(self, request: OgcRequest) -> CachedResponse:
        """Return the features that a question sent by POST asks for; raises RequestError."""
        collection = self._target(request.path).collection
        if collection is None:
            raise NotFoundError("error.http_404", path=f"/ogc/{request.path[:200]}")
        body, axes = self._items.search(request, collection)
        return CachedResponse(200, GEOJSON, body, None, (("Content-Crs", f"<{axes.uri}>"),))

    def _write(
        self, request: OgcRequest, box: str | None, collection: Collection, feature_id: str
    ) -> tuple[Body, Axes]:
        if not feature_id:
            return self._items.write(request, collection, box)
        single = self._items.single(request, collection, feature_id)
        return single.write(), single.axes

    def find(self, path: str) -> ResourceAddress:
        """Return what an address below ``/ogc`` means; raises NotFoundError."""
        if path in _PLAIN:
            return ResourceAddress(_PLAIN[path])
        first, _, rest = path.partition("/")
        if first == "tiles":
            return _find_tileset(path, rest, None)
        if first != "collections":
            raise NotFoundError("error.http_404", path=f"/ogc/{path[:200]}")
        collection_id, _, below = rest.partition("/")
        collection = self._by_id.get(collection_id)
        if collection is None:
            raise self._no_collection(collection_id)
        if not below:
            return ResourceAddress("collection", collection)
        if below in _BELOW:
            return ResourceAddress(below, collection)
        name, _, feature_id = below.partition("/")
        if name == "tiles":
            return _find_tileset(path, feature_id, collection)
        if name != "items" or not feature_id:
            raise NotFoundError("error.http_404", path=f"/ogc/{path[:200]}")
        return ResourceAddress("item", collection, feature_id)

    def _no_collection(self, given: str) -> NotFoundError:
        return NotFoundError(
            "ogc.error.collection",
            parameter="collectionId",
            value=given,
            allowed=", ".join(self._by_id),
            near=link_near(given, self._by_id, lambda near: f"/ogc/collections/{near}"),
        )

    def features(self, request: OgcRequest, target: ResourceAddress) -> FeaturePage | SingleFeature:
        """Return a page of features or one feature."""
        if target.collection is None:
            raise ValueError(target.kind)
        if target.kind == "items":
            return self._items.page(request, target.collection)
        return self._items.single(request, target.collection, target.feature_id)

    def sample(self, collection: str) -> Properties:
        """Return the properties of a collection's first feature; none where it is empty."""
        first = self._first(collection)
        properties: Properties = orjson.loads(first.body)["properties"] if first else {}
        return properties

    def document(self, request: OgcRequest, target: ResourceAddress) -> Document:
        """Return one of the documents around the features."""
        request.check(())
        plain: dict[str, Callable[[OgcRequest], Document]] = {
            "landing": self._resources.landing,
            "api": self._definition.build,
            "conformance": self._resources.conformance,
            "collections": self._resources.all_collections,
            "tilematrixsets": self._tilesets.matrix_sets,
            "tilematrixset": self._tilesets.matrix_set,
        }
        if target.kind in plain:
            return plain[target.kind](request)
        of_one: dict[str, Callable[[OgcRequest, Any], Document]] = {
            "collection": self._resources.collection,
            "queryables": self._resources.queryables,
            "sortables": self._resources.sortables,
            "schema": self._resources.schema,
            "tilesets": self._tilesets.listed,
            "tileset": self._tilesets.one,
        }
        return of_one[target.kind](request, target.collection)
